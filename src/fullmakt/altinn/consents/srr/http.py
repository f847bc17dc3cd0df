"""SRR over HTTP, on Altinn 2's host (consent.md §3.2)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from fullmakt.altinn.consents.srr import documents, rendering, xml
from fullmakt.altinn.consents.srr.documents import BAD_REPORTEE, Document, Fault, InvalidEntryError
from fullmakt.altinn.consents.srr.model import ServiceKey, Written
from fullmakt.altinn.consents.srr.ports import Owner
from fullmakt.altinn.consents.srr.rules import is_reportee
from fullmakt.altinn.consents.srr.service import SrrService, UnknownEntryError
from fullmakt.infra.altinn import Handler
from fullmakt.infra.reading import Query, json_body
from fullmakt.infra.routes import folded_route
from fullmakt.wire.altinn.problems import BindingError

BASE = "/api/serviceowner/srr"
READ = ("altinn:serviceowner/srr.read", "altinn:serviceowner/srr.write", "altinn:serviceowner")
WRITE = ("altinn:serviceowner/srr.write", "altinn:serviceowner")

_XML_TYPES = frozenset({"application/hal+xml", "application/xml", "text/xml"})
_LARGEST_ID = 2**31 - 1


class OwnerGate(Protocol):
    """Tells which service owner calls: by its API key, and by its Maskinporten token or its enterprise certificate."""

    async def owner(self, request: Request, *scopes: str) -> Owner:
        """The owner, whose token has any one of ``scopes``. Raises what the app answers to anybody else."""
        ...


def routes(service: SrrService, gate: OwnerGate, base_url: str) -> list[BaseRoute]:
    """The routes, under Altinn 2's base path. ``base_url`` is that path's public URL, without a slash at its end."""
    where = f"{base_url}{BASE}"

    async def listed(request: Request) -> Response:
        by = await gate.owner(request, *READ)
        key, reportee = _asked(request)
        query = {"serviceCode": key.code, "serviceEditionCode": key.edition}
        self_url = f"{where}?{urlencode(query)}"
        if reportee is None:
            return await rendering.streamed(request, await service.listed(key, by), where, self_url)
        items = [documents.entry_document(entry) for entry in await service.entries(key, by, reportee)]
        return rendering.many(request, items, where, self_url)

    async def one(request: Request) -> Response:
        by = await gate.owner(request, *READ)
        return rendering.one(request, documents.entry_document(await service.entry(_id(request), by)), where)

    async def add(request: Request) -> Response:
        by = await gate.owner(request, *WRITE)
        drafts = documents.drafts_of(await _body(request, xml.read_entries))
        return rendering.many(request, list(map(_written, await service.add(drafts, by))), where, where)

    async def change(request: Request) -> Response:
        by = await gate.owner(request, *WRITE)
        changes = documents.changes_of(await _body(request, xml.read_entry))
        return rendering.one(request, _written(await service.change(_id(request), changes, by)), where)

    async def remove(request: Request) -> Response:
        by = await gate.owner(request, *WRITE)
        return rendering.one(request, _written(await service.remove(_id(request), by)), where)

    table: Sequence[tuple[str, str, Callable[[Request], Awaitable[Response]]]] = (
        ("GET", BASE, listed),
        ("POST", BASE, add),
        ("GET", f"{BASE}/{{id}}", one),
        ("PUT", f"{BASE}/{{id}}", change),
        ("DELETE", f"{BASE}/{{id}}", remove),
    )
    return [folded_route(path, endpoint, methods=[method]) for method, path, endpoint in table]


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, InvalidEntryError)  # noqa: S101 - it is registered for no other
    return rendering.refused(request, error.faults)


async def _unknown(request: Request, _error: Exception) -> Response:
    return Response(status_code=404) if request.method == "GET" else rendering.not_found(request, _id(request))


HANDLERS: Mapping[Any, Handler] = {InvalidEntryError: _invalid, UnknownEntryError: _unknown}
"""Exception handlers for the app that serves the routes, beside those of ``infra.altinn``."""


async def _body(request: Request, read_xml: Callable[[bytes], Any]) -> Any:
    """What was sent, as JSON would have it."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() in _XML_TYPES:
        return read_xml(await request.body())
    try:
        return await json_body(request)
    except BindingError as error:
        told = " ".join(text for texts in error.errors.values() for text in texts)
        raise InvalidEntryError(Fault(documents.BAD_ENTRY, told)) from error


def _asked(request: Request) -> tuple[ServiceKey, str | None]:
    query = Query(request)
    key = documents.service_key(query.text("serviceCode"), query.text("serviceEditionCode"))
    reportee = query.text("reportee")
    if reportee is not None and not is_reportee(reportee):
        raise InvalidEntryError(Fault(BAD_REPORTEE, "reportee is no organisation number and no person's"))
    return key, reportee


def _id(request: Request) -> int:
    text = request.path_params["id"]
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= _LARGEST_ID):
        raise HTTPException(404)
    return int(text)


def _written(written: Written) -> Document:
    return documents.entry_document(written.item, written.status)
