"""Who may change something: holders of a write scope. Whoever may not leaves a trace of having tried."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from fullmakt.altinn.resources.errors import ForeignScopesError, NotOwnerError
from fullmakt.altinn.resources.rules.ownership import ADMIN_SCOPE, WRITE_SCOPE
from fullmakt.altinn.resources.service import ResourcesService
from fullmakt.infra.altinn import Callers, ForbiddenError, caller_of, require_scope
from fullmakt.wire.altinn.callers import Caller


class Writers:
    """Lets callers in."""

    def __init__(self, service: ResourcesService, callers: Callers) -> None:
        self._service = service
        self._callers = callers

    async def let(self, request: Request, action: str, work: Callable[[Caller], Awaitable[Response]]) -> Response:
        """Do ``work`` for the caller.

        Raises:
            InvalidCallerError: nobody that is believed.
            ForbiddenError: no write scope; audited, as is what ``work`` raises of owners and scopes.
        """
        caller = await caller_of(request, self._callers)
        try:
            require_scope(caller, WRITE_SCOPE, ADMIN_SCOPE)
            return await work(caller)
        except (ForbiddenError, NotOwnerError, ForeignScopesError) as error:
            reason = error.reason if isinstance(error, ForbiddenError) else _REASONS[type(error)]
            await self._service.refused(action, str(request.path_params.get("id", "")), caller.actor, reason)
            raise


_REASONS = {NotOwnerError: "not_owner", ForeignScopesError: "foreign_scopes"}
