"""What the decision point computes with, and what it answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Any, NamedTuple

from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.xacml_json import (
    DueObligation,
    ObligationValue,
    Outcome,
    RequestCategory,
    Result,
    Status,
)
from fullmakt.wire.altinn.xacml_names import STRING

__all__ = [
    "INDETERMINATE",
    "NO_ATTRIBUTES",
    "AppliedRule",
    "AttributeSet",
    "Decision",
    "DueObligation",
    "Evaluation",
    "Key",
    "ObligationValue",
    "Outcome",
    "Question",
    "Reason",
    "RuleOutcome",
    "Status",
    "TypedValue",
]


Key = tuple[str, str, bool]
"""What an index finds a value by: attribute id, value, and whether the value is in lower case whatever it was. Plain
tuples, for there are a dozen in a decision, and named ones take three times as long to make."""

TypedValue = tuple[str, str]
"""One value of an attribute, and its data type."""


class AttributeSet:
    """Attributes of one category from one source, made once and looked up often.

    ``by_id`` holds every value; ``keys`` those of type string as an index asks for them, exact and folded.
    """

    __slots__ = ("by_id", "keys")

    def __init__(self, attributes: Iterable[tuple[str, str, str]]) -> None:
        by_id: dict[str, list[TypedValue]] = {}
        keys: set[Key] = set()
        for attribute_id, value, data_type in attributes:
            known = by_id.get(attribute_id)
            if known is None:
                by_id[attribute_id] = [(value, data_type)]
            else:
                known.append((value, data_type))
            if data_type == STRING:
                keys.add((attribute_id, value, False))
                keys.add((attribute_id, value.lower(), True))
        self.by_id: Mapping[str, Sequence[TypedValue]] = by_id
        self.keys = frozenset(keys)

    @classmethod
    def of_strings(cls, attributes: Iterable[Attribute]) -> AttributeSet:
        """All of them of type string."""
        return cls((attribute.id, attribute.value, STRING) for attribute in attributes)


NO_ATTRIBUTES = AttributeSet(())


@dataclass(frozen=True, slots=True)
class Question:
    """A decision request as the engine reads it: attribute sets by category id."""

    categories: Mapping[str, Sequence[AttributeSet]]

    def values(self, category: str, attribute_id: str) -> list[TypedValue]:
        """The bag of an attribute, of whatever data type."""
        return [
            value
            for attributes in self.categories.get(category, ())
            for value in attributes.by_id.get(attribute_id, ())
        ]

    def has(self, category: str, attribute_id: str) -> bool:
        """True when the request holds the attribute at all."""
        return any(attribute_id in attributes.by_id for attributes in self.categories.get(category, ()))


class RuleOutcome(Enum):
    """What one rule comes to; the extended Indeterminate of XACML 3.0 §7.10 says which effect it could have had."""

    PERMIT = "Permit"
    DENY = "Deny"
    NOT_APPLICABLE = "NotApplicable"
    INDETERMINATE_PERMIT = "Indeterminate{P}"
    INDETERMINATE_DENY = "Indeterminate{D}"
    INDETERMINATE_BOTH = "Indeterminate{DP}"


INDETERMINATE = frozenset(
    {RuleOutcome.INDETERMINATE_PERMIT, RuleOutcome.INDETERMINATE_DENY, RuleOutcome.INDETERMINATE_BOTH}
)


class AppliedRule(NamedTuple):
    """A rule that came to something, by its id."""

    rule_id: str
    outcome: RuleOutcome


class Evaluation(NamedTuple):
    """What a policy answers.

    ``matched`` says that a rule asked for this resource and action; ``applied`` are the rules that came to
    something, in their order; ``fault`` tells in words what made the answer Indeterminate.
    """

    outcome: Outcome
    status: Status = Status.OK
    matched: bool = False
    applied: tuple[AppliedRule, ...] = ()
    obligations: tuple[DueObligation, ...] = ()
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """An answer with its reasons: true in a condition when it is Permit.

    ``reason`` is machine-readable (``rule``, ``delegation``, ``no_right``, ``not_on_access_list``, … see ``Reason``);
    ``facts`` are what was compared, without anybody's national identity number; ``echo`` the attributes asked back, by
    category id.
    """

    outcome: Outcome
    reason: str
    status: Status = Status.OK
    facts: Mapping[str, Any] = field(default_factory=dict)
    obligations: tuple[DueObligation, ...] = ()
    echo: tuple[RequestCategory, ...] = ()

    @property
    def permitted(self) -> bool:
        """True for Permit alone."""
        return self.outcome is Outcome.PERMIT

    @property
    def result(self) -> Result:
        """The decision as it goes out over XACML."""
        return Result(self.outcome, self.status, self.obligations, self.echo)

    def __bool__(self) -> bool:
        return self.permitted


class Reason(StrEnum):
    """Why a decision is what it is."""

    RULE = "rule"
    """A rule of the resource's policy permits it."""
    DELEGATION = "delegation"
    """The policy does not, but the party has given the subject this right."""
    DENIED_BY_RULE = "denied_by_rule"
    NO_SUCH_RIGHT = "no_such_right"
    """The resource's policy has no rule for this action."""
    NO_RIGHT = "no_right"
    """There are rules for the action, and the subject meets none of them; nobody has delegated it either."""
    SYSTEM_USER_ENDED = "system_user_ended"
    """The subject is a system user that is deleted, or whose system is."""
    NOT_ON_ACCESS_LIST = "not_on_access_list"
    ACCESS_LIST_LACKS_ACTION = "access_list_lacks_action"
    PARTY_IS_NO_ORGANISATION = "party_is_no_organisation"
    """The resource is for organisations on its access lists, and the party is none, or unknown."""
    UNKNOWN_RESOURCE = "unknown_resource"
    NO_POLICY = "no_policy"
    BROKEN_POLICY = "broken_policy"
    MISSING_ATTRIBUTE = "missing_attribute"
    INVALID_REQUEST = "invalid_request"
    INVALID_SUBJECT = "invalid_subject"
    INVALID_PARTY = "invalid_party"
