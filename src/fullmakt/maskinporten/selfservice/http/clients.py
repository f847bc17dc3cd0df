"""``/clients`` (maskinporten.md §7.3), which seed 4 spells ``/client`` (§8.4)."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from fullmakt.maskinporten.selfservice.http import render
from fullmakt.maskinporten.selfservice.http.body import JsonRoute
from fullmakt.maskinporten.selfservice.http.dependencies import CallerOf, Flag, ServiceOf, Text, TypeFilter
from fullmakt.wire.maskinporten.selfservice import ClientBody, ClientDocument

router = APIRouter(tags=["clients"], route_class=JsonRoute)


@router.get("", response_model=list[ClientDocument])
async def list_clients(
    service: ServiceOf,
    caller: CallerOf,
    inactive: Flag = None,
    integration_type: TypeFilter = None,
    client_orgno: Text = None,
) -> Response:
    """The caller's clients, and with ``idporten:dcr.supplier`` those that it administers for others."""
    found = await service.clients.of(
        caller, inactive=bool(inactive), integration_type=integration_type, client_orgno=client_orgno
    )
    return render.answer(map(render.client, found))


@router.post("", response_model=ClientDocument)
async def create_client(service: ServiceOf, caller: CallerOf, body: ClientBody) -> Response:
    """Make a client. A secret, where the client has one, stands in this answer and nowhere else."""
    client, secret = await service.clients.create(caller, body)
    return render.answer(render.client(client, secret))


@router.get("/{client_id}", response_model=ClientDocument)
async def get_client(service: ServiceOf, caller: CallerOf, client_id: str) -> Response:
    """One client, active or not."""
    return render.answer(render.client(await service.clients.get(caller, client_id)))


@router.put("/{client_id}", response_model=ClientDocument)
async def replace_client(service: ServiceOf, caller: CallerOf, client_id: str, body: ClientBody) -> Response:
    """Replace what can be set on a client."""
    return render.answer(render.client(await service.clients.replace(caller, client_id, body)))


@router.delete("/{client_id}", response_class=Response)
async def delete_client(service: ServiceOf, caller: CallerOf, client_id: str) -> Response:
    """Deactivate a client."""
    await service.clients.deactivate(caller, client_id)
    return Response()


@router.post("/{client_id}/secret", response_model=ClientDocument)
async def new_secret(service: ServiceOf, caller: CallerOf, client_id: str) -> Response:
    """Give a login client a new secret, good for 360 days."""
    client, secret = await service.clients.new_secret(caller, client_id)
    return render.answer(render.client(client, secret))
