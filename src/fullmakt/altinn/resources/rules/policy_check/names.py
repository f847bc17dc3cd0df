"""Warnings of what is compared with what: functions, types, values, roles and packages."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from fullmakt.altinn.resources.rules.policy_check.findings import Findings
from fullmakt.altinn.resources.rules.targets import matches
from fullmakt.wire.altinn.attributes import (
    ACCESS_PACKAGE,
    RESOURCE,
    ROLE,
    ROLE_CCR,
    ROLE_CODE,
    ROLE_CRA,
    SUBJECT_CATEGORY,
    Attribute,
)
from fullmakt.wire.altinn.policy import Apply, Expression, FunctionName, Match, Policy
from fullmakt.wire.altinn.xacml_names import (
    CONDITION_FUNCTIONS,
    MATCH_FUNCTIONS,
    STRING_EQUAL,
    STRING_EQUAL_IGNORE_CASE,
)

_CALLED = {
    ROLE_CODE: "role code",
    ROLE_CCR: "role of the entity register",
    ROLE_CRA: "role of the civil register",
    ROLE: "role",
    ACCESS_PACKAGE: "access package",
}


def check(policy: Policy, resource: str, known_subjects: Collection[Attribute], findings: Findings) -> None:
    """Tell of it."""
    known: dict[str, set[str]] = {}
    for attribute in known_subjects:
        known.setdefault(attribute.id, set()).add(attribute.value.lower())
    said: dict[Match, list[tuple[str, str]]] = {}  # a large policy repeats the same few matches
    for match in matches(policy.target):
        if match.attribute_id == RESOURCE and match.value != resource:
            findings.warn("other-resource", "the policy's target is another resource: it never applies")
    for rule in policy.rules:
        for match in dict.fromkeys(matches(rule.target)):
            if match not in said:
                said[match] = list(_of_match(match, known))
            for code, message in said[match]:
                findings.warn(code, message, rule)
        if rule.condition is not None:
            for function in _functions(rule.condition):
                if function not in CONDITION_FUNCTIONS:
                    findings.warn("unknown-function", f"nobody knows the function {function[:200]!r}", rule)


def never_holds(match: Match) -> bool:
    """True for a match that no value can meet."""
    return (
        match.function not in MATCH_FUNCTIONS
        or match.data_type != match.designated_type
        or MATCH_FUNCTIONS[match.function] != match.data_type
        or (match.function == STRING_EQUAL and match.attribute_id in _CALLED and match.value != match.value.lower())
    )


def _of_match(match: Match, known: Mapping[str, Collection[str]]) -> Iterator[tuple[str, str]]:
    value = match.value[:200]
    if match.function not in MATCH_FUNCTIONS:
        yield "unknown-function", f"nobody knows the function {match.function[:200]!r}: the match never holds"
    elif match.data_type != match.designated_type:
        yield "type-mismatch", f"{match.data_type} is compared with {match.designated_type}: the match never holds"
    elif MATCH_FUNCTIONS[match.function] != match.data_type:
        yield "type-mismatch", f"{match.function} does not compare {match.data_type}: the match never holds"
    if not match.value.strip():
        yield "empty-value", f"{match.attribute_id} is compared with nothing"
    elif match.value != match.value.strip():
        yield "white-space", f"{value!r} begins or ends with white space, which counts"
    if match.category != SUBJECT_CATEGORY or match.attribute_id not in _CALLED:
        return
    called = _CALLED[match.attribute_id]
    if match.function == STRING_EQUAL and match.value != match.value.lower():
        yield "wrong-case", f"the {called} {value!r} comes in lower case: use {STRING_EQUAL_IGNORE_CASE}"
    if match.attribute_id in known and match.value.strip().lower() not in known[match.attribute_id]:
        yield "unknown-subject", f"there is no {called} {value!r}: nobody can hold it"


def _functions(expression: Expression) -> Iterator[str]:
    if isinstance(expression, FunctionName):
        yield expression.function
    elif isinstance(expression, Apply):
        yield expression.function
        for argument in expression.arguments:
            yield from _functions(argument)
