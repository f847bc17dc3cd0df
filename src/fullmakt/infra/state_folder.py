"""Where the database lies in the state folder, for those who look and do not start it."""

from __future__ import annotations

from pathlib import Path

DATA = "postgres"


def is_made(folder: Path) -> bool:
    """True when there is a database in the folder, running or not."""
    return (folder / DATA).is_dir()
