"""The change feed: how a system tells readers on other nodes that what they remember is no longer so.

A publisher bumps its topic's version in the same transaction as the change. The row lock makes publishers of one topic
commit in the order of their versions, so a reader that has version *n* has missed nothing up to *n*. A reader learns of
the version by reading it in a statement that it has to send anyhow (the token server does), so that there is no
notification to lose and no moment at which a stale answer passes for a fresh one. Why: docs/decisions/0002.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# One statement, since the topic is locked from here to the commit.
_ANNOUNCE = text(
    "WITH bumped AS (INSERT INTO feed.version AS v (topic, version) VALUES (:topic, 1)"
    " ON CONFLICT (topic) DO UPDATE SET version = v.version + 1 RETURNING version),"
    " recorded AS (INSERT INTO feed.change (topic, version, key)"
    " SELECT :topic, version, unnest(CAST(:keys AS text[])) FROM bumped)"
    " SELECT version FROM bumped"
)
_VERSION = text("SELECT version FROM feed.version WHERE topic = :topic")
_SINCE = text(
    "SELECT version, key FROM feed.change WHERE topic = :topic AND version > :since AND version <= :until"
    " ORDER BY version LIMIT :limit"
)
_VERSIONS = text("SELECT topic, version FROM feed.version WHERE topic = ANY(CAST(:topics AS text[]))")
_OLDEST = text("SELECT min(version) FROM feed.change WHERE topic = :topic")
_FORGET = text(
    "DELETE FROM feed.change WHERE topic = :topic AND version <= "
    "(SELECT max(version) FROM feed.change WHERE topic = :topic) - :keep"
)

MAX_CHANGES = 10_000
"""A reader that is further behind than this forgets everything instead of reading on."""
EVERYTHING = "*"
"""The key of a change that concerns whatever a reader may remember."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What happened to a topic up to ``version``; ``keys`` holds ``EVERYTHING`` when the history is gone."""

    version: int
    keys: Sequence[str]


async def publish(connection: AsyncConnection, topic: str, keys: Iterable[str]) -> int:
    """Announce changed ``keys`` in the caller's transaction; call it last, it holds the topic's lock until commit."""
    asked = {"topic": topic, "keys": sorted(set(keys))}
    version = int((await connection.execute(_ANNOUNCE, asked)).scalar_one())
    if version % 1_000 == 0:
        await connection.execute(_FORGET, {"topic": topic, "keep": MAX_CHANGES})
    return version


async def current_version(connection: AsyncConnection, topic: str) -> int:
    """The topic's version, 0 before its first change."""
    return int((await connection.execute(_VERSION, {"topic": topic})).scalar() or 0)


async def changes_since(connection: AsyncConnection, topic: str, since: int) -> Changes:
    """Everything that changed after version ``since``, up to now.

    A database that was restored, or taken over by a replica that lagged, may be behind its reader: the versions that
    the reader has seen will be given out again, to other changes, so it must forget everything.
    """
    version = await current_version(connection, topic)
    if version == since:
        return Changes(version, ())
    if version < since:
        return Changes(version, (EVERYTHING,))
    oldest = (await connection.execute(_OLDEST, {"topic": topic})).scalar()
    if oldest is None or oldest > since + 1:
        return Changes(version, (EVERYTHING,))
    rows = (
        await connection.execute(_SINCE, {"topic": topic, "since": since, "until": version, "limit": MAX_CHANGES})
    ).all()
    if len(rows) == MAX_CHANGES:
        return Changes(version, (EVERYTHING,))
    return Changes(version, tuple(row.key for row in rows))


async def joined_version(connection: AsyncConnection, topics: Sequence[str]) -> int:
    """The sum of the topics' versions now, as ``JoinedFeed`` counts."""
    rows = (await connection.execute(_VERSIONS, {"topics": list(topics)})).all()
    return sum(int(row.version) for row in rows)


class JoinedFeed:
    """Several topics read as one, by one reader; its version is the sum of theirs.

    A statement that is to hold only while nothing has changed compares ``sum(version)`` of ``topics``.
    """

    def __init__(self, *topics: str) -> None:
        self.topics = topics
        self._seen = dict.fromkeys(topics, 0)

    async def changes_since(self, connection: AsyncConnection, version: int) -> Changes:
        """What changed in any topic after the reader had got to ``version``; everything, if that was not its last."""
        rows = (await connection.execute(_VERSIONS, {"topics": list(self.topics)})).all()
        current = {row.topic: int(row.version) for row in rows}
        keys: list[str] = [] if version == sum(self._seen.values()) else [EVERYTHING]
        for topic, seen in self._seen.items():
            if current.get(topic, 0) != seen:
                changes = await changes_since(connection, topic, seen)
                current[topic] = changes.version
                keys += changes.keys
        self._seen = {topic: current.get(topic, 0) for topic in self.topics}
        return Changes(sum(self._seen.values()), tuple(keys))
