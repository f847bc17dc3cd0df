"""Policies of Altinn's resources: XACML 3.0 documents, read into plain values (altinn-authorization.md §8, §9)."""

from fullmakt.wire.altinn.policy.model import (
    AllOf,
    AnyOf,
    Apply,
    Assignment,
    Designator,
    Effect,
    Expression,
    FunctionName,
    InvalidPolicyError,
    Literal,
    Match,
    Obligation,
    Policy,
    Rule,
    Target,
)
from fullmakt.wire.altinn.policy.parser import MAX_BYTES, parse_policy
from fullmakt.wire.altinn.policy.writer import write_policy

__all__ = [
    "MAX_BYTES",
    "AllOf",
    "AnyOf",
    "Apply",
    "Assignment",
    "Designator",
    "Effect",
    "Expression",
    "FunctionName",
    "InvalidPolicyError",
    "Literal",
    "Match",
    "Obligation",
    "Policy",
    "Rule",
    "Target",
    "parse_policy",
    "write_policy",
]
