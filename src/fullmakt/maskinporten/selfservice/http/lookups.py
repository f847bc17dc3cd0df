"""What everybody may look up, without a token (maskinporten.md §7.7)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from fullmakt.maskinporten.selfservice.errors import NotFoundError
from fullmakt.maskinporten.selfservice.http import render
from fullmakt.maskinporten.selfservice.http.dependencies import Flag, ServiceOf, Text, TypeFilter
from fullmakt.maskinporten.selfservice.rules.clients import orgno_of
from fullmakt.wire.maskinporten.selfservice import (
    ORGNO_SCHEMA,
    DelegationSourceDocument,
    OrganizationDocument,
    ScopeDocument,
    ScopePrefixDocument,
)

router = APIRouter(tags=["public"])


@router.get("/scopes/all", response_model=list[ScopeDocument])
async def list_public_scopes(
    service: ServiceOf,
    prefix: Text = None,
    inactive: Flag = None,
    delegated_sources: Flag = None,
    accessible_for_all: Flag = None,
    integration_type: TypeFilter = None,
) -> Response:
    """The scopes whose visibility is PUBLIC."""
    found = await service.scopes.public(
        prefix=prefix,
        inactive=bool(inactive),
        delegated_sources=delegated_sources,
        accessible_for_all=accessible_for_all,
        integration_type=integration_type,
    )
    return render.answer(map(render.scope, found))


@router.get("/prefix/all", response_model=list[ScopePrefixDocument])
async def list_all_prefixes(service: ServiceOf, inactive: Flag = None) -> Response:
    """Every prefix and its owner."""
    found = await service.scopes.everyones_prefixes(inactive=bool(inactive))
    return render.answer(await render.prefixes(found, service.organisations))


@router.get("/delegationsources", response_model=list[DelegationSourceDocument])
async def list_delegation_sources(service: ServiceOf) -> Response:
    """The systems in which scopes can be delegated."""
    return render.answer(map(render.delegation_source, await service.scopes.delegation_sources()))


@router.get("/organizations/{orgnr}", response_model=OrganizationDocument)
async def get_organization(service: ServiceOf, orgnr: Annotated[str, Path(json_schema_extra=ORGNO_SCHEMA)]) -> Response:
    """An organisation's name."""
    orgno = orgno_of(orgnr, "orgnr", "Organization")
    name = (await service.organisations.organisation_names([orgno])).get(orgno)
    if name is None:
        raise NotFoundError("There is no such organisation")
    return render.answer(OrganizationDocument(orgnr=orgno, name=name))
