"""SRR's answers in the four forms of Altinn 2: JSON and XML, with links (HAL) and without (consent.md §2.1, §3.2).

HAL in JSON is what a client gets that asks for none of them; one that lists ``application/json`` gets a bare array
(§3.2), and else the first form that it lists.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import orjson
from lxml import etree
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from fullmakt.altinn.consents.altinn2.http.rendering import answer
from fullmakt.altinn.consents.srr import documents, xml
from fullmakt.altinn.consents.srr.documents import Document, Fault
from fullmakt.altinn.consents.srr.model import Entry, OperationStatus

RELATION = "rights"
"""What entries are called in a HAL list; Altinn has not published its own name."""

_DECLARATION = b"<?xml version='1.0' encoding='utf-8'?>\n"


@dataclass(frozen=True, slots=True)
class Form:
    """A form of answers, by its media type."""

    media_type: str
    hal: bool = False
    xml: bool = False


_JSON = Form("application/json")
_HAL = Form("application/hal+json", hal=True)
_FORMS = {
    "application/hal+json": _HAL,
    "application/hal+xml": Form("application/hal+xml", hal=True, xml=True),
    "application/xml": Form("application/xml", xml=True),
    "text/xml": Form("text/xml", xml=True),
}


def form_of(request: Request) -> Form:
    """The form that the client wants."""
    accept = request.headers.get("accept", "").lower()
    if _JSON.media_type in accept:
        return _JSON
    listed = (_FORMS.get(one.partition(";")[0].strip()) for one in accept.split(","))
    return next((form for form in listed if form is not None), _HAL)


def one(request: Request, item: Document, where: str) -> Response:
    """An entry. ``where`` is the URL of them all."""
    form = form_of(request)
    return _answer(form, _linked(item, where) if form.hal else item, 200)


def not_found(request: Request, entry_id: int) -> Response:
    """404, with the word that Altinn has for it where something was to be written."""
    form = form_of(request)
    told = {"Id": entry_id, "OperationStatus": str(OperationStatus.NOT_FOUND)}
    return _answer(form if form.xml else _JSON, told, 404)


def _answer(form: Form, document: Document, status: int) -> Response:
    if not form.xml:
        return Response(orjson.dumps(document), status, media_type=form.media_type)
    return Response(_DECLARATION + xml.written([xml.entry_element(document)]), status, media_type=form.media_type)


def many(request: Request, items: Sequence[Document], where: str, self_url: str) -> Response:
    """A list of entries. ``self_url`` is its own URL."""
    form = form_of(request)
    before, after = _around(form, self_url)
    return Response(before + _items(form, items, where) + after, media_type=form.media_type)


async def streamed(
    request: Request, pages: AsyncIterator[Sequence[Entry]], where: str, self_url: str
) -> StreamingResponse:
    """What ``many`` makes, written page by page: a list may be long, and has no limit (§3.2)."""
    form = form_of(request)
    before, after = _around(form, self_url)
    between = b"" if form.xml else b","
    first: Sequence[Entry] = await anext(pages, [])  # what can not be read is told before anything is sent

    def written(page: Sequence[Entry]) -> bytes:
        return _items(form, list(map(documents.entry_document, page)), where)

    async def pieces() -> AsyncIterator[bytes]:
        yield before + written(first)
        async for page in pages:
            yield between + written(page)
        yield after

    return StreamingResponse(pieces(), media_type=form.media_type)


def refused(request: Request, faults: Sequence[Fault]) -> Response:
    """What is wrong with a request: 400 with an array of errors (§2.2)."""
    form = form_of(request)
    if not form.xml:
        return Response(orjson.dumps([one.document() for one in faults]), 400, media_type=_JSON.media_type)
    return answer(request, [one.document() for one in faults], "Errors", 400)


def _items(form: Form, items: Sequence[Document], where: str) -> bytes:
    shown = [_linked(item, where) if form.hal else item for item in items]
    if not form.xml:
        return b",".join([orjson.dumps(item) for item in shown])
    elements = [xml.entry_element(item) for item in shown]
    if form.hal:
        for element in elements:
            element.set("rel", RELATION)
    return xml.written(elements)


def _around(form: Form, self_url: str) -> tuple[bytes, bytes]:
    """What stands before and after the entries of a list."""
    if form.xml:
        root = etree.Element(xml.RESOURCE, {"rel": "self", "href": self_url} if form.hal else {})
        root.text = ""
        end = f"</{xml.RESOURCE}>".encode()
        return _DECLARATION + xml.written([root]).removesuffix(end), end
    if not form.hal:
        return b"[", b"]"
    whole = orjson.dumps({"_links": {"self": {"href": self_url}}, "_embedded": {RELATION: []}})
    return whole.removesuffix(b"]}}"), b"]}}"


def _linked(item: Document, where: str) -> Document:
    return {**item, "_links": {"self": {"href": f"{where}/{item['Id']}"}}} if "Id" in item else item
