"""One piece of work at a time for each key, its outcome shared by everybody who asked meanwhile.

Threads, tasks and several event loops may ask at once. A task that is cancelled leaves the work running for the others.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

Result = TypeVar("Result")


class SingleFlight(Generic[Result]):
    """Work under way, by key.

    A thread waits for another thread's work but never for an event loop's: it may be the very thread that the loop
    needs. A task waits for threads and for tasks of its own loop; another loop may be stopped at any moment, and its
    work would never end.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_thread: dict[Hashable, Future[Result]] = {}
        self._by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Hashable, Future[Result]]]
        self._by_loop = WeakKeyDictionary()
        self._tasks: set[asyncio.Task[Result]] = set()

    def run(self, key: Hashable, work: Callable[[], Result]) -> Result:
        """Do ``work``, or wait for the thread that is doing it; returns or raises what it did."""
        with self._lock:
            flight = self._by_thread.get(key)
            if flight is None:
                own: Future[Result] = _new_flight()
                self._by_thread[key] = own
        if flight is not None:
            return flight.result()
        try:
            own.set_result(work())
        except BaseException as error:
            own.set_exception(error)
        finally:
            self._land(self._by_thread, key)
        return own.result()

    async def run_async(self, key: Hashable, work: Callable[[], Awaitable[Result]]) -> Result:
        """Do ``work`` in a task of its own, or wait for whoever is doing it; returns or raises what it did."""
        loop = asyncio.get_running_loop()
        while True:
            with self._lock:
                flights = self._by_loop.setdefault(loop, {})
                flight = self._by_thread.get(key) or flights.get(key)
                if flight is None:
                    flight = self._begin(loop, flights, key, work)
            try:
                return await asyncio.wrap_future(flight)
            except _AbandonedError:
                continue  # the task that did the work was cancelled: somebody else has to

    def _begin(
        self,
        loop: asyncio.AbstractEventLoop,
        flights: dict[Hashable, Future[Result]],
        key: Hashable,
        work: Callable[[], Awaitable[Result]],
    ) -> Future[Result]:
        flight: Future[Result] = _new_flight()

        def end(task: asyncio.Task[Result]) -> None:
            self._tasks.discard(task)
            self._land(flights, key)
            error = _AbandonedError() if task.cancelled() else task.exception()
            if error is not None:
                flight.set_exception(error)
            else:
                flight.set_result(task.result())

        task = loop.create_task(_awaited(work))
        self._tasks.add(task)  # the loop itself keeps none but weak references
        task.add_done_callback(end)
        flights[key] = flight
        return flight

    def _land(self, flights: dict[Hashable, Future[Result]], key: Hashable) -> None:
        with self._lock:
            flights.pop(key, None)


class _AbandonedError(Exception):
    """The task that did the work was cancelled, as all are when their event loop shuts down."""


async def _awaited(work: Callable[[], Awaitable[Result]]) -> Result:
    return await work()


def _new_flight() -> Future[Result]:
    flight: Future[Result] = Future()
    flight.set_running_or_notify_cancel()  # from here on a cancelled waiter can not cancel it for the others
    return flight
