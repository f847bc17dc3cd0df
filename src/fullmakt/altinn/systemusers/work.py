"""A use case's transaction: what changes, the audit event and the announcement stand or fall together."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.altinn.systemusers.model import System
from fullmakt.altinn.systemusers.users import store as users
from fullmakt.infra import audit, feed
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import Clock, NewId
from fullmakt.wire.altinn.systemusers import TOPIC

SYSTEM = "systemusers"


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
        keys = user_keys(user, system.id, system.client_ids)
        self.tell(actor, action, f"systemuser:{user}", *keys, system=system.id, **facts)


def user_keys(user: UUID, system_id: str, client_ids: Iterable[str]) -> tuple[str, ...]:
    """What the change feed calls a system user, and whoever is told of it (``wire.altinn.systemusers.TOPIC``)."""
    return (f"systemuser:{user}", f"system:{system_id}", *client_keys(client_ids))


def client_keys(client_ids: Iterable[str]) -> tuple[str, ...]:
    """What the change feed calls clients: as they were registered, and as Maskinporten writes them."""
    return tuple(f"client:{one}" for client_id in client_ids for one in sorted({client_id, client_id.lower()}))


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
