"""Self-service over HTTP: every path of maskinporten.md §7 under its three bases, and an OpenAPI document of one."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import Depends, FastAPI, params
from fastapi.routing import APIRouter
from starlette.types import ASGIApp, Receive, Scope, Send

from fullmakt.infra.http import SystemEdge
from fullmakt.maskinporten.selfservice.http import (
    accesses,
    altinn,
    clients,
    key_files,
    keys,
    lookups,
    onbehalfof,
    openapi,
    scopes,
)
from fullmakt.maskinporten.selfservice.http.errors import ErrorPages
from fullmakt.maskinporten.selfservice.service import SelfService
from fullmakt.provider import TokenVerifier
from fullmakt.provider.fastapi import bearer

BASES = ("/api/v1", "/external/api/v1", "")
"""The current base path, the gateway's, and the old one without any (§7.1). The first is the one in the OpenAPI."""
BASES_V2 = ("/api/v2", "/external/api/v2")

_PUBLIC: Mapping[str, APIRouter] = {"": lookups.router}
_GUARDED: Mapping[str, APIRouter] = {
    "/clients": clients.router,
    "/client": clients.router,
    "/clients/{client_id}/jwks": keys.router,
    "/clients/{client_id}/keys": key_files.router,
    "/clients/{client_id}/onbehalfof": onbehalfof.router,
    "/clients/{client_id}/onbehalof": onbehalfof.router,
    "/altinn/admin/clients": altinn.router,
    "/scopes/access": accesses.router,
    "": scopes.router,
}
_OTHER_SPELLINGS = frozenset({"/client", "/clients/{client_id}/onbehalof"})
"""Paths of seed 4 and of older pages, which work and are not shown."""


def app(service: SelfService, verifier: TokenVerifier, *, base_url: str, faithful_empty_lists: bool = False) -> ASGIApp:
    """The self-service API as an ASGI app, its routes relative to where it is mounted.

    ``base_url`` is its public URL. ``faithful_empty_lists`` answers some empty lists with an error, as the real service
    does, instead of ``[]`` (§7.10).
    """
    pages = ErrorPages(service.clock)
    api = FastAPI(
        title="Fullmakt self-service API",
        description="Clients, keys, scopes and accesses of Maskinporten, as Samarbeidsportalen's API has them.",
        version="1",
        servers=[{"url": base_url.rstrip("/")}],
        root_path_in_servers=False,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        strict_content_type=False,
        exception_handlers=pages.handlers,
        responses=openapi.ERRORS,
    )
    api.state.service = service
    api.state.faithful_empty_lists = faithful_empty_lists
    authenticated = [Depends(bearer(verifier, realm="selvbetjening"))]
    for base in BASES:
        _add(api, base, _PUBLIC, [])
        _add(api, base, _GUARDED, authenticated)
    for base in BASES_V2:
        _add(api, base, {"": keys.router_v2}, authenticated)
    openapi.publish(api)
    return SystemEdge(_WithoutTrailingSlash(api), error=pages.edge)


def _add(api: FastAPI, base: str, routers: Mapping[str, APIRouter], guards: list[params.Depends]) -> None:
    for path, router in routers.items():
        shown = base in (BASES[0], BASES_V2[0]) and path not in _OTHER_SPELLINGS
        api.include_router(router, prefix=base + path, dependencies=guards, include_in_schema=shown)


class _WithoutTrailingSlash:
    """A path with a slash at its end is the path without; a redirect would lose the bodies of simple clients."""

    def __init__(self, inner: ASGIApp) -> None:
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            root = scope.get("root_path", "").rstrip("/")
            below = scope["path"].removeprefix(root).rstrip("/")
            scope = {**scope, "path": f"{root}{below or '/'}"}
        await self._inner(scope, receive, send)
