"""Killed in the middle of its work, it has lost nothing that it told anybody, and goes on."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Collection
from pathlib import Path

import httpx2
from sqlalchemy import text

from tests.support.inside import database_of
from tests.support.load import Answer, Interruption, grants, post, post_all
from tests.support.running import Running, postmaster, running

GRANTS = 400
KILLED_AT = 100
PATIENCE = 30.0
"""Seconds in which it has to be back."""


async def permitted(server: Running, trace_ids: Collection[str]) -> set[str]:
    """Those of the traces that the audit trail has a permit for."""
    statement = text("SELECT trace_id FROM audit.event WHERE outcome = 'permit' AND trace_id = ANY(:ids)")
    async with database_of(server) as database, database.transaction() as connection:
        return set((await connection.execute(statement, {"ids": list(trace_ids)})).scalars())


async def answers_until(server: Running, wanted: int) -> list[Answer]:
    """Answers to one grant after the other, until one has the status that is wanted."""
    answers: list[Answer] = []
    async with asyncio.timeout(PATIENCE), httpx2.AsyncClient(timeout=PATIENCE) as http:
        while not answers or answers[-1].status != wanted:
            answers += [await post(http, server, grant) for grant in grants(server, 1)]
    return answers


async def until_ready_says(server: Running, status: int) -> None:
    async with asyncio.timeout(PATIENCE), httpx2.AsyncClient(timeout=PATIENCE) as http:
        found = 0
        while found != status:
            found = (await http.get(f"{server.url}/readyz")).status_code


def assert_replayed(answers: Collection[Answer]) -> None:
    assert {(answer.status, json.loads(answer.body)["error_uri"][-6:]) for answer in answers} == {(400, "MP-012")}


async def test_killed_under_load_it_has_an_event_for_every_token_and_takes_no_grant_again(world_state: Path) -> None:
    with running(world_state) as server:
        answers = await post_all(server, grants(server, GRANTS), interrupt=Interruption(KILLED_AT, server.process.kill))
        server.wait()
    answered = [answer for answer in answers if answer.status == 200]
    unanswered = [answer for answer in answers if answer.status is None]
    assert len(answered) >= KILLED_AT
    assert unanswered, "it was to be killed before it had answered everybody"
    with running(world_state, port=server.port) as again:
        assert await permitted(again, [answer.trace_id for answer in answered]) == {a.trace_id for a in answered}
        assert_replayed(await post_all(again, [answer.grant for answer in answered]))
        # Nobody knows what became of the others: each is good for one token, or was used up by none that left.
        retried = await post_all(again, [answer.grant for answer in unanswered])
        assert {answer.status for answer in retried} <= {200, 400}
        assert_replayed(await post_all(again, [answer.grant for answer in unanswered]))


async def test_when_postgresql_is_killed_too_no_token_is_lost(world_state: Path) -> None:
    with running(world_state) as server:

        def kill() -> None:
            os.kill(server.database_pid, signal.SIGKILL)
            server.process.kill()

        answers = await post_all(server, grants(server, GRANTS), interrupt=Interruption(KILLED_AT, kill))
        server.wait()
    answered = [answer for answer in answers if answer.status == 200]
    assert len(answered) >= KILLED_AT
    with running(world_state, port=server.port) as again:
        assert await permitted(again, [answer.trace_id for answer in answered]) == {a.trace_id for a in answered}
        assert_replayed(await post_all(again, [answer.grant for answer in answered]))


async def test_without_postgresql_it_answers_503_and_goes_on_when_that_is_back(world_state: Path) -> None:
    with running(world_state) as server:
        await answers_until(server, 200)
        killed = server.database_pid
        os.kill(killed, signal.SIGKILL)
        refused = (await answers_until(server, 503))[-1]
        assert json.loads(refused.body)["error"] == "temporarily_unavailable"
        await until_ready_says(server, 503)
        answers = await answers_until(server, 200)
        assert {answer.status for answer in answers} <= {503, 200}
        await until_ready_says(server, 200)
        assert postmaster(world_state) != killed
        assert await permitted(server, [answers[-1].trace_id])
        # A grant that met the outage is good for one token at most.
        retried = await post_all(server, [refused.grant] * 2)
        assert sum(answer.status == 200 for answer in retried) <= 1
        assert server.stop() == 0
        assert "Traceback" not in server.output


async def test_a_database_session_that_is_killed_costs_nobody_more_than_a_503(world_state: Path) -> None:
    with running(world_state) as server:
        await answers_until(server, 200)
        async with database_of(server) as database, database.transaction() as connection:
            kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            await connection.execute(text(f"{kill} AND backend_type = 'client backend'"))
        answers = await answers_until(server, 200)
        assert {answer.status for answer in answers} <= {503, 200}
