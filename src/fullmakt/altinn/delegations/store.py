"""The table ``delegations.delegation``, and every statement that touches it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import RowMapping, TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.altinn.delegations.model import ApiParties, Offer, Performer, Selection, StoredRight
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn.delegations import DelegatedRight, RightsQuestion

_RIGHT = (
    "SELECT d.delegation_id, d.giver, d.receiver, d.resource, d.actions, d.instance, d.given_by, d.passed_on_from,"
    " d.created FROM delegations.delegation d"
)
_STORED = _RIGHT.replace(" FROM", ", d.change_id, d.performed_by, d.performed_by_user, d.consumer, d.supplier FROM")
_ORDER = "ORDER BY created, delegation_id"

# The links above come with it, since what is passed on holds only as long as they do. There are no cycles to run into:
# a delegation stands on an older one, once and for all.
_RIGHTS = text(
    f"WITH RECURSIVE asked AS (SELECT DISTINCT * FROM unnest(CAST(:receivers AS uuid[]),"  # noqa: S608 - our own words
    f" CAST(:givers AS uuid[]), CAST(:resources AS text[])) AS asked (receiver, giver, resource)), held AS ("
    f" {_RIGHT} JOIN asked USING (receiver, giver, resource) WHERE d.revoked IS NULL"
    f" UNION {_RIGHT} JOIN held below ON d.delegation_id = below.passed_on_from WHERE d.revoked IS NULL"
    f") TABLE held {_ORDER}"
)
_CHAIN = text(
    f"WITH RECURSIVE chain AS ("
    f" {_RIGHT} WHERE d.revoked IS NULL AND d.delegation_id = :delegation_id"
    f" UNION {_RIGHT} JOIN chain below ON d.delegation_id = below.passed_on_from WHERE d.revoked IS NULL"
    f") TABLE chain"
)
_GIVEN_TO = text(f"{_RIGHT} WHERE d.revoked IS NULL AND d.receiver = ANY(:receivers) {_ORDER}")
_ON = text(f"{_RIGHT} WHERE d.revoked IS NULL AND d.giver = :giver AND d.resource = :resource {_ORDER}")
_FILTERS = {
    "giver": "d.giver = :giver",
    "receiver": "d.receiver = :receiver",
    "resource": "d.resource = :resource",
    "supplier": "d.supplier = :supplier",
    "consumer": "d.consumer = :consumer",
    "resources": "d.resource = ANY(:resources)",
}
_DELEGATED_APIS = text(
    "SELECT d.supplier, d.consumer, d.resource, max(d.created) AS newest"
    " FROM unnest(CAST(:suppliers AS text[]), CAST(:consumers AS text[])) AS pair (supplier, consumer)"
    " JOIN delegations.delegation d USING (supplier, consumer) WHERE d.revoked IS NULL"
    " GROUP BY d.supplier, d.consumer, d.resource"
)
_LOCK_GIVER = text("SELECT pg_advisory_xact_lock(hashtextextended('delegations.giver:' || CAST(:giver AS text), 0))")
_SAME = text(
    "SELECT d.delegation_id, d.actions, d.created FROM delegations.delegation d WHERE d.revoked IS NULL"
    " AND d.receiver = :receiver AND d.giver = :giver AND d.resource = :resource"
    " AND d.instance IS NOT DISTINCT FROM CAST(:instance AS text)"
    " AND d.passed_on_from IS NOT DISTINCT FROM CAST(:passed_on_from AS uuid)"
)
_INSERT = text(
    "INSERT INTO delegations.delegation (delegation_id, giver, receiver, resource, actions, instance, given_by,"
    " passed_on_from, consumer, supplier, performed_by, performed_by_user, created, changed)"
    " VALUES (:delegation_id, :giver, :receiver, :resource, :actions, :instance, :given_by,"
    " :passed_on_from, :consumer, :supplier, :performed_by, :performed_by_user, :now, :now)"
)
_SET_ACTIONS = text(
    "UPDATE delegations.delegation SET actions = :actions, changed = :now WHERE delegation_id = :delegation_id"
)
_SELECTED = text(
    f"{_STORED} WHERE d.revoked IS NULL"
    f" AND d.receiver = :receiver AND d.giver = :giver AND d.resource = :resource"
    f" AND d.instance IS NOT DISTINCT FROM CAST(:instance AS text)"
    f" AND (CAST(:given_by AS uuid) IS NULL OR d.given_by = :given_by) {_ORDER}"
)
_TREE = text(
    f"WITH RECURSIVE tree AS ("
    f" {_STORED} WHERE d.revoked IS NULL AND d.delegation_id = ANY(:delegation_ids)"
    f" UNION {_STORED} JOIN tree above ON d.passed_on_from = above.delegation_id WHERE d.revoked IS NULL"
    f") TABLE tree {_ORDER}"
)
# What is left of each after the actions are taken away; nothing left is the end of it.
_TAKE = text(
    "UPDATE delegations.delegation d SET changed = :now,"
    " revoked = CASE WHEN t.kept = '{}' THEN CAST(:now AS timestamptz) END,"
    " actions = CASE WHEN t.kept = '{}' THEN d.actions ELSE t.kept END"
    " FROM (SELECT delegation_id, ARRAY(SELECT a FROM unnest(actions) a"
    "       WHERE NOT (CAST(:actions AS text[]) IS NULL OR a = ANY(CAST(:actions AS text[])))) AS kept"
    "       FROM delegations.delegation WHERE delegation_id = ANY(:delegation_ids) AND revoked IS NULL) t"
    " WHERE t.delegation_id = d.delegation_id AND t.kept <> d.actions"
)


def _right(row: RowMapping) -> DelegatedRight:
    return DelegatedRight(
        delegation_id=row["delegation_id"],
        giver=row["giver"],
        receiver=row["receiver"],
        resource=row["resource"],
        actions=frozenset(row["actions"]),
        instance=row["instance"],
        given_by=row["given_by"],
        passed_on_from=row["passed_on_from"],
        created=row["created"],
    )


def _stored(row: RowMapping) -> StoredRight:
    api = ApiParties(OrgNumber(row["consumer"]), OrgNumber(row["supplier"])) if row["supplier"] else None
    return StoredRight(_right(row), row["performed_by"], row["performed_by_user"], api, row["change_id"])


async def rights(connection: AsyncConnection, questions: Collection[RightsQuestion]) -> tuple[DelegatedRight, ...]:
    """What is asked about in all of the questions, and the links that it stands on, oldest first."""
    asked = [(receiver, giver, resource) for receivers, giver, resource in questions for receiver in receivers]
    values = {
        "receivers": [receiver for receiver, _, _ in asked],
        "givers": [giver for _, giver, _ in asked],
        "resources": [resource for _, _, resource in asked],
    }
    return tuple(map(_right, (await connection.execute(_RIGHTS, values)).mappings()))


async def chain(connection: AsyncConnection, delegation_id: UUID) -> tuple[DelegatedRight, ...]:
    """The delegation and the links above it, in no order; nothing when it is not in force."""
    return tuple(map(_right, (await connection.execute(_CHAIN, {"delegation_id": delegation_id})).mappings()))


async def given_to(connection: AsyncConnection, receivers: Collection[UUID]) -> tuple[DelegatedRight, ...]:
    """Everything that ``receivers`` have been given."""
    return tuple(map(_right, (await connection.execute(_GIVEN_TO, {"receivers": list(receivers)})).mappings()))


async def on(connection: AsyncConnection, giver: UUID, resource: str) -> tuple[DelegatedRight, ...]:
    """Everything that anybody has been given on ``giver``'s behalf on one resource."""
    return tuple(map(_right, (await connection.execute(_ON, {"giver": giver, "resource": resource})).mappings()))


@cache
def _filtered(*names: str) -> TextClause:
    """A statement of its own for each question, so that each has the index that fits it."""
    conditions = " AND ".join(("d.revoked IS NULL", *(_FILTERS[name] for name in names)))
    return text(f"{_STORED} WHERE {conditions} {_ORDER}")


async def _find(connection: AsyncConnection, values: Mapping[str, object]) -> tuple[StoredRight, ...]:
    given = {name: value for name, value in values.items() if value is not None}
    return tuple(map(_stored, (await connection.execute(_filtered(*given), given)).mappings()))


async def between(
    connection: AsyncConnection, giver: UUID | None, receiver: UUID | None, resource: str | None
) -> tuple[StoredRight, ...]:
    """Delegations of ``giver``, to ``receiver``, on ``resource``; None leaves it open."""
    return await _find(connection, {"giver": giver, "receiver": receiver, "resource": resource})


async def api(
    connection: AsyncConnection,
    supplier: OrgNumber | None,
    consumer: OrgNumber | None,
    resources: Collection[str] | None,
) -> tuple[StoredRight, ...]:
    """API delegations to ``supplier``, from ``consumer``, of ``resources``; None leaves it open."""
    values = {
        "supplier": None if supplier is None else str(supplier),
        "consumer": None if consumer is None else str(consumer),
        "resources": None if resources is None else list(resources),
    }
    return tuple(one for one in await _find(connection, values) if one.api is not None)


class DelegatedApi(NamedTuple):
    """An API that a consumer has delegated to a supplier, and when last, if in several ways."""

    supplier: str
    consumer: str
    resource: str
    newest: datetime


async def delegated_apis(connection: AsyncConnection, pairs: Collection[tuple[str, str]]) -> list[DelegatedApi]:
    """The APIs that are delegated between ``pairs`` of supplier and consumer."""
    suppliers, consumers = [supplier for supplier, _ in pairs], [consumer for _, consumer in pairs]
    found = await connection.execute(_DELEGATED_APIS, {"suppliers": suppliers, "consumers": consumers})
    return [DelegatedApi(*row) for row in found]


async def lock_giver(connection: AsyncConnection, giver: UUID) -> None:
    """Let no other transaction change what ``giver`` has given, or what was passed on of it, until this one ends.

    A withdrawal has to find whatever stands on what it takes away, so nobody may pass it on at the same moment.
    """
    await connection.execute(_LOCK_GIVER, {"giver": str(giver)})


async def same(connection: AsyncConnection, offer: Offer) -> tuple[UUID, frozenset[str], datetime] | None:
    """The delegation in force that ``offer`` would add to, its actions, and when it was made."""
    values = {
        "receiver": offer.receiver,
        "giver": offer.giver,
        "resource": offer.resource,
        "instance": offer.instance,
        "passed_on_from": offer.passed_on_from,
    }
    row = (await connection.execute(_SAME, values)).first()
    return (row.delegation_id, frozenset(row.actions), row.created) if row else None


async def insert(
    connection: AsyncConnection, delegation_id: UUID, offer: Offer, given_by: UUID, by: Performer, now: datetime
) -> None:
    """Keep a new delegation."""
    values = {
        "delegation_id": delegation_id,
        "giver": offer.giver,
        "receiver": offer.receiver,
        "resource": offer.resource,
        "actions": sorted(offer.actions),
        "instance": offer.instance,
        "given_by": given_by,
        "passed_on_from": offer.passed_on_from,
        "consumer": offer.api and str(offer.api.consumer),
        "supplier": offer.api and str(offer.api.supplier),
        "performed_by": by.actor,
        "performed_by_user": by.user_id,
        "now": now,
    }
    await connection.execute(_INSERT, values)


async def set_actions(
    connection: AsyncConnection, delegation_id: UUID, actions: Collection[str], now: datetime
) -> None:
    """Let the delegation be of these actions."""
    values = {"delegation_id": delegation_id, "actions": sorted(actions), "now": now}
    await connection.execute(_SET_ACTIONS, values)


async def selected(connection: AsyncConnection, selection: Selection) -> tuple[StoredRight, ...]:
    """The delegations that a withdrawal names."""
    values = {
        "receiver": selection.receiver,
        "giver": selection.giver,
        "resource": selection.resource,
        "instance": selection.instance,
        "given_by": selection.given_by,
    }
    return tuple(map(_stored, (await connection.execute(_SELECTED, values)).mappings()))


async def tree(connection: AsyncConnection, delegation_ids: Collection[UUID]) -> tuple[StoredRight, ...]:
    """The delegations and whatever has been passed on from them."""
    values = {"delegation_ids": list(delegation_ids)}
    return tuple(map(_stored, (await connection.execute(_TREE, values)).mappings()))


async def take(
    connection: AsyncConnection, delegation_ids: Iterable[UUID], actions: Collection[str] | None, now: datetime
) -> None:
    """Take ``actions`` (None: all) out of the delegations; one that has none left is withdrawn."""
    values = {
        "delegation_ids": list(delegation_ids),
        "actions": None if actions is None else sorted(actions),
        "now": now,
    }
    await connection.execute(_TAKE, values)
