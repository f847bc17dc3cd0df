"""What systems have announced on the change feed, as their readers on other nodes are told it."""

from __future__ import annotations

from fullmakt.infra import feed
from fullmakt.infra.database import Database


async def announced(database: Database, topic: str, since: int = 0) -> feed.Changes:
    """What changed in a topic after a version."""
    async with database.transaction() as connection:
        return await feed.changes_since(connection, topic, since)
