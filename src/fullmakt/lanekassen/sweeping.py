"""What a data source does now and then, whoever calls: to forget what has lapsed, and to hear what has ended."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import structlog

from fullmakt.infra.unavailable import UnavailableError

DAY = 24 * 60 * 60.0
MINUTE = 60.0

_log = structlog.get_logger("fullmakt.lanekassen")


class Sweeping:
    """A task of its own, from ``begin`` on. Several nodes may sweep.

    ``every`` and ``again`` are the seconds until the next sweep, after one that was done and after one that was not.
    """

    def __init__(self, sweep: Callable[[], Awaitable[None]], *, every: float = DAY, again: float = MINUTE) -> None:
        self._sweep = sweep
        self._every = every
        self._again = again
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Sweep now, and again and again after that; nothing when it has begun."""
        if self._task is None:
            self._task = asyncio.create_task(self._go_on())

    async def stop(self) -> None:
        """Begin nothing more; a sweep that is under way is undone."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _go_on(self) -> None:
        while True:
            done = await self._swept()
            await asyncio.sleep(self._every if done else self._again)

    async def _swept(self) -> bool:
        try:
            await self._sweep()
        except UnavailableError:
            return False  # the database will be back
        except Exception:
            _log.exception("not_swept")
            return False
        return True
