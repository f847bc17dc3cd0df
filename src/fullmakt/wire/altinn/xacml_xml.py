"""Decision requests and responses in XML: XACML 3.0 §5.42 to §5.57, as the internal endpoint takes them."""

from __future__ import annotations

from collections.abc import Iterable

from lxml import etree

from fullmakt.wire.altinn.policy.parser import NAMESPACE, safe_parser
from fullmakt.wire.altinn.xacml_json import (
    DATA_TYPES,
    DecisionRequest,
    DueObligation,
    RequestAttribute,
    RequestCategory,
    Result,
    UndecidableRequestError,
)

_PREFIX = f"{{{NAMESPACE}}}"
_ID = "{http://www.w3.org/XML/1998/namespace}id"


def read_request_xml(xml: bytes) -> DecisionRequest:
    """Read a request.

    Raises:
        UndecidableRequestError: not XML, with a DOCTYPE, not a request, or one with a value that is not taken.
    """
    try:
        root = etree.fromstring(xml, safe_parser())
    except etree.XMLSyntaxError as error:
        raise UndecidableRequestError("the request is not well-formed XML") from error
    if root.getroottree().docinfo.doctype:
        raise UndecidableRequestError("a request has no DOCTYPE")
    if root.tag != f"{_PREFIX}Request":
        raise UndecidableRequestError(f"the document is not a Request of {NAMESPACE}")
    return DecisionRequest(
        tuple(_category(element) for element in root.iterfind(f"{_PREFIX}Attributes")),
        tuple(
            tuple(_required(one, "ReferenceId") for one in reference.iterfind(f"{_PREFIX}AttributesReference"))
            for reference in root.iterfind(f"{_PREFIX}MultiRequests/{_PREFIX}RequestReference")
        ),
    )


def _category(element: etree._Element) -> RequestCategory:
    attributes = tuple(
        _attribute(attribute, value)
        for attribute in element.iterfind(f"{_PREFIX}Attribute")
        for value in attribute.iterfind(f"{_PREFIX}AttributeValue")
    )
    return RequestCategory(_required(element, "Category"), attributes, element.get(_ID))


def _attribute(attribute: etree._Element, value: etree._Element) -> RequestAttribute:
    if len(value):
        raise UndecidableRequestError("an AttributeValue holds text alone")
    data_type = value.get("DataType")
    if data_type not in DATA_TYPES:
        raise UndecidableRequestError("a DataType is not one that is taken")
    return RequestAttribute(
        _required(attribute, "AttributeId"),
        value.text or "",
        DATA_TYPES[data_type],
        attribute.get("Issuer"),
        attribute.get("IncludeInResult", "false").strip() in ("true", "1"),
    )


def _required(element: etree._Element, name: str) -> str:
    value = element.get(name)
    if value is None:
        raise UndecidableRequestError(f"{etree.QName(element).localname} has no {name}")
    return value


def response_xml(results: Iterable[Result]) -> bytes:
    """The answer."""
    root = etree.Element(f"{_PREFIX}Response", nsmap={None: NAMESPACE})
    for result in results:
        _add_result(root, result)
    return etree.tostring(root, xml_declaration=True, encoding="utf-8")


def _add(parent: etree._Element, name: str, text: str | None = None, **attributes: str | None) -> etree._Element:
    given = {key: value for key, value in attributes.items() if value is not None}
    element = etree.SubElement(parent, f"{_PREFIX}{name}", given)
    element.text = text
    return element


def _add_result(root: etree._Element, result: Result) -> None:
    element = _add(root, "Result")
    _add(element, "Decision", result.outcome.value)
    _add(_add(element, "Status"), "StatusCode", Value=result.status.value)
    if result.obligations:
        obligations = _add(element, "Obligations")
        for obligation in result.obligations:
            _add_obligation(obligations, obligation)
    for category in result.echo:
        attributes = _add(element, "Attributes", Category=category.category)
        for one in category.attributes:
            attribute = _add(attributes, "Attribute", AttributeId=one.id, Issuer=one.issuer, IncludeInResult="false")
            _add(attribute, "AttributeValue", one.value, DataType=one.data_type)


def _add_obligation(obligations: etree._Element, obligation: DueObligation) -> None:
    element = _add(obligations, "Obligation", ObligationId=obligation.obligation_id)
    for one in obligation.assignments:
        _add(
            element,
            "AttributeAssignment",
            one.value,
            AttributeId=one.attribute_id,
            DataType=one.data_type,
            Category=one.category,
            Issuer=one.issuer,
        )
