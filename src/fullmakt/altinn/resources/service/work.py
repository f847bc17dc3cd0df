"""A use case's transaction: the change, the audit event that tells of it, and the announcement, or none of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.infra import audit, feed
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import Clock
from fullmakt.wire.altinn.resources import TOPIC

SYSTEM = "resources"


class Moment(NamedTuple):
    """When a change happens: its number among the changes of all resources, and the time."""

    change_id: int
    now: dt.datetime


@dataclass(slots=True)
class Change:
    """A use case that may change something. ``facts`` go to the audit trail, if it comes to a change."""

    connection: AsyncConnection
    clock: Clock
    facts: dict[str, Any] = field(default_factory=dict)
    happened: bool = False

    async def begin(self, *keys: str) -> Moment:
        """Announce ``keys`` and take a number for the change; what never begins has changed nothing.

        Whoever has a number keeps the feed's lock until it commits. Numbers, and the times read after them, so come to
        light in their order, and a reader of the resource feeds who has seen one has missed none before it.
        """
        change_id = await feed.publish(self.connection, TOPIC, keys)
        self.happened = True
        return Moment(change_id, self.clock())


class Work:
    """Opens use cases."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self.clock = clock

    @asynccontextmanager
    async def changing(self, action: str, subject: str, actor: str) -> AsyncIterator[Change]:
        """A use case that may change ``subject``."""
        async with self.database.transaction() as connection:
            change = Change(connection, self.clock)
            yield change
            if change.happened:
                done = audit.AuditEvent(
                    self.clock(), SYSTEM, action, "done", actor=actor, subject=subject, facts=change.facts
                )
                await audit.record(connection, done)

    async def refused(self, action: str, subject: str, actor: str, reason: str, **facts: Any) -> None:
        """Tell the audit trail of a refusal."""
        await audit.refuse(
            self.database, self.clock(), SYSTEM, action, actor=actor, subject=subject, reason=reason, facts=facts
        )
