"""An API that tells its caller who they are, and that asks for a token from Maskinporten first."""

from __future__ import annotations

import os

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from fullmakt.kernel.clock import system_clock
from fullmakt.provider import TokenVerifier, VerifiedToken
from fullmakt.provider.asgi import BearerMiddleware


async def whoami(request: Request) -> JSONResponse:
    token: VerifiedToken = request.state.token
    return JSONResponse(
        {
            "consumer": token.consumer,
            "supplier": token.supplier,
            "client_id": token.client_id,
            "scopes": sorted(token.scopes),
            "valid_for_seconds": int((token.expires_at - system_clock()).total_seconds()),
        }
    )


def create(issuer: str) -> Starlette:
    """The API, open to tokens from ``issuer`` with the scope fullmakt:whoami."""
    guard = Middleware(BearerMiddleware, verifier=TokenVerifier(issuer), scopes=["fullmakt:whoami"], realm="whoami")
    return Starlette(routes=[Route("/whoami", whoami, middleware=[guard])])


app = create(os.environ.get("FULLMAKT_ISSUER", "http://localhost:8080/maskinporten/"))
