"""A use case's transaction: a system is held still while it changes, and the change, its entry in the change log, the
audit event and the announcement stand or fall together. A refusal is told in a transaction of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.altinn.systemusers import errors
from fullmakt.altinn.systemusers.errors import DeletedSystemError, StaleVersionError, UnknownSystemError
from fullmakt.altinn.systemusers.model import System, SystemDefinition, client_keys
from fullmakt.altinn.systemusers.register import store
from fullmakt.altinn.systemusers.register.model import ChangeType, Registrant, SystemChange, Versions
from fullmakt.infra import audit, feed
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import Clock
from fullmakt.wire.altinn.problems import AltinnValidationError
from fullmakt.wire.altinn.systemusers import TOPIC

SYSTEM = "systemusers"
MOST_ANNOUNCED = 1_000
"""A change that concerns more clients than this concerns everybody: readers forget all, instead of each of them."""

ACTIONS: Mapping[ChangeType, str] = {
    ChangeType.CREATE: "system:create",
    ChangeType.UPDATE: "system:update",
    ChangeType.RIGHTS: "system:update-rights",
    ChangeType.PACKAGES: "system:update-packages",
    ChangeType.DELETE: "system:delete",
}
"""What the audit trail calls a change."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change, who makes it, and what was sent."""

    registrant: Registrant
    type: ChangeType
    data: Any = None


class Work:
    """Opens use cases."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def reading(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A use case that only looks."""
        return self._database.transaction()

    async def make(self, change: Change, system: System) -> None:
        """Keep a new system.

        Raises:
            AltinnValidationError: its id, or a client of its, is another's.
        """
        now = self._clock()
        async with self._database.transaction() as connection:
            if not await store.insert(connection, system, now):
                raise AltinnValidationError(errors.SYSTEM_ID_TAKEN)
            if not await store.claim(connection, system.internal_id, system.client_ids):
                raise AltinnValidationError(errors.CLIENT_TAKEN)
            await _tell(connection, change, system, system.client_ids, now)

    async def alter(
        self, change: Change, system_id: str, match: Versions, alter: Callable[[System], SystemDefinition]
    ) -> System:
        """Give a system the definition that ``alter`` makes of the one it has; how it is then.

        Raises:
            UnknownSystemError, DeletedSystemError: there is no system to change.
            AltinnValidationError: a client is another's; or whatever ``alter`` finds wrong.
            StaleVersionError: it is not of a version that ``match`` lists.
        """
        async with self._held(system_id) as (connection, before):
            if before.deleted:
                raise DeletedSystemError(system_id)
            after = System.of(alter(before), before.internal_id, before.version + 1)
            _require(match, before)
            now = self._clock()
            await store.update(connection, before.internal_id, after, now)
            if after.client_ids != before.client_ids and not await store.reclaim(
                connection, before.internal_id, after.client_ids
            ):
                raise AltinnValidationError(errors.CLIENT_TAKEN)
            await _tell(connection, change, after, {*before.client_ids, *after.client_ids}, now)
            return after

    async def delete(self, change: Change, system_id: str, match: Versions) -> None:
        """Delete a system, if it is not deleted already.

        Raises:
            UnknownSystemError: there is none.
            StaleVersionError: it is not of a version that ``match`` lists.
        """
        async with self._held(system_id) as (connection, before):
            _require(match, before)
            if not before.deleted:
                now = self._clock()
                await store.delete(connection, before.internal_id, now)
                after = replace(before, deleted=True, version=before.version + 1)
                await _tell(connection, change, after, before.client_ids, now)

    @asynccontextmanager
    async def _held(self, system_id: str) -> AsyncIterator[tuple[AsyncConnection, System]]:
        async with self._database.transaction() as connection:
            before = await store.lock(connection, system_id)
            if before is None:
                raise UnknownSystemError(system_id)
            yield connection, before

    async def tell_refusal(self, actor: str, action: str, subject: str, reason: str, facts: Mapping[str, Any]) -> None:
        """Write a refusal into the audit trail."""
        await audit.refuse(
            self._database, self._clock(), SYSTEM, action, actor=actor, subject=subject, reason=reason, facts=facts
        )


def _require(match: Versions, system: System) -> None:
    if not match.hold(system.version):
        raise StaleVersionError(system.id)


async def _tell(
    connection: AsyncConnection, change: Change, system: System, clients: Collection[str], now: datetime
) -> None:
    who = change.registrant
    entry = SystemChange(system.internal_id, who.organisation, change.type, change.data, who.client_id, now)
    await store.log(connection, entry)
    facts = {"vendor": system.vendor, "version": system.version, "clients": list(system.client_ids)}
    done = audit.AuditEvent(now, SYSTEM, ACTIONS[change.type], "done", actor=who.actor, subject=system.key, facts=facts)
    await audit.record(connection, done)
    concerned = (feed.EVERYTHING,) if len(clients) > MOST_ANNOUNCED else client_keys(clients)
    await feed.publish(connection, TOPIC, [system.key, *concerned])
