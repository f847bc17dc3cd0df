"""The statements that answer who a party is, and what the register says that it holds.

A sub-unit (forms BEDR and AAFY) is a place of business of the unit above it: whoever has a role in that unit has it
here too. One step up and no further; other hierarchies, as those of the public sector, pass nothing on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.altinn.parties.metadata.rules import HeldRole
from fullmakt.altinn.parties.model import SUB_UNIT_FORMS
from fullmakt.kernel.identifiers import NationalId, OrgNumber
from fullmakt.wire.altinn.parties import PartyIdentity, PartyKind

_IDENTITY = (
    "SELECT p.party_id, p.party_uuid, p.orgno, p.national_id, p.user_id, p.name, p.form, above.party_uuid AS parent"
)
_PARTIES = f"{_IDENTITY} FROM parties.party p LEFT JOIN parties.party above ON above.party_id = p.parent_id"
_MAIN_UNIT = "CASE WHEN p.form = ANY(CAST(:sub_unit_forms AS text[])) THEN p.parent_id END"

_IDENTIFY = text(
    f"{_PARTIES} WHERE p.orgno = ANY(CAST(:orgnos AS text[])) OR p.national_id = ANY(CAST(:people AS text[]))"
    " OR p.party_id = ANY(CAST(:party_ids AS integer[])) OR p.user_id = ANY(CAST(:user_ids AS integer[]))"
    " OR p.party_uuid = ANY(CAST(:uuids AS uuid[]))"
)
_HELD = text(
    "SELECT h.orgno IS NULL AS person, h.party_id = p.party_id AS itself, r.code, r.form"  # noqa: S608 - constants
    " FROM parties.party p JOIN parties.party h ON h.party_uuid = :holder LEFT JOIN LATERAL ("
    "   SELECT r.code, o.form FROM parties.role r JOIN parties.party o ON o.party_id = r.organisation_id"
    f"   WHERE r.holder_id = h.party_id AND r.organisation_id = ANY(ARRAY[p.party_id, {_MAIN_UNIT}])"
    " ) r ON true WHERE p.party_uuid = :party"
)
_HOLDERS = text(
    f"WITH roles_of AS (SELECT unnest(ARRAY[p.party_id, {_MAIN_UNIT}]) AS party_id"  # noqa: S608 - constants
    "   FROM parties.party p WHERE p.party_uuid = :party)"
    f" {_IDENTITY}, r.code, o.form AS held_in FROM roles_of JOIN parties.party o USING (party_id)"
    "   JOIN parties.role r ON r.organisation_id = o.party_id JOIN parties.party p ON p.party_id = r.holder_id"
    "   LEFT JOIN parties.party above ON above.party_id = p.parent_id"
    f" UNION ALL {_IDENTITY}, NULL, NULL FROM parties.party p LEFT JOIN parties.party above ON false"
    "   WHERE p.party_uuid = :party AND p.orgno IS NULL"
    " ORDER BY party_id"
)
_HELD_BY = text(
    "WITH held AS (SELECT r.organisation_id, r.code, o.form FROM parties.party h"  # noqa: S608 - constants
    "   JOIN parties.role r ON r.holder_id = h.party_id JOIN parties.party o ON o.party_id = r.organisation_id"
    "   WHERE h.party_uuid = :holder)"
    f" {_IDENTITY}, held.code, held.form AS held_in FROM held JOIN parties.party p ON p.party_id = held.organisation_id"
    "   LEFT JOIN parties.party above ON above.party_id = p.parent_id"
    f" UNION ALL {_IDENTITY}, held.code, held.form FROM held JOIN parties.party p ON p.parent_id = held.organisation_id"
    "   JOIN parties.party above ON above.party_id = p.parent_id"
    "   WHERE p.form = ANY(CAST(:sub_unit_forms AS text[]))"
    f" UNION ALL {_IDENTITY}, NULL, NULL FROM parties.party p LEFT JOIN parties.party above ON false"
    "   WHERE p.party_uuid = :holder AND p.orgno IS NULL"
    " ORDER BY party_id"
)
_KEY_ROLE_ORGANISATIONS = text(
    "WITH held AS (SELECT DISTINCT r.organisation_id AS party_id FROM parties.role r"
    "   JOIN parties.party h ON h.party_id = r.holder_id"
    "   WHERE h.party_uuid = :person AND h.orgno IS NULL AND r.code = ANY(CAST(:codes AS text[])))"
    " SELECT p.party_uuid, p.party_id FROM held JOIN parties.party p USING (party_id)"
    " UNION SELECT p.party_uuid, p.party_id FROM held JOIN parties.party p ON p.parent_id = held.party_id"
    "   WHERE p.form = ANY(CAST(:sub_unit_forms AS text[]))"
    " ORDER BY party_id"
)
_KEY_ROLE_PEOPLE = text(
    "WITH asked AS (SELECT p.party_id FROM parties.party p"  # noqa: S608 - constants
    "   WHERE p.party_uuid = ANY(CAST(:organisations AS uuid[]))"
    f" UNION SELECT {_MAIN_UNIT} FROM parties.party p WHERE p.party_uuid = ANY(CAST(:organisations AS uuid[])))"
    f" {_PARTIES} WHERE p.orgno IS NULL AND p.party_id IN (SELECT r.holder_id FROM asked"
    "   JOIN parties.role r ON r.organisation_id = asked.party_id WHERE r.code = ANY(CAST(:codes AS text[])))"
    " ORDER BY p.party_id"
)
_SUB_UNITS = text(
    f"{_PARTIES} WHERE above.orgno = :orgno AND p.form = ANY(CAST(:sub_unit_forms AS text[])) ORDER BY p.party_id"
)
_HOLD_HIERARCHY = text("SELECT pg_advisory_xact_lock_shared(hashtext('parties.hierarchy'))")

_FORMS = {"sub_unit_forms": list(SUB_UNIT_FORMS)}


@dataclass(frozen=True, slots=True)
class Wanted:
    """The identifiers of parties to be found."""

    orgnos: Sequence[str]
    people: Sequence[str] = field(repr=False)
    party_ids: Sequence[int]
    user_ids: Sequence[int]
    uuids: Sequence[UUID]


@dataclass(frozen=True, slots=True)
class Holding:
    """What the register says of a holder in a party; ``itself``: they are one and the same."""

    by_person: bool
    itself: bool
    roles: tuple[HeldRole, ...]


def _identity(row: Row[Any]) -> PartyIdentity:
    if row.orgno is not None:
        return PartyIdentity(
            row.party_id,
            row.party_uuid,
            PartyKind.ORGANISATION,
            row.name,
            form=row.form,
            orgno=OrgNumber(row.orgno),
            parent=row.parent,
        )
    return PartyIdentity(
        row.party_id,
        row.party_uuid,
        PartyKind.PERSON,
        row.name,
        user_id=row.user_id,
        national_id=NationalId(row.national_id),
    )


async def identify(connection: AsyncConnection, wanted: Wanted) -> list[PartyIdentity]:
    """The registered ones of those wanted, each once, in no particular order."""
    values = {
        "orgnos": list(wanted.orgnos),
        "people": list(wanted.people),
        "party_ids": list(wanted.party_ids),
        "user_ids": list(wanted.user_ids),
        "uuids": list(wanted.uuids),
    }
    return [_identity(row) for row in await connection.execute(_IDENTIFY, values)]


async def held(connection: AsyncConnection, holder: UUID, party: UUID) -> Holding | None:
    """The register's roles of ``holder`` in ``party``; None when either is not registered."""
    rows = (await connection.execute(_HELD, {"holder": holder, "party": party, **_FORMS})).all()
    if not rows:
        return None
    roles = tuple(HeldRole(row.code, row.form) for row in rows if row.code is not None)
    return Holding(rows[0].person, rows[0].itself, roles)


async def holders(connection: AsyncConnection, party: UUID) -> Mapping[PartyIdentity, list[HeldRole]]:
    """Who holds roles in ``party``, a person in themselves among them (with no role), in the order they came."""
    return _roles_by_party(await connection.execute(_HOLDERS, {"party": party, **_FORMS}))


async def held_by(connection: AsyncConnection, holder: UUID) -> Mapping[PartyIdentity, list[HeldRole]]:
    """The parties that ``holder`` holds roles in, a person's self among them (with no role), in the order they came."""
    return _roles_by_party(await connection.execute(_HELD_BY, {"holder": holder, **_FORMS}))


def _roles_by_party(rows: Iterable[Row[Any]]) -> Mapping[PartyIdentity, list[HeldRole]]:
    found: dict[PartyIdentity, list[HeldRole]] = {}
    for row in rows:
        roles = found.setdefault(_identity(row), [])
        if row.code is not None:
            roles.append(HeldRole(row.code, row.held_in))
    return found


async def key_role_organisations(connection: AsyncConnection, person: UUID, codes: Collection[str]) -> tuple[UUID, ...]:
    """Organisations in which ``person`` holds one of ``codes``, and their sub-units."""
    values = {"person": person, "codes": sorted(codes), **_FORMS}
    rows = await connection.execute(_KEY_ROLE_ORGANISATIONS, values)
    return tuple(row.party_uuid for row in rows)


async def key_role_people(
    connection: AsyncConnection, organisations: Collection[UUID], codes: Collection[str]
) -> list[PartyIdentity]:
    """The people who hold one of ``codes`` in one of the organisations, or in the unit above one that is a sub-unit."""
    values = {"organisations": list(organisations), "codes": sorted(codes), **_FORMS}
    return [_identity(row) for row in await connection.execute(_KEY_ROLE_PEOPLE, values)]


async def sub_units(connection: AsyncConnection, orgno: OrgNumber) -> list[PartyIdentity]:
    """The sub-units of the organisation, in the order they came."""
    return [_identity(row) for row in await connection.execute(_SUB_UNITS, {"orgno": str(orgno), **_FORMS})]


async def hold_hierarchy(connection: AsyncConnection) -> None:
    """Let no organisation be put below another until the transaction ends; others may hold the hierarchy too."""
    await connection.execute(_HOLD_HIERARCHY)
