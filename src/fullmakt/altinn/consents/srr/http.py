"""SRR over HTTP, on Altinn 2's host (consent.md §3.2)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import urlencode

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute

from fullmakt.altinn.consents.srr import documents
from fullmakt.altinn.consents.srr.documents import BAD_REPORTEE, Document, Fault, InvalidEntryError
from fullmakt.altinn.consents.srr.model import Entry, OperationStatus, ServiceKey, Written
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
RELATION = "rights"
"""What entries are called in a HAL list; Altinn has not published its own name."""

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
            return await _streamed(request, await service.listed(key, by), where, self_url)
        items = [documents.entry_document(entry) for entry in await service.entries(key, by, reportee)]
        return _many(request, items, where, self_url)

    async def one(request: Request) -> Response:
        by = await gate.owner(request, *READ)
        return _one(request, documents.entry_document(await service.entry(_id(request), by)), where)

    async def add(request: Request) -> Response:
        by = await gate.owner(request, *WRITE)
        drafts = documents.drafts_of(await _body(request))
        return _many(request, list(map(_written, await service.add(drafts, by))), where, where)

    async def change(request: Request) -> Response:
        by = await gate.owner(request, *WRITE)
        changes = documents.changes_of(await _body(request))
        return _one(request, _written(await service.change(_id(request), changes, by)), where)

    async def remove(request: Request) -> Response:
        by = await gate.owner(request, *WRITE)
        return _one(request, _written(await service.remove(_id(request), by)), where)

    table: Sequence[tuple[str, str, Callable[[Request], Awaitable[Response]]]] = (
        ("GET", BASE, listed),
        ("POST", BASE, add),
        ("GET", f"{BASE}/{{id}}", one),
        ("PUT", f"{BASE}/{{id}}", change),
        ("DELETE", f"{BASE}/{{id}}", remove),
    )
    return [folded_route(path, endpoint, methods=[method]) for method, path, endpoint in table]


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, InvalidEntryError)  # noqa: S101 - it is registered for no other
    return _json([fault.document() for fault in error.faults], 400)


async def _unknown(request: Request, _error: Exception) -> Response:
    """404, with the word that Altinn has for it where something was to be written."""
    if request.method == "GET":
        return Response(status_code=404)
    return _json({"Id": _id(request), "OperationStatus": str(OperationStatus.NOT_FOUND)}, 404)


HANDLERS: Mapping[Any, Handler] = {InvalidEntryError: _invalid, UnknownEntryError: _unknown}
"""Exception handlers for the app that serves the routes, beside those of ``infra.altinn``."""


async def _body(request: Request) -> Any:
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


def _is_hal(request: Request) -> bool:
    """A client that lists ``application/json`` gets it bare."""
    return "application/json" not in request.headers.get("accept", "").lower()


def _many(request: Request, items: list[Document], where: str, self_url: str) -> Response:
    if not _is_hal(request):
        return _json(items)
    embedded = {RELATION: [_linked(item, where) for item in items]}
    return _json({"_links": {"self": {"href": self_url}}, "_embedded": embedded}, hal=True)


async def _streamed(
    request: Request, pages: AsyncIterator[Sequence[Entry]], where: str, self_url: str
) -> StreamingResponse:
    """What ``_many`` makes, written page by page: a list may be long, and has no limit (§3.2)."""
    hal = _is_hal(request)
    before, after = _around(self_url) if hal else (b"[", b"]")
    first: Sequence[Entry] = await anext(pages, [])  # what can not be read is told before anything is sent

    def written(page: Sequence[Entry]) -> bytes:
        items = map(documents.entry_document, page)
        return b",".join([orjson.dumps(_linked(item, where) if hal else item) for item in items])

    async def pieces() -> AsyncIterator[bytes]:
        yield before + written(first)
        async for page in pages:
            yield b"," + written(page)
        yield after

    return StreamingResponse(pieces(), media_type=_media_type(hal=hal))


def _around(self_url: str) -> tuple[bytes, bytes]:
    """What stands before and after the entries of a HAL list."""
    whole = orjson.dumps({"_links": {"self": {"href": self_url}}, "_embedded": {RELATION: []}})
    return whole.removesuffix(b"]}}"), b"]}}"


def _one(request: Request, item: Document, where: str) -> Response:
    return _json(_linked(item, where), hal=True) if _is_hal(request) else _json(item)


def _linked(item: Document, where: str) -> Document:
    return {**item, "_links": {"self": {"href": f"{where}/{item['Id']}"}}} if "Id" in item else item


def _json(document: Any, status: int = 200, *, hal: bool = False) -> Response:
    return Response(orjson.dumps(document), status, media_type=_media_type(hal=hal))


def _media_type(*, hal: bool) -> str:
    return "application/hal+json" if hal else "application/json"
