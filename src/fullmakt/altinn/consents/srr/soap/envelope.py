"""Messages of SOAP 1.1: what is in one that is sent, and what stands around an answer (SOAP 1.1 §4)."""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

from fullmakt.altinn.consents.srr.soap.faults import FaultCode, FaultError
from fullmakt.altinn.consents.srr.soap.names import ACTIONS, DATA, ENVELOPE, INSTANCE, SERVICE
from fullmakt.altinn.consents.srr.xml import InvalidXmlError, text_of, tree_of

_NIL = f"{{{INSTANCE}}}nil"
_MUST_UNDERSTAND = f"{{{ENVELOPE}}}mustUnderstand"
_TRUE = frozenset({"1", "true"})


def operation_of(sent: bytes, action: str) -> tuple[str, etree._Element]:
    """Which operation is called, and its element. ``action`` is the header ``SOAPAction``.

    Raises:
        FaultError: it is no message that can be taken, or calls something else than the header says.
    """
    try:
        root = tree_of(sent)
    except InvalidXmlError as error:
        raise FaultError(str(error)) from error
    name = etree.QName(root)
    if name.localname != "Envelope":
        raise FaultError("the document is no Envelope")
    if name.namespace != ENVELOPE:
        raise FaultError("the Envelope is not SOAP 1.1's", code=FaultCode.VERSION)
    _refuse_headers(root)
    called = _called(root)
    operation = next((one for one in ACTIONS if called.tag == f"{{{SERVICE}}}{one}"), None)
    said = action.strip().strip('"')
    if operation is None or said != ACTIONS[operation]:
        raise FaultError("SOAPAction and the body do not name one operation of this service")
    return operation, called


def _refuse_headers(root: etree._Element) -> None:
    for header in root.iterfind(f"{{{ENVELOPE}}}Header/*"):
        if header.get(_MUST_UNDERSTAND, "").strip() in _TRUE:
            raise FaultError("a header must be understood, and none is", code=FaultCode.MUST_UNDERSTAND)


def _called(root: etree._Element) -> etree._Element:
    bodies = root.findall(f"{{{ENVELOPE}}}Body")
    if len(bodies) != 1 or len(bodies[0]) != 1:
        raise FaultError("the Envelope has one Body, and the Body one element")
    return bodies[0][0]


def members_of(element: etree._Element, namespace: str) -> Mapping[str, etree._Element]:
    """The members of an element by name, without those that are nil; what is of another namespace is passed over.

    Raises:
        FaultError: one stands twice.
    """
    members: dict[str, etree._Element] = {}
    for child in element:
        name = etree.QName(child)
        if name.namespace != namespace or child.get(_NIL, "").strip() in _TRUE:
            continue
        if name.localname in members:
            raise FaultError(f"{etree.QName(element).localname} says {name.localname} twice")
        members[name.localname] = child
    return members


def text_in(members: Mapping[str, etree._Element], name: str) -> str:
    """The text of a member; empty where there is none.

    Raises:
        FaultError: it holds elements.
    """
    try:
        return text_of(members[name]) if name in members else ""
    except InvalidXmlError as error:
        raise FaultError(str(error)) from error


def around(operation: str) -> tuple[bytes, bytes]:
    """What stands before and after the items of an answer."""
    envelope = etree.Element(f"{{{ENVELOPE}}}Envelope", nsmap={"s": ENVELOPE})
    body = etree.SubElement(envelope, f"{{{ENVELOPE}}}Body")
    response = etree.SubElement(body, f"{{{SERVICE}}}{operation}Response", nsmap={None: SERVICE})
    result = etree.SubElement(response, f"{{{SERVICE}}}{operation}Result", nsmap={"a": DATA, "i": INSTANCE})
    result.text = ""
    before, end, after = etree.tostring(envelope, xml_declaration=True, encoding="utf-8").partition(
        f"</{operation}Result>".encode()
    )
    return before, end + after
