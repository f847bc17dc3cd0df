"""What a policy says, in the terms of XACML 3.0 §5, less what Altinn's policies never hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class InvalidPolicyError(ValueError):
    """The document is not a policy that can be taken. ``line`` is 1 for the first, 0 when no line is to blame."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(f"{message} (line {line})" if line else message)
        self.message = message
        self.line = line


class Effect(StrEnum):
    """What a rule comes to when it applies; also when an obligation is to be fulfilled."""

    PERMIT = "Permit"
    DENY = "Deny"


@dataclass(frozen=True, slots=True)
class Literal:
    """``AttributeValue``: the text as it stands, white space included, and its data type."""

    value: str
    data_type: str


@dataclass(frozen=True, slots=True)
class Designator:
    """``AttributeDesignator``: the bag of a request's values of one attribute."""

    attribute_id: str
    category: str
    data_type: str
    must_be_present: bool = False
    issuer: str | None = None


@dataclass(frozen=True, slots=True)
class FunctionName:
    """``Function``: a function as the argument of another, such as ``any-of``."""

    function: str


@dataclass(frozen=True, slots=True)
class Apply:
    """``Apply``: ``function`` of ``arguments``."""

    function: str
    arguments: tuple[Expression, ...]


Expression = Literal | Designator | FunctionName | Apply


@dataclass(frozen=True, slots=True)
class Match:
    """``function(value, one value of the attribute)``, true for at least one of them.

    ``data_type`` is the literal's, ``designated_type`` that of the attribute asked for; where they differ nothing
    matches.
    """

    function: str
    value: str
    data_type: str
    attribute_id: str
    category: str
    designated_type: str
    must_be_present: bool = False


AllOf = tuple[Match, ...]
"""Every one of them must hold; never empty."""
AnyOf = tuple[AllOf, ...]
"""One of them is enough; never empty."""
Target = tuple[AnyOf, ...]
"""Empty: matches whatever is asked."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """``AttributeAssignmentExpression``: one value that goes out with an obligation."""

    attribute_id: str
    expression: Expression
    category: str | None = None
    issuer: str | None = None


@dataclass(frozen=True, slots=True)
class Obligation:
    """``ObligationExpression``: what whoever enforces the decision must see to."""

    obligation_id: str
    fulfill_on: Effect
    assignments: tuple[Assignment, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. ``line`` is where it begins in its document, for those who tell what is wrong with it."""

    rule_id: str
    effect: Effect
    target: Target = ()
    condition: Expression | None = None
    obligations: tuple[Obligation, ...] = ()
    description: str = ""
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy; ``rule_combining`` is the URI of the algorithm that makes one answer of its rules'."""

    policy_id: str
    version: str
    rule_combining: str
    rules: tuple[Rule, ...]
    target: Target = ()
    obligations: tuple[Obligation, ...] = ()
    description: str = ""
