"""Every fault of a rule that stops at the first."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from fullmakt.cli.inspection.faults import every_fault

NAMES = "abcdef"


def first_of(subject: frozenset[str]) -> str | None:
    """A rule that names the first of what is wrong."""
    return min(subject, default=None)


def without(name: str) -> Callable[[frozenset[str]], frozenset[str]]:
    return lambda subject: subject - {name}


def same(fault: str) -> str:
    return fault


@given(st.frozensets(st.sampled_from(NAMES)), st.permutations(NAMES))
def test_all_are_found_in_the_rule_s_order_whatever_the_order_of_the_repairs(
    wrong: frozenset[str], order: list[str]
) -> None:
    faults = every_fault(wrong, first_of, [without(name) for name in order], same=same)
    assert faults.found == sorted(wrong)
    assert faults.mended == frozenset()


@given(st.frozensets(st.sampled_from(NAMES)), st.frozensets(st.sampled_from(NAMES)))
def test_what_lies_behind_a_fault_that_nothing_mends_is_not_known(
    wrong: frozenset[str], mendable: frozenset[str]
) -> None:
    faults = every_fault(wrong, first_of, [without(name) for name in sorted(mendable)], same=same)
    stuck = min(wrong - mendable, default=None)
    assert faults.found == [name for name in sorted(wrong) if stuck is None or name <= stuck]
    assert (faults.mended is None) == (stuck is not None)


def test_a_repair_that_brings_an_earlier_fault_back_is_not_one() -> None:
    swaps = [lambda subject: frozenset("a") if subject == frozenset("b") else frozenset("b")] * 9
    faults = every_fault(frozenset("a"), first_of, swaps, same=same)
    assert faults.found == ["a", "b"]
    assert faults.mended is None
