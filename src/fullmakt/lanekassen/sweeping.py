"""The daily sweep: what has lapsed goes, though nobody asks for it any more."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import structlog

from fullmakt.infra.unavailable import UnavailableError

DAY = 24 * 60 * 60.0
AGAIN = 60.0
"""Seconds until the next sweep, after one that was done and after one that was not."""

_log = structlog.get_logger("fullmakt.lanekassen")


class Sweeping:
    """A task of its own, from the first call on. Several nodes may sweep."""

    def __init__(self, sweep: Callable[[], Awaitable[None]]) -> None:
        self._sweep = sweep
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Sweep now, and each day after that; nothing when it has begun."""
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
            await asyncio.sleep(DAY if done else AGAIN)

    async def _swept(self) -> bool:
        try:
            await self._sweep()
        except UnavailableError:
            return False  # the database will be back
        except Exception:
            _log.exception("not_swept")
            return False
        return True
