"""Figures, each with its target and whether it was met, and the table at the end."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure. ``met`` is None where there is no target."""

    name: str
    measured: str
    target: str = ""
    met: bool | None = None

    @property
    def verdict(self) -> str:
        """In a word."""
        return {True: "met", False: "missed", None: ""}[self.met]


class Report:
    """Gathers figures and shows each as it comes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.figures: list[Figure] = []

    def note(self, text: str) -> None:
        """Say something on the way."""
        self._console.print(f"[dim]{text}[/]", soft_wrap=True, highlight=False)

    def add(self, name: str, measured: str, target: str = "", met: bool | None = None) -> None:
        """Add a figure."""
        figure = Figure(name, measured, target, met)
        self.figures.append(figure)
        self._console.print(f"{name}: [bold]{measured}[/]", soft_wrap=True, highlight=False)

    def at_least(self, name: str, value: float, least: float, unit: str = "") -> None:
        """Add a figure that is to reach ``least``."""
        self.add(name, f"{value:.2f}{unit}", f"≥ {least}{unit}", value >= least)

    def at_most(self, name: str, value: float, most: float, unit: str = "") -> None:
        """Add a figure that is to stay within ``most``."""
        self.add(name, f"{value:.2f}{unit}", f"≤ {most}{unit}", value <= most)

    def table(self) -> Table:
        """All of them."""
        table = Table("figure", "measured", "target", "verdict", title="make bench")
        for figure in self.figures:
            colour = {True: "green", False: "red", None: "dim"}[figure.met]
            table.add_row(figure.name, figure.measured, figure.target, f"[{colour}]{figure.verdict}[/]")
        return table

    def as_json(self) -> list[dict[str, object]]:
        """For programs."""
        return [{**asdict(figure), "verdict": figure.verdict} for figure in self.figures]
