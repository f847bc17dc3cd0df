"""Entries in XML, as Altinn 2's REST form has them: ``<resource>`` in ``<resource>`` (consent.md §2.1, §3.2; Altinn's
help page of ``POST serviceowner/Srr``).

What is read comes out as the same entry in JSON would, so that ``documents`` judges both.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from lxml import etree

from fullmakt.altinn.consents.srr.documents import BAD_ENTRY, Document, Fault, InvalidEntryError
from fullmakt.wire.altinn.policy.parser import safe_parser

_Read = TypeVar("_Read")

RESOURCE = "resource"
"""What a list, and each entry in it, is called."""

_FLAGS = frozenset({"isrecipient", "issender", "keepsessionalive"})
_OF_LINKS = frozenset({"link", "_links"})
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_NORWEGIAN_TIME = "%d.%m.%Y %H:%M:%S"
"""How the help page writes ``ValidTo``."""


class InvalidXmlError(ValueError):
    """It is not XML that can be taken; the message says why, and repeats nothing of it."""


def tree_of(sent: bytes) -> etree._Element:
    """The root of a document of which nothing is expanded and nothing is fetched.

    Raises:
        InvalidXmlError: not well-formed, too deep, or with a DOCTYPE.
    """
    try:
        root = etree.fromstring(sent, safe_parser())
    except (etree.XMLSyntaxError, ValueError) as error:
        raise InvalidXmlError("the body is not well-formed XML") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise InvalidXmlError("the body has a DOCTYPE, and none is taken")
    return root


def text_of(element: etree._Element) -> str:
    """The text of an element that holds nothing else; empty where there is none.

    Raises:
        InvalidXmlError: it holds elements.
    """
    if len(element):
        raise InvalidXmlError(f"{name_of(element)} holds text alone")
    return element.text or ""


def name_of(element: etree._Element) -> str:
    """What an element is called, without its namespace."""
    return str(etree.QName(element).localname)


def read_entries(sent: bytes) -> list[Any]:
    """The entries of a list, for ``documents.drafts_of``.

    Raises:
        InvalidEntryError: it is no XML, or no list.
    """
    return _read(sent, lambda root: [_entry(one) for one in root if name_of(one) not in _OF_LINKS])


def read_entry(sent: bytes) -> Document:
    """One entry, for ``documents.changes_of``.

    Raises:
        InvalidEntryError: it is no XML, or none.
    """
    return _read(sent, _entry)


def _read(sent: bytes, reader: Callable[[etree._Element], _Read]) -> _Read:
    try:
        root = tree_of(sent)
        if name_of(root) != RESOURCE:
            raise InvalidXmlError(f"the document is no <{RESOURCE}>")
        return reader(root)
    except InvalidXmlError as error:
        raise InvalidEntryError(Fault(BAD_ENTRY, str(error))) from error


def _entry(element: etree._Element) -> Document:
    return _members(element, _member)


def _members(element: etree._Element, reader: Callable[[str, etree._Element], Any]) -> Document:
    if (element.text or "").strip():
        raise InvalidXmlError(f"{name_of(element)} holds elements alone")
    members: Document = {}
    for child in element:
        name = name_of(child).lower()
        if name in _OF_LINKS:
            continue
        if name in members:
            raise InvalidXmlError(f"{name_of(element)} says one thing twice")
        members[name] = reader(name, child)
    return members


def _member(name: str, element: etree._Element) -> Any:
    if name == "condition":
        return _members(element, _of_condition) if len(element) or text_of(element).strip() else None
    text = text_of(element).strip()
    if name == "validto":
        return _time(text)
    return text or None


def _of_condition(name: str, element: etree._Element) -> Any:
    if name == "allowedredirectdomain":
        return [text_of(one).strip() for one in element]
    text = text_of(element).strip()
    if name in _FLAGS:  # what is neither is for ``documents`` to refuse
        return _BOOLEANS.get(text.lower(), text) if text else None
    return text or None


def _time(text: str) -> str:
    try:
        return dt.datetime.strptime(text, _NORWEGIAN_TIME).replace(tzinfo=dt.UTC).isoformat()
    except ValueError:
        return text


def entry_element(item: Document) -> etree._Element:
    """An entry as ``documents.entry_document`` writes it, without what it does not say. ``_links`` become the
    attribute ``href`` (HAL in XML)."""
    element = etree.Element(RESOURCE)
    for member, value in item.items():
        if member == "_links":
            element.set("href", value["self"]["href"])
        elif member == "Condition" and value is not None:
            element.append(_condition(value))
        elif value is not None:
            etree.SubElement(element, member).text = str(value)
    return element


def _condition(condition: Document) -> etree._Element:
    element = etree.Element("Condition")
    for member, value in condition.items():
        child = etree.SubElement(element, member)
        if isinstance(value, list):
            for one in value:
                etree.SubElement(child, "String").text = one
        else:
            child.text = str(value)
    return element


def written(elements: Iterable[etree._Element]) -> bytes:
    """Elements one after the other, in UTF-8."""
    return b"".join([etree.tostring(one, encoding="utf-8") for one in elements])
