"""What can be wrong with a world file, told all at once and with the place of each fault."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the file: the ``number``-th (from 1) table of ``section``, one of its fields, and a line when known."""

    section: str
    number: int
    field: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        line = "" if self.line is None else f"line {self.line}, "
        field = "" if self.field is None else f", {self.field}"
        return f"{line}[[{self.section}]] number {self.number}{field}"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong; ``place`` is None when the file as a whole is."""

    place: Place | None
    message: str

    def __str__(self) -> str:
        return self.message if self.place is None else f"{self.place}: {self.message}"


class WorldFaults(Exception):  # noqa: N818 - it is many errors, and named for what it holds
    """The world can not be applied; ``faults`` says why, in the order of the file. Nothing has been changed."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))
