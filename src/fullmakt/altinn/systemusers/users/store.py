"""The table ``systemusers.system_user``, and every statement that touches it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.altinn.systemusers.users.model import Owner, SystemUser
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn.systemusers import SystemUserQuestion, UserType

_COLUMNS = (
    "u.system_user_id, u.number, u.kind, s.system_id, s.vendor, s.deleted AS system_deleted, u.owner,"
    " u.owner_party_id, u.orgno, u.external_ref, u.integration_title, u.packages, u.deleted, u.created, u.changed,"
    " u.sequence_no"
)
_USER = (
    f"SELECT {_COLUMNS} FROM systemusers.system_user u"  # noqa: S608 - our own words, here and below
    " JOIN systemusers.system s ON s.internal_id = u.system"
)
_INSERT = text(
    "INSERT INTO systemusers.system_user (system_user_id, kind, system, owner, owner_party_id, orgno, external_ref,"
    " integration_title, packages, created, changed)"
    " SELECT :system_user_id, :kind, internal_id, :owner, :owner_party_id, :orgno, :external_ref, :integration_title,"
    " :packages, :created, :created FROM systemusers.system WHERE system_id = :system_id ON CONFLICT DO NOTHING"
)
_GET = text(f"{_USER} WHERE u.system_user_id = :system_user_id")
_MANY = text(f"{_USER} WHERE u.system_user_id = ANY(:system_user_ids)")
_LOCK = text(f"{_USER} WHERE u.system_user_id = :system_user_id FOR UPDATE OF u")
_LIVE = text(
    f"{_USER} WHERE s.system_id = :system_id AND u.orgno = :orgno AND u.external_ref = :external_ref AND NOT u.deleted"
)
_OF_OWNER = text(
    f"{_USER} WHERE u.owner = :owner AND u.kind = :kind AND NOT u.deleted AND NOT s.deleted ORDER BY u.number"
)
_OF_SYSTEM = text(
    f"{_USER} WHERE s.system_id = :system_id AND u.number > :after AND NOT u.deleted ORDER BY u.number LIMIT :limit"
)
_LIVE_IN_SYSTEM = "s.system_id = :system_id AND NOT s.deleted AND NOT u.deleted"
_OWN = text(
    f"{_USER} WHERE {_LIVE_IN_SYSTEM} AND u.orgno = :orgno AND u.kind = 'standard' ORDER BY u.number LIMIT :limit"
)
_AGENTS = text(
    f"{_USER} WHERE u.system_user_id = ANY(CAST(:system_user_ids AS uuid[])) AND {_LIVE_IN_SYSTEM} AND u.kind = 'agent'"
    " ORDER BY u.number LIMIT :limit"
)
_OF_ORGANISATION = (
    "SELECT 1 FROM systemusers.system_user u JOIN systemusers.system s ON s.internal_id = u.system"
    " WHERE s.system_id = :system_id AND u.orgno = :orgno"
)
_STANDING = text(
    f"SELECT EXISTS ({_OF_ORGANISATION} AND NOT u.deleted) AS live,"
    f" EXISTS ({_OF_ORGANISATION} AND u.deleted) AS gone,"
    f" EXISTS ({_OF_ORGANISATION} AND u.deleted AND u.external_ref = :reference) AS very_one_gone"
)
_CHANGED_AFTER = text(f"{_USER} WHERE u.sequence_no > :after ORDER BY u.sequence_no LIMIT :limit")
_SEQUENCE_MAX = text("SELECT coalesce(max(sequence_no), 0) FROM systemusers.system_user")
_FIND = text(
    f"SELECT asked.place, {_COLUMNS} FROM unnest(CAST(:clients AS text[]), CAST(:vendors AS text[]),"  # noqa: S608
    " CAST(:owners AS text[]), CAST(:references AS text[])) WITH ORDINALITY"
    " AS asked (client_id, vendor, orgno, external_ref, place)"
    " JOIN systemusers.system_client c ON lower(c.client_id) = lower(asked.client_id) AND c.live"
    " JOIN systemusers.system s ON s.internal_id = c.system AND s.vendor = asked.vendor AND NOT s.deleted"
    " JOIN systemusers.system_user u ON u.system = s.internal_id AND u.orgno = asked.orgno"
    " AND u.external_ref = asked.external_ref AND NOT u.deleted"
)
_DELETE = text(
    "UPDATE systemusers.system_user SET deleted = true, changed = :now WHERE system_user_id = :system_user_id"
)
_DESCRIBE = text(
    "UPDATE systemusers.system_user SET integration_title = :integration_title, packages = :packages"
    " WHERE system_user_id = :system_user_id"
)
_TOUCH = text(
    "UPDATE systemusers.system_user SET sequence_no = :sequence_no, changed = :now"
    " WHERE system_user_id = :system_user_id"
)


def _user(row: RowMapping) -> SystemUser:
    return SystemUser(
        system_user_id=row["system_user_id"],
        kind=UserType(row["kind"]),
        system_id=row["system_id"],
        vendor=OrgNumber(row["vendor"]),
        owner=Owner(row["owner"], row["owner_party_id"], OrgNumber(row["orgno"])),
        external_ref=row["external_ref"],
        integration_title=row["integration_title"],
        packages=tuple(row["packages"]),
        created=row["created"],
        changed=row["changed"],
        deleted=row["deleted"],
        system_live=not row["system_deleted"],
        sequence_no=row["sequence_no"],
        number=row["number"],
    )


async def _many(connection: AsyncConnection, statement: object, values: Mapping[str, object]) -> list[SystemUser]:
    rows = (await connection.execute(statement, values)).mappings()  # type: ignore[call-overload]
    return [_user(row) for row in rows]


async def insert(connection: AsyncConnection, user: SystemUser) -> bool:
    """Keep a new system user; False when there is a live one for the same system, owner and reference."""
    values = {
        "system_user_id": user.system_user_id,
        "kind": user.kind.value,
        "system_id": user.system_id,
        "owner": user.owner.party_uuid,
        "owner_party_id": user.owner.party_id,
        "orgno": str(user.owner.orgno),
        "external_ref": user.external_ref,
        "integration_title": user.integration_title,
        "packages": list(user.packages),
        "created": user.created,
    }
    return (await connection.execute(_INSERT, values)).rowcount == 1


async def describe(connection: AsyncConnection, user: SystemUser) -> None:
    """Let the system user have this title, and an agent these packages."""
    values = {
        "system_user_id": user.system_user_id,
        "integration_title": user.integration_title,
        "packages": list(user.packages),
    }
    await connection.execute(_DESCRIBE, values)


async def get(connection: AsyncConnection, system_user_id: UUID, *, lock: bool = False) -> SystemUser | None:
    """The system user, deleted or not; with ``lock`` nobody else changes it before the transaction ends."""
    values = {"system_user_id": system_user_id}
    row = (await connection.execute(_LOCK if lock else _GET, values)).mappings().first()
    return _user(row) if row else None


async def many(connection: AsyncConnection, system_user_ids: Collection[UUID]) -> dict[UUID, SystemUser]:
    """The system users with those ids."""
    found = await _many(connection, _MANY, {"system_user_ids": list(system_user_ids)})
    return {one.system_user_id: one for one in found}


async def live(connection: AsyncConnection, system_id: str, orgno: OrgNumber, external_ref: str) -> SystemUser | None:
    """The one that is not deleted, for a system, an organisation and a reference."""
    values = {"system_id": system_id, "orgno": str(orgno), "external_ref": external_ref}
    row = (await connection.execute(_LIVE, values)).mappings().first()
    return _user(row) if row else None


async def of_owner(connection: AsyncConnection, owner: UUID, kind: UserType) -> list[SystemUser]:
    """Those that a party owns, oldest first; those of deleted systems are left out."""
    return await _many(connection, _OF_OWNER, {"owner": owner, "kind": kind.value})


async def of_system(connection: AsyncConnection, system_id: str, after: int, limit: int) -> list[SystemUser]:
    """The first ``limit`` of a system after the one with the number ``after``."""
    return await _many(connection, _OF_SYSTEM, {"system_id": system_id, "after": after, "limit": limit})


async def own(connection: AsyncConnection, system_id: str, orgno: OrgNumber, limit: int) -> list[SystemUser]:
    """The first ``limit`` standard ones of a live system that an organisation has, oldest first."""
    return await _many(connection, _OWN, {"system_id": system_id, "orgno": str(orgno), "limit": limit})


async def agents_among(
    connection: AsyncConnection, system_id: str, system_user_ids: Collection[UUID], limit: int
) -> list[SystemUser]:
    """The first ``limit`` of them that are agents of a live system, oldest first."""
    values = {"system_id": system_id, "system_user_ids": list(system_user_ids), "limit": limit}
    return await _many(connection, _AGENTS, values)


async def standing(
    connection: AsyncConnection, system_id: str, orgno: OrgNumber, reference: str | None
) -> tuple[bool, bool, bool]:
    """Has an organisation a system user of a system; has it had any; has it had the one with the reference?"""
    values = {"system_id": system_id, "orgno": str(orgno), "reference": reference}
    live, gone, very_one_gone = (await connection.execute(_STANDING, values)).one()
    return live, gone, very_one_gone


async def changed_after(connection: AsyncConnection, sequence_no: int, limit: int) -> tuple[list[SystemUser], int]:
    """The first ``limit`` that were last changed after ``sequence_no``, deleted ones too, and the newest number."""
    users = await _many(connection, _CHANGED_AFTER, {"after": sequence_no, "limit": limit})
    return users, int((await connection.execute(_SEQUENCE_MAX)).scalar_one())


async def find(
    connection: AsyncConnection, questions: Collection[SystemUserQuestion]
) -> dict[SystemUserQuestion, SystemUser]:
    """The system user to each question that there is one to, all of them by one statement."""
    asked = list(questions)
    values = {
        "clients": [one.client_id for one in asked],
        "vendors": [one.vendor for one in asked],
        "owners": [one.owner for one in asked],
        "references": [one.external_ref or one.owner for one in asked],
    }
    rows = (await connection.execute(_FIND, values)).mappings()
    return {asked[row["place"] - 1]: _user(row) for row in rows}


async def delete(connection: AsyncConnection, system_user_id: UUID, now: datetime) -> None:
    """Take the system user away; it is remembered that there was one."""
    await connection.execute(_DELETE, {"system_user_id": system_user_id, "now": now})


async def touch(connection: AsyncConnection, system_user_id: UUID, sequence_no: int, now: datetime) -> None:
    """Let this be the version of the feed at which the system user was changed last."""
    values = {"system_user_id": system_user_id, "sequence_no": sequence_no, "now": now}
    await connection.execute(_TOUCH, values)
