"""An API for enterprise systems that carry nothing but who they are (thin tokens), and for system users' tokens.

The API asks Altinn's decision point, with the id of the system's client, or of the system user: may it read the returns
of this organisation? It takes its own client, with the scope altinn:authorization/authorize, to ask.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from fullmakt.client import Credentials, MaskinportenAuth
from fullmakt.provider import DecisionClient, OrgNumber, TokenVerifier, thin_subject
from fullmakt.provider.asgi import BearerMiddleware

SCOPE = "skatteetaten:mva"
RESOURCE = "skd-mva"


def create(issuer: str, decisions: DecisionClient) -> Starlette:
    """The API, open to tokens from ``issuer`` with the scope skatteetaten:mva."""

    async def returns(request: Request) -> JSONResponse:
        """The value added tax returns of one organisation."""
        token = request.state.token
        try:
            part = OrgNumber(request.query_params.get("part", ""))
        except ValueError:
            return JSONResponse({"error": "invalid_request", "why": "say whose returns: ?part=<orgno>"}, 400)
        subject = token if token.system_user else thin_subject(token)
        decision = await decisions.authorize(subject, "read", RESOURCE, part)
        if not decision:
            return JSONResponse({"error": "forbidden", "why": decision.reason}, 403)
        return JSONResponse({"part": part, "system": token.client_id, "returns": []})

    guard = Middleware(BearerMiddleware, verifier=TokenVerifier(issuer), scopes=[SCOPE], realm="tynn")
    return Starlette(routes=[Route("/tynn", returns, middleware=[guard])])


def from_environment() -> Starlette:
    """The API with its client's id and private JWK file from the environment."""
    issuer = os.environ.get("FULLMAKT_ISSUER", "http://localhost:8080/maskinporten/")
    decision_point = os.environ.get("FULLMAKT_DECISION_POINT", "http://localhost:8080/altinn/authorization")
    key = json.loads(Path(os.environ["FULLMAKT_KEY_FILE"]).read_bytes())
    credentials = Credentials.from_jwk(issuer, os.environ["FULLMAKT_CLIENT_ID"], key)
    auth = MaskinportenAuth(credentials, "altinn:authorization/authorize")
    return create(issuer, DecisionClient(decision_point, auth=auth))
