"""What the bench fills in by statements of its own is what the program would have written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from bench import consent_world
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.altinn.consents import store
from fullmakt.altinn.consents.model import Consent, EventType, Status
from fullmakt.infra.database import Database

STOCK = 400
GIVERS = ("08027202285", "30918899991")
_IDS = text("SELECT consent_id FROM consents.consent ORDER BY number")
_ROWS = text(
    "SELECT to_jsonb(c) - 'consent_id' - 'number' AS consent,"
    " (SELECT jsonb_agg(to_jsonb(r) - 'consent_id' ORDER BY r.place) FROM consents.consent_right r"
    "  WHERE r.consent_id = c.consent_id) AS rights FROM consents.consent c WHERE c.consent_id = :consent_id"
)
_INDEXES = text("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'consents' ORDER BY indexname")


async def _rows(connection: AsyncConnection, consent_id: UUID) -> Sequence[Any]:
    return (await connection.execute(_ROWS, {"consent_id": consent_id})).one()


async def test_a_filled_database_is_as_the_program_leaves_it(database: Database, database_url: str) -> None:
    async with database.transaction() as connection:
        indexes = (await connection.execute(_INDEXES)).all()
    consent_world.fill(database_url, STOCK, GIVERS)
    async with database.transaction() as connection:
        assert (await connection.execute(_INDEXES)).all() == indexes
        found = [await store.get(connection, one) for one in (await connection.execute(_IDS)).scalars()]
        consents = [one for one in found if one is not None]
        assert len(consents) == STOCK
        assert {one.status for one in consents} == set(Status) - {Status.DELETED}
        for consent in consents:
            again = replace(consent, id=uuid4())
            assert await store.insert(connection, again)
            assert await _rows(connection, again.id) == await _rows(connection, consent.id)


async def test_what_has_happened_in_it_is_what_led_to_how_it_stands(database: Database, database_url: str) -> None:
    consent_world.fill(database_url, STOCK, GIVERS)
    async with database.transaction() as connection:
        ids = list((await connection.execute(_IDS)).scalars())
        events = await store.events(connection, ids)
        for one in ids:
            consent = await store.get(connection, one)
            assert consent is not None
            assert [event.type for event in events[one]] == _led_to(consent)
            assert [event.created for event in events[one]] == sorted(event.created for event in events[one])


def _led_to(consent: Consent) -> list[EventType]:
    answers = {
        Status.CREATED: [],
        Status.REJECTED: [EventType.REJECTED],
        Status.ACCEPTED: [EventType.ACCEPTED],
        Status.REVOKED: [EventType.ACCEPTED, EventType.REVOKED],
    }
    return [EventType.CREATED, *answers[consent.status]]
