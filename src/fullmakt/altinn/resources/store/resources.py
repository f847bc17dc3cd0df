"""Resources and their versions."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.altinn.resources.model import Owner, Search, StoredResource
from fullmakt.altinn.resources.rules.fields import owner_orgno
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn.resource_registry import AccessListMode, ReferenceType, ResourceDocument
from fullmakt.wire.altinn.resources import MASKINPORTEN_SCHEMA, ConsentTerms, RegisteredResource

_REGISTERED = (
    "SELECT r.identifier, r.version_id, r.resource_type, r.document->'title' AS title,"
    " r.document->>'consentTemplate' AS consent_template, r.document->'consentText' AS consent_text,"
    " r.document->'consentMetadata' AS consent_metadata, r.document->'isOneTimeConsent' AS one_time_consent,"
    " r.owner_orgno, r.owner_code,"
    " r.delegable, r.visible, r.access_list_enabled, r.scopes, r.delegation_scheme_id, r.registered, p.xml"
    " FROM resources.resource r LEFT JOIN resources.policy p USING (identifier, policy_version) WHERE NOT r.deleted"
)
_BY_IDENTIFIERS = text(f"{_REGISTERED} AND r.identifier = ANY(:identifiers)")
_BY_SCOPE = text(
    f"{_REGISTERED} AND r.resource_type = '{MASKINPORTEN_SCHEMA}' AND r.scopes @> ARRAY[CAST(:scope AS text)]"
    " ORDER BY r.identifier"
)
_WITH_SCOPES = text(f"{_REGISTERED} AND r.resource_type = '{MASKINPORTEN_SCHEMA}' ORDER BY r.identifier")
_IDENTIFIERS_BY_SCOPE = text(
    "SELECT identifier FROM resources.resource WHERE NOT deleted AND scopes @> ARRAY[CAST(:scope AS text)]"
    " ORDER BY identifier LIMIT :most"
)
_NEWEST = text(
    "SELECT identifier, version_id, document FROM resources.resource WHERE identifier = :identifier AND NOT deleted"
)
_VERSION = text(
    "SELECT v.identifier, v.version_id, v.document"
    " FROM resources.version v JOIN resources.resource r USING (identifier)"
    " WHERE v.identifier = :identifier AND v.version_id = :version_id AND NOT r.deleted"
)
_ALL = text(
    "SELECT identifier, version_id, document FROM resources.resource"
    " WHERE NOT deleted AND resource_type <> ALL(:without) ORDER BY identifier"
)
_SEARCH = text(
    "SELECT identifier, version_id, document FROM resources.resource WHERE NOT deleted"
    " AND (CAST(:identifier AS text) IS NULL OR strpos(lower(identifier), lower(:identifier)) > 0)"
    " AND (CAST(:resource_type AS text) IS NULL OR resource_type = :resource_type)"
    " AND (CAST(:org_code AS text) IS NULL OR lower(owner_code) = lower(:org_code))"
    " AND (CAST(:organization AS text) IS NULL OR owner_orgno = :organization)"
    " AND (CAST(:description AS text) IS NULL OR EXISTS (SELECT 1 FROM jsonb_each_text(document->'description') d"
    "      WHERE strpos(lower(d.value), lower(:description)) > 0))"
    " AND (CAST(:keyword AS text) IS NULL OR EXISTS (SELECT 1 FROM jsonb_array_elements(document->'keywords') k"
    "      WHERE strpos(lower(k->>'word'), lower(:keyword)) > 0))"
    " AND (CAST(:reference AS text) IS NULL OR EXISTS ("
    "      SELECT 1 FROM jsonb_array_elements(document->'resourceReferences') f"
    "      WHERE strpos(lower(f->>'reference'), lower(:reference)) > 0))"
    " ORDER BY identifier"
)
_LOCK = text(
    "SELECT identifier, version_id, document, owner_orgno, owner_code"
    " FROM resources.resource WHERE identifier = :identifier AND NOT deleted FOR UPDATE"
)
# No row comes back when a resource is there and is not to be replaced. A deleted one keeps its identifier for its
# owner: what was delegated of it would otherwise count for another's resource of the same name.
_INSERT = text(
    "INSERT INTO resources.resource AS r (identifier, version_id, document, resource_type, owner_orgno, owner_code,"
    " delegable, visible, access_list_enabled, scopes, delegation_scheme_id, registered, changed, change_id)"
    " VALUES (:identifier, 1, CAST(:document AS jsonb), :resource_type, :owner_orgno, :owner_code, :delegable,"
    " :visible, :access_list_enabled, :scopes, :delegation_scheme_id, :now, :now, :change_id)"
    " ON CONFLICT (identifier) DO UPDATE SET version_id = r.version_id + 1, document = excluded.document,"
    " resource_type = excluded.resource_type, owner_orgno = excluded.owner_orgno, owner_code = excluded.owner_code,"
    " delegable = excluded.delegable, visible = excluded.visible, access_list_enabled = excluded.access_list_enabled,"
    " scopes = excluded.scopes, delegation_scheme_id = excluded.delegation_scheme_id, deleted = false,"
    " registered = CASE WHEN r.deleted THEN excluded.registered ELSE r.registered END,"
    " changed = excluded.changed, change_id = excluded.change_id"
    " WHERE :replace OR (r.deleted AND r.owner_orgno IS NOT DISTINCT FROM excluded.owner_orgno"
    " AND lower(r.owner_code) = lower(excluded.owner_code)) RETURNING r.version_id"
)
_INSERT_VERSION = text(
    "INSERT INTO resources.version (identifier, version_id, document, created)"
    " VALUES (:identifier, :version_id, CAST(:document AS jsonb), :now)"
)
_DELETE = text(
    "UPDATE resources.resource SET deleted = true, policy_version = 0, changed = :now, change_id = :change_id"
    " WHERE identifier = :identifier AND NOT deleted"
)


async def registered(connection: AsyncConnection, identifiers: Collection[str]) -> dict[str, RegisteredResource]:
    """Those of ``identifiers`` that are registered."""
    rows = (await connection.execute(_BY_IDENTIFIERS, {"identifiers": list(identifiers)})).mappings()
    return {row["identifier"]: _registered(row) for row in rows}


async def registered_with_scope(connection: AsyncConnection, scope: str | None) -> tuple[RegisteredResource, ...]:
    """The API resources that carry ``scope``, or all API resources, by identifier."""
    asked = connection.execute(_WITH_SCOPES) if scope is None else connection.execute(_BY_SCOPE, {"scope": scope})
    return tuple([_registered(row) for row in (await asked).mappings()])


async def identifiers_with_scope(connection: AsyncConnection, scope: str, most: int) -> tuple[str, ...]:
    """The identifiers of resources, of any type, that carry ``scope``: the first ``most`` by name."""
    rows = await connection.execute(_IDENTIFIERS_BY_SCOPE, {"scope": scope, "most": most})
    return tuple(rows.scalars())


async def newest(connection: AsyncConnection, identifier: str) -> StoredResource | None:
    """The newest version of the resource."""
    row = (await connection.execute(_NEWEST, {"identifier": identifier})).mappings().first()
    return None if row is None else StoredResource(**row)


async def version(connection: AsyncConnection, identifier: str, version_id: int) -> StoredResource | None:
    """That version of the resource."""
    asked = {"identifier": identifier, "version_id": version_id}
    row = (await connection.execute(_VERSION, asked)).mappings().first()
    return None if row is None else StoredResource(**row)


async def everything(connection: AsyncConnection, *, without: Collection[str] = ()) -> list[StoredResource]:
    """The newest version of every resource whose type is not among ``without``, by identifier."""
    rows = (await connection.execute(_ALL, {"without": list(without)})).mappings()
    return [StoredResource(**row) for row in rows]


async def search(connection: AsyncConnection, wanted: Search) -> list[StoredResource]:
    """The newest version of every resource that has what is wanted, by identifier."""
    rows = (await connection.execute(_SEARCH, asdict(wanted))).mappings()
    return [StoredResource(**row) for row in rows]


async def lock(connection: AsyncConnection, identifier: str) -> tuple[StoredResource, Owner] | None:
    """The resource and its owner, kept from changing until the transaction ends."""
    row = (await connection.execute(_LOCK, {"identifier": identifier})).mappings().first()
    if row is None:
        return None
    owner = Owner(_orgno(row), row["owner_code"])
    return StoredResource(row["identifier"], row["version_id"], row["document"]), owner


async def put(
    connection: AsyncConnection, document: ResourceDocument, now: datetime, change_id: int, *, replace: bool
) -> int | None:
    """Store a version and return its number; None when the resource is there and is not to be replaced."""
    columns = _columns(document)
    asked = {**columns, "now": now, "change_id": change_id, "replace": replace}
    version_id = (await connection.execute(_INSERT, asked)).scalar()
    if version_id is None:
        return None
    kept = {name: columns[name] for name in ("identifier", "document")}
    await connection.execute(_INSERT_VERSION, {**kept, "version_id": version_id, "now": now})
    return int(version_id)


async def delete(connection: AsyncConnection, identifier: str, now: datetime, change_id: int) -> None:
    """Take the resource and its policy away; their history stays."""
    await connection.execute(_DELETE, {"identifier": identifier, "now": now, "change_id": change_id})


def _columns(document: ResourceDocument) -> Mapping[str, Any]:
    authority = document.has_competent_authority
    schemes = document.references(ReferenceType.DELEGATION_SCHEME_ID)
    return {
        "identifier": document.identifier,
        "document": json.dumps(document.wire()),
        "resource_type": str(document.resource_type),
        "owner_orgno": owner_orgno(authority),
        "owner_code": (authority.orgcode if authority else None) or "",
        "delegable": document.delegable,
        "visible": document.visible,
        "access_list_enabled": document.access_list_mode is AccessListMode.ENABLED,
        "scopes": list(document.references(ReferenceType.MASKINPORTEN_SCOPE)),
        "delegation_scheme_id": schemes[0] if schemes else None,
    }


def _registered(row: RowMapping) -> RegisteredResource:
    return RegisteredResource(
        identifier=row["identifier"],
        version=row["version_id"],
        resource_type=row["resource_type"],
        title=tuple((row["title"] or {}).items()),
        owner_orgno=_orgno(row),
        owner_code=row["owner_code"],
        delegable=row["delegable"],
        visible=row["visible"],
        access_list_enabled=row["access_list_enabled"],
        scopes=tuple(row["scopes"]),
        delegation_scheme_id=row["delegation_scheme_id"],
        registered=row["registered"],
        policy=row["xml"],
        consent=ConsentTerms(
            row["consent_template"],
            tuple((row["consent_text"] or {}).items()),
            tuple((key, bool(said.get("optional"))) for key, said in (row["consent_metadata"] or {}).items()),
            bool(row["one_time_consent"]),
        ),
    )


def _orgno(row: RowMapping) -> OrgNumber | None:
    return OrgNumber(row["owner_orgno"]) if row["owner_orgno"] else None
