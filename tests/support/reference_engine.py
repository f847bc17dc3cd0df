"""Altinn's rule engine as its description reads, rule by rule: what the indexed one is compared with.

It shares nothing with it but the policy's values. Source: altinn-authorization.md §8; XACML 3.0 appendix C.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fullmakt.wire.altinn.policy import Apply, Designator, Effect, Literal, Match, Policy, Rule, Target

SUBJECT = "urn:oasis:names:tc:xacml:1.0:subject-category:access-subject"
RESOURCE = "urn:oasis:names:tc:xacml:3.0:attribute-category:resource"
ACTION = "urn:oasis:names:tc:xacml:3.0:attribute-category:action"

Asked = Mapping[str, Sequence[tuple[str, str, str]]]
"""By category: attribute id, value, data type."""
F1 = "urn:oasis:names:tc:xacml:1.0:function:"


def evaluate(policy: Policy, asked: Asked) -> tuple[str, str, list[str]]:
    """The decision, the last word of its status code, and the ids of the rules that came to something."""
    missing = error = False
    for rule in policy.rules:
        found = {_category(rule.target, category, asked) for category in (RESOURCE, ACTION)}
        missing, error = missing or "missing" in found, error or "error" in found
    if missing:
        return "Indeterminate", "missing-attribute", []
    if error:
        return "Indeterminate", "processing-error", []
    own = {_category(policy.target, category, asked) for category in _mentioned(policy.target)}
    if "no" in own:
        return "NotApplicable", "ok", []
    if own - {"yes"}:
        return "Indeterminate", "processing-error" if "error" in own else "missing-attribute", []
    faults: set[str] = set()
    results = []
    matched = False
    for rule in policy.rules:
        if all(_category(rule.target, category, asked) == "yes" for category in (RESOURCE, ACTION)):
            matched = True
            results.append((rule.rule_id, _rule(rule, asked, faults)))
    if not matched:
        return "NotApplicable", "ok", []
    applied = [rule_id for rule_id, result in results if result != "N"]
    combined = _combine(policy.rule_combining, [result for _, result in results])
    if combined == "unknown":
        return "Indeterminate", "processing-error", applied
    if combined.startswith("I"):
        return "Indeterminate", "processing-error" if "processing-error" in faults else "missing-attribute", applied
    return {"P": "Permit", "D": "Deny", "N": "NotApplicable"}[combined], "ok", applied


def _mentioned(target: Target) -> set[str]:
    return {match.category for any_of in target for all_of in any_of for match in all_of}


def _category(target: Target, category: str, asked: Asked) -> str:
    if category not in _mentioned(target):
        return "yes"
    outcomes = []
    for any_of in target:
        for all_of in any_of:
            results = [_match(match, asked) for match in all_of if match.category == category]
            if results:
                outcomes.append(_worst(results))
    if "yes" in outcomes:
        return "yes"
    return "error" if "error" in outcomes else "missing" if "missing" in outcomes else "no"


def _worst(results: list[str]) -> str:
    return next((name for name in ("error", "missing", "no") if name in results), "yes")


def _match(match: Match, asked: Asked) -> str:
    values = [(value, kind) for name, value, kind in asked.get(match.category, ()) if name == match.attribute_id]
    if not values:
        return "missing" if match.must_be_present else "no"
    if match.data_type != match.designated_type:
        return "no"
    results = {_compare(match.function, match.value, value) for value, kind in values if kind == match.data_type}
    return "yes" if True in results else "error" if None in results else "no"


def _compare(function: str, wanted: str, value: str) -> bool | None:
    if function in (f"{F1}string-equal", f"{F1}anyURI-equal", f"{F1}string-is-in"):
        return wanted == value
    if function.endswith("3.0:function:string-equal-ignore-case"):
        return wanted.lower() == value.lower()
    if function == f"{F1}integer-equal":
        return wanted.lstrip("-").isdigit() and value.lstrip("-").isdigit() and int(wanted) == int(value)
    if function == f"{F1}string-regexp-match":
        return wanted.strip("^.*") in value if wanted.endswith(".*") else None
    return None


def _rule(rule: Rule, asked: Asked, faults: set[str]) -> str:
    effect = "P" if rule.effect is Effect.PERMIT else "D"
    others = [_category(rule.target, name, asked) for name in _mentioned(rule.target) - {RESOURCE, ACTION}]
    if "no" in others:
        return "N"
    for result in others:
        if result != "yes":
            faults.add("missing-attribute" if result == "missing" else "processing-error")
    if set(others) - {"yes"}:
        return f"I{effect}"
    return effect if rule.condition is None else _condition(rule, effect, asked, faults)


def _condition(rule: Rule, effect: str, asked: Asked, faults: set[str]) -> str:
    assert isinstance(rule.condition, Apply)
    literal, inner = rule.condition.arguments
    assert isinstance(literal, Literal)
    one = isinstance(inner, Apply)
    designator = inner.arguments[0] if isinstance(inner, Apply) else inner
    assert isinstance(designator, Designator)
    bag = [
        value
        for name, value, kind in asked.get(designator.category, ())
        if name == designator.attribute_id and kind == designator.data_type
    ]
    if not bag or (one and len(bag) > 1):
        faults.add("missing-attribute" if not bag else "processing-error")
        return f"I{effect}"
    return effect if any(_compare(rule.condition.function, literal.value, value) for value in bag) else "N"


def _combine(algorithm: str, results: list[str]) -> str:
    """Appendix C, each table written out."""
    name = algorithm.rpartition(":")[2].removeprefix("ordered-")
    has = set(results)
    if name == "first-applicable":
        return next((result for result in results if result != "N"), "N")
    if name == "deny-unless-permit":
        return "P" if "P" in has else "D"
    if name == "permit-unless-deny":
        return "D" if "D" in has else "P"
    if name not in ("deny-overrides", "permit-overrides"):
        return "unknown"
    first, second = ("D", "P") if name == "deny-overrides" else ("P", "D")
    if first in has:
        return first
    if f"I{first}" in has:
        return "IDP" if has & {second, f"I{second}"} else f"I{first}"
    if second in has:
        return second
    return f"I{second}" if f"I{second}" in has else "N"
