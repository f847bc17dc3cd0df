"""``/scopes`` and ``/prefix`` (maskinporten.md §7.7). A scope's name is a query parameter, for it may hold slashes."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from fullmakt.maskinporten.selfservice.http import render
from fullmakt.maskinporten.selfservice.http.body import JsonRoute
from fullmakt.maskinporten.selfservice.http.dependencies import CallerOf, EmptyListsOf, Flag, ServiceOf, Text
from fullmakt.wire.maskinporten.selfservice import ScopeBody, ScopeDocument, ScopePrefixDocument

router = APIRouter(tags=["scopes"], route_class=JsonRoute)

Name = Annotated[str, Query(min_length=1)]


@router.get("/scopes", response_model=list[ScopeDocument] | ScopeDocument)
async def list_scopes(
    service: ServiceOf, caller: CallerOf, empty: EmptyListsOf, scope: Text = None, inactive: Flag = None
) -> Response:
    """The caller's scopes; with ``scope`` that one alone (the old spelling of ``/scopes/scope``)."""
    if scope is not None:
        return render.answer(render.scope(await service.scopes.get(caller, scope)))
    found = await service.scopes.of(caller, inactive=bool(inactive))
    empty.check(found, caller, "scopes")
    return render.answer(map(render.scope, found))


@router.get("/scopes/scope", response_model=ScopeDocument)
async def get_scope(service: ServiceOf, caller: CallerOf, scope: Name) -> Response:
    """One of the caller's scopes."""
    return render.answer(render.scope(await service.scopes.get(caller, scope)))


@router.post("/scopes", response_model=ScopeDocument)
async def create_scope(service: ServiceOf, caller: CallerOf, body: ScopeBody) -> Response:
    """Make a scope under one of the caller's prefixes."""
    return render.answer(render.scope(await service.scopes.create(caller, body)))


@router.put("/scopes", response_model=ScopeDocument)
async def replace_scope(service: ServiceOf, caller: CallerOf, scope: Name, body: ScopeBody) -> Response:
    """Replace what can be set on a scope; ``active: true`` wakes a deactivated one."""
    return render.answer(render.scope(await service.scopes.replace(caller, scope, body)))


@router.delete("/scopes", response_model=ScopeDocument)
async def delete_scope(service: ServiceOf, caller: CallerOf, scope: Name) -> Response:
    """Deactivate a scope; accesses to it stay."""
    return render.answer(render.scope(await service.scopes.deactivate(caller, scope)))


@router.get("/prefix", response_model=list[ScopePrefixDocument])
async def list_prefixes(service: ServiceOf, caller: CallerOf, empty: EmptyListsOf) -> Response:
    """The caller's prefixes."""
    found = await service.scopes.prefixes(caller)
    empty.check(found, caller, "prefixes")
    return render.answer(await render.prefixes(found, service.organisations))
