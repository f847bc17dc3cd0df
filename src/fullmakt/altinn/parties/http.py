"""The register over HTTP: what is public about an organisation.

Enhetsregisteret is open, and so is this; people and roles are not served here.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from fullmakt.altinn.parties.model import Organisation, Party
from fullmakt.altinn.parties.service import PartiesService
from fullmakt.infra.altinn import HANDLERS
from fullmakt.infra.http import SystemEdge, problem, routed
from fullmakt.infra.reading import body_of
from fullmakt.infra.routes import folded_route
from fullmakt.kernel.identifiers import InvalidIdentifierError, OrgNumber
from fullmakt.wire.altinn.attributes import PARTY_ID, PARTY_UUID, Attribute

_LOOK_UP_BY = "orgno"
"""The member of a look-up that names an organisation; names are read in any case."""


def app(service: PartiesService) -> ASGIApp:
    """The system's app, to be mounted at its base path. An organisation is written with ``orgnr``, ``name``, ``form``,
    ``parent`` (the number of the unit above), ``synthetic``, ``partyId`` and ``partyUuid``.

    * ``GET /api/v1/organizations/{orgnr}`` → 200; 400 unless the number is nine digits; 404 when nobody has it.
    * ``GET /api/v1/organizations/{orgnr}/subunits`` → 200 with a list; else the same.
    * ``GET /api/v1/parties/{party}``, a party id or UUID → 200; 404 when no organisation has it.
    * ``POST /api/v1/parties/lookup`` with ``{"OrgNo": "<nine digits>"}`` → 200; 400 unless it says so; 404.
    """
    endpoints = _Endpoints(service)
    routes = [
        folded_route("/api/v1/organizations/{orgnr}", endpoints.organisation),
        folded_route("/api/v1/organizations/{orgnr}/subunits", endpoints.sub_units),
        folded_route("/api/v1/parties/lookup", endpoints.look_up, methods=["POST"]),
        folded_route("/api/v1/parties/{party}", endpoints.party),
    ]
    handlers = {**HANDLERS, InvalidIdentifierError: _bad_request}
    return SystemEdge(routed(routes, handlers))


class _Endpoints:
    def __init__(self, service: PartiesService) -> None:
        self._service = service

    async def organisation(self, request: Request) -> Response:
        return await self._answer(OrgNumber(request.path_params["orgnr"]))

    async def sub_units(self, request: Request) -> Response:
        orgno = OrgNumber(request.path_params["orgnr"])
        if await self._service.organisation(orgno) is None:
            return _nobody(orgno)
        below = [unit.orgno for unit in await self._service.sub_units(orgno) if unit.orgno is not None]
        return JSONResponse([_document(party) for party in await self._service.organisations(below)])

    async def party(self, request: Request) -> Response:
        value = request.path_params["party"]
        named = [Attribute(PARTY_ID, value), Attribute(PARTY_UUID, value)]
        for identity in (await self._service.identify(named)).values():
            if identity.orgno is not None:
                return await self._answer(identity.orgno)
        return problem(404, "No organisation is this party")

    async def look_up(self, request: Request) -> Response:
        value = (await body_of(request)).get(_LOOK_UP_BY)
        if not isinstance(value, str):
            return problem(400, 'A look-up is {"OrgNo": "<an organisation number>"}; people are not looked up here')
        return await self._answer(OrgNumber(value))

    async def _answer(self, orgno: OrgNumber) -> Response:
        party = await self._service.organisation(orgno)
        return JSONResponse(_document(party)) if party is not None else _nobody(orgno)


def _document(party: Party) -> dict[str, Any]:
    organisation = party.subject
    assert isinstance(organisation, Organisation)  # noqa: S101 - it was found by the number of one
    return {
        "orgnr": organisation.orgno,
        "name": organisation.name,
        "form": organisation.form,
        "parent": organisation.parent,
        "synthetic": organisation.is_synthetic,
        "partyId": party.party_id,
        "partyUuid": str(party.party_uuid),
    }


def _nobody(orgno: OrgNumber) -> Response:
    return problem(404, f"No organisation has the number {orgno}")


async def _bad_request(_request: Request, error: Exception) -> Response:
    return problem(400, str(error))
