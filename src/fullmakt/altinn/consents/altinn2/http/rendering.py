"""Answers in the four forms that Altinn 2 writes them in: JSON and XML, with links (HAL) and without (§2.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from lxml import etree
from starlette.requests import Request
from starlette.responses import Response

_NO_STORE = {"Cache-Control": "no-store"}
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_XML_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*", re.ASCII)
_SINGULAR = {"RequestResources": "RequestResource", "consents": "Consent", "consentRequests": "ConsentRequest"}
LINKS = "_links"


@dataclass(frozen=True, slots=True)
class _Form:
    media_type: str
    links: bool
    xml: bool


_FORMS = {
    "application/hal+json": _Form("application/hal+json", links=True, xml=False),
    "application/json": _Form("application/json", links=False, xml=False),
    "text/json": _Form("application/json", links=False, xml=False),
    "application/hal+xml": _Form("application/hal+xml", links=True, xml=True),
    "application/xml": _Form("application/xml", links=False, xml=True),
    "text/xml": _Form("text/xml", links=False, xml=True),
}
_DEFAULT = _FORMS["application/hal+json"]


def answer(request: Request, document: Any, root: str, status: int = 200) -> Response:
    """The document as the client wants it; ``root`` is what the XML form calls it."""
    form = _form_of(request)
    shown = document if form.links else _without_links(document)
    if not form.xml:
        return Response(orjson.dumps(shown), status, _NO_STORE, f"{form.media_type}; charset=utf-8")
    return Response(_xml(root, shown), status, _NO_STORE, f"{form.media_type}; charset=utf-8")


def text_answer(request: Request, text: str) -> Response:
    """A JSON string, in quotes; in XML an element ``string`` (§2.8)."""
    form = _form_of(request)
    if not form.xml:
        return Response(orjson.dumps(text), 200, _NO_STORE, "application/json; charset=utf-8")
    return Response(_xml("string", text), 200, _NO_STORE, "application/xml; charset=utf-8")


def _form_of(request: Request) -> _Form:
    """The first form in ``Accept`` that there is."""
    for one in request.headers.get("accept", "").split(","):
        form = _FORMS.get(one.partition(";")[0].strip().lower())
        if form is not None:
            return form
    return _DEFAULT


def _without_links(document: Any) -> Any:
    if isinstance(document, Mapping):
        return {name: _without_links(value) for name, value in document.items() if name != LINKS}
    if isinstance(document, list):
        return [_without_links(one) for one in document]
    return document


def _xml(root: str, document: Any) -> bytes:
    element = etree.Element(root)
    _fill(element, document)
    return etree.tostring(element, xml_declaration=True, encoding="utf-8")


def _fill(element: etree._Element, value: Any) -> None:
    if isinstance(value, Mapping):
        for name, member in value.items():
            _add_member(element, name, member)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for one in value:
            _fill(etree.SubElement(element, _SINGULAR.get(str(element.tag), "Item")), one)
    elif value is not None:
        element.text = _NOT_XML.sub("\ufffd", str(value).lower() if isinstance(value, bool) else str(value))


def _add_member(element: etree._Element, name: str, value: Any) -> None:
    if name == LINKS:
        for relation, link in value.items():
            etree.SubElement(element, "link", {"rel": relation, "href": link["href"]})
        return
    child = etree.SubElement(element, name if _XML_NAME.fullmatch(name) else "Item")
    if child.tag != name:
        child.set("name", _NOT_XML.sub("\ufffd", name))
    _fill(child, value)
