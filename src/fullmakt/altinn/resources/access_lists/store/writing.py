"""Statements that change a list. Whoever sends one holds the list's row, by ``lock`` or ``make``."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.altinn.resources.access_lists.model import AccessList, Connection, ListReference
from fullmakt.altinn.resources.access_lists.store import rows

_LOCK = text(f"{rows.LIST} WHERE l.owner = :owner AND l.identifier = :identifier FOR UPDATE")
_RESERVE = text(
    "INSERT INTO resources.access_list (owner, identifier, name, description, created, updated, version, deleted)"
    " VALUES (:owner, :identifier, '', '', :now, :now, 0, true) ON CONFLICT (owner, identifier) DO NOTHING"
)
_WRITE = text(
    "UPDATE resources.access_list l SET name = :name, description = :description, deleted = false,"
    " created = CASE WHEN l.deleted THEN CAST(:now AS timestamptz) ELSE l.created END"
    " WHERE l.id = :id"
)
_ADVANCE = text(
    "UPDATE resources.access_list l SET version = l.version + 1, updated = :now WHERE l.id = :id RETURNING l.*"
)
_DELETE = text("UPDATE resources.access_list SET deleted = true WHERE id = :id")
_ADD = text(
    "INSERT INTO resources.access_list_member (list_id, party_uuid, since)"
    " SELECT :id, unnest(CAST(:parties AS uuid[])), :now ON CONFLICT DO NOTHING RETURNING party_uuid"
)
_REMOVE = text(
    "DELETE FROM resources.access_list_member WHERE list_id = :id AND party_uuid = ANY(CAST(:parties AS uuid[]))"
    " RETURNING party_uuid"
)
_KEEP = text(
    "DELETE FROM resources.access_list_member WHERE list_id = :id AND party_uuid <> ALL(CAST(:parties AS uuid[]))"
    " RETURNING party_uuid"
)
_MEMBERS = text("SELECT party_uuid FROM resources.access_list_member WHERE list_id = :id LIMIT :most")
# No row comes back when the filter was the same already.
_CONNECT = text(
    "INSERT INTO resources.access_list_connection AS c (list_id, resource, actions, created, updated)"
    " VALUES (:id, :resource, :actions, :now, :now) ON CONFLICT (list_id, resource) DO UPDATE"
    " SET actions = excluded.actions, updated = excluded.updated WHERE c.actions <> excluded.actions"
    " RETURNING c.resource"
)
_CONNECTION = text(
    "SELECT c.resource, c.actions, c.created AS connected, c.updated AS reconnected"
    " FROM resources.access_list_connection c WHERE c.list_id = :id AND c.resource = :resource"
)
_DISCONNECT = text(
    "DELETE FROM resources.access_list_connection c WHERE c.list_id = :id AND c.resource = :resource"
    " RETURNING c.resource, c.actions, c.created AS connected, c.updated AS reconnected"
)
_KEEP_CONNECTIONS = text(
    "DELETE FROM resources.access_list_connection WHERE list_id = :id AND resource <> ALL(CAST(:resources AS text[]))"
    " RETURNING resource"
)


class Locked(NamedTuple):
    """A list's row, held until the transaction ends; ``there`` is false when the list is made only now, or deleted."""

    row: AccessList
    there: bool


async def lock(connection: AsyncConnection, reference: ListReference) -> Locked | None:
    """Hold the list still; None when there never was such a list."""
    row = (await connection.execute(_LOCK, reference._asdict())).mappings().first()
    return Locked(rows.access_list(row), not row["deleted"]) if row else None


async def make(connection: AsyncConnection, reference: ListReference, now: datetime) -> Locked:
    """Hold the list still, and its place where there is none: two that make it at once take turns."""
    locked = await lock(connection, reference)
    if locked is None:
        await connection.execute(_RESERVE, {**reference._asdict(), "now": now})
        locked = await lock(connection, reference)
    assert locked is not None  # noqa: S101 - rows are never deleted
    return locked


async def write(connection: AsyncConnection, list_id: int, name: str, description: str, now: datetime) -> None:
    """Give the list its name and description; one that was not there is, from ``now``."""
    await connection.execute(_WRITE, {"id": list_id, "name": name, "description": description, "now": now})


async def advance(connection: AsyncConnection, list_id: int, now: datetime) -> AccessList:
    """Give the list its next version."""
    return rows.access_list((await connection.execute(_ADVANCE, {"id": list_id, "now": now})).mappings().one())


async def delete(connection: AsyncConnection, list_id: int) -> None:
    """Empty the list, and take it away."""
    await keep_members(connection, list_id, ())
    await disconnect_others(connection, list_id, ())
    await connection.execute(_DELETE, {"id": list_id})


async def add_members(connection: AsyncConnection, list_id: int, parties: Collection[UUID], now: datetime) -> set[UUID]:
    """Those of ``parties`` that were not on the list, and are now."""
    return await _parties(connection, _ADD, list_id, parties, now=now)


async def remove_members(connection: AsyncConnection, list_id: int, parties: Collection[UUID]) -> set[UUID]:
    """Those of ``parties`` that were on the list, and are no more."""
    return await _parties(connection, _REMOVE, list_id, parties)


async def keep_members(connection: AsyncConnection, list_id: int, parties: Collection[UUID]) -> set[UUID]:
    """Those that were on the list, are none of ``parties``, and are on it no more."""
    return await _parties(connection, _KEEP, list_id, parties)


async def _parties(
    connection: AsyncConnection, statement: TextClause, list_id: int, parties: Collection[UUID], **values: object
) -> set[UUID]:
    values |= {"id": list_id, "parties": list(parties)}
    return set((await connection.execute(statement, values)).scalars())


async def members(connection: AsyncConnection, list_id: int, most: int) -> set[UUID]:
    """At most ``most`` of those on the list."""
    return set((await connection.execute(_MEMBERS, {"id": list_id, "most": most})).scalars())


async def connect(
    connection: AsyncConnection, list_id: int, resource: str, actions: Collection[str], now: datetime
) -> bool:
    """Connect the list, or change the connection's filter; False when it was so already."""
    values = {"id": list_id, "resource": resource, "actions": sorted(set(actions)), "now": now}
    return (await connection.execute(_CONNECT, values)).first() is not None


async def connection_to(connection: AsyncConnection, list_id: int, resource: str) -> Connection:
    """The connection, which there is."""
    found = await connection.execute(_CONNECTION, {"id": list_id, "resource": resource})
    return rows.connection(found.mappings().one())


async def disconnect(connection: AsyncConnection, list_id: int, resource: str) -> Connection | None:
    """The connection that there was, and is no more."""
    found = (await connection.execute(_DISCONNECT, {"id": list_id, "resource": resource})).mappings().first()
    return rows.connection(found) if found else None


async def disconnect_others(connection: AsyncConnection, list_id: int, resources: Collection[str]) -> bool:
    """Undo the connections to all but ``resources``; False when there were none."""
    found = await connection.execute(_KEEP_CONNECTIONS, {"id": list_id, "resources": list(resources)})
    return found.first() is not None
