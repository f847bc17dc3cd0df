"""``fullmakt pki`` writes files that other programs read, and says clearly what it will not do."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key, pkcs12
from typer.testing import CliRunner

from fullmakt.cli import context
from fullmakt.cli.pki import app
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import system_clock
from fullmakt.pki.service import Pki
from tests.support.pki import MASTER_KEY, set_up_pki

ORGNO = "910753614"


@pytest.fixture
def world(database_url: str) -> None:
    """Commands open this database; they see of the world what they ask for, its PKI."""

    @asynccontextmanager
    async def opener() -> AsyncIterator[context.OpenWorld]:
        database = Database(database_url)
        try:
            yield cast("context.OpenWorld", SimpleNamespace(pki=await set_up_pki(database, system_clock)))
        finally:
            await database.close()

    context.provide(opener, lambda: context.Place(Path(), "http://localhost/", "http://localhost"))


def invoke(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == code, result.output
    return result.output


@pytest.mark.usefixtures("world")
def test_issue_writes_key_chain_key_store_and_trust_store(tmp_path: Path) -> None:
    out = tmp_path / "new" / "folder"
    shown = invoke("issue", ORGNO, "--name", "Skarpnes og Ula", "--out", str(out), "--password", "correct horse")
    names = {file.name: file.stat().st_mode & 0o777 for file in out.iterdir()}
    assert names.keys() == {
        f"{ORGNO}-seid2.key.pem", f"{ORGNO}-seid2.chain.pem", f"{ORGNO}-seid2.p12", "truststore.jks",
    }  # fmt: skip
    assert (names[f"{ORGNO}-seid2.key.pem"], names[f"{ORGNO}-seid2.p12"]) == (0o600, 0o600)
    assert all(name in shown for name in names)
    key = load_pem_private_key((out / f"{ORGNO}-seid2.key.pem").read_bytes(), None)
    chain = x509.load_pem_x509_certificates((out / f"{ORGNO}-seid2.chain.pem").read_bytes())
    assert chain[0].public_key() == key.public_key()
    store = pkcs12.load_pkcs12((out / f"{ORGNO}-seid2.p12").read_bytes(), b"correct horse")
    assert store.cert is not None
    assert store.cert.certificate == chain[0]
    assert pkcs12.load_pkcs12((out / "truststore.jks").read_bytes(), b"correct horse").additional_certs


@pytest.mark.usefixtures("world")
def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    invoke("issue", ORGNO, "--out", str(tmp_path))
    key = (tmp_path / f"{ORGNO}-seid2.key.pem").read_bytes()
    assert "exists" in invoke("issue", ORGNO, "--out", str(tmp_path), code=2)
    assert (tmp_path / f"{ORGNO}-seid2.key.pem").read_bytes() == key
    assert len(json.loads(invoke("list", "--json"))) == 1


@pytest.mark.usefixtures("world")
def test_certificates_for_negative_tests_have_names_of_their_own(tmp_path: Path) -> None:
    for fault in ("--expired", "--revoked", "--wrong-environment"):
        invoke("issue", ORGNO, "--seid", "1", "--out", str(tmp_path), fault)
    assert {file.name for file in tmp_path.glob("*.p12")} == {
        f"{ORGNO}-seid1-expired.p12", f"{ORGNO}-seid1-revoked.p12", f"{ORGNO}-seid1-wrong-environment.p12",
    }  # fmt: skip


@pytest.mark.usefixtures("world")
def test_a_certificate_is_revoked_by_the_serial_number_that_list_shows(tmp_path: Path) -> None:
    invoke("issue", ORGNO, "--out", str(tmp_path))
    (listed,) = json.loads(invoke("list", ORGNO, "--json"))
    assert (listed["orgno"], listed["authority"], listed["status"]) == (ORGNO, "test-seid2", "issued")
    assert "is revoked since" in invoke("revoke", listed["serial"])
    assert json.loads(invoke("list", "--json"))[0]["status"] == "revoked"
    assert listed["serial"] in invoke("list")
    assert invoke("list", "974760673") == ""


@pytest.mark.usefixtures("world")
def test_the_cas_are_printed_or_written(tmp_path: Path) -> None:
    printed = invoke("ca")
    invoke("ca", "--out", str(tmp_path))
    assert {file.name for file in tmp_path.iterdir()} == {
        "bundle.pem", "truststore.jks", "test-root.cer", "test-seid1.cer", "test-seid2.cer",
    }  # fmt: skip
    assert (tmp_path / "bundle.pem").read_text() == printed
    assert len(x509.load_pem_x509_certificates(printed.encode())) == 3


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["issue", "123"], "nine digits"),
        (["issue", ORGNO, "--name", "x" * 65], "1 to 64"),
        (["issue", ORGNO, "--days", "0"], "1 to 1825 days"),
        (["issue", ORGNO, "--password", "short"], "at least 6"),
        (["issue", ORGNO, "--seid", "3"], "--seid"),
        (["revoke", "xyz"], "hexadecimal"),
        (["revoke", "AB"], "no certificate has the serial number AB"),
        (["list", "x"], "nine digits"),
        (["ca", "--password", "short"], "at least 6"),
    ],
)
def test_a_wrong_order_is_explained(tmp_path: Path, arguments: list[str], message: str) -> None:
    out = ["--out", str(tmp_path)] if arguments[0] in {"issue", "ca"} else []
    assert message in invoke(*arguments, *out, code=2)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("world")
def test_a_folder_that_can_not_be_written_to_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "file" in invoke("issue", ORGNO, "--out", str(tmp_path / "file" / "below"), code=2)
    assert invoke("list") == ""  # nothing was issued that nobody has


@pytest.mark.usefixtures("world")
def test_the_list_fits_a_terminal_and_tells_what_has_expired(tmp_path: Path) -> None:
    invoke("issue", ORGNO, "--expired", "--out", str(tmp_path))
    first, subject = invoke("list").splitlines()
    assert len(first) <= 80
    assert first[40:].split() == ["expired", "until", first.split()[3], "test-seid2"]
    assert subject.startswith(f"  organizationIdentifier=NTRNO-{ORGNO},")


def test_a_database_that_is_down_and_a_world_without_cas_are_explained(tmp_path: Path) -> None:
    @asynccontextmanager
    async def without_cas() -> AsyncIterator[context.OpenWorld]:
        yield cast("context.OpenWorld", SimpleNamespace(pki=None))

    @asynccontextmanager
    async def without_database() -> AsyncIterator[context.OpenWorld]:
        pki = Pki(Database("postgresql://nobody@127.0.0.1:9/none"), system_clock, MASTER_KEY, "http://localhost")
        yield cast("context.OpenWorld", SimpleNamespace(pki=pki))

    for opener, message in ((without_cas, "no CAs of its own"), (without_database, "database does not answer")):
        context.provide(opener, lambda: context.Place(tmp_path, "http://localhost/", "http://localhost"))
        assert message in invoke("ca", code=2)
