"""The tables ``consents.service`` and ``consents.srr_entry``."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Sequence

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.altinn.consents.srr.documents import condition_document, condition_of
from fullmakt.altinn.consents.srr.model import Condition, Draft, Entry, Right, ServiceDeclaration, ServiceKey

_SERVICE = "SELECT resource, code, edition, uses_srr, one_time, min_level FROM consents.service"
_BY_KEY = text(f"{_SERVICE} WHERE code = :code AND edition = :edition")
_BY_RESOURCE = text(f"{_SERVICE} WHERE resource = :resource")
_SERVICES = text(
    f"{_SERVICE} WHERE CAST(:resources AS text[]) IS NULL OR resource = ANY(CAST(:resources AS text[]))"
    " ORDER BY code, edition"
)
# The row is made first, whichever of the two unique keys another has taken, and then changed if it is the resource's.
_MAKE_SERVICE = text(
    "INSERT INTO consents.service (resource, code, edition, changed) VALUES (:resource, :code, :edition, :now)"
    " ON CONFLICT DO NOTHING"
)
# What is not said stays as it is.
_CHANGE_SERVICE = text(
    "UPDATE consents.service SET code = :code, edition = :edition, uses_srr = coalesce(:uses_srr, uses_srr),"
    " one_time = coalesce(:one_time, one_time), min_level = coalesce(:min_level, min_level), changed = :now"
    " WHERE resource = :resource RETURNING resource"
)
_USE_SRR = text(
    "UPDATE consents.service SET uses_srr = true, changed = :now WHERE resource = :resource AND uses_srr IS NULL"
)
_ENTRY = (
    'SELECT e.entry_id, s.code, s.edition, e.reportee, e."right", e.valid_to, e.condition'
    " FROM consents.srr_entry e JOIN consents.service s USING (resource)"
)
_GET = text(f"{_ENTRY} WHERE e.entry_id = :entry_id")
_LOCK = text(f"{_ENTRY} WHERE e.entry_id = :entry_id FOR UPDATE OF e")
_OF_REPORTEE = text(
    f"{_ENTRY} WHERE s.code = :code AND s.edition = :edition AND e.reportee = :reportee ORDER BY e.entry_id"
)
_PAGE = text(
    f"{_ENTRY} WHERE e.resource = (SELECT resource FROM consents.service WHERE code = :code AND edition = :edition)"  # noqa: S608
    " AND e.entry_id > :after ORDER BY e.entry_id LIMIT :limit"
)
_INSERT = text(
    'INSERT INTO consents.srr_entry (resource, reportee, "right", valid_to, condition, created, changed)'
    " SELECT resource, :reportee, :right, :valid_to, CAST(:condition AS jsonb), :now, :now"
    " FROM consents.service WHERE resource = :resource"
    ' ON CONFLICT (resource, reportee, "right") DO NOTHING RETURNING entry_id'
)
_UPDATE = text(
    "UPDATE consents.srr_entry SET valid_to = :valid_to, condition = CAST(:condition AS jsonb), changed = :now"
    " WHERE entry_id = :entry_id"
)
_DELETE = text("DELETE FROM consents.srr_entry WHERE entry_id = :entry_id")


async def service(connection: AsyncConnection, key: ServiceKey) -> ServiceDeclaration | None:
    """What is known of a service edition."""
    row = (await connection.execute(_BY_KEY, {"code": key.code, "edition": key.edition})).mappings().first()
    return _declaration(row) if row else None


async def service_of_resource(connection: AsyncConnection, resource: str) -> ServiceDeclaration | None:
    """What is known of the service edition that a resource stands for."""
    row = (await connection.execute(_BY_RESOURCE, {"resource": resource})).mappings().first()
    return _declaration(row) if row else None


async def services(connection: AsyncConnection, resources: Collection[str] | None) -> list[ServiceDeclaration]:
    """The services, or those of them with these resources."""
    wanted = None if resources is None else list(resources)
    return [_declaration(row) for row in (await connection.execute(_SERVICES, {"resources": wanted})).mappings()]


async def put_service(connection: AsyncConnection, declaration: ServiceDeclaration, now: dt.datetime) -> bool:
    """Keep what is said of a service; False when another resource stands for it.

    Raises:
        IntegrityError: it stood for another, and can not stand for this one, for the same reason.
    """
    key = declaration.key
    await _make_service(connection, declaration.resource, key, now)
    values = {
        "resource": declaration.resource,
        "code": key.code,
        "edition": key.edition,
        "uses_srr": declaration.uses_srr,
        "one_time": declaration.one_time,
        "min_level": declaration.min_level,
    }
    return (await connection.execute(_CHANGE_SERVICE, {**values, "now": now})).first() is not None


async def use_srr(connection: AsyncConnection, resource: str, key: ServiceKey, now: dt.datetime) -> None:
    """Let the service use SRR from now on, unless it has been said whether it does."""
    await _make_service(connection, resource, key, now)
    await connection.execute(_USE_SRR, {"resource": resource, "now": now})


async def _make_service(connection: AsyncConnection, resource: str, key: ServiceKey, now: dt.datetime) -> None:
    values = {"resource": resource, "code": key.code, "edition": key.edition, "now": now}
    await connection.execute(_MAKE_SERVICE, values)


async def get(connection: AsyncConnection, entry_id: int, *, lock: bool = False) -> Entry | None:
    """The entry with this id; ``lock`` holds it still until the transaction ends."""
    row = (await connection.execute(_LOCK if lock else _GET, {"entry_id": entry_id})).mappings().first()
    return _entry(row) if row else None


async def of_reportee(connection: AsyncConnection, key: ServiceKey, reportee: str) -> Sequence[Entry]:
    """The entries of a service edition for one reportee, oldest first: one for each right at the most."""
    values = {"code": key.code, "edition": key.edition, "reportee": reportee}
    return [_entry(row) for row in (await connection.execute(_OF_REPORTEE, values)).mappings()]


async def page(connection: AsyncConnection, key: ServiceKey, after: int, limit: int) -> Sequence[Entry]:
    """The first ``limit`` entries of a service edition after the one with the id ``after``, oldest first."""
    values = {"code": key.code, "edition": key.edition, "after": after, "limit": limit}
    return [_entry(row) for row in (await connection.execute(_PAGE, values)).mappings()]


async def insert(connection: AsyncConnection, resource: str, draft: Draft, now: dt.datetime) -> int | None:
    """Make an entry; None when there is one of the same service, reportee and right."""
    values = {
        "resource": resource,
        "reportee": draft.reportee,
        "right": str(draft.right),
        "valid_to": draft.valid_to,
        "condition": _json(draft.condition),
        "now": now,
    }
    made = (await connection.execute(_INSERT, values)).scalar()
    return None if made is None else int(made)


async def update(connection: AsyncConnection, entry: Entry, now: dt.datetime) -> None:
    """Keep the entry's time and condition."""
    values = {"entry_id": entry.id, "valid_to": entry.valid_to, "condition": _json(entry.condition), "now": now}
    await connection.execute(_UPDATE, values)


async def delete(connection: AsyncConnection, entry_id: int) -> None:
    """Remove an entry."""
    await connection.execute(_DELETE, {"entry_id": entry_id})


def _json(condition: Condition | None) -> str | None:
    return None if condition is None else json.dumps(condition_document(condition))


def _declaration(row: RowMapping) -> ServiceDeclaration:
    key = ServiceKey(row["code"], row["edition"])
    return ServiceDeclaration(row["resource"], key, row["uses_srr"], row["one_time"], row["min_level"])


def _entry(row: RowMapping) -> Entry:
    return Entry(
        id=row["entry_id"],
        service=ServiceKey(row["code"], row["edition"]),
        reportee=row["reportee"],
        right=Right(row["right"]),
        valid_to=row["valid_to"],
        condition=condition_of(row["condition"]),
    )
