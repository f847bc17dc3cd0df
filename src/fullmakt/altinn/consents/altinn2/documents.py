"""What Altinn 2 shows of consents: requests to those who ask, consents to the owner of the service (§2.2, §2.11)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from fullmakt.altinn.consents.altinn2.rules import request_status
from fullmakt.altinn.consents.model import Consent, Status
from fullmakt.altinn.consents.srr.model import ServiceKey
from fullmakt.altinn.consents.texts import masked
from fullmakt.wire.altinn.consents2 import LANGUAGES, ConsentClaims, ConsentedService, local_time
from fullmakt.wire.altinn.parties import PartyIdentity, PartyKind


@dataclass(frozen=True, slots=True)
class Known:
    """What consents refer to: parties by UUID, and service editions by resource."""

    parties: Mapping[UUID, PartyIdentity]
    services: Mapping[str, ServiceKey]

    def number(self, party: UUID | None) -> str | None:
        """A party's national identity number or organisation number."""
        found = None if party is None else self.parties.get(party)
        return None if found is None else number_of(found)

    def service(self, resource: str) -> ServiceKey:
        """The service edition that a resource stands for; one that is no service any more goes by its own name."""
        return self.services.get(resource) or ServiceKey(resource, 1)


def number_of(party: PartyIdentity) -> str:
    """The party's national identity number or organisation number."""
    return str(party.national_id or party.orgno or "")


def request_document(consent: Consent, known: Known, url: str, *, mask: bool = True) -> dict[str, Any]:
    """A request, as whoever made it sees it. ``url`` is Altinn 2's; ``mask`` hides the end of people's numbers."""

    def shown(party: UUID | None) -> str | None:
        number = known.number(party)
        return masked(number) if mask and number is not None else number

    keys = {language: key for key, language in LANGUAGES.items()}
    return {
        "AuthorizationCode": str(consent.id),
        "RequestStatus": request_status(consent).value,
        "Created": local_time(consent.created),
        "LastChanged": local_time(_request_changed(consent)),
        "CoveredBy": known.number(consent.receiver),
        "OfferedBy": shown(consent.giver),
        "RequiredDelegator": shown(consent.required_delegator),
        "HandledBy": known.number(consent.handled_by),
        "ValidTo": local_time(consent.valid_to),
        "RedirectUrl": consent.redirect_url,
        "RequestResources": [
            {"ServiceCode": key.code, "ServiceEditionCode": key.edition, "Metadata": dict(right.metadata)}
            for right in consent.rights
            for key in (known.service(right.resource),)
        ],
        "RequestMessage": {keys.get(language, language): text for language, text in consent.message.items()},
        "PortalViewMode": consent.portal_view_mode.value,
        "_links": {
            "self": {"href": f"{url}/api/consentRequest/{consent.id}"},
            "gui": {"href": f"{url}/ui/AccessConsent/request?id={consent.id}"},
        },
    }


def _request_changed(consent: Consent) -> datetime:
    """What happens to a consent after the answer does not show (§2.4)."""
    return consent.answered_at or consent.opened_at or consent.created


def owner_document(consent: Consent, known: Known) -> dict[str, Any]:
    """A consent, as the owner of its service sees it (§2.11)."""
    parties = known.parties
    handler = None if consent.handled_by is None else parties.get(consent.handled_by)
    return {
        "AuthorizationCode": str(consent.id),
        "Status": "active" if consent.status is Status.ACCEPTED else "revoked",
        "OfferedBy": _party(parties.get(consent.giver)),
        "CoveredBy": _party(parties.get(consent.receiver)),
        **({} if handler is None else {"HandledBy": _party(handler)}),
        "Created": _moment(consent.created),
        "ValidTo": _moment(consent.valid_to),
        "LastChanged": _moment(consent.last_changed),
    }


def _party(party: PartyIdentity | None) -> dict[str, Any]:
    if party is None:
        return {}
    if party.kind is PartyKind.PERSON:
        return {"Name": party.name, "Type": "Person", "SocialSecurityNumber": number_of(party)}
    return {
        "Name": party.name,
        "Type": "Enterprise",
        "OrganizationNumber": number_of(party),
        "OrganizationForm": party.form,
        "Status": "Active",
    }


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def claims_of(consent: Consent, known: Known, handled_by: str | None) -> ConsentClaims:
    """What a token for an accepted consent says; ``handled_by`` is the supplier that fetches it (§2.9)."""
    assert consent.consented is not None  # noqa: S101 - none is issued for others
    return ConsentClaims(
        code=consent.id,
        services=[ConsentedService(str(known.service(right.resource)), right.metadata) for right in consent.rights],
        offered_by=known.number(consent.giver) or "",
        covered_by=known.number(consent.receiver) or "",
        delegated=consent.consented,
        valid_to=consent.valid_to,
        handled_by=handled_by,
        required_delegator=known.number(consent.required_delegator),
    )
