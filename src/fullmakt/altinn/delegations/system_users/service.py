"""Giving to system users, taking back, and telling what they have."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.altinn.delegations import changes, connections, facilitators, store, store_connections
from fullmakt.altinn.delegations.errors import DelegationRefusedError, UnknownDelegationError
from fullmakt.altinn.delegations.model import DelegatedPackage, Offer, Performer, Selection, StoredRight
from fullmakt.altinn.delegations.system_users.checking import Checking
from fullmakt.altinn.delegations.work import Change
from fullmakt.kernel.declarations import Outcome
from fullmakt.wire.altinn.delegations import Given, GivenKind, Giving, GivingRefusedError

Name = tuple[GivenKind, str]


class SystemUserDelegations(Checking):
    """A system user receives as a party does, save that nobody takes it up among those it is connected to."""

    async def change(
        self,
        connection: AsyncConnection,
        system_user: UUID,
        giver: UUID,
        *,
        give: Collection[Giving] = (),
        take: Collection[Name] = (),
        via: UUID | None = None,
        actor: str,
        user_id: int | None = None,
    ) -> int:
        """Give and take back on behalf of ``giver``, in the caller's transaction; how many changes that made.

        ``via`` is the facilitator, where ``giver`` is its client and packages are what it gives. A transaction has one
        change of this kind, after its own statements and before it publishes anything of its own.

        Raises:
            GivingRefusedError: something of it may not be given (``not_permitted``), can not be given through a
                facilitator (``not_through_a_facilitator``), or stands on what has fallen (``fallen``); or a rule of
                delegations is broken, by its own reason.
        """
        _check(give, via)
        by = Performer(actor, user_id)
        async with self._joining(connection) as change:
            made = 0
            for kind, name in take:
                made += await _take(change, giver, system_user, kind, name, via, by)
            for giving in give:
                made += await _give(change, giver, system_user, giving, via, by)
            return made

    async def take_all(
        self,
        connection: AsyncConnection,
        system_user: UUID,
        *,
        giver: UUID | None = None,
        via: UUID | None = None,
        actor: str,
        user_id: int | None = None,
    ) -> int:
        """Take back all that it was given by ``giver``, through ``via``; None: by anybody. Otherwise as ``change``."""
        by = Performer(actor, user_id)
        made = 0
        async with self._joining(connection) as change:
            for one in await self._givers(change, system_user, giver):
                rights, packages = await _stored(change.connection, system_user, one, via)
                for package in packages:
                    made += await connections.take_packages(change, one, system_user, package.package, by, via)
                for right in {(one.right.resource, one.right.instance): one.right for one in rights}.values():
                    made += await changes.take(
                        change, Selection(one, system_user, right.resource, instance=right.instance), by
                    )
        return made

    async def given(
        self, system_user: UUID, *, giver: UUID | None = None, via: UUID | None = None
    ) -> tuple[Given, ...]:
        """What it has been given by ``giver``, through ``via`` (None: by anybody), oldest first.

        Outside a transaction of the caller's: see ``kept``.
        """
        async with self._service.work.database.transaction() as own:
            rights, packages, gifts = await _told(own, system_user, giver, via)
        return _in_order(rights, packages, await facilitators.in_force(packages, gifts, self._parties))

    async def kept(self, connection: AsyncConnection, system_user: UUID) -> tuple[Given, ...]:
        """What it has been given and is kept, oldest first, as the caller's transaction sees it.

        ``holds`` is true of all of it: whether a facilitator has lost a package is not asked, for the register of
        parties would read by another connection, while the caller's holds this one and its locks.
        """
        rights, packages = await _stored(connection, system_user, None, None)
        return _in_order(rights, packages, packages)

    @asynccontextmanager
    async def _joining(self, connection: AsyncConnection) -> AsyncIterator[Change]:
        try:
            async with self._service.work.joining(connection) as change:
                yield change
        except DelegationRefusedError as refusal:
            raise GivingRefusedError(refusal.reason, str(refusal)) from refusal
        except UnknownDelegationError as error:
            raise GivingRefusedError("fallen", str(error)) from error

    async def _givers(self, change: Change, system_user: UUID, giver: UUID | None) -> list[UUID]:
        """Locked in an order that is everybody's, so that nobody waits for one who waits."""
        rights, packages = await _stored(change.connection, system_user, giver, None)
        givers = sorted({one.right.giver for one in rights} | {one.giver for one in packages})
        for one in givers:
            await store.lock_giver(change.connection, one)
        return givers


def _check(give: Iterable[Giving], via: UUID | None) -> None:
    for giving in give:
        if not giving.permitted:
            raise GivingRefusedError("not_permitted", f"{giving.name} may not be given")
        if via is not None and giving.kind is not GivenKind.PACKAGE:
            raise GivingRefusedError("not_through_a_facilitator", "a facilitator gives nothing but access packages")


async def _give(change: Change, giver: UUID, system_user: UUID, giving: Giving, via: UUID | None, by: Performer) -> int:
    if giving.kind is GivenKind.PACKAGE:
        return int(await connections.add_package(change, giver, system_user, giving.name, by, via))
    made = 0
    for source, actions in giving.sources.items():
        offer = Offer(giver, system_user, giving.name, actions, passed_on_from=source)
        made += await changes.give(change, offer, by) is not Outcome.UNCHANGED
    return made


async def _take(
    change: Change, giver: UUID, system_user: UUID, kind: GivenKind, name: str, via: UUID | None, by: Performer
) -> int:
    if kind is GivenKind.PACKAGE:
        return await connections.take_packages(change, giver, system_user, name, by, via)
    return await changes.take(change, Selection(giver, system_user, name), by)


async def _stored(
    connection: AsyncConnection, system_user: UUID, giver: UUID | None, via: UUID | None
) -> tuple[tuple[StoredRight, ...], tuple[DelegatedPackage, ...]]:
    packages = await store_connections.packages(connection, [system_user], giver)
    if via is not None:
        return (), tuple(one for one in packages if one.via == via)
    return await store.between(connection, giver, system_user, None), packages


async def _told(
    connection: AsyncConnection, system_user: UUID, giver: UUID | None, via: UUID | None
) -> tuple[tuple[StoredRight, ...], tuple[DelegatedPackage, ...], frozenset[facilitators.Holding]]:
    rights, packages = await _stored(connection, system_user, giver, via)
    return rights, packages, await facilitators.gifts(connection, packages)


def _in_order(
    rights: Iterable[StoredRight], packages: Iterable[DelegatedPackage], holding: Collection[DelegatedPackage]
) -> tuple[Given, ...]:
    holds = frozenset(holding)
    told = [*map(_given_right, rights), *(_given_package(one, holds=one in holds) for one in packages)]
    return tuple(sorted(told, key=lambda one: (one.created, one.kind, one.name)))


def _given_right(stored: StoredRight) -> Given:
    right = stored.right
    return Given(
        GivenKind.RESOURCE, right.resource, right.giver, right.receiver, right.actions, None, True, right.created
    )


def _given_package(one: DelegatedPackage, *, holds: bool) -> Given:
    return Given(GivenKind.PACKAGE, one.package, one.giver, one.receiver, frozenset(), one.via, holds, one.created)
