"""Policies, the subjects that they name, and the feeds of both."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.altinn.resources.model import ResourceChange, StoredPolicy, SubjectChange, SubjectResources
from fullmakt.wire.altinn.attributes import Attribute

_INSERT_POLICY = text(
    "INSERT INTO resources.policy (identifier, policy_version, xml, report, permits_unnamed, created)"
    " VALUES (:identifier,"
    " (SELECT COALESCE(max(policy_version), 0) + 1 FROM resources.policy WHERE identifier = :identifier),"
    " :xml, CAST(:report AS jsonb), :permits_unnamed, :now) RETURNING policy_version"
)
_USE_POLICY = text(
    "UPDATE resources.resource SET policy_version = :policy_version, changed = :now, change_id = :change_id"
    " WHERE identifier = :identifier"
)
_POLICY = text(
    "SELECT p.identifier, p.policy_version, p.xml FROM resources.resource r"
    " JOIN resources.policy p USING (identifier, policy_version) WHERE r.identifier = :identifier AND NOT r.deleted"
)
_REPORT = text(
    "SELECT p.report FROM resources.resource r"
    " JOIN resources.policy p USING (identifier, policy_version) WHERE r.identifier = :identifier AND NOT r.deleted"
)
_SUBJECTS_GONE = text(
    "UPDATE resources.subject SET deleted = true, updated = :now WHERE identifier = :identifier AND NOT deleted"
    " AND (type, value) NOT IN (SELECT * FROM unnest(CAST(:types AS text[]), CAST(:vals AS text[])))"
)
_SUBJECTS_THERE = text(
    "INSERT INTO resources.subject AS s (identifier, type, value, updated)"
    " SELECT :identifier, n.type, n.value, :now"
    " FROM unnest(CAST(:types AS text[]), CAST(:vals AS text[])) AS n (type, value)"
    " ON CONFLICT (identifier, type, value) DO UPDATE SET deleted = false, updated = excluded.updated WHERE s.deleted"
)
_SUBJECTS = text(
    "SELECT type, value FROM resources.subject WHERE identifier = :identifier AND NOT deleted ORDER BY type, value"
)
_BY_SUBJECTS = text(
    "SELECT type, value, identifier FROM resources.subject"
    " WHERE NOT deleted AND type || ':' || value = ANY(CAST(:urns AS text[])) ORDER BY type, value, identifier"
)
_PERMITTING_UNNAMED = text(
    "SELECT r.identifier FROM resources.policy p JOIN resources.resource r USING (identifier, policy_version)"
    " WHERE p.permits_unnamed AND NOT r.deleted ORDER BY r.identifier"
)
_UPDATED = text(
    "SELECT identifier, type, value, deleted, updated FROM resources.subject"
    " WHERE (updated, identifier, type, value) > (:since, :identifier, :type, :value)"
    " ORDER BY updated, identifier, type, value LIMIT :limit"
)
_CHANGED = text(
    "SELECT r.identifier, r.changed, r.change_id FROM resources.resource r WHERE r.change_id > :after AND NOT r.deleted"
    " AND EXISTS (SELECT 1 FROM resources.policy p WHERE p.identifier = r.identifier)"
    " ORDER BY r.change_id LIMIT :limit"
)


async def put_policy(
    connection: AsyncConnection,
    identifier: str,
    xml: bytes,
    report: Mapping[str, Any],
    now: datetime,
    change_id: int,
    *,
    permits_unnamed: bool,
) -> int:
    """Store the policy as the one in force, and return its number."""
    asked = {
        "identifier": identifier,
        "xml": xml,
        "report": json.dumps(report),
        "permits_unnamed": permits_unnamed,
        "now": now,
    }
    policy_version = int((await connection.execute(_INSERT_POLICY, asked)).scalar_one())
    used = {"identifier": identifier, "policy_version": policy_version, "now": now, "change_id": change_id}
    await connection.execute(_USE_POLICY, used)
    return policy_version


async def put_subjects(
    connection: AsyncConnection, identifier: str, subjects: Collection[Attribute], now: datetime
) -> None:
    """Let ``subjects`` be those of the resource; a row changes only where something has."""
    asked = {"identifier": identifier, **_columns(subjects), "now": now}
    await connection.execute(_SUBJECTS_GONE, asked)
    await connection.execute(_SUBJECTS_THERE, asked)


async def policy(connection: AsyncConnection, identifier: str) -> StoredPolicy | None:
    """The policy in force."""
    row = (await connection.execute(_POLICY, {"identifier": identifier})).first()
    return None if row is None else StoredPolicy(row.identifier, row.policy_version, row.xml)


async def report(connection: AsyncConnection, identifier: str) -> Mapping[str, Any] | None:
    """What the check said of the policy in force when it was uploaded."""
    found: Mapping[str, Any] | None = (await connection.execute(_REPORT, {"identifier": identifier})).scalar()
    return found


async def subjects(connection: AsyncConnection, identifier: str) -> list[Attribute]:
    """The subjects of the resource's policy."""
    return [Attribute(row.type, row.value) for row in await connection.execute(_SUBJECTS, {"identifier": identifier})]


async def by_subjects(connection: AsyncConnection, urns: Collection[str]) -> list[SubjectResources]:
    """The resources of each subject that has any; a URN is type and value with a colon between."""
    found: dict[Attribute, list[str]] = {}
    for row in await connection.execute(_BY_SUBJECTS, {"urns": list(urns)}):
        found.setdefault(Attribute(row.type, row.value), []).append(row.identifier)
    return [SubjectResources(subject, resources) for subject, resources in found.items()]


async def permitting_unnamed(connection: AsyncConnection) -> list[str]:
    """The resources whose policies may permit something to subjects that they do not name."""
    return list((await connection.execute(_PERMITTING_UNNAMED)).scalars())


async def updated_subjects(
    connection: AsyncConnection, since: datetime, after: tuple[str, Attribute] | None, limit: int
) -> list[SubjectChange]:
    """What changed at ``since`` or later, oldest first; what changed at ``since`` itself only past ``after``."""
    identifier, subject = after or ("", Attribute("", ""))
    asked = {"since": since, "identifier": identifier, "type": subject.id, "value": subject.value, "limit": limit}
    rows = await connection.execute(_UPDATED, asked)
    return [SubjectChange(row.identifier, Attribute(row.type, row.value), row.updated, row.deleted) for row in rows]


async def changes(connection: AsyncConnection, after: int, limit: int) -> list[ResourceChange]:
    """The resources that have had a policy, each at its last change, in the order of those."""
    rows = await connection.execute(_CHANGED, {"after": after, "limit": limit})
    return [ResourceChange(row.identifier, row.changed, row.change_id) for row in rows]


def _columns(subjects: Collection[Attribute]) -> dict[str, Sequence[str]]:
    return {"types": [one.id for one in subjects], "vals": [one.value for one in subjects]}
