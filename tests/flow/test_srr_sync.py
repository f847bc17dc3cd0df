"""``fullmakt srr sync`` over real sockets: the self-service API and SRR as their owner's client meets them."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from typer.testing import CliRunner, Result

from fullmakt.altinn.consents.altinn2.callers import Door
from fullmakt.altinn.consents.altinn2.errors import NotAdmittedError, NotAuthenticatedError
from fullmakt.altinn.consents.keys.model import ApiKeyDeclaration
from fullmakt.altinn.consents.keys.service import ApiKeys
from fullmakt.altinn.consents.srr import http as srr_http
from fullmakt.altinn.consents.srr.documents import drafts_of
from fullmakt.altinn.consents.srr.model import Entry, ServiceKey
from fullmakt.altinn.consents.srr.service import SrrService
from fullmakt.altinn.consents.srr.services import Services
from fullmakt.cli import context
from fullmakt.cli.srr import API_KEY, app
from fullmakt.infra.altinn import HANDLERS
from fullmakt.infra.database import Database
from fullmakt.infra.http import SystemEdge
from fullmakt.kernel.clock import FixedClock, new_uuid, system_clock
from fullmakt.kernel.identifiers import OrgNumber, ScopeName
from fullmakt.maskinporten.selfservice.http import app as selfservice_app
from fullmakt.provider import StaticKeys, TokenVerifier
from fullmakt.wire.altinn.callers import Caller, caller_from_claims
from fullmakt.wire.maskinporten.selfservice import ScopeBody
from fullmakt.world.files import Profile, WorldFiles, write_private
from tests.support.access_lists import Registry, resource
from tests.support.fake_issuer import CONSUMER as OWNER
from tests.support.fake_issuer import FakeIssuer
from tests.support.selfservice import selfservice
from tests.support.sockets import served, url_of

SCOPE = "lanekassen:lan/v1/saldoopplysninger"
SECRET = "6f1f6f1e-4a55-4d5e-9d2c-0d4c0f6a3b11"
BANK, SHOP, CLUB, PERSON = "910753614", "312044005", "310943223", "05895199925"
SUPPLIER = "991825827"
LATER = "2099-01-01T00:00:00+00:00"
START = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


class IssuersCallers:
    """Whoever holds a token of the issuer's."""

    def __init__(self, verifier: TokenVerifier) -> None:
        self._verifier = verifier

    async def identify(self, token: str) -> Caller:
        return caller_from_claims((await self._verifier.verify(token)).claims)


@pytest.fixture
def keep_terminal_wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


class Setting:
    """Both systems on one socket, their database, and the state folder with the owner's client."""

    def __init__(self, database_url: str, url: str, state: Path) -> None:
        self.database_url, self.url, self.state = database_url, url, state
        self.issuer = FakeIssuer(system_clock, f"{url}maskinporten/")
        self.refuse: Callable[[Request], bool] = lambda _request: False
        self.calls: list[tuple[str, str]] = []

    def app(self) -> Any:
        """What is served; its database is its own, since it runs in a loop of its own."""
        database = Database(self.database_url)
        verifier = TokenVerifier(
            self.issuer.issuer, keys=StaticKeys([self.issuer.signer.public_jwk()]), clock=system_clock
        )
        handlers = {**HANDLERS, **srr_http.HANDLERS, NotAdmittedError: _forbidden, NotAuthenticatedError: _forbidden}
        door = Door(ApiKeys(database, system_clock, new_uuid), IssuersCallers(verifier))
        routes = srr_http.routes(_srr(database), door, f"{self.url}altinn2")
        own = selfservice_app(selfservice(database, FixedClock(system_clock())), verifier, base_url=f"{self.url}self")
        served = Starlette(
            routes=[
                Mount("/maskinporten", self.issuer.app),
                Mount("/self", own),
                Mount("/altinn2", SystemEdge(Starlette(routes=routes, exception_handlers=handlers))),
            ]
        )

        async def watched(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                request = Request(scope)
                if scope["path"] == "/close":
                    await database.close()
                if not scope["path"].startswith("/maskinporten"):
                    self.calls.append((request.method, request.url.path))
                if self.refuse(request):
                    await Response(status_code=500)(scope, receive, send)
                    return
            await served(scope, receive, send)

        return watched

    def run(self, work: Callable[[Database], Coroutine[Any, Any, Any]]) -> Any:
        """Something done with the database, beside the server."""

        async def alone() -> Any:
            database = Database(self.database_url)
            try:
                return await work(database)
            finally:
                await database.close()

        return asyncio.run(alone())

    def fill(self, approved: list[str], entries: list[dict[str, Any]]) -> None:
        """What the lists hold at the start. Entries may be over already: SRR was told of them long ago."""

        async def work(database: Database) -> None:
            service = selfservice(database, FixedClock(START))
            await service.operator.declare_prefix("lanekassen", OWNER)
            body = {"prefix": "lanekassen", "subscope": SCOPE.partition(":")[2], "description": "Saldo"}
            await service.operator.declare_scope(ScopeBody.model_validate(body))
            for consumer in approved:
                await service.operator.declare_access(ScopeName(SCOPE), OrgNumber(consumer))
            keys = ApiKeys(database, system_clock, new_uuid)
            await keys.declare(ApiKeyDeclaration("owner", OWNER, service_owner=True), secret=SECRET)
            if entries:
                await _srr(database, FixedClock(START)).add(drafts_of(entries), _Owner())

        self.run(work)

    def invoke(self, *arguments: str, code: int = 0, key: str | None = SECRET, given: str | None = None) -> Result:
        """The command, with the owner's client."""
        place = context.Place(
            self.state,
            self.issuer.issuer,
            self.url.rstrip("/"),
            systems={"selvbetjening": f"{self.url}self/", "altinn2": f"{self.url}altinn2/"},
        )
        context.provide(lambda: pytest.fail("no database is opened"), lambda: place)
        words = ["sync", "--scope", SCOPE, "--service", "5498/1", "--client", "owner", *arguments]
        result = CliRunner(env={API_KEY: key}).invoke(app, words, input=given)
        assert result.exit_code == code, result.output
        return result

    def report(self, *arguments: str, code: int = 0) -> Any:
        """What the command tells a program."""
        return json.loads(self.invoke("--json", *arguments, code=code).stdout)


class _Owner:
    organisation = OWNER
    actor = "owner"


def _srr(database: Database, clock: Callable[[], dt.datetime] = system_clock) -> SrrService:
    resources = (resource(f"digdir_{code}_1", "digdir", OWNER) for code in ("5498", "5499"))
    registry = Registry(*(replace(one, resource_type="Consent") for one in resources))
    return SrrService(database, clock, Services(database, clock, registry))


async def _forbidden(_request: Request, _error: Exception) -> Response:
    return Response(status_code=403)


def entry(reportee: str, valid_to: str = LATER, *, code: str = "5498", **condition: Any) -> dict[str, Any]:
    return {
        "ServiceCode": code,
        "ServiceEditionCode": 1,
        "Reportee": reportee,
        "Right": "Read",
        "ValidTo": valid_to,
        "Condition": condition or None,
    }


@pytest.fixture
def setting(database_url: str, tmp_path: Path) -> Iterator[Setting]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        setting = Setting(database_url, url_of(listening), tmp_path)
        files = WorldFiles(tmp_path)
        write_private(files.key_path("owner"), json.dumps(setting.issuer.client_key.private_jwk()).encode())
        files.write_profile(Profile("owner", "the-client", OWNER, "maskinporten", (), "key", key_file="owner.jwk.json"))
        with served(setting.app(), listening):
            yield setting
            httpx2.get(f"{setting.url}close")


def kinds(report: Any) -> list[tuple[str, str]]:
    return [(one["kind"], one["consumer"]) for one in report["findings"]]


DRIFTED = [entry(SHOP, "2021-01-01T00:00:00"), entry(CLUB, KeepSessionAlive=True), entry(PERSON)]


def test_lists_in_step_end_with_code_0(setting: Setting) -> None:
    setting.fill([BANK], [entry(BANK)])
    assert "in step" in setting.invoke().output
    report = setting.report()
    assert (report["in_step"], report["findings"], report["steps"]) == (True, [], [])


@pytest.mark.usefixtures("keep_terminal_wide")
def test_drift_is_told_in_a_table_and_ends_with_code_1(setting: Setting) -> None:
    setting.fill([BANK, SHOP], DRIFTED)
    told = setting.invoke(code=1).output
    for words in (
        f"{BANK}       5498/1    in the access list, not in SRR",
        "in the access list, expired in SRR",
        "in SRR, not in the access list",
        "2021-01-01 00:00:00",
        "Entries of people, who can not be in an access list, are left alone: 1",
    ):
        assert " ".join(words.split()) in " ".join(told.split())
    assert PERSON not in told
    report = setting.report(code=1)
    assert kinds(report) == [("not_in_access_list", CLUB), ("expired_in_srr", SHOP), ("missing_in_srr", BANK)]
    assert [one["done"] for one in report["steps"]] == [False] * 3
    assert {method for method, _ in setting.calls} == {"GET"}


def test_a_repair_follows_the_access_list_and_is_done_once(setting: Setting) -> None:
    setting.fill([BANK, SHOP], DRIFTED)
    told = setting.invoke("--repair", "--yes", "--valid-to", "2090-05-01").output
    assert told.count("✓ ") == 3
    assert setting.report()["in_step"]
    before = len(setting.calls)
    setting.invoke("--repair", "--yes")
    assert {method for method, _ in setting.calls[before:]} == {"GET"}
    entries = setting.run(_entries)
    assert {(one.reportee, one.valid_to.year) for one in entries} == {(SHOP, 2090), (BANK, 2090), (PERSON, 2099)}


def test_a_repair_may_follow_srr(setting: Setting) -> None:
    setting.fill([BANK, SHOP], DRIFTED)
    report = setting.report("--repair", "--yes", "--follow", "srr")
    assert {(one["action"], one["consumer"], one["done"]) for one in report["steps"]} == {
        ("approve_access", CLUB, True),
        ("deny_access", SHOP, True),
        ("remove_entry", SHOP, True),
        ("deny_access", BANK, True),
    }
    assert setting.report()["in_step"]


def test_nothing_is_changed_before_somebody_has_said_yes(setting: Setting) -> None:
    setting.fill([BANK], [])
    told = setting.invoke("--repair", code=1, given="n\n").output
    assert f"add {BANK} to SRR for 5498/1" in told
    assert {method for method, _ in setting.calls} == {"GET"}
    setting.invoke("--repair", given="y\n")
    assert setting.report()["in_step"]


def test_a_repair_that_fails_halfway_tells_so_and_is_taken_up_again(setting: Setting) -> None:
    setting.fill([BANK, SHOP], [])
    posts: list[str] = []

    def refuse(request: Request) -> bool:
        if request.method == "POST" and request.url.path.endswith("/srr"):
            posts.append(request.url.path)
        return len(posts) == 2

    setting.refuse = refuse
    told = setting.invoke("--repair", "--yes", code=2).output
    assert "1 of 2 are done; run it again to go on" in told
    setting.refuse = lambda _request: False
    assert len(setting.report("--repair", "--yes")["steps"]) == 1
    assert setting.report()["in_step"]


def test_what_others_have_done_meanwhile_counts_as_done(setting: Setting) -> None:
    setting.fill([BANK], [entry(CLUB)])

    asked: list[str] = []

    def mend_first(request: Request) -> bool:
        if request.method != "GET" and "/srr" in request.url.path and not asked:
            asked.append(request.method)
            beside = threading.Thread(target=lambda: setting.run(_mend))
            beside.start()
            beside.join()
        return False

    setting.refuse = mend_first
    setting.invoke("--repair", "--yes")
    assert asked
    assert setting.report()["in_step"]


def test_a_supplier_is_named_where_it_has_to_be(setting: Setting) -> None:
    setting.fill(
        [BANK, SHOP],
        [entry(BANK, HandledBy=SUPPLIER), entry(SHOP), entry(BANK, code="5499"), entry(SHOP, code="5499")],
    )
    both = ("--service", "5499/1")
    assert kinds(setting.report(*both, code=1)) == [("supplier_missing", BANK)]
    told = ("--supplier", f"{SHOP}={SUPPLIER}")
    found = kinds(setting.report(*both, *told, code=1))
    assert found == [("supplier_missing", SHOP), ("supplier_missing", SHOP), ("supplier_missing", BANK)]
    setting.invoke(*both, *told, "--repair", "--yes")
    assert setting.report(*both, *told)["in_step"]


def test_what_can_not_be_told_from_the_lists_is_left_and_said(setting: Setting) -> None:
    setting.fill([BANK], [entry(BANK)])
    told = setting.invoke("--service", "5499/1", "--repair", "--yes", "--follow", "srr", code=1).output
    assert "see to it by hand" in told


def test_no_secret_is_shown(setting: Setting) -> None:
    setting.fill([BANK], [])
    setting.refuse = lambda request: "/srr" in request.url.path
    for arguments in ((), ("--repair", "--yes")):
        told = setting.invoke(*arguments, code=2).output
        assert SECRET not in told
        assert "500" in told


@pytest.mark.parametrize("key", ["7f1f6f1e-4a55-4d5e-9d2c-0d4c0f6a3b11", "x"])
def test_a_key_that_is_not_the_owner_s_is_told(setting: Setting, key: str) -> None:
    setting.fill([BANK], [])
    assert "403" in setting.invoke(key=key, code=2).output


def test_a_service_that_is_not_there_is_told(setting: Setting) -> None:
    setting.fill([BANK], [])
    told = setting.invoke("--service", "5498/9", code=2).output
    assert "SRR for 5498/9: 403: there is no such service" in " ".join(told.split())


def test_the_key_may_be_in_a_file(setting: Setting, tmp_path: Path) -> None:
    setting.fill([BANK], [entry(BANK)])
    (tmp_path / "key").write_text(f"{SECRET}\n")
    setting.invoke("--api-key-file", str(tmp_path / "key"), key=None)


def test_the_systems_may_be_elsewhere(setting: Setting) -> None:
    setting.fill([BANK], [entry(BANK)])
    elsewhere = (
        "--selfservice-url",
        f"{setting.url}self/",
        "--altinn2-url",
        f"{setting.url}altinn2",
        "--srr-client",
        "the-client",
    )
    setting.invoke(*elsewhere)
    assert "does not answer" in setting.invoke("--altinn2-url", "http://127.0.0.1:1", code=2).output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--service", "5498"), "CODE/EDITION"),
        (("--supplier", BANK), "CONSUMER=SUPPLIER"),
        (("--supplier", f"{BANK}="), "CONSUMER=SUPPLIER"),
        (("--scope", "x"), "prefix:subscope"),
        (("--client", "nobody"), "no client is called"),
        (("--valid-to", "2020-01-01"), "lies behind"),
        (("--repair", "--json"), "say --yes too"),
        (("--api-key-file", "/nowhere/key"), "No such file"),
    ],
    ids=["service", "supplier", "no_supplier", "scope", "client", "valid_to", "json_asks", "key_file"],
)
def test_what_can_not_be_asked_is_told_before_anything_is_sent(
    setting: Setting, arguments: tuple[str, ...], message: str
) -> None:
    assert message in setting.invoke(*arguments, code=2).output
    assert setting.calls == []


def test_without_a_key_nothing_is_sent(setting: Setting) -> None:
    assert API_KEY in setting.invoke(key=None, code=2).output
    assert setting.calls == []


async def _entries(database: Database) -> Sequence[Entry]:
    return await _srr(database).entries(ServiceKey("5498", 1), _Owner())


async def _mend(database: Database) -> None:
    """What the repair is about to do."""
    for one in await _entries(database):
        await _srr(database).remove(one.id, _Owner())
    await _srr(database).add(drafts_of([entry(BANK)]), _Owner())
