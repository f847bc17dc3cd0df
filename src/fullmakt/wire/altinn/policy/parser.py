"""Reads policies out of XML (XACML 3.0 §5), whatever the prefix, the encoding or the byte order mark.

A document with a DOCTYPE is refused before anything of it is read, so there are no entities to expand and nothing to
fetch. What a policy may hold in XACML and never holds in Altinn (policy sets, variables, XPath selectors, issuers) is
refused too: a policy that is half understood would decide wrongly.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NoReturn

from lxml import etree

from fullmakt.wire.altinn.policy.model import (
    AllOf,
    AnyOf,
    Apply,
    Assignment,
    Designator,
    Effect,
    Expression,
    FunctionName,
    InvalidPolicyError,
    Literal,
    Match,
    Obligation,
    Policy,
    Rule,
    Target,
)

NAMESPACE = "urn:oasis:names:tc:xacml:3.0:core:schema:wd-17"
MAX_BYTES = 10 * 1024 * 1024
MAX_DEPTH = 32
"""``Apply`` inside ``Apply``. The XML itself may be 256 deep."""

_PREFIX = f"{{{NAMESPACE}}}"
_VALUE = f"{_PREFIX}AttributeValue"
_DESIGNATOR = f"{_PREFIX}AttributeDesignator"
_DESCRIPTION = f"{_PREFIX}Description"
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_NOT_TAKEN = {
    "PolicySet": "a policy set; Altinn's resources have one policy each",
    "Request": "a request, not a policy",
    "Response": "a response, not a policy",
}
_PASSED_OVER = frozenset({"AdviceExpressions", "PolicyDefaults"})
"""Advice never reaches Altinn's responses; the defaults are a version of XPath, which is not taken."""

_Parts = dict[str, list[etree._Element]]


def parse_policy(xml: bytes, *, max_bytes: int = MAX_BYTES) -> Policy:
    """Read one policy.

    Raises:
        InvalidPolicyError: longer than ``max_bytes``, not well-formed XML, with a DOCTYPE, not a XACML 3.0 policy, or
            one that holds what is not taken (see above).
    """
    if len(xml) > max_bytes:
        raise InvalidPolicyError(f"a policy has at most {max_bytes} bytes, this one {len(xml)}")
    try:
        _refuse_doctype(xml)
        root = etree.fromstring(xml, safe_parser())
    except etree.XMLSyntaxError as error:
        raise InvalidPolicyError(f"not well-formed XML: {error.msg}", error.lineno or 0) from error
    if root.tag != f"{_PREFIX}Policy":
        name = etree.QName(root)
        kind = _NOT_TAKEN.get(name.localname) or f"{name.localname!r} in the namespace {name.namespace or ''!r}"
        raise InvalidPolicyError(f"the document must be a Policy of {NAMESPACE}, it is {kind}", root.sourceline or 0)
    return _Reader().policy(root)


def safe_parser() -> etree.XMLParser:
    """A parser that expands and fetches nothing. Comments are left out, so that a text is never cut short by one."""
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )


class _PrologueReadError(Exception):
    """The root element has begun; there can be no DOCTYPE any more."""


class _Prologue:
    """A parser's target that reads no further than the first tag."""

    def doctype(self, _name: str, _public: str | None, _system: str | None) -> NoReturn:
        raise InvalidPolicyError("a policy has no DOCTYPE")

    def start(self, _tag: str, _attributes: Mapping[str, str]) -> NoReturn:
        raise _PrologueReadError

    def close(self) -> None:
        """Nothing was read."""


def _refuse_doctype(xml: bytes) -> None:
    target = _Prologue()  # of all that a target may have, lxml looks for what it has; its types want the whole
    parser = etree.XMLParser(target=target, resolve_entities=False, no_network=True)  # type: ignore[call-overload]
    try:
        etree.fromstring(xml, parser)
    except _PrologueReadError:
        return


class _Reader:
    """Reads elements into values; equal matches become one, as a policy of many rules repeats the same few."""

    def __init__(self) -> None:
        self._matches: dict[tuple[str | Literal | Designator, ...], Match] = {}

    def policy(self, element: etree._Element) -> Policy:
        parts = _parts(element, "Description", "Target", "ObligationExpressions", several=("Rule",))
        return Policy(
            policy_id=_required(element, "PolicyId"),
            version=_required(element, "Version"),
            rule_combining=_required(element, "RuleCombiningAlgId"),
            rules=tuple([self._rule(rule) for rule in parts.get("Rule", ())]),
            target=self._target(parts),
            obligations=_obligations(parts),
            description=_description(parts),
        )

    def _rule(self, element: etree._Element) -> Rule:
        parts = _parts(element, "Description", "Target", "Condition", "ObligationExpressions")
        return Rule(
            rule_id=_required(element, "RuleId"),
            effect=_effect(element, "Effect"),
            target=self._target(parts),
            condition=_condition(parts),
            obligations=_obligations(parts),
            description=_description(parts),
            line=element.sourceline or 0,
        )

    def _target(self, parts: _Parts) -> Target:
        return tuple(
            [self._any_of(child) for target in parts.get("Target", ()) for child in _children(target, "AnyOf")]
        )

    def _any_of(self, element: etree._Element) -> AnyOf:
        alternatives = tuple([self._all_of(child) for child in _children(element, "AllOf")])
        return alternatives or _refuse(element, "an AnyOf holds at least one AllOf")

    def _all_of(self, element: etree._Element) -> AllOf:
        matches = tuple([self._match(child) for child in _children(element, "Match")])
        return matches or _refuse(element, "an AllOf holds at least one Match")

    def _match(self, element: etree._Element) -> Match:
        if [child.tag for child in element] != [_VALUE, _DESIGNATOR]:
            _refuse(element, "a Match compares one AttributeValue with one AttributeDesignator, in that order")
        function, literal, attribute = _required(element, "MatchId"), _literal(element[0]), _designator(element[1])
        key = (function, literal, attribute)
        known = self._matches.get(key)
        if known is None:
            known = self._matches[key] = Match(
                function=function,
                value=literal.value,
                data_type=literal.data_type,
                attribute_id=attribute.attribute_id,
                category=attribute.category,
                designated_type=attribute.data_type,
                must_be_present=attribute.must_be_present,
            )
        return known


def _obligations(parts: _Parts) -> tuple[Obligation, ...]:
    expressions = parts.get("ObligationExpressions", ())
    return tuple([_obligation(child) for part in expressions for child in _children(part, "ObligationExpression")])


def _obligation(element: etree._Element) -> Obligation:
    return Obligation(
        obligation_id=_required(element, "ObligationId"),
        fulfill_on=_effect(element, "FulfillOn"),
        assignments=tuple([_assignment(child) for child in _children(element, "AttributeAssignmentExpression")]),
    )


def _assignment(element: etree._Element) -> Assignment:
    if len(element) != 1:
        _refuse(element, "an AttributeAssignmentExpression holds one expression")
    return Assignment(
        attribute_id=_required(element, "AttributeId"),
        expression=_expression(element[0], MAX_DEPTH),
        category=element.get("Category"),
        issuer=element.get("Issuer"),
    )


def _condition(parts: _Parts) -> Expression | None:
    for element in parts.get("Condition", ()):
        if len(element) != 1:
            _refuse(element, "a Condition holds one expression")
        return _expression(element[0], MAX_DEPTH)
    return None


def _expression(element: etree._Element, depth: int) -> Expression:
    if element.tag == _VALUE:
        return _literal(element)
    if element.tag == _DESIGNATOR:
        return _designator(element)
    if element.tag == f"{_PREFIX}Function":
        return FunctionName(_required(element, "FunctionId"))
    if element.tag != f"{_PREFIX}Apply":
        _refuse(element, f"{_name(element)} is not an expression that is taken")
    if depth == 0:
        _refuse(element, f"Apply is nested deeper than {MAX_DEPTH}")
    arguments = [child for child in element if child.tag != _DESCRIPTION]
    return Apply(_required(element, "FunctionId"), tuple([_expression(child, depth - 1) for child in arguments]))


def _literal(element: etree._Element) -> Literal:
    if len(element):
        _refuse(element, "an AttributeValue holds text alone")
    return Literal(element.text or "", _required(element, "DataType"))


def _designator(element: etree._Element) -> Designator:
    must_be_present = element.get("MustBePresent", "false").strip()
    if must_be_present not in _BOOLEANS:
        _refuse(element, "MustBePresent is true or false")
    return Designator(
        attribute_id=_required(element, "AttributeId"),
        category=_required(element, "Category"),
        data_type=_required(element, "DataType"),
        must_be_present=_BOOLEANS[must_be_present],
        issuer=element.get("Issuer"),
    )


def _effect(element: etree._Element, name: str) -> Effect:
    try:
        return Effect(_required(element, name))
    except ValueError as error:
        raise InvalidPolicyError(f"{name} is Permit or Deny", element.sourceline or 0) from error


def _description(parts: _Parts) -> str:
    return "".join((part.text or "").strip() for part in parts.get("Description", ()))


def _parts(element: etree._Element, *once: str, several: tuple[str, ...] = ()) -> _Parts:
    """The children by their local names, each name of ``once`` at most once."""
    parts: _Parts = {}
    for child in element:
        name = _name(child)
        if name in _PASSED_OVER:
            continue
        if name not in once and name not in several:
            _refuse(child, f"{name} is not taken in a {_name(element)}")
        found = parts.setdefault(name, [])
        found.append(child)
        if len(found) > 1 and name in once:
            _refuse(child, f"{name} stands twice in a {_name(element)}")
    return parts


def _children(element: etree._Element, name: str) -> Iterator[etree._Element]:
    """The children, which must all be called ``name``."""
    tag = _PREFIX + name
    for child in element:
        if child.tag != tag:
            _refuse(child, f"{_name(child)} is not taken in a {_name(element)}")
        yield child


def _name(element: etree._Element) -> str:
    """The local name of an element of XACML's, the full name of any other."""
    return element.tag.removeprefix(_PREFIX) if isinstance(element.tag, str) else "an entity"


def _required(element: etree._Element, attribute: str) -> str:
    value = element.get(attribute)
    return value if value else _refuse(element, f"{_name(element)} has no {attribute}")


def _refuse(element: etree._Element, message: str) -> NoReturn:
    raise InvalidPolicyError(message, element.sourceline or 0)
