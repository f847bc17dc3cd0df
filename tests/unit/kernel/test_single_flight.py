"""Work that is done once for everybody who wants it."""

from __future__ import annotations

import asyncio
import threading

import pytest
from anyio.lowlevel import checkpoint

from fullmakt.kernel.single_flight import SingleFlight


class Work:
    """Counts how often it is done, and waits until it may end."""

    def __init__(self, error: Exception | None = None) -> None:
        self.done = 0
        self.begun = threading.Event()
        self.may_end = threading.Event()
        self.error = error

    def __call__(self) -> int:
        self.done += 1
        self.begun.set()
        assert self.may_end.wait(10)
        if self.error is not None:
            raise self.error
        return self.done

    async def in_task(self) -> int:
        return await asyncio.to_thread(self)


async def test_tasks_that_ask_meanwhile_share_the_outcome() -> None:
    flight: SingleFlight[int] = SingleFlight()
    work = Work()
    asking = [asyncio.create_task(flight.run_async("key", work.in_task)) for _ in range(100)]
    await asyncio.to_thread(work.begun.wait, 10)
    work.may_end.set()
    assert await asyncio.gather(*asking) == [1] * 100


async def test_a_task_waits_for_a_threads_work() -> None:
    flight: SingleFlight[int] = SingleFlight()
    work = Work()
    thread = asyncio.create_task(asyncio.to_thread(flight.run, "key", work))
    await asyncio.to_thread(work.begun.wait, 10)
    task = asyncio.create_task(flight.run_async("key", work.in_task))
    await checkpoint()
    work.may_end.set()
    assert (await thread, await task) == (1, 1)


async def test_a_thread_does_not_wait_for_a_task_that_may_need_it() -> None:
    flight: SingleFlight[str] = SingleFlight()
    may_end = asyncio.Event()

    async def slow() -> str:
        await may_end.wait()
        return "task"

    task = asyncio.create_task(flight.run_async("key", slow))
    await checkpoint()
    assert flight.run("key", lambda: "thread") == "thread"  # on the loop's own thread
    may_end.set()
    assert await task == "task"


async def test_everybody_gets_the_error_and_the_next_one_tries_again() -> None:
    flight: SingleFlight[int] = SingleFlight()
    work = Work(error=ValueError("no"))
    asking = [asyncio.create_task(flight.run_async("key", work.in_task)) for _ in range(3)]
    await asyncio.to_thread(work.begun.wait, 10)
    work.may_end.set()
    assert [str(error) for error in await asyncio.gather(*asking, return_exceptions=True)] == ["no"] * 3
    with pytest.raises(ValueError, match="no"):
        flight.run("key", work)
    assert work.done == 2


async def test_work_goes_on_when_the_task_that_began_it_is_cancelled() -> None:
    flight: SingleFlight[int] = SingleFlight()
    work = Work()
    first, second = (asyncio.create_task(flight.run_async("key", work.in_task)) for _ in range(2))
    await asyncio.to_thread(work.begun.wait, 10)
    first.cancel()
    work.may_end.set()
    assert await second == 1
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_work_that_is_cancelled_itself_is_begun_again_by_who_waits() -> None:
    flight: SingleFlight[str] = SingleFlight()
    begun: asyncio.Future[asyncio.Task[object] | None] = asyncio.get_running_loop().create_future()

    async def work() -> str:
        if not begun.done():
            begun.set_result(asyncio.current_task())
            await asyncio.Event().wait()
        return "second"

    asking = asyncio.create_task(flight.run_async("key", work))
    first = await begun
    assert first is not None
    first.cancel()
    assert await asking == "second"


def test_a_loop_that_was_dropped_in_the_middle_holds_nobody_up() -> None:
    flight: SingleFlight[str] = SingleFlight()

    async def never() -> str:
        await asyncio.Event().wait()
        raise AssertionError

    async def begin() -> asyncio.Task[str]:
        begun = asyncio.create_task(flight.run_async("key", never))
        await checkpoint()
        return begun

    async def done() -> str:
        return "done"

    dropped = asyncio.new_event_loop()
    left_behind = dropped.run_until_complete(begin())
    assert asyncio.run(flight.run_async("key", done)) == "done"
    left_behind.cancel()
    for task in asyncio.all_tasks(dropped):
        task.cancel()
    dropped.run_until_complete(asyncio.wait(asyncio.all_tasks(dropped)))
    dropped.close()


async def test_different_keys_do_not_wait_for_each_other() -> None:
    flight: SingleFlight[object] = SingleFlight()
    never = asyncio.create_task(flight.run_async("one", asyncio.Event().wait))
    await checkpoint()

    async def other() -> str:
        return "other"

    assert await flight.run_async("two", other) == "other"
    never.cancel()
