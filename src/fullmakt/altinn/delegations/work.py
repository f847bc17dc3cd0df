"""A use case's transaction: what changes, the audit event and the announcement stand or fall together."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.infra import audit, feed
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import Clock, NewId
from fullmakt.wire.altinn.delegations import TOPIC

SYSTEM = "delegations"


@dataclass(slots=True)
class Change:
    """A use case that may change something: its transaction, its time, its ids, and what it tells of itself at the end.

    As long as nothing is told, nothing has changed and nobody hears of it.
    """

    connection: AsyncConnection
    now: dt.datetime
    new_id: NewId
    announced: set[str] = field(default_factory=set)
    events: list[audit.AuditEvent] = field(default_factory=list)

    def fresh_id(self) -> UUID:
        """An id for something new."""
        return UUID(self.new_id())

    def tell(self, actor: str, action: str, subject: str, /, *keys: str, **facts: Any) -> None:
        """Say that something has changed: ``keys`` for readers of the feed, the rest for the audit trail."""
        self.announced.update(keys)
        self.events.append(
            audit.AuditEvent(self.now, SYSTEM, action, "done", actor=actor, subject=subject, facts=facts)
        )


class Work:
    """Opens use cases."""

    def __init__(self, database: Database, clock: Clock, new_id: NewId) -> None:
        self.database = database
        self.clock = clock
        self.new_id = new_id

    @asynccontextmanager
    async def changing(self) -> AsyncIterator[Change]:
        """A use case that changes something."""
        async with self.database.transaction() as connection, self.joining(connection) as change:
            yield change

    @asynccontextmanager
    async def joining(self, connection: AsyncConnection) -> AsyncIterator[Change]:
        """The same as a part of somebody else's transaction: once in it, and after whatever else takes locks.

        When it ends, the topic of the feed is locked, and whoever waits for that may hold a giver's lock.
        """
        change = Change(connection, self.clock(), self.new_id)
        yield change
        await publish(change)

    async def refused(self, actor: str, action: str, subject: str, reason: str, /, **facts: Any) -> None:
        """Keep in the audit trail that somebody was refused, in a transaction of its own."""
        async with self.database.transaction() as connection:
            told = audit.AuditEvent(
                self.clock(), SYSTEM, action, "deny", actor=actor, subject=subject, reason=reason, facts=facts
            )
            await audit.record(connection, told)


async def publish(change: Change) -> None:
    """Write down and announce what the change has told, last in its transaction."""
    for told in change.events:
        await audit.record(change.connection, told)
    if change.announced:
        await feed.publish(change.connection, TOPIC, change.announced)
