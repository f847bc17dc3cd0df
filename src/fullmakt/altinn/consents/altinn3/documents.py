"""Consents as Altinn 3 writes them (consent.md §4.4 to §4.7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from fullmakt.altinn.consents.altinn3.rules import redirect_members
from fullmakt.altinn.consents.model import Consent, ConsentEvent, EventType, Status
from fullmakt.altinn.consents.ports import Neighbours
from fullmakt.altinn.consents.rules import with_expiry
from fullmakt.altinn.consents.texts import with_members
from fullmakt.altinn.consents.using import Kept
from fullmakt.kernel.clock import Clock
from fullmakt.wire.altinn.attributes import ORGANISATION, PARTY_UUID, PERSON
from fullmakt.wire.altinn.parties import PartyIdentity

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Urls:
    """Public URLs without a slash at the end: ``api`` of access management, ``pages`` where people answer."""

    api: str
    pages: str


@dataclass(frozen=True, slots=True)
class Documents:
    """Writes them; parties are asked for by their UUIDs, and named as those who read them know them."""

    urls: Urls
    neighbours: Neighbours
    clock: Clock

    async def request(self, kept: Kept) -> Document:
        """A request, as the one who asked sees it (§4.4): parties by their numbers."""
        names = await self._names(kept)
        consent = kept.consent

        def name(party: UUID | None) -> str | None:
            return None if party is None else _by_number(party, names)

        return {
            "id": str(consent.id),
            "from": name(consent.giver),
            "to": name(consent.receiver),
            "requiredDelegator": name(consent.required_delegator),
            "handledBy": name(consent.handled_by),
            "validTo": consent.valid_to.isoformat(),
            "consentRights": _rights(consent),
            "requestMessage": dict(consent.message) or None,
            "status": consent.status.value,
            "consented": _moment(consent),
            "redirectUrl": consent.redirect_url,
            "consentRequestEvents": [
                self._event(event, _by_number(event.performed_by, names)) for event in self._events(kept)
            ],
            "viewUri": self.view_uri(consent),
            "portalViewMode": consent.portal_view_mode.value,
        }

    def internal(self, kept: Kept) -> Document:
        """A request, as the portal's own parts see it (§4.7): parties by their UUIDs, with its template."""
        consent = kept.consent

        def name(party: UUID | None) -> str | None:
            return None if party is None else f"{PARTY_UUID}:{party}"

        return {
            "id": str(consent.id),
            "from": name(consent.giver),
            "to": name(consent.receiver),
            "requiredDelegator": name(consent.required_delegator),
            "handledBy": name(consent.handled_by),
            "validTo": consent.valid_to.isoformat(),
            "consentRights": _rights(consent),
            "requestmessage": dict(consent.message) or None,
            "templateId": consent.template_id,
            "templateVersion": consent.template_version,
            "consentRequestStatus": consent.status.value,
            "consented": _moment(consent),
            "redirectUrl": consent.redirect_url,
            "consentRequestEvents": [
                self._event(event, f"{PARTY_UUID}:{event.performed_by}") for event in self._events(kept)
            ],
            "viewUri": self.view_uri(consent),
            "portalViewMode": consent.portal_view_mode.value,
        }

    def given(self, kept: Kept) -> Document:
        """A consent that was given, with the language that it was given in."""
        return {**self.internal(kept), "context": {"language": kept.consent.language}}

    def view_uri(self, consent: Consent) -> str:
        """Where people answer."""
        return f"{self.urls.pages}/accessmanagement/ui/consent/request?{urlencode({'id': str(consent.id)})}"

    def _events(self, kept: Kept) -> Iterable[ConsentEvent]:
        told = tuple([event for event in kept.events if event.type is not EventType.OPENED])
        return with_expiry(kept.consent, told, self.clock())

    def _event(self, event: ConsentEvent, performed_by: str) -> Document:
        return {
            "consentEventID": str(event.id),
            "created": event.created.isoformat(),
            "performedBy": performed_by,
            "eventType": event.type.value,
            "consentRequestID": str(event.consent_id),
        }

    async def _names(self, kept: Kept) -> Mapping[UUID, PartyIdentity]:
        consent = kept.consent
        parties = {consent.giver, consent.receiver, consent.required_delegator, consent.handled_by}
        parties |= {event.performed_by for event in kept.events}
        return await self.neighbours.by_uuid([party for party in parties if party is not None])


def redirect_of(consent: Consent) -> str:
    """Where the browser goes when a request in Altinn 3's form has been answered (§4.8)."""
    return with_members(consent.redirect_url, redirect_members(accepted=consent.status is not Status.REJECTED))


def _by_number(party: UUID, names: Mapping[UUID, PartyIdentity]) -> str:
    """The party's URN by its number; by its UUID when it has gone from the register."""
    known = names.get(party)
    if known is not None and known.orgno is not None:
        return f"{ORGANISATION}:{known.orgno}"
    if known is not None and known.national_id is not None:
        return f"{PERSON}:{known.national_id}"
    return f"{PARTY_UUID}:{party}"


def _rights(consent: Consent) -> list[Document]:
    return [right.document() for right in consent.altinn3_rights]


def _moment(consent: Consent) -> str | None:
    return None if consent.consented is None else consent.consented.isoformat()
