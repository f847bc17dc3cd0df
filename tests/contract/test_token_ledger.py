"""The statement that claims grants and writes decisions down, on PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from fullmakt.infra import feed
from fullmakt.infra.database import Database
from fullmakt.infra.group_commit import BATCH
from fullmakt.maskinporten.tokens.ledger import Decision, Ledger, Verdict
from fullmakt.maskinporten.tokens.model import Standing, Watched
from tests.support.token_nodes import events, used_grants
from tests.support.tokens import NOW, SECONDS, RegistryRows

FIRST_VERSION = 0


def decision(claim: bytes | None = None, **changes: Any) -> Decision:
    return replace(Decision(claim, SECONDS + 130, FIRST_VERSION, "", "trace", "actor", "subject", "{}", NOW), **changes)


@pytest.fixture
async def ledgers(database: Database) -> AsyncIterator[list[Ledger]]:
    """One for each of two nodes."""
    both = [Ledger(database) for _ in range(2)]
    yield both
    for ledger in both:
        await ledger.close()


@pytest.fixture
async def other(database_url: str) -> AsyncIterator[psycopg.AsyncConnection[tuple[Any, ...]]]:
    """A transaction of somebody else."""
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        yield connection


async def waiting_for_locks(connection: psycopg.AsyncConnection[tuple[Any, ...]], count: int) -> None:
    """Until so many statements wait for another transaction."""
    async with asyncio.timeout(5):
        while True:
            row = await (
                await connection.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                    " AND datname = current_database()"
                )
            ).fetchone()
            if row == (count,):
                return


async def test_a_claim_is_made_once_on_whichever_node(ledgers: list[Ledger]) -> None:
    assert await ledgers[0].write(decision(b"a")) is Verdict.WRITTEN
    assert await ledgers[0].write(decision(b"a")) is Verdict.REPLAYED
    assert await ledgers[1].write(decision(b"a")) is Verdict.REPLAYED
    assert await ledgers[1].write(decision(None)) is Verdict.WRITTEN


async def test_of_a_claim_that_was_taken_nothing_is_recorded_whatever_was_decided(
    ledgers: list[Ledger], database: Database
) -> None:
    for reason in ("", "", "no_access"):
        await ledgers[0].write(decision(b"a", reason=reason))
    await ledgers[0].write(decision(b"b", reason="no_access"))
    await ledgers[0].write(decision(None, reason="malformed_assertion"))
    assert [(event["outcome"], event["reason"]) for event in await events(database)] == [
        ("permit", ""), ("deny", "no_access"), ("deny", "malformed_assertion"),
    ]  # fmt: skip


async def test_equal_claims_that_come_together_count_once(ledgers: list[Ledger], database: Database) -> None:
    verdicts = await asyncio.gather(*[ledgers[0].write(decision(b"%d" % (number % 7))) for number in range(100)])
    assert verdicts.count(Verdict.WRITTEN) == 7
    assert verdicts.count(Verdict.REPLAYED) == 93
    assert await used_grants(database) == 7


async def test_those_who_come_together_share_a_statement(ledgers: list[Ledger], database: Database) -> None:
    await asyncio.gather(*[ledgers[0].write(decision(b"%d" % number)) for number in range(2 * BATCH)])
    async with database.transaction() as connection:
        rows = await connection.exec_driver_sql("SELECT count(*) FROM tokens.used_grant GROUP BY xmin::text")
        assert [row[0] for row in rows] == [BATCH, BATCH]


async def test_nothing_is_written_on_a_registry_that_has_moved_on(ledgers: list[Ledger], database: Database) -> None:
    await RegistryRows(database).change("SELECT 1", {}, "client:x")
    assert await ledgers[0].write(decision(b"a")) is Verdict.STALE
    assert await used_grants(database) == 0
    assert await events(database) == []
    old, new = await asyncio.gather(
        ledgers[0].write(decision(b"a")), ledgers[0].write(decision(b"a", version=FIRST_VERSION + 1))
    )
    assert (old, new) == (Verdict.STALE, Verdict.WRITTEN)


async def test_nothing_is_written_on_an_altinn_that_has_moved_on(ledgers: list[Ledger], database: Database) -> None:
    async with database.transaction() as connection:
        for topic in ("one", "two", "two"):
            await feed.publish(connection, topic, ["x"])
    standings = [Standing(("one", "two"), 3), Standing(("one",), 1), Standing(("two",), 2), Standing((), 0)]
    for number, standing in enumerate(standings):
        stale = standing._replace(version=standing.version - 1)
        assert await ledgers[0].write(decision(b"%d" % number, standing=stale)) is Verdict.STALE
        assert await ledgers[0].write(decision(b"%d" % number, standing=standing)) is Verdict.WRITTEN
    together = [decision(b"x", standing=standings[0]), decision(b"y"), decision(b"z", standing=standings[1])]
    assert await asyncio.gather(*[ledgers[1].write(one) for one in together]) == [Verdict.WRITTEN] * 3
    assert await used_grants(database) == len(standings) + len(together)


async def test_of_those_who_come_together_only_they_whose_own_thing_has_changed_decide_anew(
    ledgers: list[Ledger], database: Database
) -> None:
    async with database.transaction() as connection:
        await feed.publish(connection, "one", ["a", "b"])
    standing = Standing(("one",), 1)
    seen, unseen = Watched("one", "a", 1), Watched("one", "a", 0)
    both = {"standing": standing, "watched": seen}
    items = [
        decision(b"1", watched=unseen), decision(b"2", watched=seen), decision(b"3"), decision(),
        decision(b"4", watched=Watched("one", "c", 0)), decision(b"5", watched=Watched("two", "a", 0)),
        decision(b"6", **both), decision(b"7", standing=standing),
    ]  # fmt: skip
    verdicts = await asyncio.gather(*[ledgers[0].write(one) for one in items])
    assert verdicts == [Verdict.STALE] + [Verdict.WRITTEN] * 7
    assert await used_grants(database) == 6
    assert len(await events(database)) == 7
    again = await asyncio.gather(*[ledgers[1].write(one) for one in items])
    assert again == [Verdict.STALE] + [Verdict.REPLAYED] * 2 + [Verdict.WRITTEN] + [Verdict.REPLAYED] * 4


async def test_what_is_watched_is_looked_up_in_an_index_whatever_the_feed_holds(
    ledgers: list[Ledger], database: Database
) -> None:
    changes = "INSERT INTO feed.change SELECT 'consents', n, 'consent:' || n FROM generate_series(1, 20000) n"
    async with database.transaction() as connection:
        await connection.exec_driver_sql(changes)
        await connection.exec_driver_sql("ANALYZE feed.change")
    reads = "SELECT seq_scan, idx_scan FROM pg_stat_xact_user_tables WHERE relname = 'change'"
    async with await psycopg.AsyncConnection.connect(database.url) as connection:
        items = [decision(b"%d" % n, watched=Watched("consents", f"consent:{n}", 19_990)) for n in range(BATCH)]
        assert await ledgers[0].write_items(connection, items) == [Verdict.WRITTEN] * BATCH
        row = await (await connection.execute(reads)).fetchone()
    assert row is not None
    assert row[0] == 0
    assert row[1] >= BATCH, "a look-up for each"


async def test_nodes_with_the_same_claims_in_another_order_do_not_lock_each_other_out(
    ledgers: list[Ledger], other: psycopg.AsyncConnection[tuple[Any, ...]], database_url: str
) -> None:
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as watcher:
        await other.execute("INSERT INTO tokens.used_grant VALUES ('m', 0)")
        first = asyncio.gather(*[ledgers[0].write(decision(claim)) for claim in (b"z", b"m", b"k")])
        await waiting_for_locks(watcher, 1)
        second = asyncio.gather(*[ledgers[1].write(decision(claim)) for claim in (b"k", b"z")])
        await waiting_for_locks(watcher, 2)
        await other.rollback()
        assert await first == [Verdict.WRITTEN] * 3
        assert await second == [Verdict.REPLAYED] * 2


async def test_a_claim_whose_maker_gave_up_is_free(
    ledgers: list[Ledger], other: psycopg.AsyncConnection[tuple[Any, ...]]
) -> None:
    await other.execute("INSERT INTO tokens.used_grant VALUES ('a', 0)")
    claiming = ledgers[0].write(decision(b"a"))
    await other.rollback()
    assert await claiming is Verdict.WRITTEN


async def test_what_a_caller_handed_in_is_written_also_when_it_does_not_wait(
    ledgers: list[Ledger], database: Database
) -> None:
    impatient = ledgers[0].write(decision(b"a"))
    patient = ledgers[0].write(decision(b"b"))
    await asyncio.sleep(0)
    impatient.cancel()
    assert await patient is Verdict.WRITTEN
    assert await used_grants(database) == 2


async def test_closing_writes_what_waits(database: Database) -> None:
    ledger = Ledger(database)
    writing = [ledger.write(decision(b"%d" % number)) for number in range(3)]
    await asyncio.sleep(0)
    await ledger.close()
    assert await asyncio.gather(*writing) == [Verdict.WRITTEN] * 3


async def test_expired_claims_are_forgotten_a_slice_at_a_time(ledgers: list[Ledger], database: Database) -> None:
    for number in range(5):
        await ledgers[0].write(decision(b"%d" % number, expires_at=100 + number))
    assert await ledgers[0].forget_expired(104, slice_size=3) == 3
    assert await ledgers[0].forget_expired(104, slice_size=3) == 1
    assert await used_grants(database) == 1


async def test_one_node_at_a_time_forgets(
    ledgers: list[Ledger], other: psycopg.AsyncConnection[tuple[Any, ...]], database: Database
) -> None:
    await ledgers[0].write(decision(b"a", expires_at=1))
    await other.execute("SELECT pg_advisory_xact_lock(hashtextextended('tokens.used_grant', 0))")
    assert await ledgers[0].forget_expired(100) == 0
    await other.rollback()
    assert await ledgers[0].forget_expired(100) == 1
    assert await used_grants(database) == 0


async def test_a_fault_that_nobody_foresaw_reaches_those_who_wait_and_not_the_next(
    ledgers: list[Ledger], database: Database
) -> None:
    bad = ledgers[0].write(decision(b"a", expires_at="not a number"))
    with pytest.raises(Exception):  # noqa: B017, PT011 - any: the test is that it comes
        await asyncio.wait_for(bad, 5)
    assert await ledgers[0].write(decision(b"a")) is Verdict.WRITTEN
    assert await used_grants(database) == 1
