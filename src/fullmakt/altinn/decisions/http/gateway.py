"""Who may ask the decision point: a token with the scope, and the gateway's subscription key (§1)."""

from __future__ import annotations

import hmac

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from fullmakt.altinn.decisions.config import DecisionsConfig
from fullmakt.infra.altinn import Callers, caller_by, require_scope
from fullmakt.wire.altinn.callers import Caller

AUTHORIZE = "altinn:authorization/authorize"
AUTHORIZE_ADMIN = "altinn:authorization/authorize.admin"
_KEY_HEADER = "ocp-apim-subscription-key"
_MISSING = (
    "Access denied due to missing subscription key. Make sure to include subscription key when making requests to an"
    " API."
)
_INVALID = "Access denied due to invalid subscription key. Make sure to provide a valid key for an active subscription."


class GatewayRefusalError(Exception):
    """The gateway in front of the API lets nobody through without a subscription key: 401."""


async def gateway_refusal(_request: Request, error: Exception) -> Response:
    """The gateway's own form of an error."""
    return JSONResponse({"statusCode": 401, "message": str(error)}, 401)


class Gateway:
    """Lets callers in, or not."""

    def __init__(self, config: DecisionsConfig, callers: Callers) -> None:
        self._keys = config.subscription_keys
        self._open = config.insecure_internal
        self._callers = callers

    async def outside(self, headers: Headers, *scopes: str) -> Caller:
        """An external caller with one of ``scopes`` (the decision point's, unless told).

        Raises:
            GatewayRefusalError, InvalidCallerError, ForbiddenError: not let in.
        """
        if self._keys:
            self._check_key(headers)
        caller = await self.whoever(headers)
        require_scope(caller, *(scopes or (AUTHORIZE, AUTHORIZE_ADMIN)))
        return caller

    def inside(self, headers: Headers) -> str:
        """An internal caller, by its key alone; what the audit trail calls it.

        Raises:
            GatewayRefusalError: no key that is known.
        """
        if not self._open:
            self._check_key(headers)
        return "platform"

    async def whoever(self, headers: Headers) -> Caller:
        """The holder of a token.

        Raises:
            InvalidCallerError: there is none, or it is not to be believed.
        """
        return await caller_by(headers, self._callers)

    def _check_key(self, headers: Headers) -> None:
        given = headers.get(_KEY_HEADER)
        if not given:
            raise GatewayRefusalError(_MISSING)
        if not any(hmac.compare_digest(given.encode(), key.encode()) for key in self._keys):
            raise GatewayRefusalError(_INVALID)
