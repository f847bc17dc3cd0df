"""A policy made ready: an answer takes the same time whether it has ten rules or ten thousand.

The index holds, by resource, action and subject attribute, the rules that could apply. Whatever it finds is compared
in full unless the index itself is the comparison, so it needs to leave out no rule that applies and may offer some
that do not. The rest, rules that the index can not tell apart by strings, lies under None and is always offered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fullmakt.altinn.decisions.model import (
    INDETERMINATE,
    NO_ATTRIBUTES,
    AppliedRule,
    AttributeSet,
    DueObligation,
    Evaluation,
    Outcome,
    Question,
    RuleOutcome,
    Status,
)
from fullmakt.altinn.decisions.rules.combining import combining_algorithm
from fullmakt.altinn.decisions.rules.index import Bucket, Entry, RuleIndex
from fullmakt.altinn.decisions.rules.rule import CompiledRule, compile_rules, matches_of, obligations_due
from fullmakt.altinn.decisions.rules.targets import Matched, by_category, match_blocks
from fullmakt.wire.altinn.attributes import ACTION, SUBJECT_CATEGORY, Attribute
from fullmakt.wire.altinn.policy import Policy

_OUTCOMES = {
    RuleOutcome.PERMIT: Outcome.PERMIT,
    RuleOutcome.DENY: Outcome.DENY,
    RuleOutcome.NOT_APPLICABLE: Outcome.NOT_APPLICABLE,
}


class CompiledPolicy:
    """A policy, sorted.

    ``mentions`` are the attribute ids that it compares, beside those of resource and action; ``subjects`` whom its
    rules name, ``actions`` what for; ``obligations`` what it attaches to a permit.
    """

    __slots__ = (
        "_combine",
        "_index",
        "_requiring",
        "_suspects",
        "_target",
        "actions",
        "mentions",
        "obligations",
        "policy_id",
        "rules",
        "subjects",
    )

    def __init__(self, policy: Policy, *, strict_targets: bool = False) -> None:
        self.policy_id = policy.policy_id
        self.rules: Sequence[CompiledRule] = compile_rules(policy.rules, strict=strict_targets)
        self.obligations: tuple[DueObligation, ...] = obligations_due(policy.obligations)
        self._combine = combining_algorithm(policy.rule_combining)
        self._target = by_category(policy.target, strict=strict_targets)
        self._index = RuleIndex(self.rules)
        self._suspects = tuple(rule for rule in self.rules if rule.may_err)
        self._requiring: dict[tuple[str, str], list[CompiledRule]] = {}
        for rule in self.rules:
            for required in rule.requires:
                self._requiring.setdefault(required, []).append(rule)
        self.mentions = frozenset(name for rule in self.rules for name in rule.mentions)
        self.subjects = frozenset(
            Attribute(match.attribute_id, match.value)
            for rule in self.rules
            for category, blocks in rule.others
            if category == SUBJECT_CATEGORY
            for match in matches_of(blocks)
        )
        self.actions = frozenset(
            match.value for rule in self.rules for match in matches_of(rule.action) if match.attribute_id == ACTION
        )

    def evaluate(self, question: Question) -> Evaluation:
        """Answer a question. A policy without a rule for the resource and action is not applicable, whatever it says
        about combining; the same is true of a question that the policy's own target does not ask for."""
        ended = self._whole_fault(question) if self._suspects or self._requiring else None
        if ended is None and self._target:
            ended = self._match_target(question)
        if ended is not None:
            return ended
        buckets = self._index.buckets(question)
        statuses: set[Status] = set()
        applied: list[tuple[CompiledRule, RuleOutcome]] = []
        matched = False
        for rule, settled in _candidates(buckets, question):
            if not (settled or rule.asks_for(question)):
                continue
            matched = True
            outcome = rule.effect if settled else rule.outcome(question, statuses)
            if outcome is not RuleOutcome.NOT_APPLICABLE:
                applied.append((rule, outcome))
        if not matched and not any(bucket.asked_for(question) for bucket in buckets):
            return Evaluation(Outcome.NOT_APPLICABLE)
        return self._combined(applied, statuses)

    def _combined(self, applied: Sequence[tuple[CompiledRule, RuleOutcome]], statuses: set[Status]) -> Evaluation:
        names = tuple([AppliedRule(rule.rule_id, outcome) for rule, outcome in applied])
        if self._combine is None:
            return _undecided(Status.PROCESSING_ERROR, names, "unknown rule-combining algorithm")
        combined = self._combine([outcome for _, outcome in applied])
        if combined in INDETERMINATE:
            for status in (Status.PROCESSING_ERROR, Status.MISSING_ATTRIBUTE):
                if status in statuses:
                    return _undecided(status, names, "a rule could not be evaluated")
        obligations: tuple[DueObligation, ...] = ()
        if combined is RuleOutcome.PERMIT:
            obligations = self.obligations
            for rule, outcome in applied:
                if rule.obligations and outcome is RuleOutcome.PERMIT:
                    obligations += rule.obligations
        return Evaluation(_OUTCOMES[combined], matched=True, applied=names, obligations=obligations)

    def _whole_fault(self, question: Question) -> Evaluation | None:
        """A rule whose resource or action can not be compared leaves the whole policy undecided (§8)."""
        error = False
        for rule in self._suspects_for(question):
            results = (match_blocks(question, rule.resource), match_blocks(question, rule.action))
            if Matched.MISSING in results:
                return Evaluation(
                    Outcome.INDETERMINATE,
                    Status.MISSING_ATTRIBUTE,
                    fault=f"rule {rule.rule_id} needs an attribute of the resource or action that is absent",
                )
            error = error or Matched.ERROR in results
        if error:
            return Evaluation(
                Outcome.INDETERMINATE,
                Status.PROCESSING_ERROR,
                fault="a rule's resource or action could not be compared",
            )
        return None

    def _suspects_for(self, question: Question) -> Iterator[CompiledRule]:
        for (category, attribute_id), rules in self._requiring.items():
            if not question.has(category, attribute_id):
                yield from rules
        yield from self._suspects

    def _match_target(self, question: Question) -> Evaluation | None:
        """The answer, when the policy's own target ends it."""
        results = {match_blocks(question, blocks) for blocks in self._target.values()}
        if Matched.NO in results:
            return Evaluation(Outcome.NOT_APPLICABLE)
        if Matched.ERROR in results:
            return _undecided(Status.PROCESSING_ERROR, (), "the policy's target could not be compared")
        if Matched.MISSING in results:
            return _undecided(Status.MISSING_ATTRIBUTE, (), "the policy's target needs an attribute that is absent")
        return None


def _undecided(status: Status, applied: tuple[AppliedRule, ...], fault: str) -> Evaluation:
    return Evaluation(Outcome.INDETERMINATE, status, matched=True, applied=applied, fault=fault)


def _candidates(buckets: Sequence[Bucket], question: Question) -> list[tuple[CompiledRule, bool]]:
    """The rules that could apply, in their order, each with whether the index has settled that it does."""
    subjects: Sequence[AttributeSet] = question.categories.get(SUBJECT_CATEGORY, (NO_ATTRIBUTES,))
    found: dict[int, Entry] = {}
    for bucket in buckets:
        for entry in bucket.entries(subjects):
            if entry.settled or entry.rule.order not in found:
                found[entry.rule.order] = entry
    if len(found) == 1:
        return [(entry.rule, entry.settled) for entry in found.values()]
    return [(found[order].rule, found[order].settled) for order in sorted(found)]


def compile_policy(policy: Policy, *, strict_targets: bool = False) -> CompiledPolicy:
    """Make a policy ready. It takes time in proportion to its length, and is done once."""
    return CompiledPolicy(policy, strict_targets=strict_targets)
