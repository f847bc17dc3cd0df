"""Patterns in policies can not stop the decision point, and what can not be compared is told."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fullmakt.altinn.decisions.rules.functions import IncomparableError, compare

F1 = "urn:oasis:names:tc:xacml:1.0:function:"
REGEXP = f"{F1}string-regexp-match"


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(a|a)*$", "((a?){30})", "a*a*a*a*b", "(a{1,30}){1,30}", "a{1,}{1,}", "(?=a)", r"(a)\1", "(a"]
)
def test_patterns_that_may_take_forever_are_not_taken(pattern: str) -> None:
    with pytest.raises(IncomparableError):
        compare(REGEXP, pattern, "a" * 200)


@pytest.mark.parametrize(
    ("pattern", "value", "matches"),
    [
        ("^urn:altinn:.*$", "urn:altinn:x", True),
        ("^[0-9]{9}$", "910753614", True),
        ("^[0-9]{9}$", "91075361", False),
        (r"^\d+\.\d+$", "1.5", True),
        ("^(read|write)$", "write", True),
        ("^a$|^b$", "b", True),
        ("part", "in the part of it", True),
        ("", "anything", True),
        (r"\[x\]", "[x]", True),
    ],
)
def test_ordinary_patterns_are(pattern: str, value: str, *, matches: bool) -> None:
    assert compare(REGEXP, pattern, value) is matches


def test_a_long_value_is_not_tried() -> None:
    with pytest.raises(IncomparableError, match="256"):
        compare(REGEXP, "a", "a" * 257)


@given(st.text(alphabet="ab.*+?|()[]{}^$\\,12-", max_size=30), st.text(alphabet="ab12-", max_size=256))
def test_any_pattern_is_refused_or_answers(pattern: str, value: str) -> None:
    with contextlib.suppress(IncomparableError):
        assert compare(REGEXP, pattern, value) in (True, False)


@pytest.mark.parametrize(
    ("function", "wanted", "value", "matches"),
    [
        ("time-equal", "12:00:00+00:00", "13:00:00+01:00", True),
        ("time-equal", "12:00:00", "12:00:01", False),
        ("date-equal", "2026-05-01", "2026-05-01", True),
        ("date-equal", "2026-05-01", "2026-05-02", False),
        ("dateTime-equal", "2026-05-01T12:00:00Z", "2026-05-01T14:00:00+02:00", True),
        ("dateTime-equal", "2026-05-01T12:00:00Z", "2026-05-01T12:00:00", False),
        ("integer-equal", "7", " +07 ", True),
        ("integer-equal", "7", "7.0", False),
        ("integer-equal", "9" * 19, "9" * 19, False),
    ],
)
def test_times_and_numbers_are_compared_by_what_they_mean(
    function: str, wanted: str, value: str, *, matches: bool
) -> None:
    assert compare(F1 + function, wanted, value) is matches


@pytest.mark.parametrize("function", ["time-equal", "date-equal", "dateTime-equal"])
def test_what_is_no_point_in_time_can_not_be_compared(function: str) -> None:
    with pytest.raises(IncomparableError):
        compare(F1 + function, "2026-05-01", "soon")


def test_a_function_that_nobody_knows_is_told() -> None:
    with pytest.raises(IncomparableError, match="unknown function"):
        compare(f"{F1}string-sounds-like", "a", "a")
