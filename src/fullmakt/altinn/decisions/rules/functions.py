"""The functions that compare an attribute with what a policy names (altinn-authorization.md §8; XACML 3.0 §A.3)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time
from functools import lru_cache

from fullmakt.wire.altinn import xacml_names as names

MAX_REGEXP_VALUE = 256
"""Characters of a value that a pattern is tried on."""
_MAX_REPEATS = 2
_MAX_OPTIONAL = 8
_MAX_PATTERN = 1_000

_ATOM = r"(?:[^\\\[\](){}|*+?^$.]|\\[^A-CE-RT-VX-Za-ce-rt-vx-z0-9]|\.|\[\^?(?:[^\\\[\]]|\\.)+\])"
_PIECE = rf"(?:{_ATOM}(?:[*+?]|\{{[0-9]{{1,3}}(?:,[0-9]{{0,3}})?\}})?)"
_GROUP = rf"(?:\({_PIECE}*(?:\|{_PIECE}*)*\))"
_SIMPLE = re.compile(rf"(?:{_PIECE}|{_GROUP}|[|^$])*")
_ESCAPED = re.compile(r"\\.|\[(?:[^\\\]]|\\.)+\]")


class IncomparableError(Exception):
    """The function is none that is known, or its arguments are not what it takes. The message says which."""


Compare = Callable[[str, str], bool]
"""The policy's value, the request's value → whether they match."""


def _same(policy_value: str, value: str) -> bool:
    return policy_value == value


def _same_ignoring_case(policy_value: str, value: str) -> bool:
    return policy_value.lower() == value.lower()


_INTEGER = re.compile(r"\s*[+-]?[0-9]{1,18}\s*", re.ASCII)


def _same_integer(policy_value: str, value: str) -> bool:
    """What is no integer equals none."""
    if not _INTEGER.fullmatch(policy_value) or not _INTEGER.fullmatch(value):
        return False
    return int(policy_value) == int(value)


def _parsed(parse: Callable[[str], date | time]) -> Compare:
    def compare(policy_value: str, value: str) -> bool:
        try:
            return parse(policy_value.strip()) == parse(value.strip())
        except ValueError as error:
            raise IncomparableError("not a point in time") from error

    return compare


@lru_cache(maxsize=1024)
def _pattern(text: str) -> re.Pattern[str]:
    """The pattern, if it is one that takes no more than a moment on any value.

    A backtracking engine takes exponential time on repeats inside repeats and on repeated alternatives. Policies are
    written by many and decided for all, so those are not taken, and few repeats in a row.
    """
    bare = _ESCAPED.sub("a", text)
    repeats = len(re.findall(r"[*+]|\{[0-9]+,[0-9]*\}", bare))
    if (
        len(text) > _MAX_PATTERN
        or repeats > _MAX_REPEATS
        or bare.count("?") > _MAX_OPTIONAL
        or not _SIMPLE.fullmatch(text)
    ):
        raise IncomparableError("the regular expression is not one that is taken")
    try:
        return re.compile(text)
    except re.error as error:
        raise IncomparableError("the regular expression is not well-formed") from error


def _matches(policy_value: str, value: str) -> bool:
    pattern = _pattern(policy_value)
    if len(value) > MAX_REGEXP_VALUE:
        raise IncomparableError(f"a regular expression is tried on at most {MAX_REGEXP_VALUE} characters")
    return pattern.search(value) is not None


_FUNCTION_1 = "urn:oasis:names:tc:xacml:1.0:function:"

COMPARE: dict[str, Compare] = {
    names.STRING_EQUAL: _same,
    names.STRING_EQUAL_IGNORE_CASE: _same_ignoring_case,
    f"{_FUNCTION_1}anyURI-equal": _same,
    f"{_FUNCTION_1}integer-equal": _same_integer,
    f"{_FUNCTION_1}string-is-in": _same,  # asked of each value of the bag, so membership is equality
    f"{_FUNCTION_1}time-equal": _parsed(time.fromisoformat),
    f"{_FUNCTION_1}date-equal": _parsed(date.fromisoformat),
    f"{_FUNCTION_1}dateTime-equal": _parsed(datetime.fromisoformat),
    f"{_FUNCTION_1}string-regexp-match": _matches,
}
"""By function URI."""

EXACT = frozenset({names.STRING_EQUAL, f"{_FUNCTION_1}string-is-in"})
"""Functions that an index of strings answers exactly."""
ONE_AND_ONLY = re.compile(r"urn:oasis:names:tc:xacml:1\.0:function:(\w+)-one-and-only")


def compare(function: str, policy_value: str, value: str) -> bool:
    """Apply a function.

    Raises:
        IncomparableError: see there.
    """
    known = COMPARE.get(function)
    if known is None:
        raise IncomparableError(f"unknown function {function[:200]}")
    return known(policy_value, value)
