"""Errors on the wire (maskinporten.md §7.10): one body for all of them, and none for a 401."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match

from fullmakt.infra.http import BodyTooLargeError
from fullmakt.infra.telemetry import current_trace
from fullmakt.infra.unavailable import UnavailableError
from fullmakt.kernel.clock import Clock
from fullmakt.maskinporten.selfservice.errors import Fault, SelfServiceError
from fullmakt.provider import BearerError
from fullmakt.wire.maskinporten.selfservice import ErrorDocument, ErrorEntry

_OBJECTS = {
    "clients": "Client", "client": "Client", "jwks": "Jwk", "key": "Jwk", "keys": "KeyFile", "onbehalfof": "OnBehalfOf",
    "onbehalof": "OnBehalfOf", "access": "ScopeAccess", "scopes": "Scope",
}  # fmt: skip
"""What a path's segments are about; the last one that is known counts."""


class ErrorPages:
    """Renders errors; ``clock`` gives their ``timestamp``."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    @property
    def handlers(self) -> dict[int | type[Exception], Callable[[Request, Any], Any]]:
        """What FastAPI is to call for which exception."""
        return {
            SelfServiceError: self._refused,
            RequestValidationError: self._invalid,
            HTTPException: self._http,
            BodyTooLargeError: self._too_large,
            UnavailableError: self._unavailable,
            Exception: self._fault,
        }

    def page(self, status: int, faults: Iterable[Fault], headers: Mapping[str, str] | None = None) -> Response:
        """The body of §7.10."""
        trace = current_trace.get()
        entries = [
            ErrorEntry(
                errorMessage=fault.message,
                isFieldError=fault.field is not None,
                objectName=fault.object_name,
                fieldIdentifier=fault.field,
            )
            for fault in faults
        ]
        joined = "".join(f", {entry.errorMessage}" for entry in entries)
        body = ErrorDocument(
            status=status,
            timestamp=_nanoseconds(self._clock()),
            correlation_id=trace.trace_id if trace else "",
            errors=entries,
            error=joined,
            error_description=joined,
        )
        return JSONResponse(body.model_dump(), status, headers=dict(headers or {}))

    def edge(self, status: int, error: str, description: str) -> Response:
        """What the outermost layer says (``infra.http.SystemEdge``)."""
        return self.page(status, [Fault(f"{error}: {description}")])

    async def _refused(self, _request: Request, error: SelfServiceError) -> Response:
        headers = {"Retry-After": str(error.retry_after)} if error.retry_after is not None else None
        return self.page(error.status, error.faults, headers)

    async def _invalid(self, request: Request, error: RequestValidationError) -> Response:
        if _lacks_json(error):
            return self.page(400, [Fault("A JSON body is required, sent with Content-Type: application/json")])
        about = [_OBJECTS[part] for part in request.url.path.split("/") if part in _OBJECTS]
        return self.page(400, [_fault_of(entry, about[-1] if about else None) for entry in error.errors()])

    async def _http(self, request: Request, error: HTTPException) -> Response:
        if isinstance(error.__cause__, BodyTooLargeError):
            return await self._too_large(request, error.__cause__)
        if error.status_code == 401:
            return Response(status_code=401, headers=error.headers)
        headers = dict(error.headers or {})
        if error.status_code == 405:
            headers["Allow"] = ", ".join(_allowed(request))
        told = error.__cause__.description if isinstance(error.__cause__, BearerError) else None
        message = told or (error.detail if error.status_code == 400 else HTTPStatus(error.status_code).phrase)
        return self.page(error.status_code, [Fault(message)], headers)

    async def _too_large(self, _request: Request, _error: BodyTooLargeError) -> Response:
        return self.page(413, [Fault("The body is larger than this server takes")])

    async def _unavailable(self, _request: Request, _error: Exception) -> Response:
        message = "Something that self-service depends on does not answer: try again later"
        return self.page(503, [Fault(message)], {"Retry-After": "5"})

    async def _fault(self, _request: Request, _error: Exception) -> Response:
        return self.page(500, [Fault("Internal error")])


def _allowed(request: Request) -> list[str]:
    """Every method of the path: routes know only their own, and RFC 9110 §10.2.1 wants them all."""
    routes = request.app.router.routes
    return [
        method
        for method in ("GET", "POST", "PUT", "DELETE")
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)
    ]


def _lacks_json(error: RequestValidationError) -> bool:
    """True when there was no body, or one that was not called JSON, and so was not read."""
    missing = error.body is None and any(entry["loc"] == ("body",) for entry in error.errors())
    return missing or isinstance(error.body, bytes)


def _nanoseconds(moment: dt.datetime) -> str:
    utc = moment.astimezone(dt.UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond * 1000:09d}Z"


def _fault_of(entry: Mapping[str, Any], object_name: str | None) -> Fault:
    """One of pydantic's errors. Its message never holds the input; the path to the member is ours."""
    place, *path = (str(part) for part in entry["loc"])
    message = str(entry["msg"]).removeprefix("Value error, ")
    if not path:
        return Fault(message if place == "body" else f"{place}: {message}", object_name)
    field = ".".join(path)
    return Fault(f"{field}: {message}", object_name, field)
