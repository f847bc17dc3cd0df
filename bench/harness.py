"""What the scenarios share: sizes, databases, whoever signs, and how a load is measured."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

from bench import machine
from bench.grants import GrantMaker
from bench.load import Feed, Run, closed_loop
from bench.measured import Measured
from bench.report import Report
from bench.server import HOST, ISSUER, Node
from fullmakt.infra.embedded import EmbeddedPostgres
from fullmakt.jose.keys import LocalSigner

CONNECTIONS = 32
FEW, MANY = 10, 1_000_000
_AT_ONCE = 50_000


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much of everything. ``organisations`` have each given ten delegations; ``stocks`` are of consents."""

    runs: int = 3
    tokens: int = 12_000
    warm_up: int = 2_000
    seasoned: int = 500_000
    lone: int = 2_000
    many: int = MANY
    keys: int = 64
    duplicated: int = 10_000
    openssl_seconds: int = 3
    consumers: int = 1_000
    many_consumers: int = 100_000
    policies: tuple[int, ...] = (1, 1_000, 100_000)
    organisations: int = 100_000
    decisions: int = 6_000
    decisions_warm_up: int = 20_000
    consents: int = 2_000
    givers: int = 5_000
    stocks: tuple[int, ...] = (1_000, 25_000, MANY)
    pages: int = 100


QUICK = Sizes(
    runs=1,
    tokens=3_000,
    warm_up=500,
    seasoned=20_000,
    lone=500,
    many=50_000,
    keys=8,
    duplicated=2_000,
    openssl_seconds=1,
    consumers=200,
    many_consumers=5_000,
    policies=(1, 2_000),
    organisations=2_000,
    decisions=1_000,
    decisions_warm_up=1_000,
    consents=300,
    givers=300,
    stocks=(1_000, 25_000),
    pages=20,
)


@dataclass
class Bench:
    """A PostgreSQL, keys, and databases and rates that several scenarios ask for, each made once."""

    folder: Path
    postgres: EmbeddedPostgres
    report: Report
    sizes: Sizes
    stack: ExitStack
    _databases: dict[str, str] = field(default_factory=dict)
    _makers: dict[bool, tuple[list[LocalSigner], GrantMaker]] = field(default_factory=dict)
    _rates: dict[str, float] = field(default_factory=dict)

    def database(self, name: str, create: Callable[[str], str]) -> str:
        """The URL of the database with this name, which ``create`` makes when it is first asked for."""
        if name not in self._databases:
            self._databases[name] = create(name)
        return self._databases[name]

    def signers(self, *, ec: bool = False) -> list[LocalSigner]:
        """The clients' keys."""
        return self._maker(ec)[0]

    def grants(self, *, ec: bool = False) -> GrantMaker:
        """Whoever signs."""
        return self._maker(ec)[1]

    def _maker(self, ec: bool) -> tuple[list[LocalSigner], GrantMaker]:
        if ec not in self._makers:
            keys = [LocalSigner.generate(ec_key=ec, kid=f"key-{number}") for number in range(self.sizes.keys)]
            maker = GrantMaker(keys, ISSUER, HOST)
            self.stack.callback(maker.close)
            self._makers[ec] = keys, maker
        return self._makers[ec]

    def rate(self, name: str, measure: Callable[[], float]) -> float:
        """A rate that several scenarios compare with, measured once."""
        if name not in self._rates:
            self._rates[name] = measure()
        return self._rates[name]

    @property
    def postmaster(self) -> int:
        """The process id of PostgreSQL."""
        return int((self.folder / "postgres" / "postgres" / "postmaster.pid").read_text().split()[0])

    def pin_postgres(self, workers: int = 1) -> None:
        """Keep PostgreSQL, and what it will start, away from the workers' cores."""
        for process in machine.family(self.postmaster):
            machine.pin(process, machine.CORES[workers:] or machine.CORES)

    def database_cpu_seconds(self) -> float:
        """Processor time that PostgreSQL has used so far."""
        return machine.cpu_seconds(machine.family(self.postmaster))


@contextmanager
def on_core(cores: Sequence[int]) -> Iterator[None]:
    """Keep this process on some cores for a while."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


Load = Callable[[Sequence[Feed]], Run]
Requests = Callable[[int], Sequence[bytes]]
"""Whole HTTP requests, as many as are asked for, none like another."""


def saturate(connections: int = CONNECTIONS, status: int = 200) -> Load:
    """As much as the server can do; ``status`` is what it is to answer."""
    return partial(closed_loop, connections=connections, status=status)


def measure(
    bench: Bench,
    server: Node,
    requests: Requests,
    load: Load,
    *,
    count: int,
    warm_up: int | None = None,
    workers: int = 1,
) -> Measured:
    """Warm up, then run; anything but what was asked for in return is a fault of the bench."""
    [measured] = measure_in_turn(bench, [Kind(server, requests, warm_up)], load, count=count, workers=workers)
    return measured


class Kind(NamedTuple):
    """Requests to a server that are compared with others; ``warm_up`` of them come before."""

    server: Node
    requests: Requests
    warm_up: int | None = None


def measure_in_turn(bench: Bench, kinds: Sequence[Kind], load: Load, *, count: int, workers: int = 1) -> list[Measured]:
    """The same for several kinds that are to be compared: a run of each, and again, so that what else the machine does
    hits them alike."""
    bench.pin_postgres(workers)
    measured = [Measured() for _ in kinds]
    for kind in kinds:
        left = kind.warm_up or bench.sizes.warm_up
        while left > 0:  # no more at once than can be used while they live
            closed_loop([(kind.server.port, kind.requests(min(left, _AT_ONCE)))], CONNECTIONS)
            left -= _AT_ONCE
    for _ in range(bench.sizes.runs):
        for kind, figures in zip(kinds, measured, strict=True):
            _run(bench, kind.server, kind.requests(count), load, workers, figures)
    return measured


def _run(bench: Bench, server: Node, requests: Sequence[bytes], load: Load, workers: int, figures: Measured) -> None:
    cpu, database_cpu = server.cpu_seconds, bench.database_cpu_seconds()
    with on_core(machine.load_core(workers)):
        run = load([(server.port, requests)])
    if run.others:
        raise RuntimeError(f"not all were answered with what was asked for: {run.others}")
    figures.add(run, server.cpu_seconds - cpu, bench.database_cpu_seconds() - database_cpu)
    figures.resident_bytes = server.resident_bytes
