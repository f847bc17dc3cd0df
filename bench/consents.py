"""Consents made and answered a second in both forms, against a bare echo and the disk. Method: README.md."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter

import psycopg

from bench import consent_world
from bench.consent_world import BANK, SERVICE, SURNAME, SYSTEMS, ConsentWorld, resource
from bench.harness import CONNECTIONS, Bench, Requests, measure, saturate
from bench.load import Run
from bench.measured import Measured
from bench.rights import people
from bench.server import HOST, Echo, Server
from fullmakt.kernel.clock import system_clock

_ALTINN3 = "/altinn/accessmanagement/api/v1"
_ALTINN2 = "/altinn2/api/consentRequests"


@dataclass(frozen=True, slots=True)
class _Form:
    """How consent is asked for in a form: the request to a person, and the status of an answer that made it."""

    name: str
    kept_as: str
    status: int
    ask: Callable[[ConsentWorld, str], bytes]


def consents(bench: Bench) -> None:
    """Ask and answer, many at once and one at a time; each request is another, and no two of a run are to one person
    as long as there are people enough."""
    echo, commits = _echo(bench), _commits(bench)
    world = consent_world.create(bench, "bench_consents")
    for form in (_Form("Altinn 3", "altinn3", 201, _ask_altinn3), _Form("Altinn 2", "altinn2", 200, _ask_altinn2)):
        with Server(bench.folder, world.url, *SYSTEMS) as server:
            for verb, status, make in (("made", form.status, _asking), ("accepted", 200, _accepting)):
                for connections, count in ((CONNECTIONS, bench.sizes.consents), (1, _few(bench))):
                    load = saturate(connections, status)
                    name = f"consents {verb}, {form.name}, {connections} at once"
                    measured = measure(bench, server, make(world, form), load, count=count, warm_up=_few(bench))
                    bench.report.load(name, measured)
                    if connections == CONNECTIONS:
                        _compare(bench, name, measured, echo, commits)
        _check(world, form, bench)


def _few(bench: Bench) -> int:
    """Requests to warm up with, and one at a time."""
    return bench.sizes.consents // 4


def _compare(bench: Bench, name: str, measured: Measured, echo: Measured, commits: float) -> None:
    bench.report.add(f"{name}, against a bare echo", f"{measured.rate / echo.rate:.3f}")
    bench.report.add(f"{name}, CPU of the two", f"{measured.cpu / echo.cpu:.1f} ×")
    bench.report.add(f"{name}, against commits one after another", f"{measured.rate / commits:.2f}")


def _echo(bench: Bench) -> Measured:
    """What the HTTP server does with as much JSON, and nothing else."""
    world = ConsentWorld("", {BANK: "-"}, {BANK: "-"}, dict.fromkeys(people(1), ""))
    with Echo(bench.folder) as server:
        asking = _asking(world, _Form("", "", 200, _ask_altinn3))
        measured = measure(bench, server, asking, saturate(), count=20 * bench.sizes.consents)
    bench.report.load("bare JSON echo of a request for consent", measured)
    return measured


def _commits(bench: Bench) -> float:
    """Commits a second of one connection that waits for the disk each time: no more changes than that can follow one
    another, and those that are announced on one topic of the feed do."""
    run = Run()
    with psycopg.connect(bench.postgres.url("postgres"), autocommit=True) as connection:
        connection.execute("CREATE TABLE bench_commit (filling text)")
        started = perf_counter()
        for _ in range(bench.sizes.consents):
            before = perf_counter()
            connection.execute("INSERT INTO bench_commit VALUES (repeat('x', 1000))")
            run.latencies.append(perf_counter() - before)
        run.seconds = perf_counter() - started
        connection.execute("DROP TABLE bench_commit")
    p50, p99 = run.percentile(0.5) * 1_000, run.percentile(0.99) * 1_000
    bench.report.add("commits one after another", f"{run.rate:.0f}/s; p50 {p50:.2f} ms, p99 {p99:.2f} ms")
    return run.rate


def _asking(world: ConsentWorld, form: _Form) -> Requests:
    """Requests to everybody in turn."""
    givers = itertools.cycle(world.personal)

    def requests(count: int) -> Sequence[bytes]:
        return [form.ask(world, giver) for giver in itertools.islice(givers, count)]

    return requests


def _ask_altinn3(world: ConsentWorld, giver: str) -> bytes:
    document = {
        "id": str(uuid.uuid4()),
        "from": f"urn:altinn:person:identifier-no:{giver}",
        "to": f"urn:altinn:organization:identifier-no:{BANK}",
        "validTo": _next_year(),
        "consentRights": [
            {
                "action": ["consent"],
                "resource": [{"type": "urn:altinn:resource", "value": resource(SERVICE)}],
                "metadata": {"Navn": "Banken AS"},
            }
        ],
        "requestMessage": {"nb": "Vi vurderer lånet ditt", "nn": "Vi vurderer lånet ditt", "en": "About your loan"},
        "redirectUrl": "https://bank.example/lan?sak=1",
    }
    return _post(f"{_ALTINN3}/enterprise/consentrequests", document, {"Authorization": f"Bearer {world.tokens[BANK]}"})


def _ask_altinn2(world: ConsentWorld, giver: str) -> bytes:
    code, edition = SERVICE
    document = {
        "CoveredBy": BANK,
        "OfferedBy": giver,
        "OfferedByName": SURNAME,
        "ValidTo": _next_year(),
        "RedirectUrl": "https://bank.example/lan?sak=1",
        "RequestResources": [{"ServiceCode": code, "ServiceEditionCode": edition, "Metadata": {"Navn": "Banken AS"}}],
        "RequestMessage": {"no-nb": "Vi vurderer lånet ditt"},
    }
    headers = {"Authorization": f"Bearer {world.tokens[BANK]}", "ApiKey": world.api_keys[BANK]}
    return _post(_ALTINN2, document, headers)


def _accepting(world: ConsentWorld, form: _Form) -> Requests:
    """The answers of those who have been asked, each with the person's own token; both forms are answered alike."""
    waiting = _unanswered(world, form)

    def requests(count: int) -> Sequence[bytes]:
        return [
            _post(
                f"{_ALTINN3}/bff/consentrequests/{consent_id}/accept",
                {"language": "nb"},
                {"Authorization": f"Bearer {world.personal[giver]}"},
            )
            for consent_id, giver in itertools.islice(waiting, count)
        ]

    return requests


def _unanswered(world: ConsentWorld, form: _Form) -> Iterator[tuple[uuid.UUID, str]]:
    """The requests that wait for an answer when the first is wanted, and who was asked."""
    persons = {consent_world.party_uuid(pid): pid for pid in world.personal}
    asked = "SELECT consent_id, giver FROM consents.consent WHERE form = %s AND status = 'Created' ORDER BY number"
    with psycopg.connect(world.url) as connection:
        rows = connection.execute(asked, [form.kept_as]).fetchall()
    return iter([(consent_id, persons[giver]) for consent_id, giver in rows])


def _check(world: ConsentWorld, form: _Form, bench: Bench) -> None:
    """Everything that was asked for is there once, and has been accepted."""
    sizes = bench.sizes
    wanted = 2 * _few(bench) + sizes.runs * (sizes.consents + _few(bench))
    counted = "SELECT count(*) FILTER (WHERE status = 'Accepted'), count(*) FROM consents.consent WHERE form = %s"
    with psycopg.connect(world.url) as connection:
        found = connection.execute(counted, [form.kept_as]).fetchone()
    if found != (wanted, wanted):
        raise RuntimeError(f"accepted and made were {found}, not {wanted} each")


def _next_year() -> str:
    return (system_clock() + dt.timedelta(days=365)).isoformat()


def _post(path: str, document: Mapping[str, object], headers: Mapping[str, str]) -> bytes:
    body = json.dumps(document).encode()
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\nAccept: application/json\r\n"
        f"{lines}Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
