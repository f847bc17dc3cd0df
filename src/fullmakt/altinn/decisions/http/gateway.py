"""Who may ask the decision point: a token with the scope, and the gateway's subscription key (§1)."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from fullmakt.altinn.decisions.config import DecisionsConfig
from fullmakt.infra.altinn import Callers, ForbiddenError, caller_by, caller_of, require_scope
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
    """The gateway in front of the API lets nobody through without a subscription key: 401.

    ``reason`` is for the audit trail.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


async def gateway_refusal(_request: Request, error: Exception) -> Response:
    """The gateway's own form of an error."""
    return JSONResponse({"statusCode": 401, "message": str(error)}, 401)


class Trail(Protocol):
    """Where it is kept who was refused."""

    async def refused(self, actor: str, endpoint: str, reason: str, /, **facts: Any) -> None:
        """A caller was not let in."""
        ...


class Gateway:
    """Lets callers in, or not; whom it refuses, it tells the audit trail.

    A token that is not to be believed is nobody's, and not told of: the answer is 401 and no more.
    """

    def __init__(self, config: DecisionsConfig, callers: Callers, trail: Trail) -> None:
        self._keys = config.subscription_keys
        self._open = config.insecure_internal
        self._callers = callers
        self._trail = trail

    async def outside(self, headers: Headers, endpoint: str, *scopes: str) -> Caller:
        """An external caller of ``endpoint`` with one of ``scopes`` (the decision point's, unless told).

        Raises:
            GatewayRefusalError, InvalidCallerError, ForbiddenError: not let in.
        """
        if self._keys:
            await self._check_key(headers, endpoint)
        caller = await caller_by(headers, self._callers)
        async with self._told(caller, endpoint):
            require_scope(caller, *(scopes or (AUTHORIZE, AUTHORIZE_ADMIN)))
        return caller

    async def inside(self, headers: Headers, endpoint: str) -> str:
        """An internal caller, by its key alone; what the audit trail calls it.

        Raises:
            GatewayRefusalError: no key that is known.
        """
        if not self._open:
            await self._check_key(headers, endpoint)
        return "platform"

    async def oneself(self, request: Request, endpoint: str, user: int) -> Caller:
        """The holder of a token, who must be the user that is asked about.

        Raises:
            InvalidCallerError, ForbiddenError: not let in.
        """
        caller = await caller_of(request, self._callers)
        async with self._told(caller, endpoint):
            if caller.user_id != user:
                raise ForbiddenError("not_oneself")
        return caller

    @asynccontextmanager
    async def _told(self, caller: Caller, endpoint: str) -> AsyncIterator[None]:
        try:
            yield
        except ForbiddenError as refusal:
            await self._trail.refused(caller.actor, endpoint, refusal.reason, **refusal.facts)
            raise

    async def _check_key(self, headers: Headers, endpoint: str) -> None:
        try:
            self._known_key(headers.get(_KEY_HEADER))
        except GatewayRefusalError as refusal:
            await self._trail.refused("", endpoint, refusal.reason)
            raise

    def _known_key(self, given: str | None) -> None:
        if not given:
            raise GatewayRefusalError("missing_subscription_key", _MISSING)
        if not any(hmac.compare_digest(given.encode(), key.encode()) for key in self._keys):
            raise GatewayRefusalError("invalid_subscription_key", _INVALID)
