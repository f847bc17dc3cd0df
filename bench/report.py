"""Figures, each with its target and whether it was met, and the tables at the end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table

from bench.measured import Measured


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
        self._figures: list[Figure] = []
        self._loads: dict[str, Measured] = {}

    def note(self, text: str) -> None:
        """Say something on the way."""
        self._console.print(f"[dim]{text}[/]", soft_wrap=True, highlight=False)

    def load(self, name: str, measured: Measured) -> None:
        """Add the runs of a load; ``name`` says what is counted."""
        self._loads[name] = measured
        tried = ", ".join(f"{run.rate:.0f}" for run in measured.runs)
        self._console.print(f"{name}: [bold]{measured.rate:.0f}[/]/s ({tried})", soft_wrap=True, highlight=False)

    def add(self, name: str, measured: str, target: str = "", met: bool | None = None) -> None:
        """Add a figure."""
        self._figures.append(Figure(name, measured, target, met))
        self._console.print(f"{name}: [bold]{measured}[/]", soft_wrap=True, highlight=False)

    def at_least(self, name: str, value: float, least: float, unit: str = "") -> None:
        """Add a figure that is to reach ``least``."""
        self.add(name, f"{value:.2f}{unit}", f"≥ {least}{unit}", value >= least)

    def at_most(self, name: str, value: float, most: float, unit: str = "") -> None:
        """Add a figure that is to stay within ``most``."""
        self.add(name, f"{value:.2f}{unit}", f"≤ {most}{unit}", value <= most)

    def tables(self) -> Iterator[Table]:
        """What was measured, and what was to be reached."""
        if self._loads:
            loads = Table("load", "a second", "p50 ms", "p99 ms", "CPU µs each", "PostgreSQL's", "memory MiB")
            for name, load in self._loads.items():
                p50, p99 = load.milliseconds(0.5), load.milliseconds(0.99)
                loads.add_row(
                    name, f"{load.rate:.0f}", f"{p50:.2f}", f"{p99:.2f}", f"{load.cpu:.0f}",
                    f"{load.database_cpu:.0f}", f"{load.resident_bytes / 2**20:.0f}",
                )  # fmt: skip
            yield loads
        figures = Table("figure", "measured", "target", "verdict")
        for figure in self._figures:
            colour = {True: "green", False: "red", None: "dim"}[figure.met]
            figures.add_row(figure.name, figure.measured, figure.target, f"[{colour}]{figure.verdict}[/]")
        yield figures

    def as_json(self) -> dict[str, object]:
        """For programs."""
        return {
            "loads": {name: load.as_json() for name, load in self._loads.items()},
            "figures": [{**asdict(figure), "verdict": figure.verdict} for figure in self._figures],
        }
