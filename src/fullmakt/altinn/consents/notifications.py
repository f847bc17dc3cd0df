"""What receivers are told of answers, where they have named a URL for it: kept with the change, sent until it is taken.

The message is a CloudEvent (version 1.0, structured JSON). The real Altinn has designed such a thing and never turned
it on (consent.md §2.2); it tells no more than which consent it is about.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.altinn.consents.model import Consent, ConsentEvent, EventType

_TOLD = frozenset({EventType.ACCEPTED, EventType.REJECTED, EventType.REVOKED})
_WAITS = tuple(dt.timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 3_600, 6 * 3_600, 12 * 3_600, 24 * 3_600))
"""How long to wait after each attempt that came to nothing; after the last of them it is given up."""

_QUEUE = text(
    "INSERT INTO consents.notification (notification_id, consent_id, url, event, created, due)"
    " VALUES (:id, :consent_id, :url, CAST(:event AS jsonb), :at, :at)"
)
_DUE = text(
    "SELECT notification_id, consent_id, url, event, attempts FROM consents.notification"
    " WHERE due IS NOT NULL AND due <= :now ORDER BY due LIMIT :limit FOR UPDATE SKIP LOCKED"
)
_CLAIM = text("UPDATE consents.notification SET attempts = attempts + 1, due = :due WHERE notification_id = :id")
_SETTLE = text("UPDATE consents.notification SET due = :due, outcome = :outcome WHERE notification_id = :id")


@dataclass(frozen=True, slots=True)
class Notification:
    """One message on its way; ``attempts`` is how often it has been tried, this time among them."""

    id: UUID
    consent_id: UUID
    url: str
    event: dict[str, Any]
    attempts: int

    @property
    def last(self) -> bool:
        """True when it is not tried again."""
        return self.attempts > len(_WAITS)


def cloud_event(consent: Consent, happened: ConsentEvent) -> dict[str, Any]:
    """The message about one event."""
    return {
        "specversion": "1.0",
        "id": str(happened.id),
        "source": "urn:altinn:consents",
        "type": f"no.altinn.consent.{happened.type.value.lower()}",
        "subject": f"urn:altinn:consent:{consent.id}",
        "time": happened.created.isoformat(),
    }


async def queue(connection: AsyncConnection, consent: Consent, events: Iterable[ConsentEvent]) -> None:
    """Let the receiver be told of what it waits for."""
    if not consent.notification_url:
        return
    rows = [
        {
            "id": happened.id,
            "consent_id": consent.id,
            "url": consent.notification_url,
            "event": json.dumps(cloud_event(consent, happened)),
            "at": happened.created,
        }
        for happened in events
        if happened.type in _TOLD
    ]
    if rows:
        await connection.execute(_QUEUE, rows)


async def claim(connection: AsyncConnection, now: dt.datetime, limit: int) -> Sequence[Notification]:
    """Messages that are due, for this sender alone: should it die, they are due again after the wait."""
    rows = (await connection.execute(_DUE, {"now": now, "limit": limit})).mappings().all()
    found = [
        Notification(row["notification_id"], row["consent_id"], row["url"], row["event"], row["attempts"] + 1)
        for row in rows
    ]
    for one in found:
        await connection.execute(_CLAIM, {"id": one.id, "due": _next(one, now)})
    return found


async def settle(connection: AsyncConnection, one: Notification, outcome: str, now: dt.datetime, *, done: bool) -> None:
    """Write down what an attempt came to; ``done``: it has been taken, or need not be tried again."""
    due = None if done or one.last else _next(one, now)
    await connection.execute(_SETTLE, {"id": one.id, "due": due, "outcome": outcome})


def _next(one: Notification, now: dt.datetime) -> dt.datetime:
    return now + _WAITS[min(one.attempts, len(_WAITS)) - 1]
