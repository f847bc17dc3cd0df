"""Generators that are driven, by threads and by tasks."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from fullmakt.kernel.sans_io import drive, drive_async


def adding() -> Generator[str, int, int]:
    total = 0
    try:
        total += yield "one"
        total += yield "two"
    except KeyError:
        total += yield "instead"
    return total


def perform(step: str) -> int:
    return {"one": 1, "two": 2, "instead": 10}[step]


def stumble(step: str) -> int:
    if step == "two":
        raise KeyError(step)
    return perform(step)


async def test_each_step_is_performed_and_its_reply_sent_in() -> None:
    async def perform_async(step: str) -> int:
        return perform(step)

    assert drive(adding(), perform) == await drive_async(adding(), perform_async) == 3


async def test_a_step_that_fails_fails_inside_the_flow() -> None:
    async def stumble_async(step: str) -> int:
        return stumble(step)

    assert drive(adding(), stumble) == await drive_async(adding(), stumble_async) == 11


async def test_what_the_flow_does_not_catch_reaches_the_caller() -> None:
    async def never(_step: str) -> int:
        raise ValueError("no")

    def never_sync(_step: str) -> int:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        drive(adding(), never_sync)
    with pytest.raises(ValueError, match="no"):
        await drive_async(adding(), never)


def test_a_flow_is_closed_when_its_driver_is_stopped() -> None:
    closed = []

    def flow() -> Generator[None, None, None]:
        try:
            yield
        finally:
            closed.append(True)

    def interrupted(_step: None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        drive(flow(), interrupted)
    assert closed
