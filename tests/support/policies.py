"""Policies for tests: a few words in, the XACML document out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from fullmakt.wire.altinn.attributes import ACTION, ACTION_CATEGORY, RESOURCE, RESOURCE_CATEGORY, SUBJECT_CATEGORY

NAMESPACE = "urn:oasis:names:tc:xacml:3.0:core:schema:wd-17"
CATEGORIES = {
    "subject": SUBJECT_CATEGORY,
    "resource": RESOURCE_CATEGORY,
    "action": ACTION_CATEGORY,
    "environment": "urn:oasis:names:tc:xacml:3.0:attribute-category:environment",
}
_TYPES = "http://www.w3.org/2001/XMLSchema#"
_FUNCTION_3 = frozenset({"string-equal-ignore-case"})


def function_uri(name: str) -> str:
    """``string-equal`` → its URI."""
    if ":" in name:
        return name
    return f"urn:oasis:names:tc:xacml:{'3.0' if name in _FUNCTION_3 else '1.0'}:function:{name}"


def combining_uri(name: str) -> str:
    """``deny-overrides`` → the rule-combining algorithm's URI."""
    return name if ":" in name else f"urn:oasis:names:tc:xacml:3.0:rule-combining-algorithm:{name}"


def policy_xml(resource: str, policy: Mapping[str, Any]) -> bytes:
    """The policy of ``resource``.

    ``rules``: each with ``id``, ``effect`` (Permit), ``subject``, ``action`` and ``resource`` (that of the policy's
    resource unless told), ``condition``, ``level``; ``combining`` (deny-overrides), ``level`` and ``level_org`` of the
    policy. A category is a list of alternatives; an alternative is a match or a list of them. A match is
    ``"<attribute id>=<value>"`` or a table of ``attribute``, ``value``, ``function``, ``type`` and ``must_be_present``.
    ``any_of`` is for whole AnyOf blocks, whose matches name their ``category``.
    """
    rules = "".join(_rule(resource, number, rule) for number, rule in enumerate(policy.get("rules", ()), 1))
    return (
        f'<Policy xmlns="{NAMESPACE}" PolicyId="urn:altinn:policyid:{escape(resource)}" Version="1.0"'
        f" RuleCombiningAlgId={quoteattr(combining_uri(policy.get('combining', 'deny-overrides')))}>"
        f"{_target(policy.get('target', ()))}{rules}{_obligations(policy)}</Policy>"
    ).encode()


def _rule(resource: str, number: int, rule: Mapping[str, Any]) -> str:
    blocks = [
        _any_of(category, rule[category]) for category in ("subject", "environment") if rule.get(category) is not None
    ]
    blocks.append(_any_of("resource", rule.get("resource", [f"{RESOURCE}={resource}"])))
    actions = rule.get("action")
    if actions is not None:
        blocks.append(_any_of("action", [one if _is_full(one) else f"{ACTION}={one}" for one in actions]))
    blocks += [_block(block) for block in rule.get("any_of", ())]
    target = "" if rule.get("no_target") else f"<Target>{''.join(blocks)}</Target>"
    return (
        f'<Rule RuleId={quoteattr(str(rule.get("id", f"rule{number}")))} Effect="{rule.get("effect", "Permit")}">'
        f"{target}{_condition(rule.get('condition'))}{_obligations(rule)}</Rule>"
    )


def _is_full(match: Any) -> bool:
    return not isinstance(match, str) or "=" in match


def _target(blocks: Iterable[Any]) -> str:
    return f"<Target>{''.join(_block(block) for block in blocks)}</Target>"


def _any_of(category: str, alternatives: Sequence[Any]) -> str:
    if not alternatives:
        return ""
    return f"<AnyOf>{''.join(_all_of(category, one) for one in alternatives)}</AnyOf>"


def _block(alternatives: Sequence[Any]) -> str:
    return _any_of("subject", alternatives)


def _all_of(category: str, alternative: Any) -> str:
    matches = alternative if isinstance(alternative, list) else [alternative]
    return f"<AllOf>{''.join(_match(category, one) for one in matches)}</AllOf>"


def _match(category: str, match: Any) -> str:
    if isinstance(match, str):
        attribute, _, value = match.partition("=")
        match = {"attribute": attribute, "value": value}
    data_type = _TYPES + match.get("type", "string")
    return (
        f"<Match MatchId={quoteattr(function_uri(match.get('function', 'string-equal')))}>"
        f'<AttributeValue DataType="{data_type}">{escape(match["value"])}</AttributeValue>'
        f"{_designator(match, match.get('category', category), data_type)}</Match>"
    )


def _designator(match: Mapping[str, Any], category: str, data_type: str) -> str:
    present = str(match.get("must_be_present", False)).lower()
    return (
        f"<AttributeDesignator AttributeId={quoteattr(match['attribute'])}"
        f' Category="{CATEGORIES.get(category, category)}" DataType="{data_type}" MustBePresent="{present}"/>'
    )


def _condition(condition: Mapping[str, Any] | None) -> str:
    if condition is None:
        return ""
    data_type = _TYPES + condition.get("type", "string")
    inner = _designator(condition, condition.get("category", "subject"), data_type)
    if "one_and_only" in condition:
        inner = f'<Apply FunctionId="{function_uri(condition["one_and_only"])}">{inner}</Apply>'
    literal = f'<AttributeValue DataType="{data_type}">{escape(condition["value"])}</AttributeValue>'
    return (
        f'<Condition><Apply FunctionId="{function_uri(condition.get("function", "string-equal"))}">'
        f"{inner}{literal}</Apply></Condition>"
    )


def _obligations(holder: Mapping[str, Any]) -> str:
    expressions = [
        f'<ObligationExpression ObligationId="urn:altinn:obligation:authenticationLevel{number}"'
        f' FulfillOn="{holder.get("fulfill_on", "Permit")}">'
        f'<AttributeAssignmentExpression AttributeId="urn:altinn:obligation-assignment:{number}"'
        f' Category="urn:altinn:minimum-authenticationlevel{suffix}">'
        f'<AttributeValue DataType="{_TYPES}integer">{holder[name]}</AttributeValue>'
        f"</AttributeAssignmentExpression></ObligationExpression>"
        for number, (name, suffix) in enumerate({"level": "", "level_org": "-org"}.items(), 1)
        if name in holder
    ]
    return f"<ObligationExpressions>{''.join(expressions)}</ObligationExpressions>" if expressions else ""
