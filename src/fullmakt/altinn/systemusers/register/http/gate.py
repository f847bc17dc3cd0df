"""Who may come in, and what becomes of a refusal: it goes into the audit trail, and out in the form of the API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from fullmakt.altinn.systemusers.errors import (
    SYSTEM_NOT_FOUND,
    DeletedSystemError,
    RegisterError,
    StaleVersionError,
    UnknownSystemError,
)
from fullmakt.altinn.systemusers.register import rules
from fullmakt.altinn.systemusers.register.model import Registrant
from fullmakt.altinn.systemusers.register.service import RegisterService
from fullmakt.infra.altinn import Callers, ForbiddenError, caller_of, require_scope
from fullmakt.infra.routes import folded_route
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.problems import AltinnProblemError, AltinnValidationError, BindingError, ProblemKind

READ = "system:read"
DELETE = "system:delete"
_STALE_VERSION = ProblemKind("STD-00412", 412, "The system is not of the version that the request asks for.")
"""Ours, as ``If-Match`` is: Altinn's lists have no code for it."""


@dataclass(slots=True)
class Entry:
    """A caller who has the scope. ``subject`` is what the audit trail calls the system, as far as that is known."""

    request: Request
    caller: Caller
    action: str
    subject: str = ""

    @property
    def system_id(self) -> str:
        """The system that the path names."""
        return str(self.request.path_params["systemId"])

    @property
    def registrant(self) -> Registrant:
        """The organisation that calls.

        Raises:
            ForbiddenError: ``no_organisation``.
        """
        caller = self.caller
        if caller.consumer is None:
            raise ForbiddenError("no_organisation")
        return Registrant(caller.consumer, caller.actor, caller.client_id, admin=rules.ADMIN_SCOPE in caller.scopes)


Endpoint = Callable[[Entry], Awaitable[Response]]


class Gate:
    """Lets callers in, or tells the audit trail why not."""

    def __init__(self, service: RegisterService, callers: Callers) -> None:
        self._service = service
        self._callers = callers

    def route(self, path: str, *scopes: str, **endpoints: tuple[str, Endpoint]) -> Route:
        """A route below the register's path, for callers with any of ``scopes``. ``endpoints`` are named for their
        method, and go with what the audit trail calls what they do."""

        async def endpoint(request: Request) -> Response:
            action, handle = endpoints["GET" if request.method == "HEAD" else request.method]
            return await self._enter(request, action, handle, scopes)

        return folded_route(f"/api/v1/systemregister{path}", endpoint, methods=[*endpoints])

    async def _enter(self, request: Request, action: str, handle: Endpoint, scopes: tuple[str, ...]) -> Response:
        entry = Entry(request, await caller_of(request, self._callers), action)
        if "systemId" in request.path_params:
            entry.subject = f"system:{entry.system_id}"
        try:
            require_scope(entry.caller, *scopes)
            return await handle(entry)
        except ForbiddenError as refusal:
            await self._tell(entry, refusal.reason, **refusal.facts)
            raise
        except AltinnValidationError as refusal:
            await self._tell(entry, "broken_rule", rules=[fault.code for fault in refusal.faults])
            raise
        except RegisterError as refusal:
            await self._tell(entry, refusal.reason)
            return _answer(entry, refusal)

    async def _tell(self, entry: Entry, reason: str, **facts: object) -> None:
        await self._service.tell_refusal(entry.caller.actor, entry.action, entry.subject, reason, facts)


def _answer(entry: Entry, refusal: RegisterError) -> Response:
    match refusal:
        case UnknownSystemError() if entry.action == DELETE:
            raise BindingError({"return": ["System not found"]})
        case UnknownSystemError() if entry.action == READ:
            raise AltinnProblemError(SYSTEM_NOT_FOUND)
        case UnknownSystemError():
            return PlainTextResponse(f"System with ID '{entry.system_id}' not found.", 404)
        case DeletedSystemError():
            return PlainTextResponse("Cannot update a system marked as deleted.", 400)
        case StaleVersionError():
            raise AltinnProblemError(_STALE_VERSION)
    raise refusal
