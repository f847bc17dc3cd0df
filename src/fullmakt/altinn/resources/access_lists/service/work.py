"""A use case's transaction: a list is held still while it changes, and its new version, the audit event that tells of
it and the announcement stand or fall together. A refusal is told in a transaction of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.altinn.resources.access_lists import rules
from fullmakt.altinn.resources.access_lists.errors import PreconditionFailedError, UnknownListError
from fullmakt.altinn.resources.access_lists.model import (
    AccessList,
    Conditions,
    Item,
    ListReference,
    NotModified,
    Page,
)
from fullmakt.altinn.resources.access_lists.store import writing
from fullmakt.infra import audit, feed
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import Clock
from fullmakt.wire.altinn.resources import TOPIC

SYSTEM = "access-lists"
MOST_ANNOUNCED = 1_000
"""A change that concerns more parties than this concerns everybody: readers forget all, instead of each of them."""


@dataclass(slots=True)
class Change:
    """A list held still. ``before`` is None where there is none; ``row`` is its row, of the version last given.

    As long as it does not say ``done``, nothing has changed and nobody is told.
    """

    connection: AsyncConnection
    now: datetime
    before: AccessList | None
    row: AccessList
    action: str = ""
    parties: set[UUID] = field(default_factory=set)
    facts: dict[str, Any] = field(default_factory=dict)

    async def done(self, action: str, parties: Collection[UUID] = (), **facts: Any) -> AccessList:
        """Say that something has changed, once, and get the list in its new version.

        ``action`` and ``facts`` are for the audit trail; ``parties`` are those who may be allowed more or less now.
        """
        self.action = action
        self.parties.update(parties)
        self.facts.update(facts)
        self.row = await writing.advance(self.connection, self.row.id, self.now)
        return self.row

    async def all_members(self) -> set[UUID]:
        """Those on the list; of a list with more than can be announced, one more than that."""
        return await writing.members(self.connection, self.row.id, MOST_ANNOUNCED + 1)


class Work:
    """Opens use cases."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def reading(self, reference: ListReference | None = None) -> AbstractAsyncContextManager[AsyncConnection]:
        """A use case that only looks, at one list or at what there is.

        Raises:
            UnknownListError: no list can have such an identifier.
        """
        if reference is not None:
            _require_possible(reference)
        return self._database.transaction()

    @asynccontextmanager
    async def changing(self, actor: str, reference: ListReference, conditions: Conditions) -> AsyncIterator[Change]:
        """A use case that changes a list.

        Raises:
            UnknownListError: there is no such list.
            PreconditionFailedError: it is not what ``conditions`` say.
        """
        _require_possible(reference)
        async with self._database.transaction() as connection:
            locked = await writing.lock(connection, reference)
            if locked is None or not locked.there:
                raise UnknownListError
            _require(conditions, locked.row)
            async with self._told(actor, Change(connection, self._clock(), locked.row, locked.row)) as change:
                yield change

    @asynccontextmanager
    async def making(self, actor: str, reference: ListReference, conditions: Conditions) -> AsyncIterator[Change]:
        """A use case that makes a list or changes it.

        Raises:
            PreconditionFailedError: it is not what ``conditions`` say.
        """
        async with self._database.transaction() as connection:
            locked = await writing.make(connection, reference, self._clock())
            before = locked.row if locked.there else None
            _require(conditions, before)
            async with self._told(actor, Change(connection, self._clock(), before, locked.row)) as change:
                yield change

    @asynccontextmanager
    async def _told(self, actor: str, change: Change) -> AsyncIterator[Change]:
        yield change
        if change.action:
            reference = change.row.reference
            facts = {**change.facts, "version": change.row.version}
            done = audit.AuditEvent(
                change.now, SYSTEM, change.action, "done", actor=actor, subject=reference.key, facts=facts
            )
            await audit.record(change.connection, done)
            await feed.publish(change.connection, TOPIC, _keys(reference, change.parties))

    async def tell_refusal(self, actor: str, action: str, subject: str, reason: str, facts: Mapping[str, Any]) -> None:
        """Write a refusal into the audit trail."""
        await audit.refuse(
            self._database, self._clock(), SYSTEM, action, actor=actor, subject=subject, reason=reason, facts=facts
        )


def page_of(found: tuple[AccessList, Sequence[Item]], size: int) -> Page[Item]:
    """The first ``size`` of what was found of a list; one more than that tells where the next page begins."""
    of, items = found
    return Page(of, tuple(items[:size]), items[size] if len(items) > size else None)


def page_unless_unmodified(
    found: tuple[AccessList, Sequence[Item]] | None, size: int, conditions: Conditions
) -> Page[Item] | NotModified:
    """The same for who may have it already.

    Raises:
        UnknownListError: there is no such list: nothing was found.
        PreconditionFailedError: it is not what ``conditions`` say.
    """
    if found is None:
        raise UnknownListError
    return NotModified(found[0]) if unmodified(conditions, found[0]) else page_of(found, size)


def unmodified(conditions: Conditions, found: AccessList) -> bool:
    """True when who reads has what there is.

    Raises:
        PreconditionFailedError: the list is not what ``conditions`` say.
    """
    verdict = rules.verdict(conditions, found, reading=True)
    if verdict is rules.Verdict.FAILED:
        raise PreconditionFailedError
    return verdict is rules.Verdict.NOT_MODIFIED


def _require_possible(reference: ListReference) -> None:
    """What comes from a path may be anything, also what PostgreSQL can not hold."""
    if rules.identifier_fault(reference.identifier) is not None:
        raise UnknownListError


def _require(conditions: Conditions, found: AccessList | None) -> None:
    if rules.verdict(conditions, found, reading=False) is rules.Verdict.FAILED:
        raise PreconditionFailedError


def _keys(reference: ListReference, parties: Collection[UUID]) -> list[str]:
    members = [feed.EVERYTHING] if len(parties) > MOST_ANNOUNCED else [f"member:{party}" for party in parties]
    return [reference.key, *members]
