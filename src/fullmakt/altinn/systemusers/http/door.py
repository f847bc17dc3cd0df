"""Who is let in: everybody has a token, with one of the route's scopes, and whoever is refused is remembered
(altinn-authentication.md §1, §5)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from fullmakt.altinn.systemusers import errors
from fullmakt.altinn.systemusers.ports import PlatformTokens
from fullmakt.altinn.systemusers.work import Work
from fullmakt.infra.altinn import Callers, ForbiddenError, caller_of, require_scope
from fullmakt.infra.routes import folded_route
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.problems import AltinnProblemError, AltinnValidationError

ENDUSER = "altinn:portal/enduser"
REQUEST_READ = "altinn:authentication/systemuser.request.read"
REQUEST_WRITE = "altinn:authentication/systemuser.request.write"
REGISTER_WRITE = "altinn:authentication/systemregister.write"
ADMIN = "altinn:authentication/systemuser.admin"
CLIENTS_READ = "altinn:clientdelegations.read"
CLIENTS_WRITE = "altinn:clientdelegations.write"
_PLATFORM_HEADER = "PlatformAccessToken"
_PLATFORM = "platform"
_LONGEST_SUBJECT = 255

Endpoint = Callable[[Request, Caller], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Door:
    """Makes routes whose endpoints know their caller.

    ``refused`` is what the audit trail calls it when somebody is refused at such a route.
    """

    work: Work
    callers: Callers
    platform: PlatformTokens

    def route(self, method: str, path: str, endpoint: Endpoint, *scopes: str, refused: str) -> BaseRoute:
        """``path`` with ``endpoint``, for callers with any one of ``scopes``."""

        async def handle(request: Request) -> Response:
            caller = await caller_of(request, self.callers)
            try:
                require_scope(caller, *scopes)
                return await endpoint(request, caller)
            except ForbiddenError as error:
                await self._refused(request, caller.actor, refused, error.reason, **error.facts)
                raise
            except AltinnProblemError as error:
                told = {"says": error.kind.text, **error.extensions}
                await self._refused(request, caller.actor, refused, error.kind.code, **told)
                raise
            except AltinnValidationError as error:
                codes = [fault.code for fault in error.faults]
                await self._refused(request, caller.actor, refused, codes[0], codes=codes)
                raise

        return folded_route(path, handle, methods=[method])

    def internal(self, path: str, endpoint: Callable[[Request], Awaitable[Response]]) -> BaseRoute:
        """``path`` for the platform's own components, and for whoever has the scope of an administrator."""

        async def handle(request: Request) -> Response:
            token = request.headers.get(_PLATFORM_HEADER)
            actor = ""
            try:
                if token is not None:
                    actor = await self.platform.issuer_of(token)
                    if actor != _PLATFORM:
                        raise ForbiddenError("not_the_platform", issuer=actor)
                else:
                    caller = await caller_of(request, self.callers)
                    actor = caller.actor
                    require_scope(caller, ADMIN)
            except ForbiddenError as error:
                await self._refused(request, actor, "system-user:read", error.reason, **error.facts)
                raise
            return await endpoint(request)

        return folded_route(path, handle)

    async def _refused(self, request: Request, actor: str, action: str, reason: str, /, **facts: object) -> None:
        await self.work.refused(actor, action, request.url.path[:_LONGEST_SUBJECT], reason, **facts)


def vendor_of(caller: Caller) -> OrgNumber:
    """The vendor that calls.

    Raises:
        AltinnProblemError: AUTH-00023, the token is no organisation's.
    """
    if caller.consumer is None:
        raise AltinnProblemError(errors.VENDOR_NOT_FOUND)
    return caller.consumer


def json(document: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(orjson.dumps(document), status, headers, "application/json; charset=utf-8")
