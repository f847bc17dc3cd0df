"""Several processes serve one port as one."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from pathlib import Path

import httpx2
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.load import grants, post, post_all
from tests.support.running import STOP_TIMEOUT, Running, running

PATIENCE = 30.0


def workers(server: Running) -> list[psutil.Process]:
    """The processes that serve: the children that run our code (multiprocessing's tracker is another)."""
    found = []
    for child in psutil.Process(server.process.pid).children():
        with suppress(psutil.NoSuchProcess):  # it has ended since
            found += [child] if any("spawn_main" in part for part in child.cmdline()) else []
    return found


def metric(server: Running, name: str, **labels: str) -> float:
    families = text_string_to_metric_families(httpx2.get(f"{server.url}/metrics").text)
    samples = [sample for family in families for sample in family.samples]
    return sum(each.value for each in samples if each.name == name and labels.items() <= each.labels.items())


async def test_two_workers_count_and_claim_as_one(world_state: Path) -> None:
    with running(world_state, WORKERS="2") as server:
        assert len(workers(server)) == 2
        # Each grant comes eight times at once: one of them gets the token, whoever takes it.
        answers = await post_all(server, [grant for grant in grants(server, 10) for _ in range(8)], at_once=40)
        assert Counter(answer.status for answer in answers) == {200: 10, 400: 70}
        assert metric(server, "fullmakt_tokens_issued_total") == 10
        assert metric(server, "fullmakt_tokens_refused_total", reason="replayed") == 70
        assert metric(server, "fullmakt_token_request_seconds_count", outcome="permit") == 10
        assert httpx2.get(f"{server.url}/readyz").status_code == 200
        assert server.stop() == 0
    assert "Traceback" not in server.output
    assert not (world_state / "postgres" / "postmaster.pid").exists()


async def test_a_worker_that_dies_is_replaced_and_the_other_serves_on(world_state: Path) -> None:
    with running(world_state, WORKERS="2") as server:
        victim, survivor = workers(server)
        victim.kill()
        async with asyncio.timeout(PATIENCE), httpx2.AsyncClient() as http:
            while len(workers(server)) < 2 or victim in workers(server):
                assert (await http.get(f"{server.url}/healthz")).status_code == 200
            assert survivor in workers(server)
            answers = [await post(http, server, grant) for grant in grants(server, 10)]
        assert {answer.status for answer in answers} == {200}


def test_workers_do_not_outlive_the_process_that_looks_after_them(world_state: Path) -> None:
    with running(world_state, WORKERS="2") as server:
        orphans = workers(server)
        server.process.kill()
        server.process.wait(STOP_TIMEOUT)
        _, left = psutil.wait_procs(orphans, STOP_TIMEOUT)
        assert not left
        with pytest.raises(httpx2.ConnectError):
            httpx2.get(f"{server.url}/healthz")
    with running(world_state, port=server.port) as again:
        assert again.token()


def test_workers_have_the_settings_of_the_file(world_state: Path, tmp_path: Path) -> None:
    file = tmp_path / "fullmakt.toml"
    file.write_text("workers = 2\n[maskinporten]\njwks_max_age = 7\n")
    with running(world_state, CONFIG=str(file)) as server:
        assert len(workers(server)) == 2
        assert httpx2.get(f"{server.issuer}jwk").headers["cache-control"] == "public, max-age=7"
