"""Packages that came through a facilitator: an accountant gives its agent what it holds itself in a client.

Nobody takes such a package back when the accountant loses the client; it counts for nothing from that moment on.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.altinn.delegations import store_connections
from fullmakt.altinn.delegations.model import DelegatedPackage
from fullmakt.altinn.delegations.ports import Holdings
from fullmakt.wire.altinn import attributes as ids

Holding = tuple[UUID, UUID, str]
"""Facilitator, client and package."""


async def gifts(connection: AsyncConnection, found: Collection[DelegatedPackage]) -> frozenset[Holding]:
    """Where the facilitator of one of ``found`` was given the package by the client itself."""
    through = [one for one in found if one.via is not None]
    return await store_connections.held_by_gift(connection, through) if through else frozenset()


async def in_force(
    found: Sequence[DelegatedPackage], given: Collection[Holding], register: Holdings
) -> tuple[DelegatedPackage, ...]:
    """Those of ``found`` that count: not those whose facilitator neither was ``given`` the package, nor holds it by the
    register. Outside a transaction, since the register reads by connections of its own."""
    clients: dict[UUID, set[UUID]] = {}
    for one in found:
        if one.via is not None and (one.via, one.giver, one.package) not in given:
            clients.setdefault(one.via, set()).add(one.giver)
    holds = set(given)
    for facilitator, givers in clients.items():
        holds |= await _registered(facilitator, givers, register)
    return tuple(one for one in found if one.via is None or (one.via, one.giver, one.package) in holds)


async def _registered(facilitator: UUID, clients: Collection[UUID], register: Holdings) -> set[Holding]:
    if len(clients) == 1:  # a decision concerns one client, of an agent that may have thousands
        (client,) = clients
        held = {client: (await register.held(facilitator, client)).packages}
    else:
        held = {party.party_uuid: rights.packages for party, rights in await register.held_by(facilitator)}
    return {
        (facilitator, client, package.value)
        for client, packages in held.items()
        for package in packages
        if package.id == ids.ACCESS_PACKAGE
    }
