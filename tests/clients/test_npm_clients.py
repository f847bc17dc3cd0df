"""OAuth libraries for JavaScript and a municipality's own client, as npm has them, get tokens that our API takes."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx2
import pytest

from tests.clients.conftest import RFC9068_RESOURCE, Program
from tests.support.running import Running

PASSWORD = "changeit"


def assert_api_takes(server: Running, token: str) -> None:
    response = httpx2.get(f"{server.url}/examples/whoami", headers={"Authorization": f"Bearer {token}"})
    assert (response.status_code, response.json()["consumer"]) == (200, "910753614")


@pytest.mark.parametrize("algorithm", ["oauth2", "oidc"])
@pytest.mark.parametrize("name", ["openid_client.mjs", "oauth4webapi.mjs"])
def test_a_library_finds_the_server_by_its_issuer_and_gets_a_token(
    server: Running, program: Program, bank: dict[str, Any], name: str, algorithm: str
) -> None:
    answer = program(name, {**bank, "algorithm": algorithm})
    assert answer["issuer"] == server.issuer
    assert (answer["token_type"].lower(), answer["scope"]) == ("bearer", "fullmakt:whoami")
    assert 0 < answer["expires_in"] <= 120
    assert_api_takes(server, answer["access_token"])


def test_openid_client_reads_a_refusal(program: Program, bank: dict[str, Any]) -> None:
    refusal = program("openid_client.mjs", {**bank, "scope": "fullmakt:unknown"})
    assert (refusal["status"], refusal["error"]) == (400, "invalid_scope")
    assert "fullmakt:unknown" in refusal["error_description"]


def test_oauth4webapi_takes_an_access_token_in_the_shape_of_rfc_9068(
    server: Running, program: Program, bank: dict[str, Any]
) -> None:
    answer = program("oauth4webapi.mjs", {**bank, "resource": RFC9068_RESOURCE})
    assert answer["claims"]["aud"] in (RFC9068_RESOURCE, [RFC9068_RESOURCE])
    assert (answer["claims"]["iss"], answer["claims"]["client_id"]) == (server.issuer, bank["client_id"])


@pytest.fixture
def pfx(server: Running, tmp_path: Any) -> dict[str, str]:
    """Options for @vtfk/maskinporten-auth, with a key store of ``fullmakt pki issue``."""
    server.command("pki", "issue", "910753614", "--out", str(tmp_path), "--password", PASSWORD)
    (store,) = tmp_path.glob("*.p12")
    profile = json.loads((server.state / "clients" / "demo-certificate.json").read_text())
    return {
        "url": f"{server.issuer}token",
        "pfxcert": base64.b64encode(store.read_bytes()).decode(),
        "privateKeyPassphrase": PASSWORD,
        "audience": server.issuer,
        "issuer": profile["client_id"],
        "scope": "fullmakt:whoami",
    }


def test_a_municipalitys_client_gets_a_token_with_a_pfx_from_our_pki(
    server: Running, program: Program, pfx: dict[str, str]
) -> None:
    answer = program("maskinporten_auth.mjs", pfx)
    assert answer["token_type"] == "Bearer"
    assert_api_takes(server, answer["access_token"])


def test_a_municipalitys_client_is_told_why_not(program: Program, pfx: dict[str, str]) -> None:
    refusal = program("maskinporten_auth.mjs", {**pfx, "scope": "skatteetaten:mva"})
    assert (refusal["status"], refusal["error"]) == (400, "invalid_scope")
