"""Schema changes, by alembic: a line of revisions for each system, run together.

A system keeps its revisions in ``migrations/`` beside its code; the first of them names the system as its branch label.
``serve`` hands in the folders, so this package knows no system.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

INFRA_MIGRATIONS = Path(__file__).parent / "migrations_infra"
_LOCK = 0x46554C4C  # "FULL": one node at a time migrates, the others wait


class DatabaseTooNewError(Exception):
    """The database has schema changes that this program does not know."""


class DatabaseTooOldError(Exception):
    """The database lacks schema changes, and whoever opened it may not apply them."""


def migrate(url: str, folders: Sequence[Path], *, if_empty: bool = False) -> list[str]:
    """Bring the database at ``url`` to the newest schema; safe to call from many nodes at once.

    Returns the revisions that were applied, none when it was there already. With ``if_empty``, a database that has a
    schema is left as it is.

    Raises:
        DatabaseTooNewError: a newer program has been here.
        DatabaseTooOldError: with ``if_empty``, an older one has.
    """
    places = (INFRA_MIGRATIONS, *folders)
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), poolclass=NullPool)
    with engine.connect() as connection:
        if _is_current(connection, places):
            return []
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})  # let go of with the connection
        connection.execute(text("CREATE SCHEMA IF NOT EXISTS migrations"))
        connection.commit()
        before = _applied(connection)
        if not _is_current(connection, places):  # another node may have been first
            if if_empty and before:
                raise DatabaseTooOldError(
                    "the database is older than this program, and a server of that age may be at work on it:"
                    " run `fullmakt up` or `fullmakt serve`, which bring it up to date"
                )
            _upgrade(connection, places)
        return sorted(_applied(connection) - before)


def _is_current(connection: Connection, places: Sequence[Path]) -> bool:
    """True when there is nothing to do. Without alembic, which takes longer to load than most starts have to migrate.

    Raises:
        DatabaseTooNewError: see ``migrate``.
    """
    follows = dict(_revisions(places))
    applied = _applied(connection)
    unknown = applied - follows.keys()
    if unknown:
        raise DatabaseTooNewError(
            f"the database is newer than this program, which does not know {', '.join(sorted(unknown))}:"
            " run the program that migrated it, or a later one"
        )
    return applied == follows.keys() - set(follows.values())


def _revisions(places: Sequence[Path]) -> Iterator[tuple[str, str | None]]:
    """Each revision, and the one that it follows, as their files say in plain assignments."""
    for file in (file for place in places for file in sorted(place.glob("[!_]*.py"))):
        said = {
            node.targets[0].id: node.value.value
            for node in ast.parse(file.read_bytes()).body
            if isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and isinstance(node.value, ast.Constant)
        }
        before = said["down_revision"]
        yield str(said["revision"]), None if before is None else str(before)


def _applied(connection: Connection) -> set[str]:
    """The newest revision of each line."""
    if connection.execute(text("SELECT to_regclass('migrations.alembic_version')")).scalar() is None:
        return set()
    return set(connection.execute(text("SELECT version_num FROM migrations.alembic_version")).scalars())


def _upgrade(connection: Connection, places: Sequence[Path]) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "alembic"))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join(str(place) for place in places))
    config.attributes["connection"] = connection
    command.upgrade(config, "heads")
    connection.commit()
