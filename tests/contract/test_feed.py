"""The change feed keeps the order of commits and admits when it has forgotten."""

from __future__ import annotations

from fullmakt.infra import feed
from fullmakt.infra.database import Database


async def test_a_reader_gets_the_changes_after_its_version(database: Database) -> None:
    async with database.transaction() as connection:
        first = await feed.publish(connection, "registry", ["client:a"])
        await feed.publish(connection, "registry", ["client:b", "scope:x"])
        await feed.publish(connection, "other", ["client:c"])
    async with database.transaction() as connection:
        changes = await feed.changes_since(connection, "registry", first)
    assert changes == feed.Changes(first + 1, ("client:b", "scope:x"))


async def test_a_reader_from_before_the_history_must_forget_everything(database: Database) -> None:
    async with database.transaction() as connection:
        for number in range(3):
            await feed.publish(connection, "registry", [f"client:{number}"])
        await connection.exec_driver_sql("DELETE FROM feed.change WHERE version <= 2")
    async with database.transaction() as connection:
        assert (await feed.changes_since(connection, "registry", 0)).keys == (feed.EVERYTHING,)
        assert (await feed.changes_since(connection, "registry", 2)).keys == ("client:2",)


async def test_a_reader_that_is_ahead_of_a_restored_database_must_forget_everything(database: Database) -> None:
    async with database.transaction() as connection:
        for number in range(3):
            await feed.publish(connection, "registry", [f"client:{number}"])
        await connection.exec_driver_sql("UPDATE feed.version SET version = 1")
        await connection.exec_driver_sql("DELETE FROM feed.change WHERE version > 1")
    async with database.transaction() as connection:
        assert await feed.changes_since(connection, "registry", 3) == feed.Changes(1, (feed.EVERYTHING,))


async def test_a_change_rolled_back_was_never_announced(database: Database) -> None:
    class Stop(Exception):  # noqa: N818
        pass

    try:
        async with database.transaction() as connection:
            await feed.publish(connection, "registry", ["client:a"])
            raise Stop
    except Stop:
        pass
    async with database.transaction() as connection:
        assert await feed.current_version(connection, "registry") == 0


async def test_topics_are_read_as_one_feed_whose_version_is_the_sum_of_theirs(database: Database) -> None:
    joined = feed.JoinedFeed("a", "b")
    async with database.transaction() as connection:
        assert await joined.changes_since(connection, 0) == feed.Changes(0, ())
        await feed.publish(connection, "a", ["one"])
        await feed.publish(connection, "b", ["two"])
        await feed.publish(connection, "b", ["three"])
        await feed.publish(connection, "c", ["elsewhere"])
        assert await joined.changes_since(connection, 0) == feed.Changes(3, ("one", "two", "three"))
        assert await joined.changes_since(connection, 3) == feed.Changes(3, ())
        await feed.publish(connection, "a", ["four"])
        assert await joined.changes_since(connection, 3) == feed.Changes(4, ("four",))


async def test_a_reader_of_joined_topics_that_was_elsewhere_forgets_everything(database: Database) -> None:
    joined = feed.JoinedFeed("a", "b")
    async with database.transaction() as connection:
        await feed.publish(connection, "a", ["one"])
        await joined.changes_since(connection, 0)
        assert feed.EVERYTHING in (await joined.changes_since(connection, 7)).keys
