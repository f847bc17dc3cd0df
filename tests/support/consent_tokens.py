"""Altinn 2 in small, as an ASGI app: consent tokens, the keys that sign them, and the list of consents that ended."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import httpx2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fullmakt.jose.compact import b64url_encode
from fullmakt.jose.keys import LocalSigner
from fullmakt.jose.self_signed import self_signed_certificate
from fullmakt.kernel.clock import Clock
from tests.support.fake_issuer import CONSUMER, key

ALTINN = "https://altinn2.test"
GIVER = "08027202285"
CONSENT_ID = UUID("c44f284f-b43b-4355-925a-2add17439659")
SERVICE = "5498_1"
OWNERS_KEY = "the-owners-key"


class FakeAltinn:
    """Signs with ``signer``; publishes ``numbers`` (``n``, ``e``), a certificate (``x5c``), or both.

    ``ended`` is the service owner's list, two on a page; ``answers`` are sent in place of its next pages. A page that
    is not full says how to go on only if ``always_on``.
    """

    def __init__(self, clock: Clock, *, signer: LocalSigner | None = None, numbers: bool = True, x5c: bool = True):
        self.clock = clock
        self.signer = signer or key("altinn-1")
        self.numbers, self.x5c = numbers, x5c
        self.ended: list[UUID] = []
        self.always_on = True
        self.believes: Callable[[str], bool] = "owner".__eq__
        """Whether a token is the service owner's."""
        self.answers: list[Response] = []
        self.requests: Counter[str] = Counter()
        self.asked: list[Mapping[str, str]] = []
        self._app = Starlette(
            routes=[
                Route("/api/metadata/jwk", self._jwks),
                Route("/api/serviceowner/consents", self._list),
            ]
        )

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        """The server."""
        if scope["type"] == "http":
            self.requests[scope["path"]] += 1
        await self._app(scope, receive, send)

    def http(self) -> httpx2.AsyncClient:
        """A client with a line to this server."""
        return httpx2.AsyncClient(transport=httpx2.ASGITransport(self.app))

    def certificate(self, signer: LocalSigner | None = None) -> bytes:
        """DER; the same each time, for its times are fixed and its thumbprint is the key's name."""
        signer = signer or self.signer
        if signer.kid not in _CERTIFICATES:
            start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
            _CERTIFICATES[signer.kid] = self_signed_certificate(signer, "Altinn", start, start + dt.timedelta(days=730))
        return _CERTIFICATES[signer.kid]

    def thumbprint(self, signer: LocalSigner | None = None) -> str:
        """``kid`` and ``x5t`` alike (consent.md §2.9)."""
        return b64url_encode(hashlib.sha1(self.certificate(signer), usedforsecurity=False).digest()).decode()

    def claims(self, **changes: Any) -> dict[str, Any]:
        """A good consent token's claims with ``changes``; those changed to None are left out."""
        now = int(self.clock().timestamp())
        claims: dict[str, Any] = {
            "Services": [SERVICE, f"{SERVICE}_Navn=Banken AS"],
            "AuthorizationCode": str(CONSENT_ID),
            "OfferedBy": GIVER,
            "RequiredDelegator": GIVER,
            "CoveredBy": str(CONSUMER),
            "DelegatedDate": now - 3600,
            "ValidToDate": now + 30 * 86_400,
            "nbf": now,
            "iat": now,
            "exp": now + 30,
            "iss": "altinn.no",
        }
        return {name: value for name, value in (claims | changes).items() if value is not None}

    def mint(self, signer: LocalSigner | None = None, header: Mapping[str, Any] | None = None, **changes: Any) -> str:
        """A consent token with ``claims(**changes)``, signed, without quotes."""
        signer = signer or self.signer
        name = self.thumbprint()
        head = {"alg": signer.alg, "kid": name, "x5t": name, "typ": "JWT"} if header is None else header
        return signer.sign(json.dumps(self.claims(**changes)).encode(), json.dumps(head).encode()).decode()

    def jwks(self) -> dict[str, Any]:
        """What it publishes."""
        name = self.thumbprint()
        jwk: dict[str, Any] = {"kty": "RSA", "use": "sig", "kid": name, "x5t": name}
        if self.numbers:
            jwk |= {member: self.signer.public.to_jwk()[member] for member in ("n", "e")}
        if self.x5c:
            jwk["x5c"] = [base64.b64encode(self.certificate()).decode()]
        return {"keys": [jwk]}

    async def _jwks(self, _request: Request) -> Response:
        return JSONResponse(self.jwks(), headers={"Cache-Control": "max-age=86400"})

    async def _list(self, request: Request) -> Response:
        if self.answers:
            return self.answers.pop(0)
        query = {name: values[0] for name, values in parse_qs(request.url.query).items()}
        self.asked.append(query)
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if request.headers.get("apikey") != OWNERS_KEY or kind != "Bearer" or not self.believes(token):
            return Response("no", 403)
        start = int(query.get("continuation", "0"))
        page = self.ended[start : start + 2]
        document: dict[str, Any] = {"_embedded": {"consents": [{"AuthorizationCode": str(one)} for one in page]}}
        if len(page) == 2 or (page and self.always_on):
            document["continuationtoken"] = str(start + len(page))
        return JSONResponse(document, media_type="application/hal+json")


_CERTIFICATES: dict[str, bytes] = {}
