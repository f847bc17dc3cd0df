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
    "INSERT INTO delegations.package (delegation_id, giver, receiver, package, performed_by, created)"
    " VALUES (:delegation_id, :giver, :receiver, :package, :performed_by, :now)"
    " ON CONFLICT (receiver, giver, package) WHERE revoked IS NULL DO NOTHING"
)
_TAKE_PACKAGES = text(
    "UPDATE delegations.package SET revoked = :now WHERE revoked IS NULL AND giver = :giver AND receiver = :receiver"
    " AND (CAST(:package AS text) IS NULL OR package = :package) RETURNING package"
)
_PACKAGES = text(
    "SELECT delegation_id, giver, receiver, package, created FROM delegations.package WHERE revoked IS NULL"
    " AND (CAST(:receivers AS uuid[]) IS NULL OR receiver = ANY(CAST(:receivers AS uuid[])))"
    " AND (CAST(:giver AS uuid) IS NULL OR giver = :giver) ORDER BY created, delegation_id"
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
    performed_by: str,
    now: datetime,
) -> bool:
    """True when it had not been given before."""
    values = {
        "delegation_id": delegation_id,
        "giver": giver,
        "receiver": receiver,
        "package": package,
        "performed_by": performed_by,
        "now": now,
    }
    return (await connection.execute(_GIVE_PACKAGE, values)).rowcount == 1


async def take_packages(
    connection: AsyncConnection, giver: UUID, receiver: UUID, package: str | None, now: datetime
) -> tuple[str, ...]:
    """Withdraw one package, or all of them (None); those that were in force."""
    values = {"giver": giver, "receiver": receiver, "package": package, "now": now}
    return tuple((await connection.execute(_TAKE_PACKAGES, values)).scalars())


async def packages(
    connection: AsyncConnection, receivers: Collection[UUID] | None, giver: UUID | None
) -> tuple[DelegatedPackage, ...]:
    """Packages given to ``receivers``, by ``giver``; None leaves it open."""
    values = {"receivers": None if receivers is None else list(receivers), "giver": giver}
    return tuple(DelegatedPackage(**row) for row in (await connection.execute(_PACKAGES, values)).mappings())
