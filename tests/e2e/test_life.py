"""A server's life: it starts, stops and starts again with nothing lost, and says why when it can not."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest

from fullmakt.infra.embedded import EmbeddedPostgres
from tests.support.running import (
    COMMAND,
    STOP_TIMEOUT,
    Running,
    clean_environment,
    command,
    interrupted,
    running,
)


def jwks(server: Running) -> Any:
    return httpx2.get(f"{server.issuer}jwk").json()


def clients(server: Running) -> Any:
    return json.loads(server.command("world", "show", "--json").stdout)["clients"]


def whoami(server: Running, token: str) -> httpx2.Response:
    return httpx2.get(f"{server.url}/examples/whoami", headers={"Authorization": f"Bearer {token}"})


def assert_gone(server: Running) -> None:
    """Its port is free, its PostgreSQL is stopped in good order, and the state folder is for the next one."""
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(f"{server.url}/healthz")
    assert not (server.state / "postgres" / "postmaster.pid").exists()


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_in_good_order_and_the_next_start_has_the_same_keys_and_clients(
    world_state: Path, by: signal.Signals
) -> None:
    with running(world_state) as server:
        before, token = (jwks(server), clients(server)), server.token()
        assert server.stop(by) == 0
        assert server.output.endswith(f"✓ stopped; your world is kept in {world_state}\n")
        assert_gone(server)
    with running(world_state, port=server.port) as again:
        assert "(0 changes)" in again.output
        assert (jwks(again), clients(again)) == before
        assert whoami(again, token).status_code == 200


def test_a_signal_in_the_middle_of_a_start_leaves_nothing_behind(state: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "up", "--port", "0"], env=clean_environment(STATE=str(state)),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        assert "PostgreSQL is running" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=STOP_TIMEOUT)
    assert (process.returncode, "Traceback" in rest) == (0, False), rest
    assert not (state / "postgres" / "postmaster.pid").exists()
    with running(state) as server:
        assert server.token()


@pytest.mark.parametrize("loading", ["typer", "fullmakt.cli.context", "fullmakt.serve.database"])
def test_a_command_that_is_interrupted_while_it_loads_ends_without_a_word(world_state: Path, loading: str) -> None:
    env = {**clean_environment(STATE=str(world_state)), "PYTHONVERBOSE": "1"}  # tells of each module that is loaded
    assert interrupted("world", "show", at=f"import '{loading}' #", env=env) == 130
    assert not (world_state / "postgres" / "postmaster.pid").exists()


def test_another_port_moves_the_world_along_certificates_included(world_state: Path) -> None:
    with running(world_state) as server:
        assert server.token("demo-certificate")


def test_a_port_that_is_taken_is_told_and_nothing_is_touched(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        done = command("up", env=clean_environment(STATE=str(tmp_path / "state"), PORT=str(port)))
    assert done.returncode == 2
    assert done.stderr == (f"✗ port {port} on 127.0.0.1: Address already in use; choose another with FULLMAKT_PORT\n")
    assert not (tmp_path / "state").exists()


def test_a_state_folder_that_can_not_be_one_is_told(tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    for words in (["up", "--port", "0"], ["world", "show"], ["token", "--client", "demo-bank", "--scope", "a:b"]):
        done = command(*words, env=clean_environment(STATE=str(tmp_path / "state")))
        assert (done.returncode, done.stderr.startswith("✗ ")) == (2, True)
        assert "FULLMAKT_STATE" in done.stderr
        assert "Traceback" not in done.stderr + done.stdout


def test_another_program_at_the_issuers_address_is_told(world_state: Path, tmp_path: Path) -> None:
    metadata = tmp_path / "maskinporten" / ".well-known" / "oauth-authorization-server"
    metadata.parent.mkdir(parents=True)
    metadata.write_text("[]")
    handler = partial(SimpleHTTPRequestHandler, directory=tmp_path)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        env = clean_environment(STATE=str(world_state), URL=f"http://127.0.0.1:{other.server_port}")
        done = command("token", "--client", "demo-bank", "--scope", "fullmakt:whoami", env=env)
        other.shutdown()
    assert (done.returncode, done.stdout) == (1, "")
    assert "is it another program that listens there?" in done.stderr


def test_a_state_folder_that_is_served_is_told_and_its_server_goes_on(server: Running) -> None:
    done = command("up", "--port", "0", env=clean_environment(STATE=str(server.state)))
    assert done.returncode == 2
    assert (
        f"another Fullmakt serves from {server.state}: stop it, or choose a folder with FULLMAKT_STATE" in done.stderr
    )
    assert server.token()


def test_two_worlds_side_by_side_share_nothing(server: Running, state: Path) -> None:
    with running(state) as other:
        mine, theirs = server.token(), other.token()
        assert (whoami(server, mine).status_code, whoami(other, theirs).status_code) == (200, 200)
        assert (whoami(server, theirs).status_code, whoami(other, mine).status_code) == (401, 401)
        kids = [{key["kid"] for key in jwks(each)["keys"]} for each in (server, other)]
        assert not set.intersection(*kids)
        assert other.stop() == 0
    assert server.token()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("DELETE FROM migrations.alembic_version WHERE version_num LIKE 'lanekassen%'", "older than this program"),
        ("INSERT INTO migrations.alembic_version VALUES ('next_0001')", "newer than this program"),
    ],
    ids=["older", "newer"],
)
def test_a_command_migrates_no_database_that_another_release_serves(
    world_state: Path, tmp_path: Path, change: str, told: str
) -> None:
    file = tmp_path / "world.toml"
    file.write_text("")
    looks = (["world", "show"], ["world", "export"], ["keys", "list"], ["explain", "0" * 31 + "1"])
    with running(world_state) as server:
        with EmbeddedPostgres(world_state) as database, psycopg.connect(database.url()) as connection:
            connection.execute(change)
            connection.commit()
            versions = "SELECT version_num FROM migrations.alembic_version ORDER BY 1"
            before = connection.execute(versions).fetchall()
            connection.commit()
            for words in (*looks, ["world", "apply", str(file)]):
                done = server.command(*words, code=None)
                assert (done.returncode in (1, 2), told in done.stderr) == (True, True), done.stderr
            assert connection.execute(versions).fetchall() == before
        assert server.token()


def test_a_master_key_that_is_not_the_worlds_is_told(world_state: Path) -> None:
    (world_state / "master.key").write_text("01" * 32)
    done = command("up", "--port", "0", env=clean_environment(STATE=str(world_state)))
    assert done.returncode == 2
    assert "is it the one that sealed it?" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert not (world_state / "postgres" / "postmaster.pid").exists()


def test_a_database_that_does_not_answer_is_told_without_its_password(tmp_path: Path) -> None:
    env = clean_environment(STATE=str(tmp_path), DATABASE_URL="postgresql://fullmakt:hemmelig@127.0.0.1:1/fullmakt")
    done = command("up", "--port", "0", env=env)
    assert done.returncode == 2
    assert "the database does not answer: connection failed" in done.stderr
    assert "hemmelig" not in done.stderr + done.stdout
