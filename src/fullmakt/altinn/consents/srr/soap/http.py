"""SRR's SOAP form over HTTP (SOAP 1.1 §6): one address for every operation, and its description in WSDL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Protocol

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import ASGIApp

from fullmakt.altinn.consents.srr.documents import InvalidEntryError
from fullmakt.altinn.consents.srr.model import Entry
from fullmakt.altinn.consents.srr.ports import Owner
from fullmakt.altinn.consents.srr.service import SrrService
from fullmakt.altinn.consents.srr.soap import messages
from fullmakt.altinn.consents.srr.soap.envelope import around, operation_of
from fullmakt.altinn.consents.srr.soap.faults import ErrorId, FaultCode, FaultError, fault_xml
from fullmakt.altinn.consents.srr.soap.messages import Credentials, Parameters
from fullmakt.altinn.consents.srr.soap.names import ADD, DELETE, GET, PATH
from fullmakt.altinn.consents.srr.soap.wsdl import wsdl
from fullmakt.infra.altinn import ForbiddenError, Handler
from fullmakt.infra.http import BodyTooLargeError, SystemEdge, routed
from fullmakt.infra.routes import folded_route
from fullmakt.infra.telemetry import current_trace
from fullmakt.infra.unavailable import UnavailableError
from fullmakt.kernel.trace import Trace

_CONTENT_TYPE = "text/xml; charset=utf-8"
_NO_STORE = {"Cache-Control": "no-store"}
_DESCRIBED = frozenset({"wsdl", "singlewsdl"})
_FAILED = "An error occurred; the log knows it by its ErrorGuid"
_UNAVAILABLE = "A system that this one depends on does not answer"
_TOO_LARGE = "The message is larger than this server takes"
_OTHERS_SERVICE = "The system is not authorized for the service, or there is no such service"


class SystemGate(Protocol):
    """Tells which service owner's system calls, by its name and its password."""

    async def system(self, credentials: Credentials) -> Owner:
        """The owner.

        Raises:
            FaultError: they are nobody's, or no service owner's.
        """
        ...


def soap_app(service: SrrService, gate: SystemGate, url: str) -> ASGIApp:
    """The app, under Altinn 2's base path, whose public URL is ``url``, without a slash at its end."""
    operations: Mapping[str, Callable[[Parameters, Owner], Awaitable[Response]]] = {
        GET: lambda asked, by: _get(service, asked, by),
        ADD: lambda asked, by: _add(service, asked, by),
        DELETE: lambda asked, by: _delete(service, asked, by),
    }

    async def call(request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "text/xml":
            raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        operation, called = operation_of(await request.body(), request.headers.get("soapaction", ""))
        asked = Parameters(operation, called)
        by = await gate.system(asked.credentials)
        return await operations[operation](asked, by)

    async def described(request: Request) -> Response:
        if any(name.lower() in _DESCRIBED for name in request.query_params):
            return Response(wsdl(f"{url}{PATH}"), media_type=_CONTENT_TYPE)
        return PlainTextResponse(f"This is a SOAP service; {url}{PATH}?wsdl describes it.\n")

    routes = [folded_route(PATH, call, methods=["POST"]), folded_route(PATH, described)]
    return SystemEdge(routed(routes, HANDLERS), error=_edge_fault)


async def _get(service: SrrService, asked: Parameters, by: Owner) -> Response:
    key, reportee = asked.service, asked.reportee
    if reportee is not None:
        return _answer(GET, messages.entries_xml(await service.entries(key, by, reportee)))
    pages = await service.listed(key, by)
    first: Sequence[Entry] = await anext(pages, [])  # what can not be read is told before anything is sent
    before, after = around(GET)

    async def pieces() -> AsyncIterator[bytes]:
        yield before + messages.entries_xml(first)
        async for page in pages:
            yield messages.entries_xml(page)
        yield after

    return StreamingResponse(pieces(), 200, _NO_STORE, _CONTENT_TYPE)


async def _add(service: SrrService, asked: Parameters, by: Owner) -> Response:
    return _answer(ADD, messages.added_xml(await service.add(asked.drafts, by)))


async def _delete(service: SrrService, asked: Parameters, by: Owner) -> Response:
    key, names, conditions = asked.service, asked.names, asked.conditions
    return _answer(DELETE, messages.removed_xml(names, conditions, await service.withdraw(key, names, by)))


def _answer(operation: str, items: bytes) -> Response:
    before, after = around(operation)
    return Response(before + items + after, 200, _NO_STORE, _CONTENT_TYPE)


def _fault(error: FaultError, status: int = HTTPStatus.INTERNAL_SERVER_ERROR) -> Response:
    """A fault; with 500, as SOAP 1.1 §6.2 has it, where a message has been read."""
    trace = current_trace.get() or Trace.start()
    return Response(fault_xml(error, trace.trace_id), status, _NO_STORE, _CONTENT_TYPE)


def _edge_fault(status: int, _error: str, _description: str) -> Response:
    """What is said before a route is found, or when one has failed: an ``ErrorBody`` of ``SystemEdge``'s."""
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return _fault(FaultError(_TOO_LARGE), status)
    return _fault(FaultError(_FAILED, code=FaultCode.SERVER))


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, FaultError)  # noqa: S101 - it is registered for no other
    return _fault(error)


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, InvalidEntryError)  # noqa: S101 - as above
    return _fault(FaultError(str(error), int(error.faults[0].code)))


async def _forbidden(_request: Request, _error: Exception) -> Response:
    return _fault(FaultError(_OTHERS_SERVICE, ErrorId.NOT_AUTHORIZED))


async def _too_large(_request: Request, _error: Exception) -> Response:
    return _fault(FaultError(_TOO_LARGE), HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


async def _unavailable(_request: Request, _error: Exception) -> Response:
    return _fault(FaultError(_UNAVAILABLE, code=FaultCode.SERVER))


async def _failed(_request: Request, _error: Exception) -> Response:
    return _fault(FaultError(_FAILED, code=FaultCode.SERVER))


async def _routing(_request: Request, error: Exception) -> Response:
    """What is said of a request that is no message of SOAP 1.1's: HTTP's own words."""
    assert isinstance(error, HTTPException)  # noqa: S101 - as above
    return PlainTextResponse(f"{HTTPStatus(error.status_code).phrase}\n", error.status_code, error.headers)


HANDLERS: Mapping[Any, Handler] = {
    Exception: _failed,
    FaultError: _refused,
    InvalidEntryError: _invalid,
    ForbiddenError: _forbidden,
    BodyTooLargeError: _too_large,
    UnavailableError: _unavailable,
    HTTPException: _routing,
}
