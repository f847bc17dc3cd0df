"""PostgreSQL for the systems: one engine a process, one transaction a use case.

Every system has a schema of its own and writes only there (architecture.md §3). ``audit`` and ``feed`` are this
package's, and everybody writes to them inside their own transactions.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import psycopg
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from fullmakt.infra.unavailable import UnavailableError

_CONNECTION: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 15_000,
}
"""For libpq (seconds, the last in ms): a server that vanished without a word is noticed in seconds, not in a quarter of
an hour. What the URL says goes before it."""


_READY_WITHIN = 2.0
"""Seconds in which a database that is ready answers."""

_T = TypeVar("_T")
_given_up: set[asyncio.Task[Any]] = set()
"""The event loop itself keeps none but weak references."""


class DatabaseUnavailableError(UnavailableError):
    """PostgreSQL does not answer."""


async def answered_within(
    seconds: float, work: Coroutine[Any, Any, _T], *, otherwise: type[UnavailableError] = DatabaseUnavailableError
) -> _T:
    """What ``work`` returns or raises; when that takes too long it is cancelled, and left to itself.

    ``asyncio.timeout`` would wait for the end of it, and psycopg takes ten seconds to give up on a server that neither
    answers nor closes the connection.

    Raises:
        UnavailableError: it took longer than ``seconds``; ``otherwise`` says which of them.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait([task], timeout=seconds)
        if task.done():
            return task.result()
        raise otherwise(f"no answer within {seconds:g} s")
    finally:
        if not task.done():
            task.cancel()
            _given_up.add(task)
            task.add_done_callback(_bury)


def _bury(task: asyncio.Task[Any]) -> None:
    _given_up.discard(task)
    if not task.cancelled():
        task.exception()  # nobody waits for it any more


class Database:
    """A PostgreSQL database.

    ``url`` is a libpq connection URI (``postgresql://user@host/name``, or with ``?host=/socket/folder``). When
    ``pool_size`` connections are in use, a transaction waits ``patience`` seconds for one. All are kept once they are
    open: to open one for a transaction and close it again costs PostgreSQL more than the transaction does.
    """

    def __init__(self, url: str, *, pool_size: int = 15, patience: float = 5.0) -> None:
        self.url = url
        parsed = make_url(url)
        self._connection = {name: value for name, value in _CONNECTION.items() if name not in parsed.query}
        self._engine: AsyncEngine = create_async_engine(
            parsed.set(drivername="postgresql+psycopg"),
            connect_args=self._connection,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=patience,
            pool_pre_ping=False,
            hide_parameters=True,  # in errors, and so in logs: they are people's numbers, keys, and sealed secrets
        )

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """One transaction: committed at the end of the block, rolled back when it raises.

        Raises:
            DatabaseUnavailableError: there is no connection to be had, in the pool or at all, or it broke.
        """
        try:
            async with self._engine.begin() as connection:
                yield connection
        except OperationalError as error:
            raise DatabaseUnavailableError(type(error.orig).__name__) from error
        except PoolTimeoutError as error:
            raise DatabaseUnavailableError("every connection is in use") from error
        except DBAPIError as error:
            if error.connection_invalidated:
                raise DatabaseUnavailableError(type(error.orig).__name__) from error
            raise

    async def ready(self) -> bool:
        """True when a query comes back, and soon."""
        try:
            await answered_within(_READY_WITHIN, self._query())
        except DatabaseUnavailableError:
            return False
        return True

    async def _query(self) -> None:
        async with self.transaction() as connection:
            await connection.execute(text("SELECT 1"))

    async def raw_connection(self) -> psycopg.AsyncConnection[Any]:
        """A driver connection of one's own, in autocommit: for the token endpoint's group commit and for LISTEN.

        Raises:
            DatabaseUnavailableError: there is no connection to be had.
        """
        try:
            return await psycopg.AsyncConnection.connect(self.url, autocommit=True, **self._connection)
        except psycopg.OperationalError as error:
            raise DatabaseUnavailableError(type(error).__name__) from error

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()
