"""One rule, taken apart by what its target says about each category."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from fullmakt.altinn.decisions.model import (
    DueObligation,
    ObligationValue,
    Question,
    RuleOutcome,
    Status,
)
from fullmakt.altinn.decisions.rules.conditions import UndecidableError, holds
from fullmakt.altinn.decisions.rules.functions import EXACT
from fullmakt.altinn.decisions.rules.targets import Blocks, Matched, by_category, match_blocks
from fullmakt.wire.altinn.attributes import ACTION_CATEGORY, RESOURCE_CATEGORY
from fullmakt.wire.altinn.policy import Apply, Designator, Effect, Expression, Literal, Match, Obligation, Rule
from fullmakt.wire.altinn.xacml_names import STRING_EQUAL_IGNORE_CASE

_NEVER_ERR = EXACT | {
    STRING_EQUAL_IGNORE_CASE,
    "urn:oasis:names:tc:xacml:1.0:function:anyURI-equal",
    "urn:oasis:names:tc:xacml:1.0:function:integer-equal",
}
_FAULTS = {Matched.MISSING: Status.MISSING_ATTRIBUTE, Matched.ERROR: Status.PROCESSING_ERROR}


@dataclass(frozen=True, slots=True, eq=False)
class CompiledRule:
    """A rule. ``order`` is its place in the policy.

    ``resource`` and ``action`` are None when the target does not mention them; ``others`` are the categories that
    decide about one rule alone, the subject first of all. ``requires`` are the attributes of resource and action that
    must be present, ``may_err`` says that one of their functions can fail.
    """

    order: int
    rule_id: str
    effect: RuleOutcome
    unsure: RuleOutcome
    resource: Blocks | None
    action: Blocks | None
    others: tuple[tuple[str, Blocks], ...]
    condition: Expression | None
    obligations: tuple[DueObligation, ...]
    requires: frozenset[tuple[str, str]]
    may_err: bool
    mentions: frozenset[str]

    def asks_for(self, question: Question) -> bool:
        """Whether resource and action are the rule's."""
        return (
            match_blocks(question, self.resource) is Matched.YES and match_blocks(question, self.action) is Matched.YES
        )

    def outcome(self, question: Question, statuses: set[Status]) -> RuleOutcome:
        """What the rule comes to, resource and action being its own; what is amiss is added to ``statuses``."""
        results = [match_blocks(question, blocks) for _, blocks in self.others]
        if Matched.NO in results:
            return RuleOutcome.NOT_APPLICABLE
        faults = [_FAULTS[result] for result in results if result is not Matched.YES]
        if faults:
            statuses.update(faults)
            return self.unsure
        if self.condition is None:
            return self.effect
        try:
            return self.effect if holds(self.condition, question) else RuleOutcome.NOT_APPLICABLE
        except UndecidableError as error:
            statuses.add(error.status)
            return self.unsure


def compile_rules(rules: Iterable[Rule], *, strict: bool) -> tuple[CompiledRule, ...]:
    """Take rules apart, keeping their order."""
    return tuple([_compile(order, rule, strict=strict) for order, rule in enumerate(rules)])


def _compile(order: int, rule: Rule, *, strict: bool) -> CompiledRule:
    categories = by_category(rule.target, strict=strict)
    resource, action = categories.pop(RESOURCE_CATEGORY, None), categories.pop(ACTION_CATEGORY, None)
    permits = rule.effect is Effect.PERMIT
    asked = [*matches_of(resource), *matches_of(action)]
    others = [match for blocks in categories.values() for match in matches_of(blocks)]
    return CompiledRule(
        order=order,
        rule_id=rule.rule_id,
        effect=RuleOutcome.PERMIT if permits else RuleOutcome.DENY,
        unsure=RuleOutcome.INDETERMINATE_PERMIT if permits else RuleOutcome.INDETERMINATE_DENY,
        resource=resource,
        action=action,
        others=tuple(categories.items()),
        condition=rule.condition,
        obligations=obligations_due(rule.obligations),
        requires=frozenset((match.category, match.attribute_id) for match in asked if match.must_be_present),
        may_err=any(can_err(match) for match in asked),
        mentions=frozenset(match.attribute_id for match in others) | frozenset(_designated(rule.condition)),
    )


def matches_of(blocks: Blocks | None) -> Iterator[Match]:
    """Every match of a category."""
    for block in blocks or ():
        for all_of in block:
            yield from all_of


def can_err(match: Match) -> bool:
    """Whether comparing can fail: a pattern, a date, or a function that nobody knows."""
    return match.function not in _NEVER_ERR


def _designated(expression: Expression | None) -> Iterator[str]:
    match expression:
        case Designator():
            yield expression.attribute_id
        case Apply():
            for argument in expression.arguments:
                yield from _designated(argument)


def obligations_due(obligations: Sequence[Obligation]) -> tuple[DueObligation, ...]:
    """Those to be fulfilled on Permit, with the values that are written in the policy; Altinn computes none."""
    return tuple(
        DueObligation(
            obligation.obligation_id,
            tuple(
                ObligationValue(part.attribute_id, value.value, value.data_type, part.category, part.issuer)
                for part in obligation.assignments
                if isinstance(value := part.expression, Literal)
            ),
        )
        for obligation in obligations
        if obligation.fulfill_on is Effect.PERMIT
    )
