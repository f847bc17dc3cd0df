"""Use cases of a list's members."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.altinn.resources.access_lists import rules
from fullmakt.altinn.resources.access_lists.errors import (
    TOO_MANY_CHANGED,
    TOO_MANY_REPLACED,
    TooManyMembersError,
    UnknownPartyError,
)
from fullmakt.altinn.resources.access_lists.model import (
    ALWAYS,
    AccessList,
    Conditions,
    ListReference,
    Member,
    NotModified,
    Page,
)
from fullmakt.altinn.resources.access_lists.ports import Parties
from fullmakt.altinn.resources.access_lists.service.work import Change, Work, page_of, page_unless_unmodified
from fullmakt.altinn.resources.access_lists.store import reading, writing
from fullmakt.wire.altinn.attributes import PARTY_UUID, Attribute
from fullmakt.wire.altinn.parties import PartyIdentity
from fullmakt.wire.altinn.problems import ValidationFault


class Members:
    """Who is on a list. ``parties`` are named by attributes that the register can tell apart; writes answer with the
    first page of the members that came of it.

    Each write raises ``TooManyMembersError`` (over 100 in one request), ``UnknownListError``,
    ``PreconditionFailedError`` or ``UnknownPartyError``, looked for in that order, and has then changed nothing.
    """

    def __init__(self, work: Work, parties: Parties) -> None:
        self._work = work
        self._parties = parties

    async def page(
        self, reference: ListReference, start: UUID = reading.FIRST, conditions: Conditions = ALWAYS
    ) -> Page[Member] | NotModified:
        """A hundred members by UUID, from ``start`` on.

        Raises:
            UnknownListError: there is no such list.
            PreconditionFailedError: it is not what ``conditions`` say.
        """
        async with self._work.reading(reference) as connection:
            found = await reading.members(connection, reference, start, rules.MEMBERS_PER_PAGE + 1)
        page = page_unless_unmodified(found, rules.MEMBERS_PER_PAGE, conditions)
        return page if isinstance(page, NotModified) else await self._identified(page)

    async def replace(
        self, actor: str, reference: ListReference, parties: Sequence[Attribute], conditions: Conditions = ALWAYS
    ) -> Page[Member]:
        """Let ``parties``, and nobody else, be on the list."""
        known = await self._known(parties, TOO_MANY_REPLACED)
        async with self._work.changing(actor, reference, conditions) as change:
            wanted = resolve(parties, known)
            added, removed = await exchange(change, wanted)
            if added or removed:
                await change.done("access-list:replace-members", added | removed, **_told(added, removed))
            page = await self._first(change.connection, change.row)
        return await self._identified(page)

    async def add(
        self, actor: str, reference: ListReference, parties: Sequence[Attribute], conditions: Conditions = ALWAYS
    ) -> Page[Member]:
        """Let ``parties`` be on the list too; those who are on it stay members since when they were."""
        known = await self._known(parties, TOO_MANY_CHANGED)
        async with self._work.changing(actor, reference, conditions) as change:
            wanted = resolve(parties, known)
            added = await writing.add_members(change.connection, change.row.id, wanted, change.now)
            if added:
                await change.done("access-list:add-members", added, **_told(added, ()))
            page = await self._first(change.connection, change.row)
        return await self._identified(page)

    async def remove(
        self, actor: str, reference: ListReference, parties: Sequence[Attribute], conditions: Conditions = ALWAYS
    ) -> Page[Member]:
        """Let none of ``parties`` be on the list."""
        known = await self._known(parties, TOO_MANY_CHANGED)
        async with self._work.changing(actor, reference, conditions) as change:
            unwanted = resolve(parties, known)
            removed = await writing.remove_members(change.connection, change.row.id, unwanted)
            if removed:
                await change.done("access-list:remove-members", removed, **_told((), removed))
            page = await self._first(change.connection, change.row)
        return await self._identified(page)

    async def _known(
        self, parties: Sequence[Attribute], too_many: ValidationFault
    ) -> Mapping[Attribute, PartyIdentity]:
        """Who is meant, asked before there is a transaction of ours: the register has transactions of its own."""
        if len(parties) > rules.MAX_MEMBERS:
            raise TooManyMembersError(too_many)
        return await self._parties.identify(set(parties)) if parties else {}

    @staticmethod
    async def _first(connection: AsyncConnection, row: AccessList) -> Page[Member]:
        found = await reading.members(connection, row.reference, reading.FIRST, rules.MEMBERS_PER_PAGE + 1)
        assert found is not None  # noqa: S101 - its row is held
        return page_of(found, rules.MEMBERS_PER_PAGE)

    async def _identified(self, page: Page[Member]) -> Page[Member]:
        return replace(page, items=await identified(self._parties, page.items))


def resolve(parties: Collection[Attribute], known: Mapping[Attribute, PartyIdentity]) -> set[UUID]:
    """The parties' UUIDs.

    Raises:
        UnknownPartyError: the register does not know one of them.
    """
    if not known.keys() >= set(parties):
        raise UnknownPartyError
    return {known[party].party_uuid for party in parties}


async def exchange(change: Change, wanted: Collection[UUID]) -> tuple[set[UUID], set[UUID]]:
    """Let ``wanted``, and nobody else, be on the list that is held; tell who has come, and who is gone."""
    removed = await writing.keep_members(change.connection, change.row.id, wanted)
    added = await writing.add_members(change.connection, change.row.id, wanted, change.now)
    return added, removed


async def identified(parties: Parties, members: Sequence[Member]) -> tuple[Member, ...]:
    """The members with their identities."""
    if not members:
        return ()
    attributes = {member.party: Attribute(PARTY_UUID, str(member.party)) for member in members}
    known = await parties.identify(attributes.values())
    return tuple(replace(member, identity=known.get(attributes[member.party])) for member in members)


def _told(added: Collection[UUID], removed: Collection[UUID]) -> dict[str, list[str]]:
    return {"added": sorted(map(str, added)), "removed": sorted(map(str, removed))}
