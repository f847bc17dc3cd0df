"""The decision point writes to the audit trail alone, and only what still holds (docs/decisions/0002, 0003)."""

from __future__ import annotations

from collections.abc import Sequence

from fullmakt.altinn.decisions.ports import JournalEntry
from fullmakt.infra.database import Database, DatabaseUnavailableError
from fullmakt.infra.feed import Changes, JoinedFeed
from fullmakt.infra.group_commit import BATCH, Connection, GroupCommit, Split, Waiting
from fullmakt.wire.altinn import delegations, parties, resources, systemusers

TOPICS = (parties.TOPIC, resources.TOPIC, delegations.TOPIC, systemusers.TOPIC)

_RECORD = f"""
WITH feeds AS (
    SELECT coalesce(sum(version), 0)::bigint AS version FROM feed.version
    WHERE topic IN ({", ".join(f"'{topic}'" for topic in TOPICS)})
), recorded AS (
    INSERT INTO audit.event (at, system, action, outcome, reason, trace_id, actor, subject, facts)
    SELECT %b, 'decisions', e.action, e.outcome, e.reason, e.trace_id, e.actor, e.subject, e.facts
    FROM feeds, json_to_recordset(%b::text::json) AS e (
        action text, outcome text, reason text, trace_id text, actor text, subject text, facts jsonb
    )
    WHERE feeds.version = %b
)
SELECT version FROM feeds
"""  # noqa: S608 - the topics are constants


class DecisionFeed:
    """The change feeds of parties, resources, delegations and system users as one."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._feed = JoinedFeed(*TOPICS)

    async def changes_since(self, version: int) -> Changes:
        """What changed after ``version``."""
        async with self._database.transaction() as connection:
            return await self._feed.changes_since(connection, version)


class DecisionJournal(GroupCommit[JournalEntry, bool]):
    """Writes decisions into the audit trail, up to 32 requests at a time."""

    def next_batch(self, waiting: list[Waiting[JournalEntry, bool]]) -> Split[JournalEntry, bool]:
        """Up to 32 that were decided on the same version of the feeds."""
        version = waiting[0][0].version
        batch: list[Waiting[JournalEntry, bool]] = []
        rest: list[Waiting[JournalEntry, bool]] = []
        for item in waiting:
            (batch if item[0].version == version and len(batch) < BATCH else rest).append(item)
        return batch, rest

    async def write_items(self, connection: Connection, items: Sequence[JournalEntry]) -> list[bool]:
        """One statement for all of them."""
        document = b"[" + b",".join([event for item in items for event in item.events]) + b"]"
        cursor = await connection.cursor(binary=True).execute(
            _RECORD, (items[0].at, document.decode(), items[0].version), prepare=True
        )
        row = await cursor.fetchone()
        if row is None:
            raise DatabaseUnavailableError("no answer")
        return [row[0] == items[0].version] * len(items)
