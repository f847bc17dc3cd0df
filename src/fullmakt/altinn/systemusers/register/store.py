"""The tables ``systemusers.system``, ``system_client`` and ``system_change``. Each answer about a system is of one
statement, and so of one version of it."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.altinn.systemusers.documents import right_document, rights_of
from fullmakt.altinn.systemusers.model import System, SystemDefinition
from fullmakt.altinn.systemusers.register.model import ChangeType, SystemChange
from fullmakt.kernel.identifiers import OrgNumber

MOST_CHANGES = 1_000
"""A system's change log tells of no more than its newest changes."""

_SELECT = (
    "SELECT s.*, ARRAY(SELECT c.client_id FROM systemusers.system_client c WHERE c.system = s.internal_id"
    " ORDER BY c.number) AS client_ids FROM systemusers.system s"
)
_FIND = text(f"{_SELECT} WHERE s.system_id = :system_id")
_LOCK = text("SELECT 1 FROM systemusers.system WHERE system_id = :system_id FOR NO KEY UPDATE")
_HOLD = text("SELECT 1 FROM systemusers.system WHERE system_id = :system_id FOR SHARE")
_LIVE = text(f"{_SELECT} WHERE NOT s.deleted ORDER BY s.system_id")
_OF_VENDOR = text(f"{_SELECT} WHERE s.vendor = :vendor AND NOT s.deleted ORDER BY s.system_id")
_OF_CLIENT = text(
    f"{_SELECT} JOIN systemusers.system_client k ON k.system = s.internal_id"
    " WHERE lower(k.client_id) = lower(:client_id) AND k.live"
)
_TAKEN = text(
    "SELECT client_id FROM systemusers.system_client WHERE live AND system IS DISTINCT FROM CAST(:internal_id AS uuid)"
    " AND lower(client_id) = ANY(CAST(:client_ids AS text[]))"
)
_INSERT = text(
    "INSERT INTO systemusers.system"
    " (internal_id, system_id, vendor, name, description, rights, packages, redirect_urls, visible, created, changed)"
    " VALUES (:internal_id, :system_id, :vendor, CAST(:name AS jsonb), CAST(:description AS jsonb),"
    " CAST(:rights AS jsonb), CAST(:packages AS text[]), CAST(:redirect_urls AS text[]), :visible, :now, :now)"
    " ON CONFLICT (system_id) DO NOTHING RETURNING internal_id"
)
_UPDATE = text(
    "UPDATE systemusers.system SET name = CAST(:name AS jsonb), description = CAST(:description AS jsonb),"
    " rights = CAST(:rights AS jsonb), packages = CAST(:packages AS text[]),"
    " redirect_urls = CAST(:redirect_urls AS text[]), visible = :visible, version = version + 1, changed = :now"
    " WHERE internal_id = :internal_id"
)
_DELETE = text(
    "UPDATE systemusers.system SET deleted = true, version = version + 1, changed = :now"
    " WHERE internal_id = :internal_id"
)
_FREE = text("UPDATE systemusers.system_client SET live = false WHERE system = :internal_id")
# Two that exchange clients, each giving up what the other takes, would wait for each other.
_TAKE_TURNS = text("LOCK TABLE systemusers.system_client IN SHARE ROW EXCLUSIVE MODE")
_DROP = text("DELETE FROM systemusers.system_client WHERE system = :internal_id")
# In one order, whoever inserts: two with the same clients wait for each other in turn, and not in a circle.
_CLAIM = text(
    "INSERT INTO systemusers.system_client (system, client_id, number)"
    " SELECT :internal_id, c.client_id, c.number FROM unnest(CAST(:client_ids AS text[])) WITH ORDINALITY"
    " AS c (client_id, number) ORDER BY lower(c.client_id)"
    " ON CONFLICT (lower(client_id)) WHERE live DO NOTHING RETURNING client_id"
)
_LOG = text(
    "INSERT INTO systemusers.system_change (system, changed_by, client_id, change_type, data, created)"
    " VALUES (:system, :changed_by, :client_id, :change_type, CAST(:data AS jsonb), :created)"
)
_CHANGES = text("SELECT * FROM systemusers.system_change WHERE system = :system ORDER BY change_id DESC LIMIT :most")


async def find(connection: AsyncConnection, system_id: str) -> System | None:
    """The system, deleted or not."""
    row = (await connection.execute(_FIND, {"system_id": system_id})).mappings().first()
    return _system(row) if row else None


async def lock(connection: AsyncConnection, system_id: str) -> System | None:
    """The system, and nobody else changes it before the transaction ends."""
    await connection.execute(_LOCK, {"system_id": system_id})
    return await find(connection, system_id)  # a statement of its own, which sees what the lock has waited for


async def hold(connection: AsyncConnection, system_id: str) -> System | None:
    """The system, for who builds on it: it does not change before the transaction ends. Many may hold it at once."""
    await connection.execute(_HOLD, {"system_id": system_id})
    return await find(connection, system_id)


async def live(connection: AsyncConnection) -> list[System]:
    """Every system that is not deleted, by id."""
    return [_system(row) for row in (await connection.execute(_LIVE)).mappings()]


async def of_vendor(connection: AsyncConnection, vendor: OrgNumber) -> list[System]:
    """The vendor's systems that are not deleted, by id."""
    return [_system(row) for row in (await connection.execute(_OF_VENDOR, {"vendor": vendor})).mappings()]


async def of_client(connection: AsyncConnection, client_id: str) -> System | None:
    """The live system that the client acts for, however its id is spelled."""
    row = (await connection.execute(_OF_CLIENT, {"client_id": client_id})).mappings().first()
    return _system(row) if row else None


async def taken(connection: AsyncConnection, client_ids: Collection[str], but_by: UUID | None) -> list[str]:
    """Those of the clients that are on live systems, other than ``but_by``."""
    wanted = {"client_ids": [client_id.lower() for client_id in client_ids], "internal_id": but_by}
    return list((await connection.execute(_TAKEN, wanted)).scalars())


async def insert(connection: AsyncConnection, system: System, now: datetime) -> bool:
    """Keep a new system, its clients aside; False when its id has been given out."""
    return (await connection.execute(_INSERT, _values(system, system.internal_id, now))).first() is not None


async def update(connection: AsyncConnection, internal_id: UUID, to: SystemDefinition, now: datetime) -> None:
    """Give the system, which is locked, another definition, its clients aside."""
    await connection.execute(_UPDATE, _values(to, internal_id, now))


async def claim(connection: AsyncConnection, internal_id: UUID, client_ids: Sequence[str]) -> bool:
    """Put the clients on a new system; False when some other live system has one of them."""
    rows = await connection.execute(_CLAIM, {"internal_id": internal_id, "client_ids": list(client_ids)})
    return len(rows.all()) == len(client_ids)


async def reclaim(connection: AsyncConnection, internal_id: UUID, client_ids: Sequence[str]) -> bool:
    """Put the clients on the system, in place of those that it has; False as with ``claim``."""
    await connection.execute(_TAKE_TURNS)
    await connection.execute(_DROP, {"internal_id": internal_id})
    return await claim(connection, internal_id, client_ids)


async def delete(connection: AsyncConnection, internal_id: UUID, now: datetime) -> None:
    """Mark the system, which is locked, as deleted; its clients are free."""
    await connection.execute(_DELETE, {"internal_id": internal_id, "now": now})
    await connection.execute(_FREE, {"internal_id": internal_id})


async def log(connection: AsyncConnection, change: SystemChange) -> None:
    """Remember a change."""
    values = {
        "system": change.system,
        "changed_by": change.changed_by,
        "client_id": change.client_id,
        "change_type": change.type.value,
        "data": None if change.data is None else json.dumps(change.data),
        "created": change.created,
    }
    await connection.execute(_LOG, values)


async def changes(connection: AsyncConnection, internal_id: UUID) -> list[SystemChange]:
    """The system's newest changes, the last one first."""
    rows = (await connection.execute(_CHANGES, {"system": internal_id, "most": MOST_CHANGES})).mappings()
    return [
        SystemChange(
            row["system"],
            OrgNumber(row["changed_by"]),
            ChangeType(row["change_type"]),
            row["data"],
            row["client_id"],
            row["created"],
        )
        for row in rows
    ]


def _values(system: SystemDefinition, internal_id: UUID, now: datetime) -> dict[str, object]:
    return {
        "internal_id": internal_id,
        "system_id": system.id,
        "vendor": system.vendor,
        "name": json.dumps(dict(system.name)),
        "description": json.dumps(dict(system.description)),
        "rights": json.dumps([right_document(right) for right in system.rights]),
        "packages": list(system.packages),
        "redirect_urls": list(system.redirect_urls),
        "visible": system.visible,
        "now": now,
    }


def _system(row: RowMapping) -> System:
    return System(
        internal_id=row["internal_id"],
        id=row["system_id"],
        vendor=OrgNumber(row["vendor"]),
        name=row["name"],
        description=row["description"],
        rights=rights_of(row["rights"]),
        packages=tuple(row["packages"]),
        client_ids=tuple(row["client_ids"]),
        redirect_urls=tuple(row["redirect_urls"]),
        visible=row["visible"],
        deleted=row["deleted"],
        version=row["version"],
    )
