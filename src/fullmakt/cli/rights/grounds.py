"""A resource's policy, as far as one has to know it to say by what somebody may do something."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from fullmakt.altinn.decisions.model import Reason
from fullmakt.wire.altinn.attributes import ACTION, SUBJECT_CATEGORY, Attribute
from fullmakt.wire.altinn.policy import InvalidPolicyError, Rule, parse_policy
from fullmakt.wire.altinn.resources import RegisteredResource


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules; ``fault`` is the decision point's reason when there are none that it could go by."""

    rules: tuple[Rule, ...] = ()
    fault: str = ""

    @property
    def actions(self) -> list[str]:
        """Every action that a rule names."""
        return sorted({action for rule in self.rules for action in _values(rule, ACTION)})

    def knows(self, action: str) -> bool:
        """Whether a rule is for this action, by name or because it is for all."""
        return any(_is_for(rule, action) for rule in self.rules)

    def subjects_for(self, action: str) -> list[Attribute]:
        """Whom the rules for an action name."""
        return list(dict.fromkeys(one for rule in self.rules if _is_for(rule, action) for one in _subjects(rule)))

    def subjects_of(self, rule_ids: Collection[str]) -> list[Attribute]:
        """Whom these rules name."""
        return list(dict.fromkeys(one for rule in self.rules if rule.rule_id in rule_ids for one in _subjects(rule)))


def policy_of(resource: RegisteredResource) -> Policy:
    """The resource's policy."""
    if resource.policy is None:
        return Policy(fault=Reason.NO_POLICY)
    try:
        return Policy(tuple(parse_policy(resource.policy).rules))
    except InvalidPolicyError:
        return Policy(fault=Reason.BROKEN_POLICY)


def _is_for(rule: Rule, action: str) -> bool:
    """Names are compared whatever their case: how a rule compares them is for the decision point to say."""
    named = [value.lower() for value in _values(rule, ACTION)]
    return not named or action.lower() in named


def _values(rule: Rule, attribute_id: str) -> Iterator[str]:
    for any_of in rule.target:
        for all_of in any_of:
            yield from (match.value for match in all_of if match.attribute_id == attribute_id)


def _subjects(rule: Rule) -> Iterator[Attribute]:
    for any_of in rule.target:
        for all_of in any_of:
            for match in all_of:
                if match.category == SUBJECT_CATEGORY:
                    yield Attribute(match.attribute_id, match.value)
