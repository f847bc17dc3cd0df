"""Decisions a second, over HTTP and in process, against a bare echo. Target: issue 3, "Speed"; method: README.md."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from functools import partial

import psycopg

from bench import machine, rights
from bench.grants import uniform, zipf
from bench.harness import CONNECTIONS, FEW, Bench, Requests, measure, saturate
from bench.load import Run, ask, open_loop
from bench.measured import Measured
from bench.questions import KINDS, Questions
from bench.rights import AUTHORIZE, Rights
from bench.server import HOST, Echo, Server, environment

_PATH = "/altinn/authorization/api/v1/authorize"


def decisions(bench: Bench) -> None:
    """With ever more policies; with the most of them also where everything is remembered, and where hardly anything."""
    organisations, echo = bench.sizes.organisations, _echo(bench)
    for policies in bench.sizes.policies:
        there = Rights(policies, organisations)
        _measure(bench, f"{policies:,} policies", Questions(there, zipf(organisations), zipf(policies)), echo)
    _measure(bench, f"{policies:,} policies, remembered", Questions(there, uniform(FEW), uniform(1)), echo)
    _measure(
        bench, f"{policies:,} policies, at random", Questions(there, uniform(organisations), uniform(policies)), echo
    )


def _echo(bench: Bench) -> Measured:
    """What the HTTP server does with as much JSON, and nothing to decide."""
    there = Rights(1, bench.sizes.organisations)
    questions = Questions(there, uniform(there.organisations), uniform(1))
    with Echo(bench.folder) as server:
        measured = measure(bench, server, _requests(questions, b""), saturate(), count=3 * bench.sizes.decisions)
    bench.report.load("bare JSON echo", measured)
    return measured


def _measure(bench: Bench, name: str, questions: Questions, echo: Measured) -> None:
    url, report = _database(bench, questions.rights), bench.report
    count, warm_up = bench.sizes.decisions, bench.sizes.decisions_warm_up
    before = _reasons(url)
    with Server(bench.folder, url, "maskinporten", "authorization") as server:
        requests = _requests(questions, _token(bench, server))
        measured = measure(bench, server, requests, saturate(), count=count, warm_up=warm_up)
        calm = partial(open_loop, rate=0.7 * measured.rate, connections=4 * CONNECTIONS)
        steady = measure(bench, server, requests, calm, count=count, warm_up=CONNECTIONS)
    report.load(f"decisions over HTTP, {name}", measured)
    report.load(f"the same at a fixed rate (70 %), {name}", steady)
    report.load(f"decisions in process, {name}", _inside(bench, url, questions, count, warm_up))
    report.add(f"over HTTP against a bare echo, {name}", f"{measured.rate / echo.rate:.3f}")
    report.add(f"CPU of the two, {name}", f"{measured.cpu / echo.cpu:.1f} ×")
    _check(_reasons(url) - before)


def _database(bench: Bench, there: Rights) -> str:
    def create(name: str) -> str:
        bench.report.note(f"filling in {there.policies:,} policies and {10 * there.organisations:,} delegations")
        return rights.create(bench.postgres, name, there, bench.signers())

    return bench.database(f"bench_rights_{there.policies}", create)


def _token(bench: Bench, server: Server) -> bytes:
    """A token of Maskinporten's, as an API's owner has."""
    [grant] = bench.grants().requests(uniform(1), 1, authorizing)
    token: str = json.loads(ask(server.port, grant))["access_token"]
    return token.encode()


def authorizing(number: int) -> tuple[int, dict[str, str]]:
    """The claims of a client that is to ask for decisions."""
    return number, {"scope": AUTHORIZE}


def _requests(questions: Questions, token: bytes) -> Requests:
    head = (
        f"POST {_PATH} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\nAccept: application/json\r\n"
        f"Authorization: Bearer {token.decode()}\r\nContent-Length: "
    ).encode()

    def requests(count: int) -> Sequence[bytes]:
        return [b"%b%d\r\n\r\n%b" % (head, len(body), body) for body in questions.bodies(count)]

    return requests


def _inside(bench: Bench, url: str, questions: Questions, count: int, warm_up: int) -> Measured:
    """The same questions to the decision point itself, in a process without HTTP."""
    runs = bench.sizes.runs
    file = bench.folder / "questions.jsonl"
    file.write_bytes(b"\n".join(questions.bodies(warm_up + runs * count)))
    database_cpu = bench.database_cpu_seconds()
    process = subprocess.run(
        ["taskset", "-c", str(machine.CORES[0]), sys.executable, "-m", "bench.inside",
         str(file), str(warm_up), str(runs), str(CONNECTIONS)],
        env=environment(bench.folder, url, 0),
        capture_output=True,
        check=False,
        text=True,
    )  # fmt: skip
    if process.returncode:
        raise RuntimeError(process.stderr[-2_000:])
    database_cpu = (bench.database_cpu_seconds() - database_cpu) / (warm_up + runs * count)
    measured = Measured()
    for line in map(json.loads, process.stdout.splitlines()):
        run = Run(line["seconds"], line["latencies"])
        measured.add(run, line["cpu_seconds"], database_cpu * count)
    return measured


def _reasons(url: str) -> Counter[str]:
    """What the audit trail says of the decisions so far."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT reason, count(*) FROM audit.event WHERE action = 'decision:make' GROUP BY reason"
        ).fetchall()
    return Counter(dict(rows))


def _check(reasons: Counter[str]) -> None:
    """A third of each: an answer of the wrong kind is a fault of the bench."""
    if set(reasons) != set(KINDS) or max(reasons.values()) - min(reasons.values()) > 10 * len(KINDS):
        raise RuntimeError(f"not what was to be decided: {dict(reasons)}")
