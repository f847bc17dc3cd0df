"""Lists for one service: right whatever has happened, and as dear as what they hold (consent.md §2.3, §2.11)."""

from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.altinn.consents import feed_store, store
from fullmakt.altinn.consents.altinn2.store import Place, Wanted, page_sql, page_values, requests
from fullmakt.altinn.consents.model import Consent, ConsentRight, EndReason, Form, Status
from fullmakt.infra.database import Database
from fullmakt.infra.migrations import migrate
from fullmakt.serve.systems import PACKAGE
from tests.support.consents import GIVER, NOW, PERSON, RECEIVER, STRANGER, SUPPLIER, consent
from tests.support.plans import most_rows_read

FOLDER = PACKAGE / "altinn" / "consents" / "migrations"
LOAN, TAX = "lanekassen_5498_1", "skd_4629_2"
OTHERS = 1_000
PAGE = 10
SIDES = {"receiver": RECEIVER, "handler": SUPPLIER, "supplier": SUPPLIER, "giver": GIVER}


def asked(*resources: str, **given: Any) -> Consent:
    rights = tuple(ConsentRight(one) for one in resources)
    return consent(**{"form": Form.ALTINN2, "handled_by": SUPPLIER, "rights": rights, **given})


def opened(before: Consent) -> Consent:
    return replace(before, opened_at=before.created + dt.timedelta(minutes=1))


def accepted(before: Consent) -> Consent:
    at = before.created + dt.timedelta(minutes=2)
    return replace(before, status=Status.ACCEPTED, answered_at=at, answered_by=PERSON, language="nb")


def rejected(before: Consent) -> Consent:
    return replace(accepted(before), status=Status.REJECTED)


def revoked(before: Consent) -> Consent:
    at = before.created + dt.timedelta(minutes=3)
    return replace(before, status=Status.REVOKED, ended_at=at, end_reason=EndReason.REVOKED)


def withdrawn(before: Consent) -> Consent:
    return replace(before, status=Status.DELETED, ended_at=before.created + dt.timedelta(minutes=3))


PATHS = {
    "Created": (),
    "Opened": (opened,),
    "Accepted": (opened, accepted),
    "Revoked": (opened, accepted, revoked),
    "Rejected": (rejected,),
    "Withdrawn": (withdrawn,),
}


async def keep(connection: AsyncConnection, made: Consent, path: str = "Created") -> UUID:
    """A consent that has come as far as ``path`` says."""
    assert await store.insert(connection, made)
    for step in PATHS[path]:
        after = step(made)
        assert await store.move(connection, made, after)
        made = after
    return made.id


async def listed(connection: AsyncConnection, side: str, **wanted: Any) -> list[UUID]:
    found = await requests(connection, Wanted(SIDES[side], (side,), RECEIVER, **wanted), Place(), PAGE)
    return [one.id for one in found]


@pytest.mark.parametrize("side", SIDES)
async def test_a_list_for_a_service_follows_what_happens(database: Database, side: str) -> None:
    async with database.transaction() as connection:
        made = {}
        for minute, path in enumerate(PATHS):
            at = NOW + dt.timedelta(hours=minute)
            made[path] = await keep(connection, asked(LOAN, created=at), path)
            await keep(connection, asked(TAX, created=at), path)
            await keep(connection, asked(LOAN, created=at, giver=STRANGER, receiver=STRANGER, handled_by=None), path)
            await keep(connection, consent(created=at, handled_by=SUPPLIER, rights=(ConsentRight(LOAN),)))
        there = {path: code for path, code in made.items() if path != "Withdrawn"}
        assert await listed(connection, side, resource=LOAN) == list(there.values())
        for states, paths in {
            ("Created",): ["Created"],
            ("Opened",): ["Opened"],
            ("Accepted",): ["Accepted", "Revoked"],
            ("Rejected", "Created"): ["Created", "Rejected"],
        }.items():
            assert await listed(connection, side, resource=LOAN, states=states) == [there[one] for one in paths]
        assert await listed(connection, side, resource="skd_1_1") == []


async def test_a_consent_to_several_services_is_in_the_list_of_each_and_there_once(database: Database) -> None:
    async with database.transaction() as connection:
        several = [await keep(connection, asked(LOAN, TAX, LOAN)) for _ in range(PAGE + 1)]
        for service in (LOAN, TAX):
            assert await listed(connection, "receiver", resource=service) == sorted(several)[:PAGE]


async def test_a_supplier_s_list_for_one_receiver_has_no_other_s(database: Database) -> None:
    async with database.transaction() as connection:
        await keep(connection, asked(LOAN, receiver=STRANGER))
        own = await keep(connection, asked(LOAN))
        assert await listed(connection, "supplier", resource=LOAN) == [own]


async def most_read(connection: AsyncConnection, statement: Any, values: Any) -> float:
    """What a statement reads where tables are too large to be read whole."""
    for method in ("seqscan", "hashjoin", "mergejoin"):
        await connection.execute(text(f"SET LOCAL enable_{method} = off"))
    return await most_rows_read(connection, statement, values)


@pytest.fixture
async def crowded(database: Database) -> Database:
    """A thousand consents to another service, of the same parties and in the same states, around a few to LOAN."""
    async with database.transaction() as connection:
        paths = ["Created", "Opened", "Accepted", "Revoked", "Rejected"]
        for number in range(OTHERS):
            at = NOW + dt.timedelta(minutes=number)
            await keep(connection, asked(TAX, created=at), paths[number % 5])
            if number % 20 == 0:
                await keep(connection, asked(LOAN, created=at), paths[number // 20 % 5])
        await connection.execute(text("ANALYZE consents.consent, consents.consent_right"))
    return database


async def test_a_list_for_a_service_passes_by_nothing_for_another(crowded: Database) -> None:
    lists: list[tuple[tuple[str, ...], tuple[str, ...] | None]] = [
        ((side,), states) for side in SIDES for states in (None, ("Accepted",), ("Created", "Opened"))
    ]
    lists.append((("receiver", "handler", "giver"), ("Accepted",)))
    async with crowded.transaction() as connection:
        for sides, states in lists:
            wanted = Wanted(SIDES[sides[0]], sides, RECEIVER, states, LOAN)
            statement, values = text(page_sql(wanted)), page_values(wanted, Place(), PAGE)
            assert len(await requests(connection, wanted, Place(), PAGE)) == PAGE
            # As many as a page has, of each state; with the other service there are a thousand.
            assert await most_read(connection, statement, values) <= 4 * PAGE, wanted
        assert await requests(connection, Wanted(uuid4(), ("giver",), resource=LOAN), Place(), PAGE) == []


async def test_an_owner_s_list_passes_by_no_other_service_and_no_other_status(crowded: Database) -> None:
    after = (NOW - dt.timedelta(days=1), UUID(int=0))
    async with crowded.transaction() as connection:
        for statuses in (["Accepted"], ["Revoked"], ["Accepted", "Revoked"]):
            seen: list[tuple[Any, Any]] = []
            watched: Any = Watched(connection, seen)
            found = await feed_store.of_resources(watched, [LOAN], statuses, NOW, after, PAGE)
            assert len(found) == PAGE
            assert {one.status.value for one in found} == set(statuses)
            ((statement, values),) = seen
            assert await most_read(connection, statement, values) <= PAGE, statuses


class Watched:
    """A connection that remembers what it is asked."""

    def __init__(self, connection: AsyncConnection, seen: list[tuple[Any, Any]]) -> None:
        self.connection = connection
        self.seen = seen

    async def execute(self, statement: Any, values: Any) -> Any:
        self.seen.append((statement, values))
        return await self.connection.execute(statement, values)


OLDER = """
INSERT INTO consents.consent (consent_id, form, status, opened_at, answered_at, ended_at, end_reason, last_changed,
    giver, receiver, created_by, valid_to, created, message, redirect_url, notification_url, portal_view_mode,
    template_id, one_time, language, shown)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, now(), now(), '{}', 'x:y', '', 'Hide', 'default', false, 'nb', '{}')
"""


async def test_consents_that_were_there_before_are_in_the_lists(database_url: str, tmp_path: Path) -> None:
    for file in sorted(FOLDER.glob("consents_000[1-4]_*.py")):
        shutil.copy(file, tmp_path)
    made = [uuid4() for _ in range(5)]
    with psycopg.connect(database_url, autocommit=True) as connection:
        for schema in ("migrations", "audit", "feed", "consents"):
            connection.execute(f"DROP SCHEMA {schema} CASCADE")
        migrate(database_url, [tmp_path])
        rows = [
            (made[0], "altinn2", "Created", None, None, None),
            (made[1], "altinn2", "Created", NOW, None, None),
            (made[2], "altinn2", "Revoked", NOW, NOW, "revoked"),
            (made[3], "altinn2", "Deleted", None, None, None),
            (made[4], "altinn3", "Created", None, None, None),
        ]
        parties = (GIVER, RECEIVER, RECEIVER)
        for number, (code, form, status, opened_at, answered_at, reason) in enumerate(rows):
            at = NOW + dt.timedelta(minutes=number)
            ended = at if status in {"Revoked", "Deleted"} else None
            connection.execute(OLDER, (code, form, status, opened_at, answered_at, ended, reason, at, *parties))
            connection.execute(
                "INSERT INTO consents.consent_right (consent_id, place, resource, actions, metadata)"
                " VALUES (%s, 0, 'lanekassen_5498_1', '{consent}', '{}')",
                (code,),
            )
    migrate(database_url, [FOLDER])
    database = Database(database_url)
    async with database.transaction() as connection:
        assert await listed(connection, "giver", resource=LOAN) == made[:3]
        assert await listed(connection, "giver", resource=LOAN, states=("Opened",)) == [made[1]]
        assert await listed(connection, "receiver", resource=LOAN, states=("Accepted",)) == [made[2]]
    await database.close()
