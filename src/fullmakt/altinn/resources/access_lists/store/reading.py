"""Statements that only look. Each answer about one list is of one statement, and so of one version of the list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.altinn.resources.access_lists.model import AccessList, Connection, Grant, ListReference, Member
from fullmakt.altinn.resources.access_lists.store import rows

_ONE = "WHERE l.owner = :owner AND l.identifier = :identifier AND NOT l.deleted"
_FIND = text(f"{rows.LIST} {_ONE}")
_FIND_CONNECTED = text(
    f"{rows.CONNECTED_LIST} LEFT JOIN resources.access_list_connection c ON c.list_id = l.id {_ONE} ORDER BY c.resource"
)
_PAGE = text(
    f"{rows.CONNECTED_LIST}"
    " LEFT JOIN resources.access_list_connection c ON c.list_id = l.id AND c.resource = CAST(:resource AS text)"
    " WHERE l.owner = :owner AND l.identifier >= :start AND NOT l.deleted ORDER BY l.identifier LIMIT :count"
)
_MEMBERS = text(
    "SELECT l.*, m.party_uuid, m.since FROM resources.access_list l"
    " LEFT JOIN LATERAL (SELECT party_uuid, since FROM resources.access_list_member"
    "   WHERE list_id = l.id AND party_uuid >= :start ORDER BY party_uuid LIMIT :count) m ON true"
    " WHERE l.owner = :owner AND l.identifier = :identifier AND NOT l.deleted ORDER BY m.party_uuid"
)
_CONNECTIONS = text(
    "SELECT l.*, c.resource, c.actions, c.created AS connected, c.updated AS reconnected FROM resources.access_list l"
    " LEFT JOIN LATERAL (SELECT * FROM resources.access_list_connection"
    "   WHERE list_id = l.id AND resource >= :start ORDER BY resource LIMIT :count) c ON true"
    " WHERE l.owner = :owner AND l.identifier = :identifier AND NOT l.deleted ORDER BY c.resource"
)
_GRANTS = text(
    "SELECT l.owner, l.identifier, m.party_uuid, m.since, c.resource, c.actions FROM resources.access_list_member m"
    " JOIN resources.access_list l ON l.id = m.list_id"
    " JOIN resources.access_list_connection c ON c.list_id = m.list_id"
    " WHERE m.party_uuid = :party AND (CAST(:resource AS text) IS NULL OR c.resource = :resource)"
    " ORDER BY l.owner, l.identifier, c.resource"
)
_OF_MEMBER = text(
    f"{rows.LIST} JOIN resources.access_list_member m ON m.list_id = l.id WHERE m.party_uuid = :party"
    " ORDER BY l.owner, l.identifier"
)
_ALL = text(f"{rows.LIST} WHERE NOT l.deleted ORDER BY l.owner, l.identifier")

FIRST = UUID(int=0)
"""No party UUID comes before it."""


async def find(connection: AsyncConnection, reference: ListReference) -> AccessList | None:
    """The list by itself."""
    row = (await connection.execute(_FIND, reference._asdict())).mappings().first()
    return rows.access_list(row) if row else None


async def find_connected(connection: AsyncConnection, reference: ListReference) -> AccessList | None:
    """The list with all of its connections."""
    found = (await connection.execute(_FIND_CONNECTED, reference._asdict())).mappings().all()
    return _connected(found) if found else None


async def page(
    connection: AsyncConnection, owner: str, start: str, count: int, resource: str | None
) -> list[AccessList]:
    """At most ``count`` of the owner's lists, from identifier ``start``; with their connection to ``resource``."""
    values = {"owner": owner, "start": start, "count": count, "resource": resource}
    found = (await connection.execute(_PAGE, values)).mappings()
    return [rows.access_list(row) if resource is None else _connected([row]) for row in found]


async def members(
    connection: AsyncConnection, reference: ListReference, start: UUID, count: int
) -> tuple[AccessList, list[Member]] | None:
    """The list, and at most ``count`` of its members from ``start`` on, by UUID."""
    values = {**reference._asdict(), "start": start, "count": count}
    found = (await connection.execute(_MEMBERS, values)).mappings().all()
    if not found:
        return None
    return rows.access_list(found[0]), [rows.member(row) for row in found if row["party_uuid"] is not None]


async def connections(
    connection: AsyncConnection, reference: ListReference, start: str, count: int
) -> tuple[AccessList, list[Connection]] | None:
    """The list, and at most ``count`` of its connections from ``start`` on, by resource."""
    values = {**reference._asdict(), "start": start, "count": count}
    found = (await connection.execute(_CONNECTIONS, values)).mappings().all()
    if not found:
        return None
    return rows.access_list(found[0]), _connections(found)


async def grants(connection: AsyncConnection, party: UUID, resource: str | None) -> list[Grant]:
    """What the party may use by access lists, ``resource`` alone or anything."""
    found = (await connection.execute(_GRANTS, {"party": party, "resource": resource})).mappings()
    return [
        Grant(
            of=ListReference(row["owner"], row["identifier"]),
            party=row["party_uuid"],
            since=row["since"],
            resource=row["resource"],
            actions=tuple(row["actions"]),
        )
        for row in found
    ]


async def lists_of_member(connection: AsyncConnection, party: UUID) -> list[AccessList]:
    """The lists that the party is on."""
    return [rows.access_list(row) for row in (await connection.execute(_OF_MEMBER, {"party": party})).mappings()]


async def every(connection: AsyncConnection) -> list[ListReference]:
    """Every list there is."""
    return [rows.access_list(row).reference for row in (await connection.execute(_ALL)).mappings()]


def _connected(found: Sequence[RowMapping]) -> AccessList:
    return replace(rows.access_list(found[0]), connections=tuple(_connections(found)))


def _connections(found: Sequence[RowMapping]) -> list[Connection]:
    return [rows.connection(row) for row in found if row["resource"] is not None]
