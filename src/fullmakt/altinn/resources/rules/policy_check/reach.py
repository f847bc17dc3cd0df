"""Warnings of rules that change nothing: never met, said twice, or overruled whenever they are met."""

from __future__ import annotations

from collections.abc import Sequence

from fullmakt.altinn.resources.rules.policy_check.cells import Cells
from fullmakt.altinn.resources.rules.policy_check.findings import Findings
from fullmakt.altinn.resources.rules.policy_check.names import never_holds
from fullmakt.altinn.resources.rules.targets import Alternative, ByCategory
from fullmakt.wire.altinn.attributes import ACTION, RESOURCE
from fullmakt.wire.altinn.policy import Effect, Policy, Rule
from fullmakt.wire.altinn.xacml_names import COMBINING_ALGORITHMS, STRING_EQUAL, STRING_EQUAL_IGNORE_CASE

_SINGLE_VALUED = frozenset({ACTION, RESOURCE})
"""A request has one value of each, so that two different ones are never met together."""
_EQUALITIES = frozenset({STRING_EQUAL, STRING_EQUAL_IGNORE_CASE})
_OPPOSITE = {Effect.PERMIT: Effect.DENY, Effect.DENY: Effect.PERMIT}
_OVERRULED = {("deny-overrides", Effect.PERMIT), ("permit-overrides", Effect.DENY)}
_WITHOUT_EFFECT = {("deny-unless-permit", Effect.DENY), ("permit-unless-deny", Effect.PERMIT)}
_WINNER = {
    "deny-overrides": "this one wins",
    "permit-unless-deny": "this one wins",
    "permit-overrides": "the other one wins",
    "deny-unless-permit": "the other one wins",
    "first-applicable": "the one that comes first wins",
}


def check(policy: Policy, asked: Sequence[ByCategory], findings: Findings) -> None:
    """Tell of it; ``asked`` are the alternatives of each rule."""
    algorithm = COMBINING_ALGORITHMS.get(policy.rule_combining, "")
    pairs = list(zip(policy.rules, asked, strict=True))
    possible = [(rule, named) for rule, named in pairs if not _warn_of_impossible(rule, named, findings)]
    rules = [rule for rule, _ in possible]
    cells = Cells(possible)
    for position, rule in enumerate(rules):
        if rule.effect is Effect.DENY and rule.condition is None:
            _warn_of_contradiction(cells, rules, position, algorithm, findings)
        _warn_of_needless(cells, rule, position, algorithm, findings)


def _warn_of_impossible(rule: Rule, by_category: ByCategory, findings: Findings) -> bool:
    for category, kept in by_category.items():
        if all(_is_impossible(alternative) for alternative in kept):
            findings.warn("never-met", f"no request meets what the rule says of {category[:200]}", rule)
            return True
    return False


def _is_impossible(alternative: Alternative) -> bool:
    wanted: dict[str, set[str]] = {}
    for match in alternative:
        if never_holds(match):
            return True
        if match.function in _EQUALITIES and match.attribute_id in _SINGLE_VALUED:
            wanted.setdefault(match.attribute_id, set()).add(match.value.lower())
    return any(len(values) > 1 for values in wanted.values())


def _warn_of_contradiction(cells: Cells, rules: list[Rule], position: int, algorithm: str, findings: Findings) -> None:
    found = (cells.equal(cell, Effect.PERMIT) for cell in cells.of_rule[position])
    other = next((one for one in found if one is not None), None)
    if other is not None:
        permit = rules[other]
        findings.warn(
            "contradiction",
            f"rule {permit.rule_id[:200]!r} (line {permit.line}) permits what this one denies:"
            f" {_WINNER.get(algorithm, 'nobody knows which wins')}",
            rules[position],
        )


def _warn_of_needless(cells: Cells, rule: Rule, position: int, algorithm: str, findings: Findings) -> None:
    if (algorithm, rule.effect) in _WITHOUT_EFFECT:
        findings.warn("no-effect", f"under {algorithm} a rule of effect {rule.effect} changes nothing", rule)
    elif _is_overruled(cells, rule, position, algorithm):
        findings.warn("unreachable", f"whenever the rule is met, others go before it under {algorithm}", rule)
    elif algorithm != "first-applicable" and not rule.obligations and _is_repeated(cells, rule, position):
        findings.warn("redundant", "other rules say all that this one does", rule)


def _is_overruled(cells: Cells, rule: Rule, position: int, algorithm: str) -> bool:
    own = cells.of_rule[position]
    if algorithm == "first-applicable":
        return bool(own) and all(
            any(cells.is_covered(cell, effect, before=position) for effect in Effect) for cell in own
        )
    if (algorithm, rule.effect) not in _OVERRULED:
        return False
    return bool(own) and all(cells.is_covered(cell, _OPPOSITE[rule.effect]) for cell in own)


def _is_repeated(cells: Cells, rule: Rule, position: int) -> bool:
    own = cells.of_rule[position]
    return bool(own) and all(cells.is_repeated(cell, rule.effect, position) for cell in own)
