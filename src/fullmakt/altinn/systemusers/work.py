"""A use case's transaction: what changes, the audit event and the announcement stand or fall together."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.altinn.systemusers.model import System, client_keys
from fullmakt.altinn.systemusers.register.work import MOST_ANNOUNCED, SYSTEM
from fullmakt.altinn.systemusers.users import store as users
from fullmakt.infra import audit, feed
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import Clock, NewId
from fullmakt.wire.altinn.systemusers import TOPIC


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
    changed_users: list[UUID] = field(default_factory=list)

    def fresh_id(self) -> UUID:
        """An id for something new."""
        return UUID(self.new_id())

    def tell(self, actor: str, action: str, subject: str, /, *keys: str, **facts: Any) -> None:
        """Say that something has changed: ``keys`` for readers of the feed, the rest for the audit trail."""
        self.announced.update(keys)
        self.events.append(
            audit.AuditEvent(self.now, SYSTEM, action, "done", actor=actor, subject=subject, facts=facts)
        )

    def tell_user(self, actor: str, action: str, user: UUID, system: System, /, **facts: Any) -> None:
        """Say that a system user has changed, and with it what is answered to the clients of its system."""
        self.changed_users.append(user)
        subject = f"systemuser:{user}"
        self.tell(actor, action, subject, subject, *concerned(system), system=system.id, **facts)


def concerned(system: System) -> tuple[str, ...]:
    """What the change feed calls the clients that act for the system; whoever there is, when they are very many."""
    clients = system.client_ids
    return (feed.EVERYTHING,) if len(clients) > MOST_ANNOUNCED else client_keys(clients)


class Work:
    """Opens use cases."""

    def __init__(self, database: Database, clock: Clock, new_id: NewId) -> None:
        self.database = database
        self.clock = clock
        self.new_id = new_id

    @asynccontextmanager
    async def changing(self) -> AsyncIterator[Change]:
        """A use case that changes something."""
        async with self.database.transaction() as connection:
            change = Change(connection, self.clock(), self.new_id)
            yield change
            await _publish(change)

    async def refused(self, actor: str, action: str, subject: str, reason: str, /, **facts: Any) -> None:
        """Keep in the audit trail that somebody was refused, in a transaction of its own."""
        async with self.database.transaction() as connection:
            told = audit.AuditEvent(
                self.clock(), SYSTEM, action, "deny", actor=actor, subject=subject, reason=reason, facts=facts
            )
            await audit.record(connection, told)


async def _publish(change: Change) -> None:
    """Write down and announce what the change has told, last in its transaction.

    The feed's version orders changes as they are committed, and so the stream of system users.
    """
    for told in change.events:
        await audit.record(change.connection, told)
    if not change.announced:
        return
    version = await feed.publish(change.connection, TOPIC, change.announced)
    for user in change.changed_users:
        await users.touch(change.connection, user, version, change.now)
