"""One piece of work at a time for each key, its outcome shared by everybody who asked meanwhile.

Threads, tasks and several event loops may ask at once. A task that is cancelled leaves the work running for the others.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Hashable
from concurrent.futures import CancelledError, Future
from typing import Generic, TypeVar

Result = TypeVar("Result")


class SingleFlight(Generic[Result]):
    """Work under way, by key.

    A thread waits for another thread's work but never for an event loop's: it may be the very thread that the loop
    needs. A task waits for both.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_thread: dict[Hashable, Future[Result]] = {}
        self._by_task: dict[Hashable, Future[Result]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

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
        while True:
            with self._lock:
                flight = self._by_thread.get(key) or self._by_task.get(key)
                if flight is None:
                    flight = self._by_task[key] = _new_flight()
                    task = asyncio.get_running_loop().create_task(self._fly(key, flight, work))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
            try:
                return await asyncio.wrap_future(flight)
            except _AbandonedError:
                continue  # the loop that did the work was shut down: somebody else has to

    async def _fly(self, key: Hashable, flight: Future[Result], work: Callable[[], Awaitable[Result]]) -> None:
        try:
            result = await work()
        except (asyncio.CancelledError, CancelledError):
            self._land(self._by_task, key)
            flight.set_exception(_AbandonedError())
            raise
        except BaseException as error:
            self._land(self._by_task, key)
            flight.set_exception(error)
        else:
            self._land(self._by_task, key)
            flight.set_result(result)

    def _land(self, flights: dict[Hashable, Future[Result]], key: Hashable) -> None:
        with self._lock:
            flights.pop(key, None)


class _AbandonedError(Exception):
    """The work was cancelled together with the event loop it ran on."""


def _new_flight() -> Future[Result]:
    flight: Future[Result] = Future()
    flight.set_running_or_notify_cancel()  # from here on a cancelled waiter can not cancel it for the others
    return flight
