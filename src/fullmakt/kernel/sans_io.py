"""Running a protocol that was written as a generator: it yields what it wants done, and is sent what came of it.

One such generator serves threads and event loops alike, and a test that has neither. See https://sans-io.readthedocs.io.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from typing import TypeVar

Step = TypeVar("Step")
Reply = TypeVar("Reply")
Result = TypeVar("Result")


def drive(flow: Generator[Step, Reply, Result], perform: Callable[[Step], Reply]) -> Result:
    """Run ``flow`` to its end, each step done by ``perform``; what ``perform`` raises is raised inside the flow."""
    try:
        step = next(flow)
        while True:
            try:
                reply = perform(step)
            except Exception as error:
                step = flow.throw(error)
            else:
                step = flow.send(reply)
    except StopIteration as end:
        result: Result = end.value
        return result
    finally:
        flow.close()


async def drive_async(flow: Generator[Step, Reply, Result], perform: Callable[[Step], Awaitable[Reply]]) -> Result:
    """``drive`` for a ``perform`` that is awaited."""
    try:
        step = next(flow)
        while True:
            try:
                reply = await perform(step)
            except Exception as error:
                step = flow.throw(error)
            else:
                step = flow.send(reply)
    except StopIteration as end:
        result: Result = end.value
        return result
    finally:
        flow.close()
