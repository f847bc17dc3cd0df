"""``/altinn/admin/clients`` (maskinporten.md §7.8): the runtime checks these status codes exactly."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from fullmakt.maskinporten.selfservice.http import render
from fullmakt.maskinporten.selfservice.http.body import JsonRoute
from fullmakt.maskinporten.selfservice.http.dependencies import CallerOf, ServiceOf
from fullmakt.wire.maskinporten.selfservice import ClientBody, ClientDocument, JwksBody, JwksDocument

router = APIRouter(tags=["altinn"], route_class=JsonRoute)


@router.get("", response_model=list[ClientDocument])
async def list_altinn_clients(service: ServiceOf, caller: CallerOf) -> Response:
    """The clients that this caller made, and no others."""
    return render.answer(map(render.client, await service.altinn.of(caller)))


@router.post("", response_model=ClientDocument, status_code=201)
async def create_altinn_client(service: ServiceOf, caller: CallerOf, body: ClientBody) -> Response:
    """Make a client for ``client_orgno``."""
    return render.answer(render.client(await service.altinn.create(caller, body)), 201)


@router.put("/{client_id}", response_model=ClientDocument)
async def replace_altinn_client(service: ServiceOf, caller: CallerOf, client_id: str, body: ClientBody) -> Response:
    """Replace what can be set on a client."""
    return render.answer(render.client(await service.altinn.replace(caller, client_id, body)))


@router.delete("/{client_id}", status_code=204, response_class=Response)
async def delete_altinn_client(service: ServiceOf, caller: CallerOf, client_id: str) -> Response:
    """Deactivate a client."""
    await service.altinn.deactivate(caller, client_id)
    return Response(status_code=204)


@router.get("/{client_id}/jwks", response_model=JwksDocument)
async def list_altinn_keys(service: ServiceOf, caller: CallerOf, client_id: str) -> Response:
    """A client's keys."""
    return render.answer(render.keys(await service.altinn.keys(caller, client_id)))


@router.post("/{client_id}/jwks", status_code=201, response_class=Response)
async def replace_altinn_keys(service: ServiceOf, caller: CallerOf, client_id: str, body: JwksBody) -> Response:
    """Replace a client's keys."""
    await service.altinn.replace_keys(caller, client_id, body.keys)
    return Response(status_code=201)
