"""Schema changes, by alembic: a line of revisions for each system, run together.

A system keeps its revisions in ``migrations/`` beside its code; the first of them names the system as its branch label.
``serve`` hands in the folders, so this package knows no system.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

INFRA_MIGRATIONS = Path(__file__).parent / "migrations_infra"
_LOCK = 0x46554C4C  # "FULL": one node at a time migrates, the others wait


def _config(folders: Sequence[Path]) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "alembic"))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join(str(folder) for folder in (INFRA_MIGRATIONS, *folders)))
    return config


def migrate(url: str, folders: Sequence[Path]) -> list[str]:
    """Bring the database at ``url`` to the newest schema; safe to call from many nodes at once.

    Returns the revisions that were applied, none when it was there already.
    """
    config = _config(folders)
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), poolclass=NullPool)
    script = ScriptDirectory.from_config(config)
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
        connection.execute(text("CREATE SCHEMA IF NOT EXISTS migrations"))
        connection.commit()
        before = _applied(connection)
        if before == set(script.get_heads()):
            return []
        config.attributes["connection"] = connection
        command.upgrade(config, "heads")
        connection.commit()
        after = _applied(connection)
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK})
        connection.commit()
    return sorted(after - before)


def _applied(connection: object) -> set[str]:
    context = MigrationContext.configure(connection, opts={"version_table_schema": "migrations"})  # type: ignore[arg-type]
    return set(context.get_current_heads())
