"""An issuer of the test-token helper's own, which nobody but its tests trusts (altinn-authentication.md §13)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from fullmakt.infra.routes import folded_route
from fullmakt.jose.keys import LocalSigner

ENVIRONMENT = "none"
_METADATA = "/api/.well-known/oauth-authorization-server"
_KEYS = "/api/.well-known/jwks.json"


class OwnIssuer:
    """Signs with an ES256 key that lasts as long as the process."""

    def __init__(self) -> None:
        self._signer = LocalSigner.generate(ec_key=True)

    def routes(self) -> list[BaseRoute]:
        """Its metadata (RFC 8414) and its key set."""
        return [folded_route(_METADATA, self.metadata), folded_route(_KEYS, self.keys)]

    async def metadata(self, request: Request) -> Response:
        """Where its keys are."""
        return JSONResponse({"issuer": self.issuer(request), "jwks_uri": f"{_base(request)}{_KEYS}"})

    async def keys(self, _request: Request) -> Response:
        """The one key there is."""
        public = self._signer.public.to_jwk()
        return JSONResponse({"keys": [{**public, "kid": self._signer.kid, "alg": self._signer.alg, "use": "sig"}]})

    def issuer(self, request: Request) -> str:
        """What its tokens say of who issued them: where its metadata is, by the name that it was called by."""
        return f"{_base(request)}{_METADATA}"

    def sign(self, claims: Mapping[str, Any]) -> str:
        """A token."""
        return self._signer.sign(orjson.dumps(claims), self._signer.header(typ="JWT")).decode()


def _base(request: Request) -> str:
    return str(request.base_url).rstrip("/")
