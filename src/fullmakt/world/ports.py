"""What the world asks of each system."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from fullmakt.world.model import Entry, Kind, World
from fullmakt.world.names import Names


class WorldSection(Protocol):
    """One system's part of the world."""

    @property
    def kinds(self) -> Collection[Kind]:
        """The kinds of entries that this system keeps."""
        ...

    async def current(self, names: Names | None) -> World:
        """What there is of ``names`` (None: everything), in the shape of a world file's entries."""
        ...

    async def apply(self, entry: Entry) -> None:
        """Make it so, in transactions of the system's own. Doing it again, or after half of it, comes to the same."""
        ...
