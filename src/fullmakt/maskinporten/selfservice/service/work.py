"""A use case's transaction: what changes, the audit event that tells of it and the announcement stand or fall together.

A denial is told in a transaction of its own, since the use case's is rolled back.
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
from fullmakt.infra.telemetry import current_trace
from fullmakt.kernel.clock import Clock
from fullmakt.maskinporten.selfservice.errors import DeniedError
from fullmakt.wire.maskinporten.registry import TOPIC

SYSTEM = "selfservice"


@dataclass(slots=True)
class Change:
    """A use case that changes something: its transaction, its time, and what it says about itself at the end.

    Without an announcement nothing changed, and no audit event is written.
    """

    connection: AsyncConnection
    now: dt.datetime
    announced: set[str] = field(default_factory=set)
    facts: dict[str, Any] = field(default_factory=dict)

    def announce(self, *keys: str) -> None:
        """Tell readers of the registry to look again; keys as ``wire.maskinporten.registry.TOPIC`` has them."""
        self.announced.update(keys)


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
            await self._tell_denial(denied, actor, action, subject)
            raise

    @asynccontextmanager
    async def changing(self, actor: str, action: str, subject: str) -> AsyncIterator[Change]:
        """A use case that changes the registry.

        Raises:
            DeniedError: raised inside, and audited.
        """
        try:
            async with self._database.transaction() as connection:
                change = Change(connection, self.clock())
                yield change
                if change.announced:
                    await audit.record(
                        connection, self._event(change.now, actor, action, subject, "done", facts=change.facts)
                    )
                    await feed.publish(connection, TOPIC, change.announced)
        except DeniedError as denied:
            await self._tell_denial(denied, actor, action, subject)
            raise

    async def _tell_denial(self, denied: DeniedError, actor: str, action: str, subject: str) -> None:
        async with self._database.transaction() as connection:
            event = self._event(self.clock(), actor, action, subject, "deny", reason=denied.reason)
            await audit.record(connection, event)

    @staticmethod
    def _event(
        at: dt.datetime,
        actor: str,
        action: str,
        subject: str,
        outcome: str,
        *,
        reason: str = "",
        facts: dict[str, Any] | None = None,
    ) -> audit.AuditEvent:
        trace = current_trace.get()
        return audit.AuditEvent(
            at=at,
            system=SYSTEM,
            action=action,
            outcome=outcome,
            trace_id=trace.trace_id if trace else "",
            actor=actor,
            subject=subject,
            reason=reason,
            facts=facts or {},
        )
