"""Many nodes, some older and some newer, start on one database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from fullmakt.infra.migrations import DatabaseTooNewError, DatabaseTooOldError, migrate
from fullmakt.serve.systems import MIGRATIONS


def later_program(folder: Path) -> tuple[Path, ...]:
    """The migrations of a program that has one more system, with two changes."""
    for number, down in ((1, None), (2, "extra_0001")):
        (folder / f"extra_000{number}_x.py").write_text(
            f'from alembic import op\nrevision = "extra_000{number}"\ndown_revision = {down!r}\n'
            f"branch_labels = {('extra',) if down is None else None}\n"
            f'def upgrade():\n    op.execute("CREATE TABLE extra_{number} (id int)")\n'
        )
    return (*MIGRATIONS, folder)


def test_a_database_that_is_current_is_left_alone(database_url: str) -> None:
    assert migrate(database_url, MIGRATIONS) == []


def test_changes_are_applied_once_however_many_nodes_start(database_url: str, tmp_path: Path) -> None:
    places = later_program(tmp_path)
    with ThreadPoolExecutor(4) as nodes:
        applied = list(nodes.map(lambda _: migrate(database_url, places), range(4)))
    assert sorted(applied) == [[], [], [], ["extra_0002"]]
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT to_regclass('extra_1'), to_regclass('extra_2')").fetchone() == (
            "extra_1",
            "extra_2",
        )


def test_an_empty_database_gets_everything(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        schemas = connection.execute(
            "SELECT nspname FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema|public)'"
        )
        for (schema,) in schemas.fetchall():
            connection.execute(f"DROP SCHEMA {schema} CASCADE")
    assert len(migrate(database_url, MIGRATIONS, if_empty=True)) == len(MIGRATIONS) + 1
    assert migrate(database_url, MIGRATIONS, if_empty=True) == []


def test_an_older_database_is_left_as_it_is_by_who_may_fill_an_empty_one_alone(
    database_url: str, tmp_path: Path
) -> None:
    places = later_program(tmp_path)
    with pytest.raises(DatabaseTooOldError, match=r"older than this program.*run `fullmakt up`"):
        migrate(database_url, places, if_empty=True)
    assert migrate(database_url, MIGRATIONS) == []
    assert migrate(database_url, places) == ["extra_0002"]


def test_a_program_older_than_the_database_says_so(database_url: str, tmp_path: Path) -> None:
    migrate(database_url, later_program(tmp_path))
    with pytest.raises(DatabaseTooNewError, match="newer than this program, which does not know extra_0002: run"):
        migrate(database_url, MIGRATIONS)
