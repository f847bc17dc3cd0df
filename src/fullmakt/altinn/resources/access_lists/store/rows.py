"""Rows as what they stand for."""

from __future__ import annotations

from sqlalchemy import RowMapping

from fullmakt.altinn.resources.access_lists.model import AccessList, Connection, ListReference, Member

LIST = "SELECT l.* FROM resources.access_list l"
"""How a statement begins whose rows ``access_list`` reads."""

CONNECTED_LIST = (
    "SELECT l.*, c.resource, c.actions, c.created AS connected, c.updated AS reconnected FROM resources.access_list l"
)
"""How a statement begins that joins connections as ``c``, whose rows ``connection`` reads too."""


def access_list(row: RowMapping) -> AccessList:
    """A list, its connections not looked at."""
    return AccessList(
        id=row["id"],
        reference=ListReference(row["owner"], row["identifier"]),
        name=row["name"],
        description=row["description"],
        created=row["created"],
        updated=row["updated"],
        version=row["version"],
    )


def connection(row: RowMapping) -> Connection:
    """A connection."""
    return Connection(row["resource"], tuple(row["actions"]), row["connected"], row["reconnected"])


def member(row: RowMapping) -> Member:
    """A member, whose identity is yet to be looked up."""
    return Member(row["party_uuid"], row["since"])
