"""What some runs of one load come to: the median of each figure."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median

from bench.load import Run


@dataclass
class Measured:
    """Runs of one kind. CPU is in µs an answer: the server's own, and PostgreSQL's beside it."""

    runs: list[Run] = field(default_factory=list)
    cpu_each: list[float] = field(default_factory=list)
    database_cpu_each: list[float] = field(default_factory=list)
    resident_bytes: int = 0

    def add(self, run: Run, cpu_seconds: float, database_cpu_seconds: float) -> None:
        """Take in a run, and what it cost."""
        self.runs.append(run)
        self.cpu_each.append(cpu_seconds / run.answers * 1e6)
        self.database_cpu_each.append(database_cpu_seconds / run.answers * 1e6)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return median(run.rate for run in self.runs)

    @property
    def cpu(self) -> float:
        """The server's, all its workers together."""
        return median(self.cpu_each)

    @property
    def database_cpu(self) -> float:
        """PostgreSQL's."""
        return median(self.database_cpu_each)

    def milliseconds(self, share: float) -> float:
        """The time that ``share`` of the answers took at most."""
        return median(run.percentile(share) for run in self.runs) * 1_000

    def as_json(self) -> dict[str, object]:
        """For programs."""
        return {
            "per_second": self.rate,
            "runs": [run.rate for run in self.runs],
            "p50_ms": self.milliseconds(0.5),
            "p99_ms": self.milliseconds(0.99),
            "p999_ms": self.milliseconds(0.999),
            "cpu_us": self.cpu,
            "database_cpu_us": self.database_cpu,
            "resident_bytes": self.resident_bytes,
        }
