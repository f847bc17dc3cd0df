"""The register over HTTP: what is public about an organisation.

Enhetsregisteret is open, and so is this; people and roles are not served here.
"""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from fullmakt.altinn.parties.model import Organisation, Party
from fullmakt.altinn.parties.service import PartiesService
from fullmakt.infra.database import DatabaseUnavailableError
from fullmakt.infra.http import SystemEdge, problem, routing_problem
from fullmakt.kernel.identifiers import InvalidIdentifierError, OrgNumber


def app(service: PartiesService) -> ASGIApp:
    """The system's app, to be mounted at its base path.

    ``GET /api/v1/organizations/{orgnr}`` → 200 with ``orgnr``, ``name``, ``form``, ``parent``, ``synthetic``,
    ``partyId``, ``partyUuid``; 400 unless the number is nine digits; 404 when nobody has it.
    """

    async def organisation(request: Request) -> Response:
        try:
            orgno = OrgNumber(request.path_params["orgnr"])
        except InvalidIdentifierError as error:
            return problem(400, str(error))
        party = await service.organisation(orgno)
        if party is None or not isinstance(party.subject, Organisation):
            return problem(404, f"No organisation has the number {orgno}")
        return JSONResponse(_document(party, party.subject))

    routes = [Route("/api/v1/organizations/{orgnr}", organisation)]
    handlers = {HTTPException: routing_problem, DatabaseUnavailableError: _unavailable}
    return SystemEdge(Starlette(routes=routes, exception_handlers=handlers))


def _document(party: Party, organisation: Organisation) -> dict[str, object]:
    return {
        "orgnr": organisation.orgno,
        "name": organisation.name,
        "form": organisation.form,
        "parent": organisation.parent,
        "synthetic": organisation.is_synthetic,
        "partyId": party.party_id,
        "partyUuid": str(party.party_uuid),
    }


async def _unavailable(_request: Request, _error: Exception) -> Response:
    return problem(503, "The register can not be reached")
