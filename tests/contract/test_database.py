"""A database that can not be used is told of in one way, whatever the cause."""

from __future__ import annotations

from contextlib import AsyncExitStack

import pytest
from sqlalchemy import text

from fullmakt.infra.database import Database, DatabaseUnavailableError


async def test_who_finds_every_connection_in_use_hears_that_the_database_is_unavailable(database_url: str) -> None:
    database = Database(database_url, pool_size=2, patience=0.05)
    try:
        async with AsyncExitStack() as stack:
            for _ in range(2):
                await stack.enter_async_context(database.transaction())
            with pytest.raises(DatabaseUnavailableError, match="every connection is in use"):
                async with database.transaction():
                    pass
        assert await database.ready()
    finally:
        await database.close()


async def test_a_server_that_vanishes_is_noticed_in_seconds_unless_the_url_says_otherwise(database_url: str) -> None:
    separator = "&" if "?" in database_url else "?"
    for url, seconds in ((database_url, "5"), (f"{database_url}{separator}connect_timeout=9", "9")):
        database = Database(url)
        connection = await database.raw_connection()
        try:
            assert connection.info.get_parameters()["connect_timeout"] == seconds
            async with database.transaction() as pooled:
                assert (await pooled.execute(text("SELECT 1"))).scalar() == 1
        finally:
            await connection.close()
            await database.close()
