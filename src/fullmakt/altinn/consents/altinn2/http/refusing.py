"""How Altinn 2's routes refuse: an array of errors, or plain text (consent.md §2.2, §2.8)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from fullmakt.altinn.consents.altinn2.errors import (
    NoConsentTokenError,
    NotAdmittedError,
    NotAuthenticatedError,
    RequestRefusedError,
    UnknownRequestError,
)
from fullmakt.altinn.consents.altinn2.http.rendering import answer
from fullmakt.altinn.consents.altinn2.http.tokens import BASE as TOKENS
from fullmakt.infra.altinn import HANDLERS as OF_ALTINN
from fullmakt.infra.altinn import Handler
from fullmakt.infra.http import BodyTooLargeError
from fullmakt.infra.telemetry import current_trace
from fullmakt.infra.unavailable import UnavailableError
from fullmakt.wire.altinn.consents2 import TOKEN_REFUSED, ConsentError, ErrorCode
from fullmakt.wire.altinn.problems import BindingError

NOT_AUTHENTICATED = "The enterprise is not authenticated."
NOT_FOUND = "There is no such request."
_TEXTS = {
    405: "Nothing answers to this method here.",
    413: "The body is larger than this server takes.",
    415: "The body is of a kind that is not taken here.",
    503: "A system this one depends on does not answer.",
}


def edge_error(status: int, _error: str, description: str) -> Response:
    """What is said before a route is found, or when one has failed: an ``ErrorBody`` of ``SystemEdge``'s."""
    text = f"{description}." if status >= HTTPStatus.INTERNAL_SERVER_ERROR else _TEXTS[status]
    return Response(orjson.dumps([_error_of(status, text).document()]), status, media_type="application/json")


def _error_of(status: int, text: str) -> ConsentError:
    ours = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return ConsentError(ErrorCode.NOT_SERVED if ours else ErrorCode.UNREADABLE, text)


def _told(request: Request, status: int, headers: Mapping[str, str] | None = None, text: str | None = None) -> Response:
    """What no use case has said, in the form of what the route says otherwise."""
    text = text or _TEXTS.get(status, f"{HTTPStatus(status).phrase}.")
    if request.method == "GET" and TOKENS in request.url.path.lower():
        told: Response = PlainTextResponse(text, status)
    else:
        told = answer(request, [_error_of(status, text).document()], "Errors", status)
    told.headers.update(headers or {})
    return told


async def _routing(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for no other
    if error.status_code == HTTPStatus.NOT_FOUND:
        return PlainTextResponse("There is nothing here.", 404)
    return _told(request, error.status_code, error.headers)


async def _too_large(request: Request, _error: Exception) -> Response:
    return _told(request, 413)


async def _unavailable(request: Request, _error: Exception) -> Response:
    return _told(request, 503, {"Retry-After": "1"})


async def _failed(request: Request, _error: Exception) -> Response:
    trace = current_trace.get()
    return _told(request, 500, text=f"Internal error (trace_id: {trace.trace_id if trace else ''}).")


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestRefusedError)  # noqa: S101 - as above
    return answer(request, [one.document() for one in error.errors], "Errors", error.status)


async def _unreadable(request: Request, error: Exception) -> Response:
    assert isinstance(error, BindingError)  # noqa: S101 - as above
    told = [ConsentError(ErrorCode.UNREADABLE, text) for texts in error.errors.values() for text in texts]
    return answer(request, [one.document() for one in told], "Errors", 400)


async def _not_authenticated(_request: Request, _error: Exception) -> Response:
    return PlainTextResponse(NOT_AUTHENTICATED, 401, {"WWW-Authenticate": "Bearer"})


async def _not_admitted(_request: Request, error: Exception) -> Response:
    assert isinstance(error, NotAdmittedError)  # noqa: S101 - as above
    return PlainTextResponse(error.text, 403)


async def _no_token(_request: Request, _error: Exception) -> Response:
    return PlainTextResponse(TOKEN_REFUSED, 403, {"Cache-Control": "no-store"})


async def _unknown(_request: Request, _error: Exception) -> Response:
    return PlainTextResponse(NOT_FOUND, 404)


HANDLERS: Mapping[Any, Handler] = {
    **OF_ALTINN,
    Exception: _failed,
    HTTPException: _routing,
    BodyTooLargeError: _too_large,
    UnavailableError: _unavailable,
    RequestRefusedError: _refused,
    BindingError: _unreadable,
    NotAuthenticatedError: _not_authenticated,
    NotAdmittedError: _not_admitted,
    NoConsentTokenError: _no_token,
    UnknownRequestError: _unknown,
}
"""Exception handlers for the app that serves the routes."""
