"""Where the databases of tests lie: in memory where the machine has a file system there, on its disk elsewhere."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

_IN_MEMORY = Path("/dev/shm")  # noqa: S108
_LEAST_FREE = 2 * 1024**3
"""Bytes; a run needs a few hundred million, and containers are often given no more than 64."""


def new_folder(prefix: str) -> Path:
    """A folder of its own that every user may enter; whoever asks for it takes it away.

    A database is a copy of six hundred files, which takes 6 ms in memory and 14 to 60 on a disk (2026-11-21).
    Nor does it lie in pytest's own temporary folder: that is closed, whenever another pytest starts, to all but the
    user who runs it, and PostgreSQL runs as a user of its own where the tests run as root.
    """
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=_IN_MEMORY if _has_room(_IN_MEMORY) else None))
    folder.chmod(0o755)
    return folder


def _has_room(folder: Path) -> bool:
    return os.access(folder, os.W_OK) and shutil.disk_usage(folder).free >= _LEAST_FREE
