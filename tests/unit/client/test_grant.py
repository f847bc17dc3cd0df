"""The grant, as Maskinporten wants it."""

from __future__ import annotations

import base64
import datetime as dt
from typing import Any

import pytest

from fullmakt.client import Credentials, TokenRequest, build_grant, grant_form
from fullmakt.jose.compact import parse_compact
from fullmakt.kernel.identifiers import InvalidIdentifierError
from tests.support.fake_issuer import ISSUER, key

NOW = dt.datetime(2026, 11, 21, 12, 0, 0, 900_000, tzinfo=dt.UTC)
CREDENTIALS = Credentials(ISSUER, "the-client", key("client-key"))
PERSON = "13097248022"


def grant(request: TokenRequest, **given: Any) -> Any:
    signed = parse_compact(build_grant(CREDENTIALS, request, audience=ISSUER, now=NOW, jti="one", **given))
    assert CREDENTIALS.signer.public.verify("RS256", signed.signing_input, signed.signature)  # type: ignore[attr-defined]
    return signed


def test_a_plain_grant_holds_what_it_must_and_no_more() -> None:
    signed = grant(TokenRequest.of("provider:api.read"))
    assert signed.unverified_header == {"kid": "client-key", "alg": "RS256"}
    assert signed.unverified_payload == {
        "aud": ISSUER,
        "iss": "the-client",
        "scope": "provider:api.read",
        "iat": 1795262400,
        "exp": 1795262520,
        "jti": "one",
    }


def test_every_claim_travels_under_its_own_name() -> None:
    details = [
        {"type": "urn:altinn:systemuser", "systemuser_org": {"authority": "iso6523-actorid-upis", "ID": "0192:1"}}
    ]
    request = TokenRequest.of(
        ["provider:one", "provider:two", "provider:one"],
        resource="https://api.example/",
        pid=PERSON,
        consumer_org="999888777",
        authorization_details=details,
    )
    claims = grant(request).unverified_payload
    assert claims["scope"] == "provider:one provider:two"
    assert claims["resource"] == ["https://api.example/"]
    assert claims["pid"] == PERSON
    assert claims["consumer_org"] == "999888777"
    assert claims["authorization_details"] == details
    assert grant(TokenRequest.of("a:b", iss_onbehalfof="other")).unverified_payload["iss_onbehalfof"] == "other"


def test_scopes_in_text_are_separated_by_white_space() -> None:
    assert TokenRequest.of(" a:one  a:two\n").scopes == ("a:one", "a:two")


@pytest.mark.parametrize("lifetime", [0, 121, -1])
def test_a_grant_does_not_live_longer_than_is_allowed(lifetime: int) -> None:
    with pytest.raises(ValueError, match="1 to 120"):
        grant(TokenRequest.of("a:b"), lifetime=lifetime)


@pytest.mark.parametrize(
    ("scope", "asked"),
    [
        ("", {}),
        ([], {}),
        ([""], {}),
        (["a:one a:two"], {}),
        ("a:b", {"consumer_org": "310000027", "iss_onbehalfof": "x"}),
        ("a:b", {"authorization_details": [{"when": float("nan")}]}),
    ],
)
def test_what_nobody_can_ask_for_is_refused_at_once(scope: Any, asked: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (which of them is not the point)
        TokenRequest.of(scope, **asked)


@pytest.mark.parametrize("asked", [{"consumer_org": "0192:310000027"}, {"pid": "12345678901"}])
def test_an_identifier_is_checked_before_it_is_sent(asked: Any) -> None:
    with pytest.raises(InvalidIdentifierError):
        TokenRequest.of("a:b", **asked)


def test_equal_requests_are_one() -> None:
    details = [{"type": "x", "nested": {"a": [1]}}]
    assert {
        TokenRequest.of("a:b", authorization_details=details),
        TokenRequest.of(["a:b"], authorization_details=details),
    }
    assert TokenRequest.of("a:b", resource="r") == TokenRequest.of("a:b", resource=["r"])
    assert TokenRequest.of("a:b") != TokenRequest.of("a:b", consumer_org="310000027")


def test_a_request_does_not_show_the_person_when_it_is_printed() -> None:
    details = [{"from": f"urn:altinn:person:identifier-no:{PERSON}"}]
    assert PERSON not in repr(TokenRequest.of("a:b", pid=PERSON, authorization_details=details))


def test_an_enterprise_certificate_goes_into_the_header_in_place_of_a_kid() -> None:
    der = base64.b64encode(b"leaf").decode()
    credentials = Credentials(ISSUER, "the-client", key("client-key"), (der,))
    signed = parse_compact(build_grant(credentials, TokenRequest.of("a:b"), audience=ISSUER, now=NOW, jti="one"))
    assert signed.unverified_header == {"alg": "RS256", "x5c": [der]}


def test_the_form_is_the_jwt_bearer_grants() -> None:
    assert grant_form("x.y.z") == {
        "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "assertion": "x.y.z",
    }
