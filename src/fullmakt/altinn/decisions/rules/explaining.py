"""A policy's answer, spelled out: which rules were for this, what they asked for, and what the subject had."""

from __future__ import annotations

from dataclasses import dataclass

from fullmakt.altinn.decisions.model import Question, RuleOutcome, Status
from fullmakt.altinn.decisions.rules.compiled import CompiledPolicy
from fullmakt.altinn.decisions.rules.rule import CompiledRule
from fullmakt.altinn.decisions.rules.targets import Matched, match_one
from fullmakt.wire.altinn.attributes import PERSON
from fullmakt.wire.altinn.policy import Match

MAX_RULES = 50
"""Rules that are spelled out."""
_MAX_VALUES = 20


@dataclass(frozen=True, slots=True)
class Comparison:
    """One match: what the rule asks for, what the request had of it, and what came of it."""

    attribute: str
    function: str
    wanted: str
    had: tuple[str, ...]
    result: Matched


@dataclass(frozen=True, slots=True)
class RuleExplanation:
    """A rule for this resource and action. ``alternatives`` is what it asks of the subject: one of them, in full."""

    rule_id: str
    effect: RuleOutcome
    outcome: RuleOutcome
    alternatives: tuple[tuple[Comparison, ...], ...]
    conditional: bool


def explain_rules(policy: CompiledPolicy, question: Question) -> tuple[RuleExplanation, ...]:
    """The rules for a question's resource and action, in their order; the first 50."""
    asked_for = (rule for rule in policy.rules if rule.asks_for(question))
    return tuple(_explain(rule, question) for rule, _ in zip(asked_for, range(MAX_RULES), strict=False))


def _explain(rule: CompiledRule, question: Question) -> RuleExplanation:
    statuses: set[Status] = set()
    return RuleExplanation(
        rule.rule_id,
        rule.effect,
        rule.outcome(question, statuses),
        tuple(
            tuple(_compare(match, question) for match in all_of)
            for _, blocks in rule.others
            for block in blocks
            for all_of in block
        ),
        rule.condition is not None,
    )


def _compare(match: Match, question: Question) -> Comparison:
    values = question.values(match.category, match.attribute_id)
    had = ("***",) if match.attribute_id == PERSON and values else tuple(value for value, _ in values[:_MAX_VALUES])
    wanted = "***" if match.attribute_id == PERSON else match.value
    return Comparison(match.attribute_id, match.function, wanted, had, match_one(question, match))
