"""Which systems there are, and where their schema changes lie."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).parent.parent

MIGRATIONS: tuple[Path, ...] = (
    PACKAGE / "maskinporten" / "selfservice" / "migrations",
    PACKAGE / "maskinporten" / "tokens" / "migrations",
    PACKAGE / "altinn" / "parties" / "migrations",
    PACKAGE / "altinn" / "delegations" / "migrations",
    PACKAGE / "altinn" / "exchange" / "migrations",
    PACKAGE / "altinn" / "resources" / "migrations",
    PACKAGE / "altinn" / "systemusers" / "migrations",
    PACKAGE / "altinn" / "consents" / "migrations",
    PACKAGE / "pki" / "migrations",
    PACKAGE / "lanekassen" / "migrations",
)
"""Folders of alembic revisions, one for each system with tables."""
