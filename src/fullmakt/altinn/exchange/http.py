"""The token issuer over HTTP (altinn-authentication.md §2 to §4)."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qs

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from fullmakt.altinn.exchange.errors import (
    EnterpriseUsersGoneError,
    ScopeRefusedError,
    TokenRefusedError,
    UnknownProviderError,
)
from fullmakt.altinn.exchange.service import ExchangeService
from fullmakt.infra.altinn import HANDLERS, Callers, caller_of, token_of
from fullmakt.infra.http import SystemEdge, bearer_token, problem, routed
from fullmakt.infra.reading import Query
from fullmakt.infra.routes import folded_route

_ENTERPRISE_USER = "X-Altinn-EnterpriseUser-Authentication"
_NO_STORE = {"Cache-Control": "no-store"}
_MAX_FORM = 100 * 1024
_MAX_FIELDS = 20


def app(service: ExchangeService, callers: Callers, further: Sequence[BaseRoute] = ()) -> ASGIApp:
    """The system's app, to be mounted at its base path (``/altinn/authentication``).

    ``further`` are routes of others that live below the same.
    """
    handlers = {
        **HANDLERS,
        TokenRefusedError: _unauthorized,
        ScopeRefusedError: _forbidden,
        UnknownProviderError: _unknown_provider,
        EnterpriseUsersGoneError: _gone,
    }
    return SystemEdge(routed([*routes(service, callers), *further], handlers))


def routes(service: ExchangeService, callers: Callers) -> list[BaseRoute]:
    """The system's routes, for who serves them beside others under the same base path."""

    async def exchange(request: Request) -> Response:
        test = Query(request).flag("test")
        token, provider = bearer_token(request.headers) or "", request.path_params["provider"]
        enterprise_user = _ENTERPRISE_USER in request.headers
        return _bare(request, await service.exchange(provider, token, test=test, enterprise_user=enterprise_user))

    async def refresh(request: Request) -> Response:
        enrich_pid = Query(request).flag("enrichPid")
        token = token_of(request) or ""
        return _bare(request, await service.refresh(token, enrich_pid=enrich_pid))

    async def introspection(request: Request) -> Response:
        await caller_of(request, callers)
        return JSONResponse(await service.introspect(_token_in(await request.body())), headers=_NO_STORE)

    async def metadata(_request: Request) -> Response:
        return JSONResponse(_metadata(service))

    async def jwks(_request: Request) -> Response:
        return JSONResponse(await service.jwks(), headers={"Cache-Control": "max-age=3600"})

    return [
        folded_route("/api/v1/exchange/{provider}", exchange),
        folded_route("/api/v1/refresh", refresh),
        folded_route("/api/v1/introspection", introspection, methods=["POST"]),
        folded_route("/api/v1/openid/.well-known/openid-configuration", metadata),
        folded_route("/api/v1/openid/.well-known/openid-configuration/jwks", jwks),
    ]


def _metadata(service: ExchangeService) -> dict[str, object]:
    url, issuer = f"{service.config.url}/api/v1", service.config.issuer
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{url}/authorize/",
        "token_endpoint": f"{url}/token/",
        "end_session_endpoint": f"{issuer}logout/",
        "jwks_uri": service.config.jwks_uri,
        "response_types_supported": ["token"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }


def _token_in(form: bytes) -> str:
    """The member ``token`` of a form; nothing when there is none, or when the form is larger than such forms are."""
    if len(form) > _MAX_FORM:
        return ""
    try:
        members = parse_qs(form.decode("latin-1"), max_num_fields=_MAX_FIELDS)
    except ValueError:
        return ""
    return members.get("token", [""])[0]


def _bare(request: Request, text: str, status: int = 200) -> Response:
    """Bare text, or a JSON string for who asks for JSON and not for text."""
    accept = request.headers.get("accept", "*/*").lower()
    if "application/json" in accept and "text/plain" not in accept and "*/*" not in accept:
        return Response(orjson.dumps(text), status, _NO_STORE, "application/json; charset=utf-8")
    return PlainTextResponse(text, status, _NO_STORE)


async def _unauthorized(_request: Request, _error: Exception) -> Response:
    return Response(status_code=401, headers={"WWW-Authenticate": "Bearer"})


async def _forbidden(_request: Request, _error: Exception) -> Response:
    return Response(status_code=403)


async def _unknown_provider(request: Request, error: Exception) -> Response:
    return _bare(request, str(error), 400)


async def _gone(_request: Request, _error: Exception) -> Response:
    return problem(410, "Enterprise users no longer exist: exchange the token without their name and password")
