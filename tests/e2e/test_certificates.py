"""Enterprise certificates from ``fullmakt pki``: a good one gets a token, every bad one is refused with MP-120."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fullmakt.client import ClientAuthenticationError, Credentials, MaskinportenClient
from tests.support.running import Running

BANK, STRANGER = "910753614", "312468018"
PASSWORD = b"changeit"
TRIES = 10_000
"""Grants among which one must meet the revocation; the CRL is trusted for one second on a developer's machine."""


def issue(server: Running, out: Path, *options: str, orgno: str = BANK) -> Path:
    """The key store of a fresh certificate."""
    server.command("pki", "issue", orgno, "--out", str(out), *options)
    (store,) = out.glob("*.p12")
    return store


def refusal(server: Running, store: Path, client: str = "demo-certificate") -> str | None:
    """The code that a grant signed with the certificate is refused with; None when it gets a token."""
    client_id = json.loads((server.state / "clients" / f"{client}.json").read_text())["client_id"]
    credentials = Credentials.from_pkcs12(server.issuer, client_id, p12=store.read_bytes(), password=PASSWORD)
    try:
        MaskinportenClient(credentials).token("fullmakt:whoami")
    except ClientAuthenticationError as error:
        return error.code or str(error)
    return None


@pytest.mark.parametrize("seid", ["1", "2"])
def test_a_good_certificate_gets_a_token_until_it_is_revoked(server: Running, tmp_path: Path, seid: str) -> None:
    store = issue(server, tmp_path, "--seid", seid)
    assert refusal(server, store) is None
    newest = json.loads(server.command("pki", "list", BANK, "--limit", "1", "--json").stdout)[0]
    server.command("pki", "revoke", newest["serial"])
    codes = (refusal(server, store) for _ in range(TRIES))
    assert next(filter(None, codes), None) == "MP-120"


@pytest.mark.parametrize("fault", ["--expired", "--revoked", "--wrong-environment"])
def test_a_bad_certificate_is_refused(server: Running, tmp_path: Path, fault: str) -> None:
    assert refusal(server, issue(server, tmp_path, fault)) == "MP-120"


def test_a_certificate_of_another_organisation_is_refused(server: Running, tmp_path: Path) -> None:
    assert refusal(server, issue(server, tmp_path, orgno=STRANGER)) == "MP-122"


def test_a_client_that_has_registered_keys_can_not_use_a_certificate(server: Running, tmp_path: Path) -> None:
    assert "requires pre-registered jwk" in str(refusal(server, issue(server, tmp_path), "demo-bank"))
