"""Authlib, as PyPI has it: a token by its assertion session, and our tokens at its resource protector."""

from __future__ import annotations

import warnings
from typing import Any

import httpx2
import pytest

from fullmakt.client import Credentials, MaskinportenClient
from tests.clients.conftest import RFC9068_RESOURCE
from tests.support.running import Running

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it warns of its own old modules as it imports them
    from authlib.integrations.requests_client import AssertionSession
    from authlib.oauth2 import OAuth2Error, ResourceProtector
    from authlib.oauth2.rfc6750 import InsufficientScopeError, InvalidTokenError
    from authlib.oauth2.rfc9068 import JWTBearerTokenValidator

pytestmark = pytest.mark.filterwarnings("ignore::authlib.deprecate.AuthlibDeprecationWarning")


def session(server: Running, bank: dict[str, Any], scope: str = "fullmakt:whoami") -> Any:
    """Authlib puts ``scope`` into the form; Maskinporten reads it in the assertion."""
    return AssertionSession(
        f"{server.issuer}token", bank["client_id"], None, audience=server.issuer, claims={"scope": scope},
        key=bank["jwk"], header={"alg": "RS256", "kid": bank["jwk"]["kid"]}, expires_in=100,
    )  # fmt: skip


def test_its_session_fetches_a_token_and_calls_the_api(server: Running, bank: dict[str, Any]) -> None:
    with session(server, bank) as api:
        answer = api.get(f"{server.url}/examples/whoami")
        assert (answer.status_code, answer.json()["consumer"]) == (200, "910753614")
        assert api.token["scope"] == "fullmakt:whoami"


def test_a_refusal_reaches_its_user(server: Running, bank: dict[str, Any]) -> None:
    with session(server, bank, "fullmakt:unknown") as api, pytest.raises(OAuth2Error) as refused:
        api.refresh_token()
    assert refused.value.error == "invalid_scope"
    assert "fullmakt:unknown" in refused.value.description


def test_a_session_sends_the_jti_that_it_made_first_again_and_is_refused_for_it(
    server: Running, bank: dict[str, Any]
) -> None:
    # It writes the jti into the claims that it was given. Whoever uses it has to make a new session for each token.
    with session(server, bank) as api:
        api.refresh_token()
        with pytest.raises(OAuth2Error, match="Grant is used before"):
            api.refresh_token()


class OurKeys(JWTBearerTokenValidator):  # type: ignore[misc]
    """RFC 9068 as Authlib has it, with the keys where our metadata says they are."""

    def get_jwks(self) -> Any:
        metadata = httpx2.get(f"{self.issuer}.well-known/oauth-authorization-server").json()
        return httpx2.get(metadata["jwks_uri"]).json()


class Call:
    """What its protector reads of a request."""

    def __init__(self, token: str) -> None:
        self.headers = {"Authorization": f"Bearer {token}"}


@pytest.fixture
def protector(server: Running) -> Any:
    protector = ResourceProtector()
    protector.register_token_validator(OurKeys(server.issuer, RFC9068_RESOURCE))
    return protector


@pytest.fixture
def client(server: Running, bank: dict[str, Any]) -> MaskinportenClient:
    return MaskinportenClient(Credentials.from_jwk(server.issuer, bank["client_id"], bank["jwk"]))


def test_its_protector_takes_a_token_in_the_shape_of_rfc_9068(protector: Any, client: MaskinportenClient) -> None:
    token = client.token("fullmakt:whoami", resource=[RFC9068_RESOURCE])
    claims = protector.validate_request(["fullmakt:whoami"], Call(token.value))
    assert claims["consumer"]["ID"] == "0192:910753614"
    with pytest.raises(InsufficientScopeError):
        protector.validate_request(["fullmakt:other"], Call(token.value))


def test_its_protector_refuses_a_token_for_somebody_else_or_changed(protector: Any, client: MaskinportenClient) -> None:
    other = client.token("fullmakt:whoami", resource=["https://other.example.no"]).value
    good = client.token("fullmakt:whoami", resource=[RFC9068_RESOURCE]).value
    for token in (other, f"{good[:-6]}AAAAAA"):
        with pytest.raises(InvalidTokenError):
            protector.validate_request([], Call(token))
