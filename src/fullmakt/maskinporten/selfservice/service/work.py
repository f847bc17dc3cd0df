"""A use case's transaction: what changes, the audit event that tells of it and the announcement stand or fall together.

A refusal is told in a transaction of its own, since the use case's is rolled back. Of those who only look, denials are
told and nothing else: looking for what is not there is no event.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.infra import audit, feed
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import Clock
from fullmakt.maskinporten.selfservice.errors import DeniedError, SelfServiceError
from fullmakt.wire.maskinporten.registry import TOPIC

SYSTEM = "selfservice"


@dataclass(slots=True)
class Change:
    """A use case that may change something: its transaction, its time, and what it says about itself at the end.

    As long as it does not say ``done``, nothing has changed and nobody is told.
    """

    connection: AsyncConnection
    now: dt.datetime
    happened: bool = False
    announced: set[str] = field(default_factory=set)
    facts: dict[str, Any] = field(default_factory=dict)

    def done(self, *keys: str, **facts: Any) -> None:
        """Say that something has changed: ``keys`` for the registry's readers (``wire.maskinporten.registry.TOPIC``),
        ``facts`` for the audit trail."""
        self.happened = True
        self.announced.update(keys)
        self.facts.update(facts)


class Work:
    """Opens use cases."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self.clock = clock

    @asynccontextmanager
    async def reading(self, actor: str, action: str, subject: str = "") -> AsyncIterator[AsyncConnection]:
        """A use case that only looks.

        Raises:
            DeniedError: raised inside, and audited.
        """
        try:
            async with self._database.transaction() as connection:
                yield connection
        except DeniedError as denied:
            await self.tell_refusal(denied, actor, action, subject)
            raise

    @asynccontextmanager
    async def changing(self, actor: str, action: str, subject: str) -> AsyncIterator[Change]:
        """A use case that changes the registry.

        Raises:
            SelfServiceError: raised inside, and audited.
        """
        try:
            async with self._database.transaction() as connection:
                change = Change(connection, self.clock())
                yield change
                if change.happened:
                    done = audit.AuditEvent(
                        change.now, SYSTEM, action, "done", actor=actor, subject=_storable(subject), facts=change.facts
                    )
                    await audit.record(connection, done)
                if change.announced:
                    await feed.publish(connection, TOPIC, change.announced)
        except SelfServiceError as refusal:
            await self.tell_refusal(refusal, actor, action, subject)
            raise

    async def tell_refusal(self, refusal: SelfServiceError, actor: str, action: str, subject: str) -> None:
        """Audit a refusal, for use cases that refuse outside a transaction."""
        denied = audit.AuditEvent(
            self.clock(), SYSTEM, action, "deny", actor=actor, subject=_storable(subject), reason=refusal.reason,
            facts={"faults": [fault.message for fault in refusal.faults]},
        )  # fmt: skip
        async with self._database.transaction() as connection:
            await audit.record(connection, denied)


def _storable(subject: str) -> str:
    """What was asked about, as PostgreSQL can hold it: it comes from a path, where anything can stand."""
    return subject[:255] if subject.isprintable() else "(not printable)"
