"""Endpoints for those who ask about a party (§14)."""

from __future__ import annotations

from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fullmakt.altinn.resources.access_lists import errors, rules
from fullmakt.altinn.resources.access_lists.http.binding import party_urn, resource_urn
from fullmakt.altinn.resources.access_lists.http.gate import Gate
from fullmakt.altinn.resources.access_lists.http.paging import PATH
from fullmakt.altinn.resources.access_lists.http.render import grant_document, list_document
from fullmakt.altinn.resources.access_lists.service import AccessLists
from fullmakt.altinn.resources.http.render import json_response
from fullmakt.altinn.resources.http.routing import route
from fullmakt.infra.audit import clean_text
from fullmakt.infra.reading import Query
from fullmakt.wire.altinn.attributes import PARTY_UUID, Attribute
from fullmakt.wire.altinn.problems import AltinnValidationError, BindingError, ValidationFault


class LookUpEndpoints:
    """``/memberships`` and ``/get-by-member``."""

    def __init__(self, service: AccessLists, gate: Gate) -> None:
        self._look_up = service.look_up
        self._gate = gate
        self.routes: list[Route] = [
            route(f"{PATH}/memberships", GET=self.memberships),
            route(f"{PATH}/get-by-member", GET=self.lists_of_member),
        ]

    async def memberships(self, request: Request) -> Response:
        """The lists with the party on them that are connected to the resource, or to any."""
        await self._gate.enter_look_up(request, scope=rules.ADMIN_SCOPE)
        party, resource = _asked(request)
        grants = await self._look_up.grants_to(party, resource)
        return json_response({"data": [grant_document(grant) for grant in grants]})

    async def lists_of_member(self, request: Request) -> Response:
        """The lists that the party is on, connected or not."""
        await self._gate.enter_look_up(request, scope=None)
        party = party_urn(Query(request).text("party") or "")
        if party is None or party.id != PARTY_UUID:
            raise BindingError({"party": ["The value is not a party UUID's URN."]})
        return json_response([list_document(each) for each in await self._look_up.lists_of(UUID(party.value))])


def _asked(request: Request) -> tuple[Attribute, str | None]:
    """The one party and the resource, if any, that are asked about.

    Raises:
        AltinnValidationError: with all that is wrong.
    """
    faults: list[ValidationFault] = []
    parties: list[Attribute] = []
    resources: list[str] = []
    for value in _values(request, "party"):
        if (party := party_urn(value)) is not None:
            parties.append(party)
        else:
            faults.append(errors.malformed_party(_shown(value)))
    for value in _values(request, "resource"):
        if (resource := resource_urn(value)) is not None:
            resources.append(resource)
        else:
            faults.append(errors.malformed_resource(_shown(value)))
    if len(parties) != 1:
        faults.append(errors.SEVERAL_PARTIES if parties else errors.NO_PARTY)
    if len(resources) > 1:
        faults.append(errors.SEVERAL_RESOURCES)
    if faults:
        raise AltinnValidationError(*faults)
    return parties[0], resources[0] if resources else None


def _values(request: Request, name: str) -> list[str]:
    return [part for value in Query(request).all(name) for part in value.split(",")][:_MOST_VALUES]


def _shown(value: str) -> str:
    """What was sent, told back; it may be a national identity number's URN, which is told to nobody."""
    return clean_text(value[:_LONGEST_SHOWN])


_MOST_VALUES = 100
_LONGEST_SHOWN = 200
