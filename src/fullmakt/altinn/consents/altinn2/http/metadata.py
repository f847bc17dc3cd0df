"""The keys of consent tokens, for whoever verifies them (consent.md §2.9)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from fullmakt.altinn.consents.altinn2.ports import Signer
from fullmakt.infra.routes import folded_route
from fullmakt.wire.altinn.consents2 import ISSUER

BASE = "/api/metadata/jwk"
_MAX_AGE = 86_400
"""Seconds, fewer than those for which a key is published before it signs."""


def routes(signer: Signer, url: str) -> list[BaseRoute]:
    """The routes, under Altinn 2's base path."""

    async def keys(_request: Request) -> Response:
        published = [dict(key) for key in await signer.altinn2_keys()]
        return JSONResponse({"keys": published}, headers={"Cache-Control": f"public, max-age={_MAX_AGE}"})

    async def server(_request: Request) -> Response:
        return JSONResponse({"issuer": ISSUER, "jwks_uri": f"{url}{BASE}"})

    return [folded_route(BASE, keys), folded_route("/.well-known/oauth-authorization-server", server)]
