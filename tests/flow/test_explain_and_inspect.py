"""`fullmakt explain` and `fullmakt inspect` as commands, over a whole world and without one."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import anyio
import pytest
import typer
from cryptography.hazmat.primitives.serialization import Encoding
from typer.testing import CliRunner

from fullmakt.cli import context, explain, inspect
from fullmakt.infra.audit import AuditEvent, record
from fullmakt.kernel.clock import system_clock
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.maskinporten.selfservice import key_file
from fullmakt.serve.assembly import Assembly, assemble
from fullmakt.serve.database import as_world
from fullmakt.serve.settings import Settings
from tests.support.certificates import ORGNO
from tests.support.consent_tokens import GIVER, FakeAltinn
from tests.support.fake_issuer import CONSUMER
from tests.support.tokens import PID, claims_of, key_number, sign

TRACE = "0af7651916cd43dd8448eb211c80319c"
app = typer.Typer()
explain.register(app)
inspect.register(app)


def run(*arguments: str, code: int = 0, stdin: str | None = None) -> str:
    result = CliRunner().invoke(app, list(arguments), input=stdin)
    assert isinstance(result.exception, SystemExit | None), result.exception
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture
def no_world(tmp_path: Path) -> None:
    """A folder in which nothing was ever set up, and nothing must be."""

    def opener() -> AbstractAsyncContextManager[context.OpenWorld]:
        raise AssertionError("a world was opened, and so made")

    context.provide(opener, lambda: context.Place(tmp_path, "http://localhost/", "http://localhost", exists=False))


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Callable[[], Assembly]:
    """A world; calling it wires one more view of it."""

    def view() -> Assembly:
        return assemble(Settings(state=tmp_path, port=1), database_url)

    @asynccontextmanager
    async def opener() -> AsyncIterator[context.OpenWorld]:
        assembly = view()
        try:
            assert assembly.pki is not None
            await assembly.pki.ensure()
            yield as_world(assembly)
        finally:
            await assembly.close()

    tmp_path.mkdir(exist_ok=True)
    place = context.Place(tmp_path, Settings(port=1).issuer, "http://localhost:1")
    context.provide(opener, lambda: place)
    return view


# -- explain ----------------------------------------------------------------------------------------------------------


def test_a_code_is_explained() -> None:
    shown = run("explain", "MP-250")
    assert "MP-250  HTTP 403 forbidden" in shown
    assert "→ Ask the owner of the scope for access." in shown


def test_without_argument_all_errors_are_listed() -> None:
    assert "MP-251  not_delegated" in run("explain")
    assert len(json.loads(run("explain", "--json"))) == run("explain").count("HTTP")


def test_a_code_of_altinns_is_explained() -> None:
    shown = run("explain", "AUTH-00011")
    for told in ("HTTP 404", "The Id does not refer to a Registered System.", "another vendor's"):
        assert told in shown
    assert [one["code"] for one in json.loads(run("explain", "AM.VLD-00035", "--json"))] == ["AM.VLD-00035"]


def test_a_name_is_explained_in_json() -> None:
    (entry,) = json.loads(run("explain", "not_delegated", "--json"))
    assert (entry["code"], entry["status"]) == ("MP-251", 403)


def test_what_is_no_error_is_said_to_be_none() -> None:
    assert "no error of the token server or of Altinn" in run("explain", "\x1b[2Jnonsense", code=2)


async def _record(assembly: Assembly, event: AuditEvent) -> None:
    try:
        async with assembly.database.transaction() as connection:
            await record(connection, event)
    finally:
        await assembly.close()


def test_a_trace_tells_the_story_of_its_request(world: Callable[[], Assembly]) -> None:
    facts = {"scope": "a:b", "consumer": ORGNO, "delegable": False}
    event = AuditEvent(system_clock(), "tokens", "token:issue", "deny", TRACE, "the-client", "a:b", "no_access", facts)
    anyio.run(_record, world(), event)
    shown = run("explain", f"Consumer has not been granted access to the scope a:b. (trace_id: {TRACE})")
    for line in (
        f"Trace {TRACE}",
        "Client the-client asked for a token with the scope a:b",
        "✗ Refused: MP-250",
        "Consumer has not been granted access to the scope a:b.",
        "delegable = false",
        "→ Ask the owner of the scope for access.",
    ):
        assert line in shown
    document = json.loads(run("explain", TRACE, "--json"))
    assert document["events"][0]["facts"] == facts


@pytest.mark.usefixtures("world")
def test_an_unknown_trace_is_not_a_story() -> None:
    assert "no event of it" in run("explain", TRACE, code=1)
    assert json.loads(run("explain", TRACE, "--json", code=1)) == {"trace_id": TRACE, "events": [], "parties": {}}


@pytest.mark.usefixtures("no_world")
def test_without_a_world_the_code_in_an_answer_is_explained_all_the_same() -> None:
    shown = run("explain", f"https://x/errors/MP-200 (trace_id: {TRACE})", code=1)
    assert "MP-200  HTTP 400 invalid_scope" in shown
    assert "there is no world here" in shown


# -- inspect ----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("no_world")
def test_a_grant_is_inspected_without_a_world() -> None:
    shown = run("inspect", sign(claims_of(1_700_000_000, pid=PID)), code=1)
    assert "✗ time: MP-130" in shown
    assert "? client: " in shown
    assert "would be refused" in shown
    assert PID not in shown


@pytest.mark.usefixtures("no_world")
@pytest.mark.parametrize("form", ["argument", "file", "standard input"])
def test_a_key_is_read_from_wherever_it_is(form: str, tmp_path: Path) -> None:
    text = json.dumps(key_number(1).private_jwk())
    (tmp_path / "key.json").write_text(text, encoding="utf-8")
    given = {"argument": text, "file": str(tmp_path / "key.json"), "standard input": "-"}[form]
    shown = run("inspect", given, stdin=text)
    assert "Private key (JWK)" in shown
    assert key_number(1).private_jwk()["d"] not in shown


@pytest.mark.usefixtures("no_world")
def test_a_key_file_of_self_services_is_told_from_a_certificate(tmp_path: Path) -> None:
    made = key_file.make("changeit", system_clock(), dt.timedelta(days=1))
    (tmp_path / "c1.p12").write_bytes(made.content)
    shown = run("inspect", str(tmp_path / "c1.p12"), "--password", "changeit")
    for told in ("Registered key, made by self-service (PKCS#12)", made.kid, "is not sent"):
        assert told in shown
    assert "changeit" not in shown


@pytest.mark.usefixtures("no_world")
def test_what_can_not_be_read_is_said_so() -> None:
    assert "nor a file of that name" in run("inspect", "missing.pem", code=2)
    assert "nor a file of that name" in run("inspect", "x" * 5_000, code=2)


def test_the_world_s_own_certificates_are_known_to_it_and_its_revocations_too(
    world: Callable[[], Assembly], tmp_path: Path
) -> None:
    async def issue() -> None:
        assembly = world()
        try:
            assert assembly.pki is not None
            await assembly.pki.ensure()
            for name, revoked in (("good", False), ("revoked", True)):
                issued = await assembly.pki.issue(OrgNumber(ORGNO), "Bank", revoked=revoked)
                pem = b"".join(each.public_bytes(Encoding.PEM) for each in issued.chain)
                (tmp_path / f"{name}.pem").write_bytes(pem)
        finally:
            await assembly.close()

    anyio.run(issue)
    assert "✓ revocation: is not on the issuer's CRL" in run("inspect", str(tmp_path / "good.pem"))
    refused = json.loads(run("inspect", str(tmp_path / "revoked.pem"), "--json", code=1))
    assert refused["verdict"] == "refused"
    assert [(f["code"], f["facts"]) for f in refused["findings"] if f["outcome"] == "failed"] == [
        ("MP-120", {"problem": "revoked"})
    ]
    offline = json.loads(run("inspect", str(tmp_path / "revoked.pem"), "--offline", "--json"))
    assert offline["verdict"] == "undecided"


@pytest.mark.usefixtures("world")
def test_a_client_that_the_world_does_not_have_is_not_found() -> None:
    shown = run("inspect", json.dumps(key_number(1).public_jwk()), "--client", "nobody", code=1)
    assert "MP-100" in shown
    assert "✗ client: MP-100" in run("inspect", sign(claims_of()), code=1)


@pytest.mark.parametrize("quote", ["", '"'], ids=["bare", "as it is handed out"])
def test_a_consent_token_of_the_world_s_own_altinn_is_verified_with_its_keys(
    world: Callable[[], Assembly], quote: str
) -> None:
    async def sign_claims() -> str:
        assembly = world()
        try:
            return await assembly.altinn.keys.sign_as_altinn2(FakeAltinn(system_clock).claims(OfferedBy=PID))
        finally:
            await assembly.close()

    token = anyio.run(sign_claims)
    document = json.loads(run("inspect", f"{quote}{token}{quote}", "--json"))
    assert (document["kind"], document["verdict"]) == ("consent_token", "accepted")
    assert any(
        f"lets {CONSUMER} have 5498_1 (Navn=Banken AS) of {PID}" in each["text"] for each in document["findings"]
    )
    forged = run("inspect", FakeAltinn(system_clock).mint(), code=1)
    assert "✗ signature: consent_unknown_kid" in forged
    assert GIVER not in forged
    assert "would be refused" in forged
