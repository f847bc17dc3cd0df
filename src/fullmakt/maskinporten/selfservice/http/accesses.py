"""``/scopes/access`` (maskinporten.md §7.7, §8.3)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.maskinporten.selfservice.http import render
from fullmakt.maskinporten.selfservice.http.body import JsonRoute
from fullmakt.maskinporten.selfservice.http.dependencies import CallerOf, EmptyListsOf, Flag, ServiceOf, Text
from fullmakt.maskinporten.selfservice.model import ScopeAccess
from fullmakt.maskinporten.selfservice.rules.clients import orgno_of
from fullmakt.maskinporten.selfservice.service import SelfService
from fullmakt.wire.maskinporten.selfservice import ORGNO_SCHEMA, ScopeAccessDocument

router = APIRouter(tags=["accesses"], route_class=JsonRoute)

Name = Annotated[str, Query(min_length=1)]
ConsumerOrg = Annotated[str, Query(json_schema_extra=ORGNO_SCHEMA)]
Consumer = Annotated[str, Path(json_schema_extra=ORGNO_SCHEMA)]


def _orgno(text: str, parameter: str) -> OrgNumber:
    return orgno_of(text, parameter, "ScopeAccess")


async def _one(access: ScopeAccess, service: SelfService) -> Response:
    (document,) = await render.accesses([access], service.organisations)
    return render.answer(document)


@router.get("", response_model=list[ScopeAccessDocument])
async def list_given(
    service: ServiceOf,
    caller: CallerOf,
    empty: EmptyListsOf,
    scope: Text = None,
    consumer_orgno: Text = None,
    inactive: Flag = None,
) -> Response:
    """The accesses that the caller has given."""
    consumer = _orgno(consumer_orgno, "consumer_orgno") if consumer_orgno is not None else None
    found = await service.accesses.given(caller, scope=scope, consumer=consumer, inactive=bool(inactive))
    empty.check(found, caller, "accesses")
    return render.answer(await render.accesses(found, service.organisations))


@router.get("/all", response_model=list[ScopeAccessDocument])
async def list_held(service: ServiceOf, caller: CallerOf, empty: EmptyListsOf, inactive: Flag = None) -> Response:
    """The accesses that the caller has been given."""
    found = await service.accesses.held(caller, inactive=bool(inactive))
    empty.check(found, caller, "accesses")
    return render.answer(await render.accesses(found, service.organisations))


@router.get("/for_consumer", response_model=list[ScopeAccessDocument])
async def list_held_by(
    service: ServiceOf,
    caller: CallerOf,
    consumer_org: ConsumerOrg,
    include_open: Flag = None,
) -> Response:
    """The APPROVED accesses of another organisation; takes ``idporten:dcr.supplier`` or ``idporten:dcr.altinn``."""
    consumer = _orgno(consumer_org, "consumer_org")
    found = await service.accesses.held_by(caller, consumer, include_open=bool(include_open))
    return render.answer(await render.accesses(found, service.organisations))


@router.put("/{consumer_orgno}", response_model=ScopeAccessDocument)
async def approve(service: ServiceOf, caller: CallerOf, consumer_orgno: Consumer, scope: Name) -> Response:
    """Give a consumer access; giving it twice is giving it once."""
    consumer = _orgno(consumer_orgno, "consumer_orgno")
    return await _one(await service.accesses.approve(caller, scope, consumer), service)


@router.delete("/{consumer_orgno}", response_model=ScopeAccessDocument)
async def deny(service: ServiceOf, caller: CallerOf, consumer_orgno: Consumer, scope: Name) -> Response:
    """Take a consumer's access."""
    consumer = _orgno(consumer_orgno, "consumer_orgno")
    return await _one(await service.accesses.deny(caller, scope, consumer), service)
