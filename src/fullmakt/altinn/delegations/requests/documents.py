"""Requests as Altinn 3 writes them, names to the letter (altinn-authorization.md §15.1)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from fullmakt.altinn.delegations.ports import Packages, Parties
from fullmakt.altinn.delegations.requests.model import AccessRequest
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.parties import PartyIdentity, PartyKind
from fullmakt.wire.altinn.stable_ids import stable_id

Document = dict[str, Any]
Known = dict[Attribute, PartyIdentity]


@dataclass(frozen=True, slots=True)
class Urls:
    """Public URLs without a slash at the end: the system's (``https://platform.altinn.no/accessmanagement``), that of
    the pages (``https://am.ui.altinn.no``), and Altinn 2's (``https://www.altinn.no``)."""

    api: str
    pages: str
    altinn2: str


class Documents:
    """Renders requests; who takes part in them is looked up once for a whole list."""

    def __init__(self, urls: Urls, parties: Parties, packages: Packages) -> None:
        self._urls = urls
        self._parties = parties
        self._packages = packages

    async def one(self, request: AccessRequest, *, numbers: bool) -> Document:
        """A request. ``numbers`` shows people's national identity numbers, for a service owner that knows them."""
        return (await self.all([request], numbers=numbers))[0]

    async def all(self, requests: Sequence[AccessRequest], *, numbers: bool) -> list[Document]:
        """Requests, in the same order."""
        known = await self.parties_of(requests)
        return [self._document(request, known, numbers) for request in requests]

    async def parties_of(self, requests: Collection[AccessRequest]) -> Known:
        """Everybody who has a part in one of the requests."""
        named = {attribute for request in requests for attribute in _named(request)}
        return await self._parties.identify(named) if named else {}

    def _document(self, request: AccessRequest, known: Known, numbers: bool) -> Document:
        wish = request.wish
        receiver, giver = known.get(party(wish.receiver)), known.get(party(wish.giver))
        owner = known.get(organisation(request.owner)) if request.owner else receiver
        changed_by = known.get(party(request.changed_by)) if request.changed_by else None
        return {
            "id": str(request.request_id),
            "status": str(request.status),
            "type": str(wish.type),
            "lastUpdated": request.changed.isoformat(),
            "lastUpdatedBy": _party(changed_by, numbers) if changed_by else None,
            "resource": _resource(wish.resources[0]) if wish.resources else None,
            # Altinn 3 has one; a request in Altinn 2's shape may have more, and nobody should approve them unseen.
            **({"resources": [_resource(one) for one in wish.resources]} if len(wish.resources) > 1 else {}),
            "package": self._package(wish.package) if wish.package else None,
            "links": self._links(request),
            "from": _party(receiver, numbers, wish.receiver),
            "to": _party(giver, numbers, wish.giver),
            "by": _party(owner, numbers),
        }

    def _package(self, name: str) -> Document:
        package = self._packages.package(name)
        return {"id": str(package.id) if package else None, "urn": f"{ids.ACCESS_PACKAGE}:{name}"}

    def _links(self, request: AccessRequest) -> Document:
        page = f"{self._urls.pages}/accessmanagement/ui/requests/{request.wish.type}"
        return {
            "detailsLink": f"{page}?{urlencode({'requestId': request.request_id})}",
            "statusLink": f"{self._urls.api}/api/v1/serviceowner/delegationrequests/{request.request_id}/status",
        }


def party(uuid: UUID) -> Attribute:
    """A party by its UUID."""
    return Attribute(ids.PARTY_UUID, str(uuid))


def organisation(orgno: OrgNumber) -> Attribute:
    """A party by its organisation number."""
    return Attribute(ids.ORGANISATION, str(orgno))


def _named(request: AccessRequest) -> list[Attribute]:
    owner = [organisation(request.owner)] if request.owner else []
    changed_by = [party(request.changed_by)] if request.changed_by else []
    return [party(request.wish.receiver), party(request.wish.giver), *owner, *changed_by]


def _resource(identifier: str) -> Document:
    return {"id": str(stable_id(f"{ids.RESOURCE}:{identifier}")), "referenceId": identifier}


def _party(known: PartyIdentity | None, numbers: bool, uuid: UUID | None = None) -> Document | None:
    if known is None:  # gone from the register, or a service owner that never was in it
        return {"id": str(uuid), "name": None} if uuid else None
    is_person = known.kind is PartyKind.PERSON
    return {
        "id": str(known.party_uuid),
        "name": known.name,
        "type": "Person" if is_person else "Organisasjon",
        "variant": "Person" if is_person else known.form,
        "organizationIdentifier": None if known.orgno is None else str(known.orgno),
        "personIdentifier": str(known.national_id) if numbers and known.national_id else None,
    }
