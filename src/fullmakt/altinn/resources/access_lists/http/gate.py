"""Who may come in: service owners to their own lists (§8), the platform's own components to look parties up (§14)."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from fullmakt.altinn.resources.access_lists import rules
from fullmakt.altinn.resources.access_lists.errors import UnknownOwnerError
from fullmakt.altinn.resources.access_lists.model import ListReference
from fullmakt.altinn.resources.access_lists.ports import PlatformTokens
from fullmakt.altinn.resources.access_lists.service import AccessLists
from fullmakt.infra.altinn import Callers, ForbiddenError, caller_of, require_scope
from fullmakt.wire.altinn.callers import Caller, InvalidCallerError

PLATFORM_HEADER = "PlatformAccessToken"
PLATFORM = "platform"


@dataclass(frozen=True, slots=True)
class Entry:
    """A caller who may do what the request is for, with the lists of ``owner``."""

    caller: Caller
    owner: str
    request: Request

    @property
    def actor(self) -> str:
        """What the audit trail calls the caller."""
        return self.caller.actor

    @property
    def reference(self) -> ListReference:
        """The list that the path names."""
        return ListReference(self.owner, self.request.path_params["identifier"])


class PlatformGate:
    """Lets the platform's components in, or tells the audit trail why not. Without ``platform`` none is believed."""

    def __init__(self, service: AccessLists, platform: PlatformTokens | None) -> None:
        self._service = service
        self._platform = platform

    async def require_platform(self, request: Request) -> None:
        """Let one of the platform's components in, by its ``PlatformAccessToken``.

        Raises:
            InvalidCallerError: there is no such token that can be believed.
            ForbiddenError: it is somebody else's.
        """
        token = request.headers.get(PLATFORM_HEADER)
        if token is None or self._platform is None:
            raise InvalidCallerError("no_token")
        issuer = await self._platform.issuer_of(token)
        if issuer != PLATFORM:
            refusal = ForbiddenError("not_the_platform", issuer=issuer)
            await self._tell(request, issuer, refusal)
            raise refusal

    async def _tell(self, request: Request, actor: str, refusal: ForbiddenError) -> None:
        named = [request.path_params[name] for name in ("owner", "identifier") if name in request.path_params]
        subject = ":".join(["access-list", *named])
        action = "access-list:write" if _writes(request) else "access-list:read"
        await self._service.tell_refusal(actor, action, subject, refusal.reason, refusal.facts)


def _writes(request: Request) -> bool:
    """True of a request to a list that may change it; a question may come by POST too."""
    return "owner" in request.path_params and request.method not in {"GET", "HEAD"}


class Gate(PlatformGate):
    """Lets callers in, or tells the audit trail why not."""

    def __init__(self, service: AccessLists, callers: Callers, platform: PlatformTokens | None) -> None:
        super().__init__(service, platform)
        self._callers = callers

    async def enter(self, request: Request, *, writing: bool = False) -> Entry:
        """Who calls about the lists of the path's owner.

        Raises:
            InvalidCallerError: there is no token that can be believed.
            ForbiddenError: it has not the scope, or is another owner's.
            UnknownOwnerError: there is no such owner.
        """
        caller = await caller_of(request, self._callers)
        try:
            return await self._entry(request, caller, writing=writing)
        except ForbiddenError as refusal:
            await self._tell(request, caller.actor, refusal)
            raise

    async def enter_look_up(self, request: Request, *, scope: str | None) -> None:
        """Let one of the platform's components in, or who has ``scope``; None: components alone.

        Raises:
            InvalidCallerError: there is no token that can be believed.
            ForbiddenError: it is somebody else's.
        """
        if self._platform is not None and PLATFORM_HEADER in request.headers:
            await self.require_platform(request)
            return
        caller = await caller_of(request, self._callers)
        if scope is None or scope not in caller.scopes:
            refusal = ForbiddenError("not_the_platform", any_of=[scope] if scope else [])
            await self._tell(request, caller.actor, refusal)
            raise refusal

    async def _entry(self, request: Request, caller: Caller, *, writing: bool) -> Entry:
        require_scope(caller, *(rules.WRITERS if writing else rules.READERS))
        org_codes = await self._service.org_codes()
        owner = rules.owner_code(request.path_params["owner"], org_codes)
        if owner is None:
            raise UnknownOwnerError
        if not rules.may_act_for(caller, owner, org_codes, writing=writing):
            raise ForbiddenError("other_owner", owner=owner)
        return Entry(caller, owner, request)
