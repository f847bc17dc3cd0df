"""The example API answers a good token and refuses every other one, with the ``WWW-Authenticate`` of RFC 6750 §3."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from fullmakt.jose.compact import b64url_encode, parse_compact
from fullmakt.jose.keys import LocalSigner, Signer
from tests.support.inside import signer_of
from tests.support.running import Running

Change = Callable[[dict[str, Any]], object]


@pytest.fixture(scope="module")
def good_token(server: Running) -> str:
    return server.token()


@pytest.fixture(scope="module")
def signer(server: Running) -> Signer:
    """The server's own signing key: what it signs here differs from a token in one thing alone."""
    return asyncio.run(signer_of(server))


@pytest.fixture
def api(server: Running) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=f"{server.url}/examples/") as client:
        yield client


def ask(api: httpx2.Client, authorization: str | None) -> httpx2.Response:
    return api.get("whoami", headers={} if authorization is None else {"Authorization": authorization})


def changed(token: str, signer: Signer, change: Change, **header: object) -> str:
    """The token with other claims, or another header, signed by ``signer``."""
    jws = parse_compact(token)
    claims = dict(jws.unverified_payload)
    change(claims)
    head = json.dumps({**jws.unverified_header, **header}).encode()
    return signer.sign(json.dumps(claims).encode(), head).decode()


def assert_refused(
    response: httpx2.Response, description: str, *, status: int = 401, error: str = "invalid_token"
) -> None:
    challenge = response.headers["www-authenticate"]
    assert response.status_code == status
    assert challenge.startswith(f'Bearer realm="whoami", error="{error}", error_description="')
    assert description in challenge
    assert response.json()["error"] == error
    assert response.headers["cache-control"] == "no-store"


def test_a_good_token_is_answered_with_who_is_calling(api: httpx2.Client, good_token: str) -> None:
    answer = ask(api, f"Bearer {good_token}").json()
    assert answer.keys() == {"consumer", "supplier", "client_id", "scopes", "valid_for_seconds"}
    assert (answer["consumer"], answer["supplier"]) == ("910753614", None)
    assert ask(api, f"bearer {good_token}").status_code == 200  # RFC 9110 §11.1: a scheme's letter case is free


@pytest.mark.parametrize("authorization", [None, "Basic YTpi", "DPoP x", ""])
def test_without_a_bearer_token_the_challenge_names_no_error(api: httpx2.Client, authorization: str | None) -> None:
    response = ask(api, authorization)
    assert (response.status_code, response.headers["www-authenticate"]) == (401, 'Bearer realm="whoami"')


def test_two_authorization_headers_are_a_bad_request(api: httpx2.Client, good_token: str) -> None:
    response = api.get("whoami", headers=[("Authorization", f"Bearer {good_token}")] * 2)
    assert_refused(response, "more than once", status=400, error="invalid_request")


@pytest.mark.parametrize("token", ["x", "a.b", "a.b.c", "e30.e30", "." * 10, "A" * 60_000, "a b", '"x"', "æ"])
def test_what_is_no_jwt_is_refused(api: httpx2.Client, token: str) -> None:
    response = api.get("whoami", headers=[(b"Authorization", f"Bearer {token}".encode())])
    assert_refused(response, "The token is not a signed JWT")


def test_a_token_that_was_tampered_with_is_refused(api: httpx2.Client, good_token: str) -> None:
    header, payload, signature = good_token.split(".")
    claims = {**parse_compact(good_token).unverified_payload, "scope": "fullmakt:whoami fullmakt:everything"}
    forged = b64url_encode(json.dumps(claims).encode()).decode()
    assert_refused(ask(api, f"Bearer {header}.{forged}.{signature}"), "signature does not fit")
    assert_refused(ask(api, f"Bearer {header}.{payload}.{signature[:-4]}AAAA"), "signature does not fit")


def test_a_token_without_a_signature_is_refused(api: httpx2.Client, good_token: str) -> None:
    payload = good_token.split(".")[1]
    for alg in ("none", "HS256", "RS1"):
        header = b64url_encode(
            json.dumps({**parse_compact(good_token).unverified_header, "alg": alg}).encode()
        ).decode()
        assert_refused(ask(api, f"Bearer {header}.{payload}."), "must be signed with one of")


def test_a_key_that_is_not_the_issuers_is_refused(api: httpx2.Client, good_token: str) -> None:
    stranger = LocalSigner.generate()
    unchanged: Change = dict
    assert_refused(ask(api, f"Bearer {changed(good_token, stranger, unchanged)}"), "signature does not fit")
    unknown = changed(good_token, stranger, unchanged, kid=stranger.kid)
    assert_refused(ask(api, f"Bearer {unknown}"), "no key with the token's kid")


@pytest.mark.parametrize(
    ("change", "description"),
    [
        (lambda claims: claims.update(exp=int(time.time()) - 60), "has expired"),
        (lambda claims: claims.update(nbf=int(time.time()) + 600), "not valid yet"),
        (lambda claims: claims.update(iss="https://test.maskinporten.no/"), "not issued by"),
        (lambda claims: claims.pop("exp"), "claim exp"),
        (lambda claims: claims.pop("consumer"), "names no consumer"),
        (lambda claims: claims.update(scope=["fullmakt:whoami"]), "claim scope"),
    ],
)
def test_a_wrong_claim_is_refused_although_the_issuer_signed_it(
    api: httpx2.Client, signer: Signer, good_token: str, change: Change, description: str
) -> None:
    assert_refused(ask(api, f"Bearer {changed(good_token, signer, change)}"), description)


def test_another_kind_of_jwt_is_no_access_token(api: httpx2.Client, signer: Signer, good_token: str) -> None:
    assert_refused(ask(api, f"Bearer {changed(good_token, signer, dict, typ='logout+jwt')}"), "another type")
    assert_refused(ask(api, f"Bearer {changed(good_token, signer, dict, crit=['x'])}"), "crit")


def test_a_token_without_the_scope_is_told_which_one_it_lacks(server: Running, api: httpx2.Client) -> None:
    token = server.token(scope="lanekassen:lan/v1/saldoopplysninger")
    response = ask(api, f"Bearer {token}")
    assert_refused(response, "lacks the scope", status=403, error="insufficient_scope")
    assert 'scope="fullmakt:whoami"' in response.headers["www-authenticate"]


def test_call_shows_the_challenge_of_a_refusal(server: Running) -> None:
    done = server.command(
        "call", f"{server.url}/examples/whoami", "--client", "demo-bank",
        "--scope", "lanekassen:lan/v1/saldoopplysninger", code=1,
    )  # fmt: skip
    assert '✗ 403 Forbidden Bearer realm="whoami", error="insufficient_scope"' in done.stderr
