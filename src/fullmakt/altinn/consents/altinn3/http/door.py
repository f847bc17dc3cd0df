"""Who is let in: everybody has a token, with one of the route's scopes, and whoever is refused is remembered
(consent.md §4.2)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from fullmakt.altinn.consents.altinn3 import problems
from fullmakt.altinn.consents.altinn3.asking import consumer_of
from fullmakt.altinn.consents.errors import ConsentRefusedError
from fullmakt.altinn.consents.work import Work
from fullmakt.infra.altinn import Callers, ForbiddenError, caller_of, require_scope
from fullmakt.infra.reading import parse_uuid
from fullmakt.infra.routes import folded_route
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.problems import AltinnProblemError, ProblemKind

Endpoint = Callable[[Request, Caller], Awaitable[Response]]
_LONGEST_SUBJECT = 255


class AlreadyToldError(Exception):
    """The request is answered with a problem, and the audit trail has heard of it."""

    def __init__(self, problem: AltinnProblemError) -> None:
        super().__init__(problem.kind.code)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Door:
    """Makes routes whose endpoints know their caller.

    ``refused`` is what the audit trail calls it when somebody is refused at such a route; what the service refuses it
    has written down itself.
    """

    work: Work
    callers: Callers

    def route(
        self, method: str, path: str, endpoint: Endpoint, *scopes: str, refused: str, **instead: ProblemKind
    ) -> BaseRoute:
        """``path`` with ``endpoint``, for callers with any one of ``scopes``; ``instead``: see ``of_reason``."""

        async def handle(request: Request) -> Response:
            caller = await caller_of(request, self.callers)
            try:
                require_scope(caller, *scopes)
                return await endpoint(request, caller)
            except AlreadyToldError as error:
                raise error.problem from error
            except ConsentRefusedError as error:
                raise problems.of_reason(error.reason, **instead) from error
            except ForbiddenError as error:
                await self._refused(request, caller.actor, refused, error.reason, **error.facts)
                raise
            except AltinnProblemError as error:
                if method != "GET" or error.kind == problems.NOT_AUTHORIZED:
                    await self._refused(request, caller.actor, refused, error.kind.code, codes=_codes(error))
                raise

        return folded_route(path, handle, methods=[method])

    async def _refused(self, request: Request, actor: str, action: str, reason: str, /, **facts: Any) -> None:
        subject = request.url.path[:_LONGEST_SUBJECT]
        await self.work.record(actor, action, subject, reason, **facts)


def _codes(error: AltinnProblemError) -> list[str]:
    """The codes of every problem, and of every broken rule, without what was sent."""
    faults = [fault["code"] for fault in error.extensions.get("validationErrors", ())]
    return faults + [code for one in getattr(error, "problems", ()) for code in (one.kind.code, *_codes(one))]


def organisation(caller: Caller) -> Attribute:
    """The organisation that is acted for, as parties are asked for.

    Raises:
        InvalidCallerError: the token is no organisation's.
    """
    return Attribute(ids.ORGANISATION, consumer_of(caller))


def path_id(request: Request) -> UUID:
    """The UUID in the path.

    Raises:
        BindingError: it is none.
    """
    return parse_uuid("id", request.path_params["id"])


def json(document: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(orjson.dumps(document), status, headers, "application/json; charset=utf-8")
