"""Asking a rule that stops at the first fault for all of them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Subject = TypeVar("Subject")
Fault = TypeVar("Fault")


@dataclass(frozen=True, slots=True)
class Faults(Generic[Subject, Fault]):
    """The faults of a subject, in the rule's order, and the subject without them; None where that can not be had."""

    found: list[Fault]
    mended: Subject | None


def every_fault(
    subject: Subject,
    check: Callable[[Subject], Fault | None],
    repairs: Sequence[Callable[[Subject], Subject]],
    *,
    same: Callable[[Fault], Hashable],
) -> Faults[Subject, Fault]:
    """Every fault that ``check`` finds in ``subject``.

    ``check`` names one fault at a time. When it does, the first of ``repairs`` that makes it name another fault (as
    told by ``same``), or none, is carried out, and it is asked again; no repair is used twice, so this comes to an end.
    When no repair helps, the search ends there: what lies behind that fault nobody can tell.
    """
    found: list[Fault] = []
    waiting = list(repairs)
    fault = check(subject)
    while fault is not None:
        found.append(fault)
        for repair in waiting:
            mended = repair(subject)
            after = check(mended)
            if after is None or same(after) not in {same(each) for each in found}:
                waiting.remove(repair)
                subject, fault = mended, after
                break
        else:
            return Faults(found, None)
    return Faults(found, subject)
