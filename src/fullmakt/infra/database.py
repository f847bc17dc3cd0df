"""PostgreSQL for the systems: one engine a process, one transaction a use case.

Every system has a schema of its own and writes only there (architecture.md §3). ``audit`` and ``feed`` are this
package's, and everybody writes to them inside their own transactions.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine


class DatabaseUnavailableError(Exception):
    """PostgreSQL does not answer."""


class Database:
    """A PostgreSQL database.

    ``url`` is a libpq connection URI (``postgresql://user@host/name``, or with ``?host=/socket/folder``).
    """

    def __init__(self, url: str, *, pool_size: int = 5) -> None:
        self.url = url
        self._engine: AsyncEngine = create_async_engine(
            make_url(url).set(drivername="postgresql+psycopg"),
            pool_size=pool_size,
            max_overflow=10,
            pool_pre_ping=False,
            hide_parameters=True,  # in errors, and so in logs: they are people's numbers, keys, and sealed secrets
        )

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """One transaction: committed at the end of the block, rolled back when it raises.

        Raises:
            DatabaseUnavailableError: there is no connection to be had, or it broke.
        """
        try:
            async with self._engine.begin() as connection:
                yield connection
        except OperationalError as error:
            raise DatabaseUnavailableError(type(error.orig).__name__) from error
        except DBAPIError as error:
            if error.connection_invalidated:
                raise DatabaseUnavailableError(type(error.orig).__name__) from error
            raise

    async def ready(self) -> bool:
        """True when a query comes back."""
        try:
            async with self.transaction() as connection:
                await connection.execute(text("SELECT 1"))
        except DatabaseUnavailableError:
            return False
        return True

    async def raw_connection(self) -> psycopg.AsyncConnection[Any]:
        """A driver connection of one's own, in autocommit: for the token endpoint's group commit and for LISTEN.

        Raises:
            DatabaseUnavailableError: there is no connection to be had.
        """
        try:
            return await psycopg.AsyncConnection.connect(self.url, autocommit=True)
        except psycopg.OperationalError as error:
            raise DatabaseUnavailableError(type(error).__name__) from error

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()
