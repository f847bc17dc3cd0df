"""wenche, as PyPI has it: it registers its system, asks a customer for a system user, and gets that user's tokens.

It knows its servers by name alone, and is told by the environment of its HTTP library where they are.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import httpx2
import pytest

from fullmakt.jose.keys import LocalSigner
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.provider import StaticKeys, SyncDecisionClient, SyncTokenVerifier, SyncTrustedIssuers
from tests.support.named_hosts import named_hosts
from tests.support.running import Running, running, state_folder

HERE = Path(__file__).parent
PYTHON_CLIENTS = HERE / ".venv" / "bin"
MASKINPORTEN, ALTINN = "test.maskinporten.no", "platform.tt02.altinn.no"
ALTINN_ISSUER = f"https://{ALTINN}/authentication/api/v1/openid/"
VENDOR = "312044005"
BANK, AGENCY = OrgNumber("910753614"), OrgNumber("310943223")
MANAGERS = {BANK: "05895199925", AGENCY: "12846799972", VENDOR: "03817299813"}
SYSTEM = f"{VENDOR}_wenche2"
RESOURCES = (
    "app_brg_aarsregnskap-vanlig-202406", "app_skd_formueinntekt-skattemelding-v2",
    "ske-innrapportering-aksjonaerregisteroppgave",
)  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    """``fullmakt up`` where wenche believes Maskinporten and Altinn to be, with what it needs to find there."""
    maskinporten, exchange = f"https://{MASKINPORTEN}/", f"https://{ALTINN}/authentication"
    with (
        state_folder() as folder,
        running(folder, MASKINPORTEN__URL=maskinporten, EXCHANGE__URL=exchange) as started,
    ):
        started.command("world", "apply", str(HERE / "wenche.toml"))
        yield started


class Wenche:
    """The program and its page, at a user's who has filled in what it asks for; ``customer`` is whom it works for."""

    def __init__(self, server: Running, home: Path, hosts: dict[str, str], customer: str) -> None:
        assert PYTHON_CLIENTS.is_dir(), "the Python clients are not installed: run scripts/setup.sh dev"
        profile = json.loads((server.state / "clients" / "wenche.json").read_text())
        signer = LocalSigner.from_jwk(json.loads((server.state / "clients" / "wenche.jwk.json").read_text()))
        key = home / "maskinporten.pem"
        key.write_bytes(signer.to_pem())
        self._home = home
        self._env = {
            "HOME": str(home),
            "WENCHE_ENV": "test",
            "MASKINPORTEN_CLIENT_ID": profile["client_id"],
            "MASKINPORTEN_KID": signer.kid,
            "MASKINPORTEN_PRIVAT_NOKKEL": str(key),
            "ORG_NUMMER": VENDOR,
            "SKD_TEST_ORG_NUMMER": customer,
            **hosts,
        }

    def run(self, command: str, *, code: int = 0) -> str:
        """What it prints."""
        done = self._run([str(PYTHON_CLIENTS / "wenche"), command])
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def page(self, *steps: str) -> list[dict[str, Any]]:
        """What its page is answered when the user goes through ``steps``."""
        program = HERE / "programs" / "wenche_oppsett.py"
        done = self._run([str(PYTHON_CLIENTS / "python"), str(program)], json.dumps(steps))
        assert done.returncode == 0, done.stderr
        answers: list[dict[str, Any]] = json.loads(done.stdout)
        assert all(answer["status"] == 200 for answer in answers), (answers, done.stderr)
        return [answer["says"] for answer in answers]

    def tokens(self) -> dict[str, str]:
        """What it keeps after ``login``."""
        kept: dict[str, str] = json.loads((self._home / ".wenche" / "token.dev.json").read_text())
        return kept

    def _run(self, command: list[str], given: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, input=given, env=self._env, cwd=self._home, capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip


@pytest.fixture(params=[BANK])
def customer(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def wenche(server: Running, tmp_path: Path, customer: str) -> Iterator[Wenche]:
    with named_hosts(MASKINPORTEN, ALTINN, server=("127.0.0.1", server.port), folder=tmp_path) as hosts:
        yield Wenche(server, tmp_path, hosts, customer)


@pytest.fixture
def manager(server: Running, customer: str) -> Iterator[Manager]:
    with Manager(server, customer) as person:
        yield person


class Manager:
    """The customer's general manager, who answers requests and takes system users back."""

    def __init__(self, server: Running, customer: str) -> None:
        asked = {"env": "tt02", "pid": MANAGERS[customer], "scopes": "altinn:portal/enduser"}
        token = httpx2.get(f"{server.url}/altinn/testtools/api/GetPersonalToken", params=asked).text
        self._http = httpx2.Client(
            base_url=f"{server.url}/authentication/api/v1/systemuser/",
            headers={"Host": ALTINN, "Authorization": f"Bearer {token}"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def party(self, request: str) -> int:
        """The customer's party id, as a request tells it."""
        party: int = self._done("GET", f"request/{request}").json()["partyId"]
        return party

    def approve(self, request: str) -> None:
        self._done("POST", f"request/{self.party(request)}/{request}/approve")

    def reject(self, request: str) -> None:
        self._done("POST", f"request/{self.party(request)}/{request}/reject")

    def delete(self, party: int, system_user: str) -> None:
        self._done("DELETE", f"{party}/{system_user}")

    def _done(self, method: str, path: str) -> httpx2.Response:
        answer = self._http.request(method, path)
        assert answer.is_success, f"{answer.status_code} {answer.text}"
        return answer


def verifier(server: Running) -> SyncTrustedIssuers:
    """Trusts both issuers, by the keys that each publishes where wenche finds it."""

    def keys(host: str, path: str) -> StaticKeys:
        return StaticKeys(httpx2.get(f"{server.url}{path}", headers={"Host": host}).json()["keys"])

    jwks = "/authentication/api/v1/openid/.well-known/openid-configuration/jwks"
    return SyncTrustedIssuers(
        SyncTokenVerifier(f"https://{MASKINPORTEN}/", keys=keys(MASKINPORTEN, "/jwk")),
        SyncTokenVerifier(ALTINN_ISSUER, keys=keys(ALTINN, jwks)),
    )


def test_it_goes_from_registration_to_a_system_users_tokens(server: Running, wenche: Wenche, manager: Manager) -> None:
    assert "System registrert" in wenche.run("registrer-system")
    assert f"System '{SYSTEM}' oppdatert" in wenche.run("registrer-system")
    assert "invalid_altinn_customer_configuration" in wenche.run("login", code=1)

    told = wenche.run("opprett-systembruker")
    (request,) = re.findall(r"Forespørsel opprettet \(ID: ([0-9a-f-]{36})\)\nStatus: New", told)
    assert f"systemuser/request?id={request}" in told
    assert request in wenche.run("opprett-systembruker")  # the same one, as long as it is not answered
    assert "invalid_altinn_customer_configuration" in wenche.run("login", code=1)

    party = manager.party(request)
    manager.approve(request)
    assert "Autentisering vellykket" in wenche.run("login")
    tokens = wenche.tokens()
    trusted = verifier(server)
    of_maskinporten = trusted.verify(tokens["maskinporten_token"], scopes=["altinn:instances.read"])
    of_altinn = trusted.verify(tokens["altinn_token"], scopes=["altinn:instances.write"], consumers=[VENDOR])
    assert of_altinn.issuer == ALTINN_ISSUER
    assert of_altinn.claims["urn:altinn:orgNumber"] == VENDOR
    for token in (of_maskinporten, of_altinn):
        assert token.system_user is not None
        assert (str(token.system_user.id), token.system_user.organisation) == (request, BANK)
        assert token.system_user.system_id == SYSTEM

    with SyncDecisionClient(f"{server.url}/altinn/authorization") as decisions:
        for resource in RESOURCES:
            decisions.authorize(of_altinn, "write", resource, BANK).require()
        manager.delete(party, request)
        assert "invalid_altinn_customer_configuration" in wenche.run("login", code=1)
        assert not decisions.authorize(of_altinn, "write", RESOURCES[0], BANK)


@pytest.mark.parametrize("customer", [AGENCY], indirect=True)
def test_its_page_goes_the_same_way_and_asks_for_more(wenche: Wenche, manager: Manager) -> None:
    asked, waiting, refused = wenche.page("systembruker", "systembruker/status", "test-tilkobling")
    assert (asked["status"], waiting["status"], refused["auth_ok"]) == ("New", "venter", False)
    assert asked["request_id"] in asked["confirm_url"]
    assert "invalid_altinn_customer_configuration" in refused["melding"]
    manager.approve(asked["request_id"])
    connected, approved, changed = wenche.page("test-tilkobling", "systembruker/status", "systembruker/oppdater")
    assert connected["auth_ok"] is True
    assert connected["systembruker"]["status"] == approved["status"] == "godkjent"
    assert changed["status"] == "NoChangeNeeded"


@pytest.mark.parametrize("customer", [VENDOR], indirect=True)
def test_it_hears_of_a_refusal(wenche: Wenche, manager: Manager) -> None:
    (asked,) = wenche.page("systembruker")
    manager.reject(asked["request_id"])
    status, again = wenche.page("systembruker/status", "systembruker")
    assert status["status"] == "avvist"
    # Altinn answers a repetition with the request that it has (altinn-authentication.md §8.1), whatever became of it.
    assert (again["request_id"], again["status"]) == (asked["request_id"], "Rejected")
