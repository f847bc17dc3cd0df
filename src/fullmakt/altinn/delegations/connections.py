"""Connecting and parting two parties, and giving packages, inside a use case's transaction."""

from __future__ import annotations

from uuid import UUID

from fullmakt.altinn.delegations import changes, store, store_connections
from fullmakt.altinn.delegations.errors import DelegationRefusedError
from fullmakt.altinn.delegations.model import ConnectionRole, Performer, Selection, StoredRight
from fullmakt.altinn.delegations.work import Change
from fullmakt.kernel.text import is_name


async def connect(change: Change, giver: UUID, receiver: UUID, role: ConnectionRole, by: Performer) -> bool:
    """Take ``receiver`` up among those that ``giver`` delegates to; False when it is there already.

    Raises:
        DelegationRefusedError: both are the same.
    """
    if giver == receiver:
        raise DelegationRefusedError("to_oneself", "nobody delegates to itself")
    connection_id = change.fresh_id()
    if not await store_connections.connect(
        change.connection, connection_id, giver, receiver, role, by.actor, change.now
    ):
        return False
    _tell(change, "connection:create", giver, receiver, by, role=str(role))
    return True


async def is_connected(change: Change, giver: UUID, receiver: UUID, role: ConnectionRole) -> bool:
    """True when ``receiver`` is there already."""
    return bool(await store_connections.connections(change.connection, giver, receiver, role))


async def part(
    change: Change, giver: UUID, receiver: UUID, role: ConnectionRole, by: Performer, *, cascade: bool
) -> bool:
    """Take ``receiver`` out from among those that ``giver`` delegates to; False when it was not there.

    Raises:
        DelegationRefusedError: something is still delegated, and ``cascade`` does not say to take that back too.
    """
    await store.lock_giver(change.connection, giver)
    if not await is_connected(change, giver, receiver, role):
        return False
    resting = _of_role(await store.between(change.connection, giver, receiver, None), role)
    has_packages = role is ConnectionRole.RIGHTHOLDER and any(
        await store_connections.packages(change.connection, [receiver], giver)
    )
    if (resting or has_packages) and not cascade:
        raise DelegationRefusedError("in_use", "there are delegations that rest on this connection")
    for right in {(one.right.resource, one.right.instance): one.right for one in resting}.values():
        await changes.take(change, Selection(giver, receiver, right.resource, instance=right.instance), by)
    if has_packages:
        await take_packages(change, giver, receiver, None, by)
    await store_connections.disconnect(change.connection, giver, receiver, role)
    _tell(change, "connection:delete", giver, receiver, by, role=str(role))
    return True


def _of_role(found: tuple[StoredRight, ...], role: ConnectionRole) -> list[StoredRight]:
    """API delegations rest on the supplier's connection, all others on the right holder's."""
    return [one for one in found if (one.api is not None) == (role is ConnectionRole.SUPPLIER)]


async def give_package(change: Change, giver: UUID, receiver: UUID, package: str, by: Performer) -> bool:
    """Let ``receiver`` have the access package ``package`` of ``giver``; False when it has.

    Raises:
        DelegationRefusedError: both are the same, or the name is none.
    """
    await store.lock_giver(change.connection, giver)
    await connect(change, giver, receiver, ConnectionRole.RIGHTHOLDER, by)
    return await add_package(change, giver, receiver, package, by)


async def add_package(
    change: Change, giver: UUID, receiver: UUID, package: str, by: Performer, via: UUID | None = None
) -> bool:
    """The same for a receiver that is not taken up among the giver's; ``via`` is the facilitator that gives it.

    Raises:
        DelegationRefusedError: both are the same, the name is none, or it has been given in another way.
    """
    if giver == receiver:
        raise DelegationRefusedError("to_oneself", "nobody delegates to itself")
    if not is_name(package):
        raise DelegationRefusedError("invalid_package", "an access package is named by its identifier")
    await store.lock_giver(change.connection, giver)
    delegation_id = change.fresh_id()
    if not await store_connections.give_package(
        change.connection, delegation_id, giver, receiver, package, via, by.actor, change.now
    ):
        known = await store_connections.packages(change.connection, [receiver], giver)
        if any(one.package == package and one.via != via for one in known):
            raise DelegationRefusedError("given_otherwise", "the receiver has the package in another way")
        return False
    facilitator = {} if via is None else {"via": str(via)}
    _tell(change, "package:give", giver, receiver, by, package=package, **facilitator)
    return True


async def take_packages(
    change: Change, giver: UUID, receiver: UUID, package: str | None, by: Performer, via: UUID | None = None
) -> int:
    """Take one package back, or all (None), given through ``via``, or however (None); how many there were."""
    await store.lock_giver(change.connection, giver)
    taken = await store_connections.take_packages(change.connection, giver, receiver, package, via, change.now)
    for name in taken:
        _tell(change, "package:take", giver, receiver, by, package=name)
    return len(taken)


def _tell(change: Change, action: str, giver: UUID, receiver: UUID, by: Performer, **facts: str) -> None:
    change.tell(by.actor, action, str(receiver), f"to:{receiver}", f"from:{giver}", giver=str(giver), **facts)
