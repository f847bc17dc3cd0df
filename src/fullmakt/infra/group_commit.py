"""Many small writes as one: what is handed in while a statement is under way makes up the next.

Nobody waits for a batch to fill and there is no timer: alone, an item is written at once; in company, up to 32 of them
share the commit (performance.md, rules 2 and 3).
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import psycopg

from fullmakt.infra.database import Database, DatabaseUnavailableError

Item = TypeVar("Item")
Verdict = TypeVar("Verdict")
Connection = psycopg.AsyncConnection[Any]
Waiting = tuple[Item, asyncio.Future[Verdict]]
"""An item, and where its verdict goes."""

Split = tuple[list[Waiting[Item, Verdict]], list[Waiting[Item, Verdict]]]

BATCH = 32
"""Items in one statement at the most."""

_CANCELLED_WITHIN = 0.5
"""Seconds in which a PostgreSQL that lives lets go of a statement."""
_OUTAGES = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.ReadOnlySqlTransaction)
"""PostgreSQL is gone, going, full, or no longer the primary. Any other error is a fault of ours."""


class OverloadedError(Exception):
    """More waits to be written than this process takes on."""


class GroupCommit(ABC, Generic[Item, Verdict]):
    """Gathers items and writes them, a batch at a time, on a connection of its own. A subclass says how.

    More than ``max_queue`` waiting items are turned away. A statement that takes longer than ``patience`` seconds is
    given up.
    """

    def __init__(self, database: Database, *, max_queue: int = 2_000, patience: float = 5.0) -> None:
        self._database = database
        self._max_queue = max_queue
        self._patience = patience
        self._waiting: list[Waiting[Item, Verdict]] = []
        self._connection: Connection | None = None
        self._task: asyncio.Task[None] | None = None
        self._leaving: set[asyncio.Task[None]] = set()

    @abstractmethod
    async def write_items(self, connection: Connection, items: Sequence[Item]) -> Sequence[Verdict]:
        """Write the items durably, in one autocommitted statement; a verdict for each, in order."""

    def next_batch(self, waiting: list[Waiting[Item, Verdict]]) -> Split[Item, Verdict]:
        """Those of ``waiting`` that share the next statement, never none; and the rest, in its order."""
        return waiting[:BATCH], waiting[BATCH:]

    @property
    def idle(self) -> bool:
        """True when nobody waits for a verdict."""
        return self._task is None

    def write(self, item: Item) -> asyncio.Future[Verdict]:
        """Have one item written; the verdict comes when that is durable.

        The future raises DatabaseUnavailableError when PostgreSQL does not answer; the item may or may not have been
        written.

        Raises:
            OverloadedError: too many wait already.
        """
        if len(self._waiting) >= self._max_queue:
            raise OverloadedError
        future: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._task is None:
            self._task = asyncio.create_task(self._write_waiting())
        return future

    async def _write_waiting(self) -> None:
        own, loop = asyncio.current_task(), asyncio.get_running_loop()
        while self._waiting and self._task is own:
            batch, self._waiting = self.next_batch(self._waiting)
            timer = loop.call_later(self._patience, self._give_up, batch)
            try:
                await self._write_batch(batch)
            except Exception as error:  # whatever it is, those who wait must hear of it
                if self._task is own:
                    await self._drop_connection()
                _fail(batch, error)
            finally:
                timer.cancel()
        if self._task is own:
            self._task = None

    async def _write_batch(self, batch: list[Waiting[Item, Verdict]]) -> None:
        if self._connection is None:
            self._connection = await self._database.raw_connection()
        verdicts = await self.write_items(self._connection, [item for item, _ in batch])
        for (_, future), verdict in zip(batch, verdicts, strict=True):
            if not future.done():  # else the caller has gone
                future.set_result(verdict)

    def _give_up(self, batch: list[Waiting[Item, Verdict]]) -> None:
        """Leave a statement, its connection and those who wait for it to themselves: others are written on another."""
        task, connection = self._task, self._connection
        self._task = self._connection = None
        if task is not None:
            leaving = asyncio.create_task(self._abandon(batch, task, connection))
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)
        if self._waiting:
            self._task = asyncio.create_task(self._write_waiting())

    async def _abandon(
        self, batch: list[Waiting[Item, Verdict]], task: asyncio.Task[None], connection: Connection | None
    ) -> None:
        """Cancel a statement, and answer those who wait for it: as soon as that is done, so that they can try again.

        A server that neither answers nor closes the connection keeps psycopg for ten seconds; they do not wait as long.
        """
        task.cancel()
        await asyncio.wait([task], timeout=_CANCELLED_WITHIN)
        _fail(batch, DatabaseUnavailableError(f"no answer within {self._patience:g} s"))
        await asyncio.wait([task])
        if connection is not None:
            await connection.close()

    async def _drop_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def close(self) -> None:
        """Write what waits, then close the connection."""
        while self._task is not None:
            await asyncio.wait([self._task])
        if self._leaving:
            await asyncio.wait(self._leaving)
        await self._drop_connection()


def _fail(batch: list[Waiting[Item, Verdict]], error: Exception) -> None:
    if isinstance(error, _OUTAGES):
        outage = DatabaseUnavailableError(type(error).__name__)
        outage.__cause__ = error
        error = outage
    for _, future in batch:
        if not future.done():
            future.set_exception(error)
