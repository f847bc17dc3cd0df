"""Warnings of the policy's outer shape: its algorithm, its rules' names, its obligations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from fullmakt.altinn.resources.rules.policy_check.findings import Findings
from fullmakt.altinn.resources.rules.targets import ByCategory
from fullmakt.wire.altinn.attributes import ACTION_CATEGORY, SUBJECT_CATEGORY
from fullmakt.wire.altinn.policy import Effect, Literal, Obligation, Policy, Rule
from fullmakt.wire.altinn.xacml_names import COMBINING_ALGORITHMS, INTEGER, MINIMUM_LEVEL, MINIMUM_LEVEL_ORG

_LEVELS = frozenset("01234")
_DELEGABLE = frozenset({MINIMUM_LEVEL, MINIMUM_LEVEL_ORG})


def check(policy: Policy, asked: Sequence[ByCategory], findings: Findings) -> None:
    """Tell of it; ``asked`` are the alternatives of each rule."""
    if policy.rule_combining not in COMBINING_ALGORITHMS:
        findings.warn(
            "unknown-algorithm",
            f"nobody knows the combining algorithm {policy.rule_combining[:200]!r}: every decision is Indeterminate",
        )
    if not policy.rules:
        findings.warn("no-rules", "the policy has no rules: it permits nobody anything")
    if policy.target:
        findings.warn("policy-target", "the policy has a target of its own; Altinn's policies leave that to the rules")
    names = Counter(rule.rule_id for rule in policy.rules)
    for rule, by_category in zip(policy.rules, asked, strict=True):
        if names[rule.rule_id] > 1:
            findings.warn("repeated-rule-id", f"{names[rule.rule_id]} rules have this id", rule)
        _check_breadth(rule, by_category, findings)
        for obligation in rule.obligations:
            _check_obligation(obligation, rule, findings)
    for obligation in policy.obligations:
        _check_obligation(obligation, None, findings)


def _check_breadth(rule: Rule, by_category: ByCategory, findings: Findings) -> None:
    if ACTION_CATEGORY not in by_category:
        findings.warn("no-action", "the rule names no action: it is about every action there is", rule)
    if SUBJECT_CATEGORY not in by_category and rule.effect is Effect.PERMIT:
        findings.warn("no-subject", "the rule names no subject: it permits anybody", rule)


def _check_obligation(obligation: Obligation, rule: Rule | None, findings: Findings) -> None:
    levels = [one for one in obligation.assignments if one.category in _DELEGABLE]
    if not levels:
        findings.warn(
            "obligation-category",
            f"no assignment has the category {MINIMUM_LEVEL} or {MINIMUM_LEVEL_ORG}: nobody enforces the obligation",
            rule,
        )
    if obligation.fulfill_on is Effect.DENY:
        findings.warn("obligation-on-deny", "an obligation on Deny is never written out", rule)
    for assignment in levels:
        value = assignment.expression
        if not isinstance(value, Literal) or value.value.strip() not in _LEVELS:
            findings.warn("obligation-value", "an authentication level is a number from 0 to 4", rule)
        elif value.data_type != INTEGER:
            findings.warn("obligation-type", f"an authentication level is of type {INTEGER}", rule)
