"""What Altinn's systems share over HTTP: who calls, and how errors look."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

import orjson
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from fullmakt.infra.http import BodyTooLargeError, bearer_token, problem, routing_problem, too_large_problem
from fullmakt.infra.telemetry import current_trace
from fullmakt.infra.unavailable import UnavailableError
from fullmakt.wire.altinn.callers import Caller, InvalidCallerError
from fullmakt.wire.altinn.problems import AltinnProblemError, AltinnValidationError, BindingError

Handler = Callable[[Request, Exception], Awaitable[Response]]

COOKIE = "AltinnStudioRuntime"
"""In which browsers carry an Altinn token."""
_LANGUAGES = {"nb": "nb", "no": "nb", "nob": "nb", "nn": "nn", "nno": "nn", "en": "en", "eng": "en"}
"""By the first part of a language tag (RFC 5646), of two letters or three."""


class Callers(Protocol):
    """Tells who holds a token, whoever of the trusted issuers made it."""

    async def identify(self, token: str) -> Caller:
        """The caller.

        Raises:
            InvalidCallerError: the token is not to be believed.
        """
        ...


class ForbiddenError(Exception):
    """The caller is known and may not do this: 403, empty. ``reason`` and ``facts`` are for the audit trail."""

    def __init__(self, reason: str, **facts: Any) -> None:
        super().__init__(reason)
        self.reason = reason
        self.facts = facts


def token_of(request: Request) -> str | None:
    """The bearer token, or that of the browser's cookie; None when there is neither (altinn-authentication.md §5).

    The cookie counts for GET and HEAD alone: a browser sends it with whatever another site makes it ask for.
    """
    token = bearer_token(request.headers)
    if token is None and request.method in {"GET", "HEAD"}:
        return request.cookies.get(COOKIE) or None
    return token


async def caller_of(request: Request, callers: Callers) -> Caller:
    """Who calls, by the token that came with the request.

    Raises:
        InvalidCallerError: there is none, or it is not to be believed.
    """
    return await _caller(token_of(request), callers)


async def caller_by(headers: Headers, callers: Callers) -> Caller:
    """The same, by the bearer token alone."""
    return await _caller(bearer_token(headers), callers)


async def _caller(token: str | None, callers: Callers) -> Caller:
    if token is None:
        raise InvalidCallerError("no_token")
    return await callers.identify(token)


def require_scope(caller: Caller, *scopes: str) -> None:
    """Any one of ``scopes`` will do.

    Raises:
        ForbiddenError: the caller has none of them.
    """
    if caller.scopes.isdisjoint(scopes):
        raise ForbiddenError("missing_scope", any_of=sorted(scopes))


def language_of(request: Request) -> str:
    """The first language of ``Accept-Language`` if Altinn has texts in it, ``nn`` or ``en``; else ``nb``, bokmål."""
    first = request.headers.get("accept-language", "").partition(",")[0].partition(";")[0].strip()
    return _LANGUAGES.get(first.partition("-")[0].lower(), "nb")


async def _unauthorized(_request: Request, error: Exception) -> Response:
    assert isinstance(error, InvalidCallerError)  # noqa: S101 - it is registered for no other
    challenge = "Bearer" if error.reason == "no_token" else 'Bearer error="invalid_token"'
    return Response(status_code=401, headers={"WWW-Authenticate": challenge})


async def _forbidden(_request: Request, _error: Exception) -> Response:
    return Response(status_code=403)


async def _document(_request: Request, error: Exception) -> Response:
    trace = current_trace.get()
    trace_id = trace.traceparent if trace else ""
    match error:
        case AltinnProblemError():
            return _problem(error.kind.status, error.document(trace_id))
        case AltinnValidationError() | BindingError():
            return _problem(error.status, error.document(trace_id))
    raise error


def _problem(status: int, document: Mapping[str, Any]) -> Response:
    return Response(orjson.dumps(document), status, media_type="application/problem+json")


async def _unavailable(_request: Request, _error: Exception) -> Response:
    return problem(503, "A system this one depends on does not answer", {"Retry-After": "1"})


HANDLERS: Mapping[Any, Handler] = {
    InvalidCallerError: _unauthorized,
    ForbiddenError: _forbidden,
    AltinnProblemError: _document,
    AltinnValidationError: _document,
    BindingError: _document,
    UnavailableError: _unavailable,
    HTTPException: routing_problem,
    BodyTooLargeError: too_large_problem,
}
"""Exception handlers for the app of a system of Altinn's."""
