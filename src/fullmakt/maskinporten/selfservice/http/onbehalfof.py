"""``/clients/{client_id}/onbehalfof`` (maskinporten.md §7.5); older pages misspell it ``onbehalof``."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from fullmakt.maskinporten.selfservice.http import render
from fullmakt.maskinporten.selfservice.http.body import JsonRoute
from fullmakt.maskinporten.selfservice.http.dependencies import CallerOf, ServiceOf
from fullmakt.wire.maskinporten.selfservice import OnBehalfOfBody, OnBehalfOfDocument

router = APIRouter(tags=["on behalf of"], route_class=JsonRoute)


@router.get("", response_model=list[OnBehalfOfDocument])
async def list_onbehalfof(service: ServiceOf, caller: CallerOf, client_id: str) -> Response:
    """The client's registrations."""
    return render.answer(map(render.onbehalfof, await service.onbehalfof.of_client(caller, client_id)))


@router.post("", response_model=OnBehalfOfDocument)
async def add_onbehalfof(service: ServiceOf, caller: CallerOf, client_id: str, body: OnBehalfOfBody) -> Response:
    """Add a registration."""
    return render.answer(render.onbehalfof(await service.onbehalfof.add(caller, client_id, body)))


@router.get("/{value}", response_model=OnBehalfOfDocument)
async def get_onbehalfof(service: ServiceOf, caller: CallerOf, client_id: str, value: str) -> Response:
    """One registration."""
    return render.answer(render.onbehalfof(await service.onbehalfof.get(caller, client_id, value)))


@router.put("/{value}", response_model=OnBehalfOfDocument)
async def replace_onbehalfof(
    service: ServiceOf, caller: CallerOf, client_id: str, value: str, body: OnBehalfOfBody
) -> Response:
    """Replace a registration; its value stays."""
    return render.answer(render.onbehalfof(await service.onbehalfof.replace(caller, client_id, value, body)))


@router.delete("/{value}", response_class=Response)
async def delete_onbehalfof(service: ServiceOf, caller: CallerOf, client_id: str, value: str) -> Response:
    """Remove a registration."""
    await service.onbehalfof.remove(caller, client_id, value)
    return Response()
