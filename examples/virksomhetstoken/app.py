"""An API for enterprise systems that carry their rights with them (virksomhetstoken).

Maskinporten asked Altinn before it issued the token, so there is nobody left to ask: the token says for whom the system
acts (``part``), through whom (``hjelper``), and with which rights (``rettigheit``).
"""

from __future__ import annotations

import os

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from fullmakt.provider import TokenVerifier, VerifiedToken
from fullmakt.provider.asgi import BearerMiddleware

SCOPE = "skatteetaten:mva"
RIGHT = "skd-mva"


async def returns(request: Request) -> JSONResponse:
    """The value added tax returns of the organisation that the system acts for."""
    token: VerifiedToken = request.state.token
    rights = token.enterprise
    if rights is None:
        return JSONResponse({"error": "forbidden", "why": "the token names no part"}, 403)
    if RIGHT not in rights.rettigheit:
        return JSONResponse({"error": "forbidden", "why": f"the token does not hold the right {RIGHT}"}, 403)
    return JSONResponse({"part": rights.part, "hjelper": rights.hjelper, "system": token.client_id, "returns": []})


def create(issuer: str) -> Starlette:
    """The API, open to tokens from ``issuer`` with the scope skatteetaten:mva."""
    guard = Middleware(BearerMiddleware, verifier=TokenVerifier(issuer), scopes=[SCOPE], realm="virksomhetstoken")
    return Starlette(routes=[Route("/virksomhetstoken", returns, middleware=[guard])])


app = create(os.environ.get("FULLMAKT_ISSUER", "http://localhost:8080/maskinporten/"))
