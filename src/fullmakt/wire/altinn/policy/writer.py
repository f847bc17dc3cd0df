"""Writes policies as XML: what the parser reads back as the same policy."""

from __future__ import annotations

from lxml import etree

from fullmakt.wire.altinn.policy.model import (
    Apply,
    Assignment,
    Designator,
    Expression,
    FunctionName,
    Literal,
    Match,
    Obligation,
    Policy,
    Rule,
    Target,
)
from fullmakt.wire.altinn.policy.parser import NAMESPACE


def write_policy(policy: Policy) -> bytes:
    """UTF-8, indented, with Altinn's prefix ``xacml``; the same bytes for the same policy.

    Raises:
        ValueError: a text holds a character that XML can not.
    """
    root = etree.Element(f"{{{NAMESPACE}}}Policy", nsmap={"xacml": NAMESPACE})
    _set(root, PolicyId=policy.policy_id, Version=policy.version, RuleCombiningAlgId=policy.rule_combining)
    _describe(root, policy.description)
    _target(root, policy.target)
    for rule in policy.rules:
        _rule(root, rule)
    _obligations(root, policy.obligations)
    etree.indent(root)
    return etree.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"


def _add(parent: etree._Element, name: str, **attributes: str | None) -> etree._Element:
    element = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
    _set(element, **attributes)
    return element


def _set(element: etree._Element, **attributes: str | None) -> None:
    for name, value in attributes.items():
        if value is not None:
            element.set(name, value)


def _describe(parent: etree._Element, description: str) -> None:
    if description:
        _add(parent, "Description").text = description


def _rule(parent: etree._Element, rule: Rule) -> None:
    element = _add(parent, "Rule", RuleId=rule.rule_id, Effect=rule.effect)
    _describe(element, rule.description)
    _target(element, rule.target)
    if rule.condition is not None:
        _expression(_add(element, "Condition"), rule.condition)
    _obligations(element, rule.obligations)


def _target(parent: etree._Element, target: Target) -> None:
    element = _add(parent, "Target")
    for alternatives in target:
        any_of = _add(element, "AnyOf")
        for matches in alternatives:
            all_of = _add(any_of, "AllOf")
            for match in matches:
                _match(all_of, match)


def _match(parent: etree._Element, match: Match) -> None:
    element = _add(parent, "Match", MatchId=match.function)
    _expression(element, Literal(match.value, match.data_type))
    _expression(element, Designator(match.attribute_id, match.category, match.designated_type, match.must_be_present))


def _expression(parent: etree._Element, expression: Expression) -> None:
    match expression:
        case Literal(value, data_type):
            _add(parent, "AttributeValue", DataType=data_type).text = value
        case Designator(attribute_id, category, data_type, must_be_present, issuer):
            element = _add(parent, "AttributeDesignator", AttributeId=attribute_id, Category=category)
            _set(element, DataType=data_type, MustBePresent=str(must_be_present).lower(), Issuer=issuer)
        case FunctionName(function):
            _add(parent, "Function", FunctionId=function)
        case Apply(function, arguments):
            element = _add(parent, "Apply", FunctionId=function)
            for argument in arguments:
                _expression(element, argument)


def _obligations(parent: etree._Element, obligations: tuple[Obligation, ...]) -> None:
    if not obligations:
        return
    element = _add(parent, "ObligationExpressions")
    for one in obligations:
        obligation = _add(element, "ObligationExpression", ObligationId=one.obligation_id, FulfillOn=one.fulfill_on)
        for assignment in one.assignments:
            _assignment(obligation, assignment)


def _assignment(parent: etree._Element, assignment: Assignment) -> None:
    element = _add(parent, "AttributeAssignmentExpression", AttributeId=assignment.attribute_id)
    _set(element, Category=assignment.category, Issuer=assignment.issuer)
    _expression(element, assignment.expression)
