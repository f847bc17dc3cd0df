"""The embedded PostgreSQL starts on whatever a server that was killed left behind."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psycopg
import pytest

from fullmakt.infra.embedded import EmbeddedPostgres, StateInUseError
from tests.support.running import postmaster, state_folder


def answers(server: EmbeddedPostgres) -> bool:
    with psycopg.connect(server.url()) as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)


def leave_notes(folder: Path, pid: int) -> None:
    """What PostgreSQL notes beside its data and its socket, as of a process that has the number now."""
    data = folder / "postgres"
    note = f"{pid}\n{data}\n1700000000\n5432\n{data}\n\n        0         0\nready   \n"
    (data / "postmaster.pid").write_text(note)
    (data / ".s.PGSQL.5432.lock").write_text(note)


def test_another_program_that_got_the_process_id_is_not_taken_for_the_server() -> None:
    with state_folder() as folder:
        with EmbeddedPostgres(folder):
            pass
        leave_notes(folder, os.getpid())
        with EmbeddedPostgres(folder) as server:
            assert answers(server)
            assert postmaster(folder) != os.getpid()


def test_a_server_that_was_killed_is_revived_and_one_that_lives_is_left_alone() -> None:
    with state_folder() as folder, EmbeddedPostgres(folder) as server:
        assert not server.revive()
        os.kill(postmaster(folder), signal.SIGKILL)
        assert any(server.revive() for _ in range(1_000_000))  # the signal may still be on its way
        assert answers(server)
        assert not server.revive()


def test_a_server_that_has_died_can_be_left() -> None:
    with state_folder() as folder:
        with EmbeddedPostgres(folder):
            os.kill(postmaster(folder), signal.SIGKILL)
        with EmbeddedPostgres(folder, hold=True) as server:
            assert answers(server)


def test_the_folder_is_held_by_one_and_others_attach_and_leave() -> None:
    with state_folder() as folder, EmbeddedPostgres(folder, hold=True) as server:
        with pytest.raises(StateInUseError, match="FULLMAKT_STATE"):
            EmbeddedPostgres(folder, hold=True)
        with EmbeddedPostgres(folder) as guest:
            assert answers(guest)
        assert answers(server)
