"""The tables ``delegations.connection`` and ``delegations.package``, and every statement that touches them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.altinn.delegations.model import Connection, ConnectionRole, DelegatedPackage

_CONNECT = text(
    "INSERT INTO delegations.connection (connection_id, giver, receiver, role, performed_by, created)"
    " VALUES (:connection_id, :giver, :receiver, :role, :performed_by, :now)"
    " ON CONFLICT (giver, role, receiver) DO NOTHING"
)
_CONNECTIONS = text(
    "SELECT connection_id, giver, receiver, role, created FROM delegations.connection"
    " WHERE (CAST(:giver AS uuid) IS NULL OR giver = :giver)"
    " AND (CAST(:receiver AS uuid) IS NULL OR receiver = :receiver)"
    " AND (CAST(:role AS text) IS NULL OR role = :role) ORDER BY created, connection_id"
)
_DISCONNECT = text("DELETE FROM delegations.connection WHERE giver = :giver AND receiver = :receiver AND role = :role")
_GIVE_PACKAGE = text(
    "INSERT INTO delegations.package (delegation_id, giver, receiver, package, via, performed_by, created)"
    " VALUES (:delegation_id, :giver, :receiver, :package, :via, :performed_by, :now)"
    " ON CONFLICT (receiver, giver, package) WHERE revoked IS NULL DO NOTHING"
)
_TAKE_PACKAGES = text(
    "UPDATE delegations.package SET revoked = :now WHERE revoked IS NULL AND giver = :giver AND receiver = :receiver"
    " AND (CAST(:package AS text) IS NULL OR package = :package)"
    " AND (CAST(:via AS uuid) IS NULL OR via = :via) RETURNING package"
)
_PACKAGES = text(
    "SELECT delegation_id, giver, receiver, package, created, via FROM delegations.package WHERE revoked IS NULL"
    " AND (CAST(:receivers AS uuid[]) IS NULL OR receiver = ANY(CAST(:receivers AS uuid[])))"
    " AND (CAST(:giver AS uuid) IS NULL OR giver = :giver) ORDER BY created, delegation_id"
)
_HELD_BY_GIFT = text(
    "SELECT DISTINCT p.receiver, p.giver, p.package"
    " FROM unnest(CAST(:vias AS uuid[]), CAST(:givers AS uuid[]), CAST(:packages AS text[]))"
    " AS wanted (receiver, giver, package)"
    " JOIN delegations.package p USING (receiver, giver, package) WHERE p.revoked IS NULL AND p.via IS NULL"
)


async def connect(
    connection: AsyncConnection,
    connection_id: UUID,
    giver: UUID,
    receiver: UUID,
    role: ConnectionRole,
    performed_by: str,
    now: datetime,
) -> bool:
    """True when they were not connected so before."""
    values = {
        "connection_id": connection_id,
        "giver": giver,
        "receiver": receiver,
        "role": str(role),
        "performed_by": performed_by,
        "now": now,
    }
    return (await connection.execute(_CONNECT, values)).rowcount == 1


async def connections(
    connection: AsyncConnection, giver: UUID | None, receiver: UUID | None, role: ConnectionRole | None
) -> tuple[Connection, ...]:
    """Connections from ``giver``, to ``receiver``, of ``role``; None leaves it open."""
    values = {"giver": giver, "receiver": receiver, "role": None if role is None else str(role)}
    rows = (await connection.execute(_CONNECTIONS, values)).mappings()
    return tuple(Connection(**{**row, "role": ConnectionRole(row["role"])}) for row in rows)


async def disconnect(connection: AsyncConnection, giver: UUID, receiver: UUID, role: ConnectionRole) -> bool:
    """True when they were connected so."""
    values = {"giver": giver, "receiver": receiver, "role": str(role)}
    return (await connection.execute(_DISCONNECT, values)).rowcount == 1


async def give_package(
    connection: AsyncConnection,
    delegation_id: UUID,
    giver: UUID,
    receiver: UUID,
    package: str,
    via: UUID | None,
    performed_by: str,
    now: datetime,
) -> bool:
    """True when it had not been given before."""
    values = {
        "delegation_id": delegation_id,
        "giver": giver,
        "receiver": receiver,
        "package": package,
        "via": via,
        "performed_by": performed_by,
        "now": now,
    }
    return (await connection.execute(_GIVE_PACKAGE, values)).rowcount == 1


async def take_packages(
    connection: AsyncConnection, giver: UUID, receiver: UUID, package: str | None, via: UUID | None, now: datetime
) -> tuple[str, ...]:
    """Withdraw one package, or all of them (None), given through ``via``, or however (None); those that were there."""
    values = {"giver": giver, "receiver": receiver, "package": package, "via": via, "now": now}
    return tuple((await connection.execute(_TAKE_PACKAGES, values)).scalars())


async def packages(
    connection: AsyncConnection, receivers: Collection[UUID] | None, giver: UUID | None
) -> tuple[DelegatedPackage, ...]:
    """Packages given to ``receivers``, by ``giver``; None leaves it open."""
    values = {"receivers": None if receivers is None else list(receivers), "giver": giver}
    return tuple(DelegatedPackage(**row) for row in (await connection.execute(_PACKAGES, values)).mappings())


async def held_by_gift(
    connection: AsyncConnection, entries: Collection[DelegatedPackage]
) -> frozenset[tuple[UUID, UUID, str]]:
    """Facilitator, client and package, where the client itself has given its package to the facilitator."""
    found = await connection.execute(
        _HELD_BY_GIFT,
        {
            "vias": [one.via for one in entries],
            "givers": [one.giver for one in entries],
            "packages": [one.package for one in entries],
        },
    )
    return frozenset((row.receiver, row.giver, row.package) for row in found)
