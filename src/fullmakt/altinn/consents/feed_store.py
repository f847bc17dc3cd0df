"""What is read by the page: what receivers are told, givers' requests, and owners' lists.

Each statement reads as many rows of an index as the page has, whatever the table holds; save an owner's list of other
consents than those that were revoked, which passes by what has lapsed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.altinn.consents.model import Consent, ConsentEvent, EventType, Status
from fullmakt.altinn.consents.store import CONSENT, consents_of, event_of

_EVENT = "SELECT event_id, consent_id, type, created, performed_by FROM consents.consent_event"
_RANGE = "receiver = :receiver AND in_feed AND event_id > :after AND event_id >= :from_id AND event_id < :to_id"
_ALL = text(f"{_EVENT} WHERE {_RANGE} ORDER BY event_id LIMIT :limit")
_OF_CONSENT = text(f"{_EVENT} WHERE consent_id = :consent_id AND {_RANGE} ORDER BY event_id LIMIT :limit")
_OF_GIVER = text(f"{CONSENT} WHERE c.giver = :giver AND c.number < :before ORDER BY c.number DESC LIMIT :limit")
_SHOWN = "SELECT count(*) FROM consents.consent WHERE giver = :giver AND portal_view_mode = 'Show' AND valid_to > :now"
_COUNT = text(_SHOWN)
_COUNT_STATUS = text(f"{_SHOWN} AND status = :status")
_STANDS = (
    "r.agreed IS NOT NULL AND EXISTS (SELECT 1 FROM consents.consent o WHERE o.consent_id = r.consent_id"
    " AND o.status = ANY(:statuses) AND (o.status <> 'Accepted' OR o.valid_to > :now))"
)


def _of_resources(which: str) -> str:
    """Consents of the resources whose rights are ``which``, in the order of an index that has those alone."""
    return (
        "WITH listed AS (SELECT DISTINCT one.agreed, one.consent_id FROM unnest(CAST(:resources AS text[])) AS wanted"  # noqa: S608 - ours
        " CROSS JOIN LATERAL (SELECT DISTINCT r.agreed, r.consent_id FROM consents.consent_right r"
        f" WHERE r.resource = wanted AND (r.agreed, r.consent_id) > (:after, :after_id) AND {which}"
        " ORDER BY r.agreed, r.consent_id LIMIT :limit) one ORDER BY one.agreed, one.consent_id LIMIT :limit)"
        f" {CONSENT} JOIN listed USING (consent_id) ORDER BY listed.agreed, listed.consent_id"
    )


_OF_RESOURCES = text(_of_resources(_STANDS))
_ACCEPTED = text(_of_resources(f"NOT r.revoked AND {_STANDS}"))
_REVOKED = text(_of_resources("r.revoked"))
FIRST = UUID(int=0)
"""Before every id."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The events that a receiver wants, by their ids: after ``after``, from ``from_id`` on, before ``to_id``; ``types``
    none: all."""

    receiver: UUID
    to_id: UUID
    after: UUID = FIRST
    from_id: UUID = FIRST
    types: Collection[EventType] = ()
    consent_id: UUID | None = None


def _of_types(types: Sequence[EventType]) -> str:
    """One index scan for each type, and their heads put together."""
    scans = [f"({_EVENT} WHERE type = '{one.value}' AND {_RANGE} ORDER BY event_id LIMIT :limit)" for one in types]
    return f"SELECT * FROM ({' UNION ALL '.join(scans)}) heads ORDER BY event_id LIMIT :limit"  # noqa: S608 - ours


async def events(connection: AsyncConnection, wanted: Wanted, limit: int) -> list[ConsentEvent]:
    """The first ``limit`` events that are wanted, oldest first."""
    asked: dict[str, Any] = {
        "receiver": wanted.receiver,
        "after": wanted.after,
        "from_id": wanted.from_id,
        "to_id": wanted.to_id,
        "limit": limit,
    }
    if wanted.consent_id is not None:
        rows = await connection.execute(_OF_CONSENT, {**asked, "consent_id": wanted.consent_id, "limit": None})
        found = [event_of(row) for row in rows.mappings()]  # of one consent there are few
        return [one for one in found if not wanted.types or one.type in wanted.types][:limit]
    types = sorted(set(wanted.types))
    statement = text(_of_types(types)) if types else _ALL
    return [event_of(row) for row in (await connection.execute(statement, asked)).mappings()]


async def of_giver(connection: AsyncConnection, giver: UUID, limit: int, before: int = 2**62) -> list[Consent]:
    """The newest ``limit`` consents that the party was asked for, newest first."""
    asked = {"giver": giver, "before": before, "limit": limit}
    return consents_of((await connection.execute(_OF_GIVER, asked)).mappings().all())


async def count(connection: AsyncConnection, giver: UUID, status: str | None, now: dt.datetime) -> int:
    """How many of them the giver's list shows, of those whose time is not over."""
    asked = {"giver": giver, "now": now}
    if status is None:
        return int((await connection.execute(_COUNT, asked)).scalar_one())
    return int((await connection.execute(_COUNT_STATUS, {**asked, "status": status})).scalar_one())


async def of_resources(
    connection: AsyncConnection,
    resources: Collection[str],
    statuses: Collection[str],
    now: dt.datetime,
    after: tuple[dt.datetime, UUID],
    limit: int,
) -> list[Consent]:
    """Consents on ``resources`` that were given, in the order of their last change; lapsed ones are left out."""
    asked = {"resources": list(resources), "after": after[0], "after_id": after[1], "limit": limit}
    if set(statuses) == {Status.REVOKED.value}:
        return consents_of((await connection.execute(_REVOKED, asked)).mappings().all())
    statement = _ACCEPTED if set(statuses) == {Status.ACCEPTED.value} else _OF_RESOURCES
    asked |= {"statuses": list(statuses), "now": now}
    return consents_of((await connection.execute(statement, asked)).mappings().all())
