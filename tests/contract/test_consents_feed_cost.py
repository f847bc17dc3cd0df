"""A page costs the same whatever the tables hold: as many rows are read of an index as the page has."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event, text

from fullmakt.altinn.consents import feed_store, store
from fullmakt.altinn.consents.feed_store import Wanted
from fullmakt.altinn.consents.model import EndReason, EventType, Status
from fullmakt.infra.database import Database
from fullmakt.kernel.ordered_ids import first_id_at
from tests.support.consents import NOW, RECEIVER

PAGE = 20
MANY = 5_000
END = first_id_at(NOW + dt.timedelta(days=3_000))

FILL = """
WITH made AS (
    INSERT INTO consents.consent (consent_id, form, giver, receiver, created_by, valid_to, message, redirect_url,
        notification_url, portal_view_mode, template_id, one_time, status, created, answered_at, language, shown,
        last_changed)
    SELECT gen_random_uuid(), 'altinn3', gen_random_uuid(), %(receiver)s, %(receiver)s, %(later)s, '{}', 'x:y', '',
        'Hide', 'default', false, 'Accepted', %(now)s, %(now)s, 'nb', '{}', %(now)s + n * interval '1 minute'
    FROM generate_series(1, %(many)s) n RETURNING consent_id, last_changed
), rights AS (
    INSERT INTO consents.consent_right (consent_id, place, resource, actions, metadata, agreed)
    SELECT consent_id, 0, 'skd_1_1', '{consent}', '{}', last_changed FROM made
)
INSERT INTO consents.consent_event (event_id, consent_id, receiver, type, created, performed_by, in_feed)
SELECT CAST(lpad(to_hex((extract(epoch FROM last_changed) * 1000)::bigint), 12, '0') || '7000'
        || right(replace(gen_random_uuid()::text, '-', ''), 16) AS uuid),
    consent_id, %(receiver)s, CASE WHEN random() < 0.05 THEN 'Revoked' ELSE 'Accepted' END, last_changed,
    consent_id, true
FROM made
"""


@pytest.fixture
async def filled(database: Database) -> Database:
    connection = await database.raw_connection()
    async with connection:
        asked = {"receiver": RECEIVER, "now": NOW, "later": NOW + dt.timedelta(days=3_000), "many": MANY}
        await connection.execute(FILL, asked)
        await connection.execute("ANALYZE consents.consent, consents.consent_right, consents.consent_event")
    return database


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


async def rows_read(database: Database, work: Any) -> int:
    """The rows that the statements of ``work`` read of tables and indexes; none of them sorts more than a page."""
    total = 0
    async with database.transaction() as connection:
        seen: list[tuple[str, Any]] = []

        def remember(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
            seen.append((statement, parameters))

        event.listen(connection.sync_connection, "before_cursor_execute", remember)
        await work(connection)
        event.remove(connection.sync_connection, "before_cursor_execute", remember)
        for statement, parameters in seen:
            explained = await connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters)
            for node in nodes(explained.scalar_one()[0]["Plan"]):
                read = node["Actual Rows"] * node["Actual Loops"]
                assert node["Node Type"] != "Seq Scan", node
                if "Scan" in node["Node Type"] and "Relation Name" in node:
                    total += read + node.get("Rows Removed by Filter", 0) * node["Actual Loops"]
                if "Sort" in node["Node Type"]:
                    assert node["Plans"][0]["Actual Rows"] <= 3 * PAGE, node
    return total


@pytest.mark.parametrize("days", [0, 1, 3])
async def test_a_page_of_the_feed_reads_a_page_of_rows_wherever_it_begins(filled: Database, days: int) -> None:
    after = first_id_at(NOW + dt.timedelta(days=days))
    wanted = Wanted(RECEIVER, END, after=after)
    found: list[Any] = []

    async def work(connection: Any) -> None:
        found.extend(await feed_store.events(connection, wanted, PAGE))

    assert await rows_read(filled, work) == PAGE == len(found)
    assert found == sorted(found, key=lambda one: one.id)


async def test_a_type_that_seldom_happens_is_found_without_reading_the_others(filled: Database) -> None:
    types = (EventType.REVOKED, EventType.REJECTED, EventType.USED)
    found: list[Any] = []

    async def work(connection: Any) -> None:
        found.extend(await feed_store.events(connection, Wanted(RECEIVER, END, types=types), PAGE))

    assert await rows_read(filled, work) <= 3 * PAGE
    assert found
    assert {one.type for one in found} == {EventType.REVOKED}


async def test_an_owner_s_page_reads_a_page_of_rows(filled: Database) -> None:
    after = (NOW + dt.timedelta(days=1), UUID(int=0))
    found: list[Any] = []

    async def work(connection: Any) -> None:
        found.extend(await feed_store.of_resources(connection, ["skd_1_1"], ["Accepted"], NOW, after, PAGE))

    assert await rows_read(filled, work) <= 5 * PAGE
    assert len(found) == PAGE
    assert [one.last_changed for one in found] == sorted(one.last_changed for one in found)


async def test_what_was_revoked_is_found_without_reading_what_stands(filled: Database) -> None:
    """An owner polls for the end of consents from the beginning, until a page is full."""
    async with filled.transaction() as connection:
        accepted = await feed_store.of_resources(connection, ["skd_1_1"], ["Accepted"], NOW, (NOW, UUID(int=0)), PAGE)
        ended = [
            replace(one, status=Status.REVOKED, ended_at=at, end_reason=EndReason.REVOKED)
            for number, one in enumerate(accepted[:3])
            for at in [NOW + dt.timedelta(days=10, minutes=-number)]
        ]
        for before, after in zip(accepted, ended, strict=False):
            assert await store.move(connection, before, after)
    found: list[Any] = []

    async def work(connection: Any) -> None:
        found.extend(await feed_store.of_resources(connection, ["skd_1_1"], ["Revoked"], NOW, (NOW, UUID(int=0)), PAGE))

    assert await rows_read(filled, work) <= 3 * len(ended)
    assert [one.id for one in found] == [one.id for one in reversed(ended)]


async def test_how_many_requests_are_open_is_counted_without_reading_the_others(filled: Database) -> None:
    later = NOW + dt.timedelta(days=1)
    async with filled.transaction() as connection:
        await connection.execute(text("UPDATE consents.consent SET giver = receiver, portal_view_mode = 'Show'"))
        opened = "UPDATE consents.consent SET status = 'Created', answered_at = NULL, valid_to = :at WHERE number <= :n"
        await connection.execute(text(opened), {"at": later, "n": 4})
        await connection.execute(text(opened), {"at": NOW, "n": 1})  # whose time is over
    plain = await filled.raw_connection()
    async with plain:
        await plain.set_autocommit(True)
        await plain.execute("VACUUM ANALYZE consents.consent")

    async def work(connection: Any) -> None:
        assert await feed_store.count(connection, RECEIVER, "Created", NOW) == 3

    assert await rows_read(filled, work) == 3
    async with filled.transaction() as connection:
        assert await feed_store.count(connection, RECEIVER, None, NOW) == MANY - 1


async def test_a_giver_s_list_reads_its_own(filled: Database) -> None:
    async def work(connection: Any) -> None:
        assert await feed_store.of_giver(connection, uuid4(), PAGE) == []

    assert await rows_read(filled, work) == 0
