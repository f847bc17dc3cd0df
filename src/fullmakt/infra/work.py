"""A use case's transaction: what changes, the audit event and the announcement stand or fall together."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.infra import audit, feed
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import Clock, NewId


@dataclass
class Change:
    """A use case that may change something: its transaction, its time, its ids, and what it tells of itself at the end.

    As long as nothing is told, nothing has changed and nobody hears of it. A system has a kind of its own, with its
    name in the audit trail, and its topic of the feed.
    """

    system: ClassVar[str]
    topic: ClassVar[str]

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
            audit.AuditEvent(self.now, self.system, action, "done", actor=actor, subject=subject, facts=facts)
        )

    async def publish(self) -> int | None:
        """Write down and announce what has been told, last in the transaction.

        Returns the version of the feed, which orders changes as they are committed; None when nothing is announced.
        """
        for told in self.events:
            await audit.record(self.connection, told)
        return await feed.publish(self.connection, self.topic, self.announced) if self.announced else None


Kind = TypeVar("Kind", bound=Change)


class Work(Generic[Kind]):
    """Opens use cases of one system; ``kind`` is its own kind of change."""

    def __init__(self, kind: type[Kind], database: Database, clock: Clock, new_id: NewId) -> None:
        self._kind = kind
        self.database = database
        self.clock = clock
        self.new_id = new_id

    @asynccontextmanager
    async def changing(self) -> AsyncIterator[Kind]:
        """A use case that changes something."""
        async with self.database.transaction() as connection, self.joining(connection) as change:
            yield change

    @asynccontextmanager
    async def joining(self, connection: AsyncConnection) -> AsyncIterator[Kind]:
        """The same as a part of somebody else's transaction: once in it, and after whatever else takes locks.

        When it ends, the topic of the feed is locked, and whoever waits for that may hold other locks.
        """
        change = self._kind(connection, self.clock(), self.new_id)
        yield change
        await change.publish()

    async def refused(self, actor: str, action: str, subject: str, reason: str, /, **facts: Any) -> None:
        """Keep in the audit trail that somebody was refused, in a transaction of its own."""
        system = self._kind.system
        await audit.refuse(
            self.database, self.clock(), system, action, actor=actor, subject=subject, reason=reason, facts=facts
        )
