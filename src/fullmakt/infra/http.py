"""HTTP plumbing that every system shares: the trace of a request, its size limit, and the shape of a 500."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import httpx2
import structlog
from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fullmakt.infra.telemetry import current_trace
from fullmakt.kernel.trace import Trace

MAX_BODY_BYTES = 1024 * 1024
"""For the admin APIs; the token endpoint has a limit of its own."""

_log = structlog.get_logger("fullmakt.http")


class BodyTooLargeError(Exception):
    """The request's body is larger than this server takes."""


ErrorBody = Callable[[int, str, str], Response]
"""Makes a response from a status, an error code and a description."""


def plain_error(status: int, error: str, description: str) -> Response:
    """An error in the shape of RFC 6749 §5.2."""
    return JSONResponse({"error": error, "error_description": description}, status)


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """Problem details (RFC 9457)."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return JSONResponse(body, status, dict(headers or {}), media_type="application/problem+json")


_REFUSED = {413: "The body is larger than this server takes", 415: "The body must be application/json"}


async def routing_problem(_request: Request, error: Exception) -> Response:
    """What is said of a path that is none, of a method, or of a body before it is read, as problem details: a handler
    for Starlette."""
    assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for no other
    detail = _REFUSED.get(error.status_code, "there is nothing here for such a request")
    return problem(error.status_code, detail, error.headers)


async def too_large_problem(_request: Request, _error: Exception) -> Response:
    """413 as problem details: a handler for ``BodyTooLargeError``."""
    return problem(413, _REFUSED[413])


def routed(
    routes: Sequence[BaseRoute], handlers: Mapping[Any, Callable[[Request, Exception], Response | Awaitable[Response]]]
) -> Starlette:
    """An app of these routes, where a path with a slash too many is not found: nobody is sent elsewhere for it."""
    app = Starlette(routes=routes, exception_handlers=handlers)
    app.router.redirect_slashes = False
    return app


class SystemEdge:
    """The outermost layer of a system's app: starts or continues the trace, bounds the body, catches what nobody did.

    The response carries ``traceparent``. A body over ``max_body`` bytes gets 413 as soon as that is known. ``error``
    renders what this layer says itself, for systems with an error format of their own.
    """

    def __init__(self, app: ASGIApp, *, max_body: int = MAX_BODY_BYTES, error: ErrorBody = plain_error) -> None:
        self._app = app
        self._max_body = max_body
        self._error = error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        trace = Trace.continue_from(headers.get("traceparent"))
        token = current_trace.set(trace)
        started = False
        taken = 0

        async def bounded_receive() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._max_body:
                raise BodyTooLargeError
            return message

        async def traced_send(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                MutableHeaders(raw=message.setdefault("headers", [])).setdefault("traceparent", trace.traceparent)
            await send(message)

        try:
            if int(headers.get("content-length") or 0) > self._max_body:
                raise BodyTooLargeError
            await self._app(scope, bounded_receive, traced_send)
        except BodyTooLargeError:
            if not started:
                response = self._error(413, "request_too_large", f"at most {self._max_body} bytes")
                await response(scope, receive, traced_send)
        except ClientDisconnect:
            _log.debug("client_went_away", path=scope["path"])  # there is nobody to answer
        except Exception:
            _log.exception("unhandled", path=scope["path"])
            if not started:
                response = self._error(500, "server_error", f"Internal error (trace_id: {trace.trace_id})")
                await response(scope, receive, traced_send)
        finally:
            current_trace.reset(token)


async def pass_trace_on(request: httpx2.Request) -> None:
    """An event hook for our own HTTP clients: the trace of the request at hand goes on to the next hop."""
    trace = current_trace.get()
    if trace is not None:
        request.headers.setdefault("traceparent", trace.traceparent)


def bearer_token(headers: Headers) -> str | None:
    """The token of ``Authorization: Bearer …`` (RFC 6750 §2.1), None when there is none."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None
