"""A token server in small, as an ASGI app: enough of Maskinporten to try the SDKs against, and able to misbehave.

It checks a grant's signature, audience, lifetime and ``jti``, so that a client with a token has made a good one.
"""

from __future__ import annotations

import asyncio
import functools
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import httpx2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fullmakt.jose.compact import parse_compact
from fullmakt.jose.keys import LocalSigner
from fullmakt.kernel.clock import Clock
from fullmakt.kernel.identifiers import OrgNumber

ISSUER = "https://issuer.test/"
CONSUMER = OrgNumber("310000027")
SUPPLIER = OrgNumber("310000035")
Asgi = Callable[[Any, Any, Any], Awaitable[None]]


@functools.cache
def key(kid: str) -> LocalSigner:
    """An RSA key of this name; the same one throughout the run, for they take long to make."""
    return LocalSigner.generate(kid=kid)


def party(orgno: str) -> dict[str, str]:
    """An organisation as a token names it."""
    return {"authority": "iso6523-actorid-upis", "ID": f"0192:{orgno}"}


class FakeIssuer:
    """One client (``client_key`` is its key), any scope, and keys that the test may rotate.

    ``down`` cuts the line, ``hang`` holds back every answer; ``answers`` are sent in place of the next token responses;
    ``requests`` counts by path.
    """

    def __init__(self, clock: Clock, issuer: str = ISSUER) -> None:
        self.clock = clock
        self.issuer = issuer
        self.signer = key("issuer-1")
        self.client_key = key("client-key")
        self.published = [self.signer]
        self.cache_control: str | None = "max-age=3600"
        self.lifetime = 120
        self.down = False
        self.hang: asyncio.Event | None = None
        self.answers: list[Response] = []
        self.before_token: Callable[[], Awaitable[None]] | None = None
        self.requests: Counter[str] = Counter()
        self.grants: list[dict[str, Any]] = []
        self.grant_headers: list[dict[str, Any]] = []
        self.metadata = {"issuer": issuer, "token_endpoint": f"{issuer}token", "jwks_uri": f"{issuer}jwk"}
        self._app = Starlette(
            routes=[
                Route("/.well-known/oauth-authorization-server", self._metadata),
                Route("/jwk", self._jwks),
                Route("/token", self._token, methods=["POST"]),
            ]
        )

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        """The server."""
        if scope["type"] == "http":
            self.requests[scope["path"]] += 1
            if self.hang is not None:
                await self.hang.wait()
            if self.down:
                raise httpx2.ConnectError("the line is cut")
        await self._app(scope, receive, send)

    def http(self) -> httpx2.AsyncClient:
        """A client with a line to this server."""
        return httpx2.AsyncClient(transport=httpx2.ASGITransport(self.app))

    def claims(self, **changes: Any) -> dict[str, Any]:
        """A good token's claims with ``changes``; those changed to None are left out."""
        now = int(self.clock().timestamp())
        claims: dict[str, object] = {
            "iss": self.issuer,
            "client_amr": "private_key_jwt",
            "token_type": "Bearer",
            "scope": "provider:api.read",
            "iat": now,
            "exp": now + self.lifetime,
            "client_id": "the-client",
            "jti": f"token-{sum(self.requests.values())}",
            "consumer": party(CONSUMER),
        }
        return {name: value for name, value in (claims | changes).items() if value is not None}

    def mint(self, signer: LocalSigner | None = None, header: Mapping[str, Any] | None = None, **changes: Any) -> str:
        """A token with ``claims(**changes)``, signed."""
        payload = json.dumps(self.claims(**changes)).encode()
        head = None if header is None else json.dumps(header).encode()
        return (signer or self.signer).sign(payload, head).decode()

    async def _metadata(self, _request: Request) -> Response:
        return JSONResponse(self.metadata)

    async def _jwks(self, _request: Request) -> Response:
        headers = {"Cache-Control": self.cache_control} if self.cache_control is not None else {}
        return JSONResponse({"keys": [signer.public_jwk() for signer in self.published]}, headers=headers)

    async def _token(self, request: Request) -> Response:
        if self.before_token is not None:
            await self.before_token()
        if self.answers:
            return self.answers.pop(0)
        form = dict(parse_qsl((await request.body()).decode()))
        grant = parse_compact(str(form["assertion"]))
        claims = grant.unverified_payload
        good = (
            form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
            and self.client_key.public.verify("RS256", grant.signing_input, grant.signature)
            and claims["aud"] == self.issuer
            and claims["exp"] - claims["iat"] <= 120
            and claims["jti"] not in {seen["jti"] for seen in self.grants}
        )
        self.grants.append(claims)
        self.grant_headers.append(dict(grant.unverified_header))
        if not good:
            return refusal(400, "invalid_grant", "Invalid assertion", "MP-011")
        token = self.mint(scope=claims["scope"], jti=f"token-{len(self.grants)}")
        body = {"access_token": token, "token_type": "Bearer", "expires_in": self.lifetime, "scope": claims["scope"]}
        return JSONResponse(body, headers={"Cache-Control": "no-store"})


def refusal(status: int, error: str, description: str, code: str | None = None, **headers: str) -> Response:
    """An error response as Maskinporten writes them (maskinporten.md §6.1)."""
    body = {"error": error, "error_description": f"{description} (trace_id: 0af7651916cd43dd8448eb211c80319c)"}
    if code is not None:
        body["error_uri"] = f"{ISSUER}errors/{code}"
    return JSONResponse(body, status, {name.replace("_", "-"): value for name, value in headers.items()})
