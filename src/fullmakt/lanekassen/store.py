"""What Lånekassen keeps: consents until their end, and an event in the audit trail for each answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from psycopg.rows import dict_row
from sqlalchemy import text

from fullmakt.infra.audit import AuditEvent, clean_facts, clean_text, record
from fullmakt.infra.database import Database
from fullmakt.infra.group_commit import Connection, GroupCommit
from fullmakt.kernel.clock import Clock
from fullmakt.kernel.identifiers import NationalId, OrgNumber
from fullmakt.lanekassen.config import SERVICE
from fullmakt.lanekassen.sweeping import Sweeping
from fullmakt.provider import Consent, ConsentForm, ConsentRight

SYSTEM = "lanekassen"

_HEAR = text(
    "INSERT INTO lanekassen.ended_consent (consent_id, heard)"
    " SELECT id, :now FROM unnest(CAST(:ended AS uuid[])) AS id ON CONFLICT DO NOTHING"
)
_FORGET = text(
    "DELETE FROM lanekassen.consent WHERE consent_id = ANY(CAST(:ended AS uuid[])) RETURNING consent_id, receiver"
)
_CLEAR = text("DELETE FROM lanekassen.consent WHERE valid_to <= :now")
_CLEAR_ENDED = text(
    "DELETE FROM lanekassen.consent AS c USING lanekassen.ended_consent AS e WHERE e.consent_id = c.consent_id"
)
_UNHEAR = text("DELETE FROM lanekassen.ended_consent WHERE heard <= :until")
_PLACE = text("SELECT continuation FROM lanekassen.list_read WHERE list = :list")
_KEEP_PLACE = text(
    "INSERT INTO lanekassen.list_read (list, continuation) VALUES (:list, :continuation)"
    " ON CONFLICT (list) DO UPDATE SET continuation = EXCLUDED.continuation"
)
_FORGET_PLACE = text("DELETE FROM lanekassen.list_read WHERE list = :list")
ENDED_KEPT = timedelta(days=7)
"""How long the end of a consent is known: the last token that was drawn of it is good for half a minute."""

_FIND = """
SELECT w.place, c.consent_id, c.handled_by, c.given_at, c.valid_to, c.metadata
FROM unnest(%b::text[], %b::text[], %b::text[]) WITH ORDINALITY AS w (receiver, giver, service, place)
JOIN lanekassen.consent AS c USING (receiver, giver, service)
WHERE c.valid_to > %b
    AND NOT EXISTS (SELECT FROM lanekassen.ended_consent AS e WHERE e.consent_id = c.consent_id)
"""

_WRITE = """
WITH given AS (
    SELECT * FROM json_to_recordset(%b::text::json) AS e (
        place integer, at timestamptz, action text, outcome text, reason text, trace_id text, actor text, subject text,
        facts jsonb, consent jsonb
    )
), remembered AS (
    INSERT INTO lanekassen.consent (receiver, giver, service, consent_id, handled_by, given_at, valid_to, metadata)
    SELECT DISTINCT ON (c.receiver, c.giver, c.service)
        c.receiver, c.giver, c.service, c.consent_id, c.handled_by, c.given_at, c.valid_to, c.metadata
    FROM given, jsonb_to_record(given.consent) AS c (
        receiver text, giver text, service text, consent_id uuid, handled_by text, given_at timestamptz,
        valid_to timestamptz, metadata jsonb
    )
    WHERE given.consent IS NOT NULL
        AND NOT EXISTS (SELECT FROM lanekassen.ended_consent AS e WHERE e.consent_id = c.consent_id)
    ORDER BY c.receiver, c.giver, c.service, given.place DESC
    ON CONFLICT (receiver, giver, service) DO UPDATE SET
        consent_id = EXCLUDED.consent_id, handled_by = EXCLUDED.handled_by, given_at = EXCLUDED.given_at,
        valid_to = EXCLUDED.valid_to, metadata = EXCLUDED.metadata
    WHERE (consent.consent_id, consent.handled_by, consent.valid_to)
        IS DISTINCT FROM (EXCLUDED.consent_id, EXCLUDED.handled_by, EXCLUDED.valid_to)
)
INSERT INTO audit.event (at, system, action, outcome, reason, trace_id, actor, subject, facts)
SELECT at, 'lanekassen', action, outcome, reason, trace_id, actor, subject, facts FROM given ORDER BY place
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """An event of the trail, and the consent to remember with it, if any."""

    event: AuditEvent
    consent: Consent | None = None


class Journal(GroupCommit[Entry, None]):
    """Writes answers down before they leave, up to 32 at a time, each with the consent that is to be remembered."""

    async def write_items(self, connection: Connection, items: Sequence[Entry]) -> Sequence[None]:
        """One statement for all of them; of two consents of one person to one receiver the later stays."""
        document = orjson.dumps([_row(place, entry) for place, entry in enumerate(items)])
        await connection.cursor(binary=True).execute(_WRITE, (document.decode(),), prepare=True)
        return [None] * len(items)


class Place(NamedTuple):
    """Where a consent is remembered."""

    receiver: OrgNumber
    giver: NationalId | OrgNumber
    service: str


class Reader(GroupCommit[Place, Consent | None]):
    """Looks consents up, for up to 32 calls at a time: what is asked for during a query makes up the next."""

    def __init__(self, database: Database, clock: Clock) -> None:
        super().__init__(database)
        self._clock = clock

    async def write_items(self, connection: Connection, items: Sequence[Place]) -> Sequence[Consent | None]:
        """One query for all of them."""
        wanted = [[str(place[column]) for place in items] for column in range(3)]
        cursor = connection.cursor(binary=True, row_factory=dict_row)
        rows = await (await cursor.execute(_FIND, (*wanted, self._clock()), prepare=True)).fetchall()
        found = {row["place"]: row for row in rows}
        return [_found(place, found.get(number)) for number, place in enumerate(items, 1)]


def _found(place: Place, row: Mapping[str, Any] | None) -> Consent | None:
    if row is None:
        return None
    return Consent(
        form=ConsentForm.ALTINN2,
        id=row["consent_id"],
        giver=place.giver,
        receiver=place.receiver,
        handled_by=None if row["handled_by"] is None else OrgNumber(row["handled_by"]),
        given_at=row["given_at"],
        valid_to=row["valid_to"],
        rights=(ConsentRight(place.service, metadata=row["metadata"]),),
    )


class Consents:
    """The consents that are remembered, where all processes find them: a ``ConsentCache``.

    What is remembered with an answer goes by way of ``Journal``, in one statement with what the trail tells of it.
    """

    def __init__(self, database: Database, journal: Journal, clock: Clock) -> None:
        self._database = database
        self._journal = journal
        self._reader = Reader(database, clock)
        self._clock = clock
        self.sweeping = Sweeping(self.sweep)

    async def find(self, receiver: OrgNumber, giver: NationalId | OrgNumber, service: str) -> Consent | None:
        """The consent remembered last, None when there is none that neither lapsed nor is known to have ended."""
        return await self._reader.write(Place(receiver, giver, service))

    async def close(self) -> None:
        """End the sweep, and let go of the connection for looking up."""
        await self.sweeping.stop()
        await self._reader.close()

    async def remember(self, consent: Consent) -> None:
        """Keep a consent that has been verified."""
        event = AuditEvent(
            self._clock(), SYSTEM, "consent:remember", "done", actor=str(consent.receiver), subject=str(consent.id)
        )
        await self._journal.write(Entry(event, consent))

    async def forget(self, ended: Collection[UUID]) -> None:
        """Let go of consents that have ended, and of any that lapsed; none of the former counts again."""
        now, ids = self._clock(), [str(one) for one in ended]
        async with self._database.transaction() as connection:
            await connection.execute(_HEAR, {"ended": ids, "now": now})
            for row in (await connection.execute(_FORGET, {"ended": ids})).mappings().all():
                subject = str(row["consent_id"])
                event = AuditEvent(now, SYSTEM, "consent:forget", "done", actor=row["receiver"], subject=subject)
                await record(connection, event)
            await connection.execute(_CLEAR, {"now": now})

    async def sweep(self) -> None:
        """Let go of consents that have lapsed, and of the ends of those that no token brings back any more.

        A consent that was being remembered while its end was heard goes before its end does.
        """
        now = self._clock()
        async with self._database.transaction() as connection:
            await connection.execute(_CLEAR, {"now": now})
            await connection.execute(_CLEAR_ENDED)
            await connection.execute(_UNHEAR, {"until": now - ENDED_KEPT})


class Lists:
    """How far owners' lists of ended consents have been read, each by its name."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def place(self, of: str) -> str | None:
        """Where to read on; None at the beginning."""
        async with self._database.transaction() as connection:
            return (await connection.execute(_PLACE, {"list": of})).scalar()

    async def keep(self, of: str, continuation: str) -> None:
        """It has been read so far."""
        async with self._database.transaction() as connection:
            await connection.execute(_KEEP_PLACE, {"list": of, "continuation": continuation})

    async def forget(self, of: str) -> None:
        """It is to be read from the beginning."""
        async with self._database.transaction() as connection:
            await connection.execute(_FORGET_PLACE, {"list": of})


def _row(place: int, entry: Entry) -> dict[str, Any]:
    event = entry.event
    return {
        "place": place,
        "at": event.at.isoformat(),
        "action": event.action,
        "outcome": event.outcome,
        "reason": event.reason,
        "trace_id": event.trace_id,
        "actor": clean_text(event.actor),
        "subject": clean_text(event.subject),
        "facts": clean_facts(event.facts),
        "consent": None if entry.consent is None else _consent(entry.consent),
    }


def _consent(consent: Consent) -> Mapping[str, Any]:
    metadata = next((dict(right.metadata) for right in consent.rights if right.resource == SERVICE), {})
    return {
        "receiver": str(consent.receiver),
        "giver": str(consent.giver),
        "service": SERVICE,
        "consent_id": str(consent.id),
        "handled_by": None if consent.handled_by is None else str(consent.handled_by),
        "given_at": None if consent.given_at is None else consent.given_at.isoformat(),
        "valid_to": consent.valid_to.isoformat(),
        "metadata": metadata,
    }
