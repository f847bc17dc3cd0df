"""The tables ``parties.party`` and ``parties.role``, and every statement that touches them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.altinn.parties.model import Organisation, Party, Person, Role
from fullmakt.kernel.identifiers import NationalId, OrgNumber

_PARTY = (
    "SELECT p.party_id, p.party_uuid, p.orgno, p.national_id, p.name, p.form, above.orgno AS parent"
    " FROM parties.party p LEFT JOIN parties.party above ON above.party_id = p.parent_id"
)
_BY_ORGNO = text(f"{_PARTY} WHERE p.orgno = :orgno")
_BY_NATIONAL_ID = text(f"{_PARTY} WHERE p.national_id = :national_id")
_ORGANISATIONS = text(
    f"{_PARTY} WHERE p.orgno IS NOT NULL"
    " AND (CAST(:orgnos AS text[]) IS NULL OR p.orgno = ANY(CAST(:orgnos AS text[]))) ORDER BY p.party_id"
)
_PEOPLE = text(
    f"{_PARTY} WHERE p.national_id IS NOT NULL"
    " AND (CAST(:national_ids AS text[]) IS NULL OR p.national_id = ANY(CAST(:national_ids AS text[])))"
    " ORDER BY p.party_id"
)
# No row comes back when nothing changed; xmax is 0 in a row that this statement inserted.
_PUT_ORGANISATION = text(
    "INSERT INTO parties.party AS p (party_uuid, orgno, name, form, parent_id, created, last_updated)"
    " VALUES (:party_uuid, :orgno, :name, :form,"
    "         (SELECT party_id FROM parties.party WHERE orgno = CAST(:parent AS text)), :now, :now)"
    " ON CONFLICT (orgno) DO UPDATE"
    " SET name = excluded.name, form = excluded.form, parent_id = excluded.parent_id, last_updated = :now"
    " WHERE (p.name, p.form, p.parent_id) IS DISTINCT FROM (excluded.name, excluded.form, excluded.parent_id)"
    " RETURNING party_uuid, xmax = 0 AS created"
)
_PUT_PERSON = text(
    "INSERT INTO parties.party AS p (party_uuid, national_id, user_id, name, created, last_updated)"
    " VALUES (:party_uuid, :national_id, nextval('parties.user_id'), :name, :now, :now)"
    " ON CONFLICT (national_id) DO UPDATE SET name = excluded.name, last_updated = :now"
    " WHERE p.name <> excluded.name RETURNING party_uuid, xmax = 0 AS created"
)
_IS_ABOVE = text(
    "WITH RECURSIVE above (party_id, orgno, parent_id) AS ("
    "   SELECT party_id, orgno, parent_id FROM parties.party WHERE orgno = :parent"
    "   UNION SELECT p.party_id, p.orgno, p.parent_id FROM parties.party p JOIN above a ON p.party_id = a.parent_id"
    ") SELECT EXISTS (SELECT 1 FROM above WHERE orgno = :orgno)"
)
_LOCK_HIERARCHY = text("SELECT pg_advisory_xact_lock(hashtext('parties.hierarchy'))")
_GRANT = text(
    "INSERT INTO parties.role (organisation_id, code, holder_id, created)"
    " SELECT o.party_id, :code, h.party_id, :now FROM parties.party o, parties.party h"
    " WHERE o.orgno = :organisation AND (h.orgno = :holder OR h.national_id = :holder)"
    " ON CONFLICT DO NOTHING"
)
_WITHDRAW = text(
    "DELETE FROM parties.role r USING parties.party o, parties.party h"
    " WHERE o.party_id = r.organisation_id AND h.party_id = r.holder_id AND r.code = :code"
    " AND o.orgno = :organisation AND (h.orgno = :holder OR h.national_id = :holder)"
)
_ROLES = text(
    "SELECT COALESCE(h.orgno, h.national_id) AS holder, r.code, o.orgno AS organisation FROM parties.role r"
    " JOIN parties.party o ON o.party_id = r.organisation_id JOIN parties.party h ON h.party_id = r.holder_id"
    " WHERE (CAST(:organisations AS text[]) IS NULL OR o.orgno = ANY(CAST(:organisations AS text[])))"
    " AND (CAST(:holder AS text) IS NULL OR h.orgno = :holder OR h.national_id = :holder)"
    " ORDER BY r.organisation_id, r.code, r.holder_id"
)


def _party(row: RowMapping) -> Party:
    subject: Organisation | Person
    if row["orgno"] is not None:
        parent = OrgNumber(row["parent"]) if row["parent"] else None
        subject = Organisation(OrgNumber(row["orgno"]), row["name"], row["form"], parent)
    else:
        subject = Person(NationalId(row["national_id"]), row["name"])
    return Party(row["party_id"], row["party_uuid"], subject)


async def organisation(connection: AsyncConnection, orgno: OrgNumber) -> Party | None:
    """The organisation with that number."""
    row = (await connection.execute(_BY_ORGNO, {"orgno": orgno})).mappings().first()
    return _party(row) if row else None


async def person(connection: AsyncConnection, national_id: NationalId) -> Party | None:
    """The person with that number."""
    row = (await connection.execute(_BY_NATIONAL_ID, {"national_id": national_id})).mappings().first()
    return _party(row) if row else None


async def organisations(connection: AsyncConnection, orgnos: Collection[OrgNumber] | None) -> list[Party]:
    """Those of ``orgnos`` that are registered, or all when it is None, in the order they came."""
    given = None if orgnos is None else [str(orgno) for orgno in orgnos]
    return [_party(row) for row in (await connection.execute(_ORGANISATIONS, {"orgnos": given})).mappings()]


async def people(connection: AsyncConnection, national_ids: Collection[NationalId] | None) -> list[Party]:
    """Those of ``national_ids`` that are registered, or all when it is None, in the order they came."""
    given = None if national_ids is None else [str(national_id) for national_id in national_ids]
    return [_party(row) for row in (await connection.execute(_PEOPLE, {"national_ids": given})).mappings()]


async def put(connection: AsyncConnection, subject: Organisation | Person, fresh_uuid: str, now: datetime) -> Any:
    """Insert or change; gives a row of ``party_uuid`` and ``created``, or None when nothing was to be changed."""
    values: dict[str, Any] = {"party_uuid": fresh_uuid, "name": subject.name, "now": now}
    if isinstance(subject, Person):
        statement = _PUT_PERSON
        values["national_id"] = str(subject.national_id)
    else:
        statement = _PUT_ORGANISATION
        values |= {"orgno": str(subject.orgno), "form": subject.form, "parent": subject.parent and str(subject.parent)}
    return (await connection.execute(statement, values)).first()


async def would_loop(connection: AsyncConnection, orgno: OrgNumber, parent: OrgNumber) -> bool:
    """True when ``orgno`` already stands above ``parent``. Holds the hierarchy still until the transaction ends."""
    await connection.execute(_LOCK_HIERARCHY)
    return bool((await connection.execute(_IS_ABOVE, {"orgno": orgno, "parent": parent})).scalar_one())


def _role_values(role: Role) -> dict[str, Any]:
    return {"holder": str(role.holder), "code": role.code, "organisation": str(role.organisation)}


async def grant(connection: AsyncConnection, role: Role, now: datetime) -> bool:
    """True when the role was not held before."""
    return (await connection.execute(_GRANT, {**_role_values(role), "now": now})).rowcount == 1


async def withdraw(connection: AsyncConnection, role: Role) -> bool:
    """True when the role was held."""
    return (await connection.execute(_WITHDRAW, _role_values(role))).rowcount == 1


async def roles(
    connection: AsyncConnection,
    *,
    organisations: Collection[OrgNumber] | None = None,
    holder: NationalId | OrgNumber | None = None,
) -> list[Role]:
    """Roles in ``organisations`` (None: in any) that ``holder`` (None: anybody) holds."""
    values = {
        "organisations": None if organisations is None else [str(orgno) for orgno in organisations],
        "holder": None if holder is None else str(holder),
    }
    rows = (await connection.execute(_ROLES, values)).mappings()
    return [Role(_holder(row["holder"]), row["code"], OrgNumber(row["organisation"])) for row in rows]


def _holder(number: str) -> NationalId | OrgNumber:
    return OrgNumber(number) if len(number) == 9 else NationalId(number)
