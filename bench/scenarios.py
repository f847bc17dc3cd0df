"""What is measured, scenario by scenario. Targets: issue 2, "Speed"; method: README.md."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psycopg

from bench import machine
from bench.grants import Choice, GrantMaker, uniform, zipf
from bench.load import Feed, Run, closed_loop, open_loop
from bench.measured import Measured
from bench.registry import create
from bench.report import Report
from bench.server import HOST, ISSUER, Server
from fullmakt.infra.embedded import EmbeddedPostgres
from fullmakt.jose.keys import LocalSigner

CONNECTIONS = 32
FEW, MANY = 10, 1_000_000


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much of everything."""

    runs: int = 3
    tokens: int = 12_000
    warm_up: int = 2_000
    lone: int = 2_000
    many: int = MANY
    keys: int = 64
    duplicated: int = 10_000
    openssl_seconds: int = 3


QUICK = Sizes(runs=1, tokens=3_000, warm_up=500, lone=500, many=50_000, keys=8, duplicated=2_000, openssl_seconds=1)


@dataclass
class Bench:
    """What the scenarios share: a PostgreSQL, keys, databases that are filled when first asked for."""

    folder: Path
    postgres: EmbeddedPostgres
    report: Report
    sizes: Sizes
    stack: ExitStack
    _databases: dict[str, str] = field(default_factory=dict)
    _makers: dict[bool, tuple[list[LocalSigner], GrantMaker]] = field(default_factory=dict)
    _rates: dict[str, float] = field(default_factory=dict)

    def database(self, count: int, *, ec: bool = False, purpose: str = "rate") -> str:
        """A registry with ``count`` clients; one for each purpose."""
        name = f"bench_{purpose}_{'ec' if ec else 'rsa'}_{count}"
        if name not in self._databases:
            self.report.note(f"filling a registry with {count:,} clients")
            self._databases[name] = create(self.postgres, name, count, self._maker(ec)[0])
        return self._databases[name]

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


def measure(
    bench: Bench,
    server: Server,
    choice: Choice,
    load: Load,
    *,
    tokens: int,
    warm_up: int | None = None,
    ec: bool = False,
    workers: int = 1,
) -> Measured:
    """Warm up, then run; anything but tokens in return is a fault of the bench."""
    measured = Measured()
    postmaster = int((bench.folder / "postgres" / "postgres" / "postmaster.pid").read_text().split()[0])
    grants = bench.grants(ec=ec)
    for process in machine.family(postmaster):
        machine.pin(process, machine.CORES[workers:] or machine.CORES)
    closed_loop([(server.port, grants.requests(choice, warm_up or bench.sizes.warm_up))], CONNECTIONS)
    for _ in range(bench.sizes.runs):
        requests = grants.requests(choice, tokens)
        cpu = server.cpu_seconds
        database_cpu = machine.cpu_seconds(machine.family(postmaster))
        with on_core(machine.load_core(workers)):
            run = load([(server.port, requests)])
        if run.others:
            raise RuntimeError(f"not all were tokens: {run.others}")
        measured.runs.append(run)
        measured.cpu_each.append((server.cpu_seconds - cpu) / run.tokens * 1e6)
        spent = machine.cpu_seconds(machine.family(postmaster)) - database_cpu
        measured.database_cpu_each.append(spent / run.tokens * 1e6)
    measured.resident_bytes = server.resident_bytes
    return measured


def saturate(connections: int = CONNECTIONS) -> Load:
    """As much as the server can do."""
    return partial(closed_loop, connections=connections)


# -- scenarios --------------------------------------------------------------------------------------------------------


def rs256(bench: Bench) -> None:
    """One worker, ten clients, RSA throughout: the share of the limit."""
    with Server(bench.folder, bench.database(FEW)) as server:
        before = machine.crypto_limit(ec=False, seconds=bench.sizes.openssl_seconds)
        measured = measure(bench, server, uniform(FEW), saturate(), tokens=bench.sizes.tokens)
        after = machine.crypto_limit(ec=False, seconds=bench.sizes.openssl_seconds)
    limit = (before.tokens + after.tokens) / 2
    bench.rate("rs256", lambda: measured.rate)
    bench.report.load("RS256, one worker", measured)
    bench.report.add("limit, RSA-2048 verify + sign (openssl speed)", f"{limit:.0f}/s")
    bench.report.at_least("RS256, share of the limit", measured.rate / limit, 0.75)
    bench.report.add("RS256, share of the CPU time that is RSA", f"{1e6 / limit / measured.cpu:.2f}")


def es256(bench: Bench) -> None:
    """The same with P-256 keys, by the extension that admits them."""
    with Server(bench.folder, bench.database(FEW, ec=True), ec=True) as server:
        limit = machine.crypto_limit(ec=True, seconds=bench.sizes.openssl_seconds).tokens
        measured = measure(bench, server, uniform(FEW), saturate(), tokens=2 * bench.sizes.tokens, ec=True)
    bench.report.load("ES256, one worker", measured)
    bench.report.add("limit, P-256 verify + sign (openssl speed)", f"{limit:.0f}/s")
    bench.report.add("ES256, share of the limit", f"{measured.rate / limit:.2f}")


def _rs256_rate(bench: Bench) -> float:
    def alone() -> float:
        with Server(bench.folder, bench.database(FEW)) as server:
            return measure(bench, server, uniform(FEW), saturate(), tokens=bench.sizes.tokens).rate

    return bench.rate("rs256", alone)


def workers(bench: Bench) -> None:
    """Two workers against one."""
    alone = _rs256_rate(bench)
    with Server(bench.folder, bench.database(FEW), workers=2) as server:
        measured = measure(
            bench, server, uniform(FEW), saturate(2 * CONNECTIONS), tokens=2 * bench.sizes.tokens, workers=2
        )
    bench.report.load("RS256, two workers", measured)
    bench.report.at_least("two workers against one", measured.rate / alone, 1.8, " ×")
    if len(machine.CORES) <= 2:
        bench.report.note("two cores: the load and PostgreSQL share them with the workers")


def million(bench: Bench) -> None:
    """A registry too large to be remembered: clients as they really come, and clients at random."""
    alone = _rs256_rate(bench)
    count = bench.sizes.many
    url = bench.database(count)
    for how, choice in (("as they come (Zipf)", zipf(count)), ("at random", uniform(count))):
        name = f"{count:,} clients {how}"
        with Server(bench.folder, url) as server:
            measured = measure(
                bench, server, choice, saturate(), tokens=bench.sizes.tokens, warm_up=10 * bench.sizes.warm_up
            )
        bench.report.load(f"RS256, {name}", measured)
        bench.report.at_least(f"{name}, against ten", measured.rate / alone, 0.95)


def lone(bench: Bench) -> None:
    """One request at a time."""
    with Server(bench.folder, bench.database(FEW)) as server:
        measured = measure(bench, server, uniform(FEW), saturate(1), tokens=bench.sizes.lone)
    bench.report.load("RS256, one connection", measured)
    bench.report.at_most("a lone request, median", measured.milliseconds(0.5), 1.0, " ms")


def rate(bench: Bench) -> None:
    """A fixed rate, well below the most: what callers see on a normal day."""
    per_second = 0.7 * _rs256_rate(bench)
    with Server(bench.folder, bench.database(FEW)) as server:
        load = partial(open_loop, rate=per_second, connections=4 * CONNECTIONS)
        measured = measure(bench, server, uniform(FEW), load, tokens=bench.sizes.tokens)
    bench.report.load(f"RS256, fixed rate of {per_second:.0f}/s (70 %)", measured)
    bench.report.add("at the fixed rate, p99.9", f"{measured.milliseconds(0.999):.1f} ms")


def race(bench: Bench) -> None:
    """Every grant goes to two nodes at about the same time, in another order to each."""
    count = bench.sizes.duplicated
    url = bench.database(FEW, purpose="race")
    cores = machine.CORES
    with Server(bench.folder, url, cores=cores[:1]) as first, Server(bench.folder, url, cores=cores[-1:]) as second:
        grants = bench.grants().requests(uniform(FEW), count)
        feeds = [(node.port, _shuffled_nearby(grants, node.port)) for node in (first, second)]
        run = closed_loop(feeds, CONNECTIONS)
    refused = sum(run.others.values())
    right = run.tokens == count and run.others == {"HTTP/1.1 400 Bad Request": count}
    bench.report.add(
        f"two nodes racing {count:,} duplicated grants",
        f"{run.tokens:,} tokens, {refused:,} refused",
        f"exactly {count:,}",
        right and _claimed_and_permitted(url) == (count, count),
    )


def _shuffled_nearby(grants: list[bytes], seed: int) -> list[bytes]:
    """In an order where each stays within a few places of its own."""
    shuffle = random.Random(seed).shuffle
    order: list[bytes] = []
    for start in range(0, len(grants), CONNECTIONS):
        few = grants[start : start + CONNECTIONS]
        shuffle(few)
        order += few
    return order


def _claimed_and_permitted(url: str) -> tuple[int, int]:
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT (SELECT count(*) FROM tokens.used_grant),"
            " (SELECT count(*) FROM audit.event WHERE action = 'token:issue' AND outcome = 'permit')"
        ).fetchone()
    assert row is not None
    return row[0], row[1]


SCENARIOS: dict[str, Callable[[Bench], None]] = {
    "rs256": rs256,
    "workers": workers,
    "lone": lone,
    "rate": rate,
    "es256": es256,
    "million": million,
    "race": race,
}
