"""What is measured of the token endpoint, scenario by scenario. Targets: issue 2, "Speed"; method: README.md."""

from __future__ import annotations

import random
from functools import partial

import psycopg

from bench import machine, registry
from bench.grants import Choice, uniform, zipf
from bench.harness import CONNECTIONS, FEW, Bench, Kind, Requests, measure, measure_in_turn, saturate
from bench.load import closed_loop, open_loop
from bench.measured import Measured
from bench.server import Server

_ANY_OF_FEW = uniform(FEW)
_ONE_BY_ONE = {"FULLMAKT_MASKINPORTEN__MULTI_BUFFER": "off"}


def _registry(bench: Bench, count: int, *, ec: bool = False, purpose: str = "rate") -> str:
    """A registry with ``count`` clients; one for each purpose."""

    def create(name: str) -> str:
        bench.report.note(f"filling a registry with {count:,} clients")
        return registry.create(bench.postgres, name, count, bench.signers(ec=ec))

    return bench.database(f"bench_{purpose}_{'ec' if ec else 'rsa'}_{count}", create)


def _grants(bench: Bench, choice: Choice = _ANY_OF_FEW, *, ec: bool = False) -> Requests:
    return partial(bench.grants(ec=ec).requests, choice)


def rs256(bench: Bench) -> None:
    """One worker, ten clients, RSA throughout: the share of the limit, by eights where they can be, and one by one."""
    limits = [_rsa_limit(bench)]
    with Server(bench.folder, _registry(bench, FEW)) as server:
        measured = measure(bench, server, _grants(bench), saturate(), count=bench.sizes.tokens)
    limits.append(_rsa_limit(bench))
    with Server(bench.folder, _registry(bench, FEW), settings=_ONE_BY_ONE) as server:
        singly = measure(bench, server, _grants(bench), saturate(), count=bench.sizes.tokens)
    limits.append(_rsa_limit(bench))
    limit = sum(limits) / len(limits)
    _remember(bench, measured)
    bench.report.load("tokens, RS256, one worker", measured)
    bench.report.load("tokens, RS256, one worker, signed one by one", singly)
    bench.report.add("limit, RSA-2048 verify + sign (openssl speed)", f"{limit:.0f}/s")
    bench.report.at_least("RS256, share of the limit", measured.rate / limit, 0.75)
    bench.report.add("RS256 signed one by one, share of the limit", f"{singly.rate / limit:.2f}")


def _rsa_limit(bench: Bench) -> float:
    return machine.crypto_limit(ec=False, seconds=bench.sizes.openssl_seconds).tokens


def es256(bench: Bench) -> None:
    """The same with P-256 keys, by the extension that admits them."""
    with Server(bench.folder, _registry(bench, FEW, ec=True), ec=True) as server:
        limit = machine.crypto_limit(ec=True, seconds=bench.sizes.openssl_seconds).tokens
        measured = measure(bench, server, _grants(bench, ec=True), saturate(), count=2 * bench.sizes.tokens)
    bench.report.load("tokens, ES256, one worker", measured)
    bench.report.add("limit, P-256 verify + sign (openssl speed)", f"{limit:.0f}/s")
    bench.report.add("ES256, share of the limit", f"{measured.rate / limit:.2f}")


def _rs256_rate(bench: Bench) -> float:
    def alone() -> float:
        with Server(bench.folder, _registry(bench, FEW)) as server:
            return _remember(bench, measure(bench, server, _grants(bench), saturate(), count=bench.sizes.tokens))

    return bench.rate("rs256", alone)


def _remember(bench: Bench, measured: Measured) -> float:
    """Keep what one worker takes, for others to be held against; its rate."""
    bench.rate("rs256, CPU", lambda: measured.cpu)
    return bench.rate("rs256", lambda: measured.rate)


def workers(bench: Bench) -> None:
    """Two workers against one."""
    alone = _rs256_rate(bench)
    with Server(bench.folder, _registry(bench, FEW), workers=2) as server:
        measured = measure(
            bench, server, _grants(bench), saturate(2 * CONNECTIONS), count=2 * bench.sizes.tokens, workers=2
        )
    bench.report.load("tokens, RS256, two workers", measured)
    bench.report.at_least("two workers against one", measured.rate / alone, 1.8, " ×")
    processor_time = measured.cpu / bench.rate("rs256, CPU", lambda: measured.cpu)
    bench.report.at_most("two workers against one, processor time a token", processor_time, 1.11, " ×")
    if len(machine.CORES) <= 2:
        bench.report.note("two cores: the load and PostgreSQL share them with the workers; go by processor time")


def million(bench: Bench) -> None:
    """A registry too large to be remembered: the same few clients in it, clients as they really come, and at random.

    As they come, on a server that has been up for a while: at its start it knows nobody.
    """
    count, sizes = bench.sizes.many, bench.sizes
    small, large = _registry(bench, FEW), _registry(bench, count)
    for choices in (
        {"the same ten": (_ANY_OF_FEW, None), "as they come (Zipf)": (zipf(count), sizes.seasoned)},
        {"at random": (uniform(count), 10 * sizes.warm_up)},
    ):
        with Server(bench.folder, small) as few, Server(bench.folder, large) as many:
            kinds = [Kind(many, _grants(bench, choice), warm_up) for choice, warm_up in choices.values()]
            alone, *measured = measure_in_turn(
                bench, [Kind(few, _grants(bench)), *kinds], saturate(), count=sizes.tokens
            )
        bench.report.load(f"tokens, RS256, ten clients, in turn with {' and '.join(choices)}", alone)
        for how, figures in zip(choices, measured, strict=True):
            name = f"{count:,} clients, {how}"
            bench.report.load(f"tokens, RS256, {name}", figures)
            bench.report.at_least(f"{name}, against ten", figures.rate / alone.rate, 0.95)
            bench.report.add(f"{name}, CPU against ten", f"{figures.cpu / alone.cpu:.2f}")


def lone(bench: Bench) -> None:
    """One request at a time."""
    with Server(bench.folder, _registry(bench, FEW)) as server:
        measured = measure(bench, server, _grants(bench), saturate(1), count=bench.sizes.lone)
    bench.report.load("tokens, RS256, one connection", measured)
    bench.report.at_most("a lone request, median", measured.milliseconds(0.5), 1.0, " ms")


def rate(bench: Bench) -> None:
    """A fixed rate, well below the most: what callers see on a normal day."""
    per_second = 0.7 * _rs256_rate(bench)
    with Server(bench.folder, _registry(bench, FEW)) as server:
        load = partial(open_loop, rate=per_second, connections=4 * CONNECTIONS)
        measured = measure(bench, server, _grants(bench), load, count=bench.sizes.tokens)
    bench.report.load(f"tokens, RS256, fixed rate of {per_second:.0f}/s (70 %)", measured)
    bench.report.add("at the fixed rate, p99.9", f"{measured.milliseconds(0.999):.1f} ms")


def race(bench: Bench) -> None:
    """Every grant goes to two nodes at about the same time, in another order to each."""
    count = bench.sizes.duplicated
    url = _registry(bench, FEW, purpose="race")
    cores = machine.CORES
    with Server(bench.folder, url, cores=cores[:1]) as first, Server(bench.folder, url, cores=cores[-1:]) as second:
        grants = bench.grants().requests(uniform(FEW), count)
        feeds = [(node.port, _shuffled_nearby(grants, node.port)) for node in (first, second)]
        run = closed_loop(feeds, CONNECTIONS)
    refused = sum(run.others.values())
    right = run.answers == count and run.others == {"HTTP/1.1 400 Bad Request": count}
    bench.report.add(
        f"two nodes racing {count:,} duplicated grants",
        f"{run.answers:,} tokens, {refused:,} refused",
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
