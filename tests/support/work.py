"""How much work something is, as a number that is the same on every machine: the lines of Python that it executes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def lines_executed(work: Callable[[], object]) -> int:
    """The lines that ``work`` executes in this thread, those of what it calls among them.

    What C code does between two lines is not seen: let the lines be where the loops are.
    """
    count = 0

    def local(_frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return local

    def entered(_frame: FrameType, _event: str, _argument: Any) -> Any:
        return local

    before = sys.gettrace()
    sys.settrace(entered)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def growth(work: Callable[[int], Callable[[], object]], size: int) -> float:
    """How many times the work grows when ``size`` is doubled: 1 for constant work, 2 for linear, 4 for quadratic.

    ``work(size)`` prepares it, and is not counted.
    """
    once, twice = work(size), work(2 * size)
    return lines_executed(twice) / lines_executed(once)
