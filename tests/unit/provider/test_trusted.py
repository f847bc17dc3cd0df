"""Several issuers behind one verifier: each token is judged by its own issuer's rules and keys, and by no other's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fullmakt.kernel.clock import FixedClock
from fullmakt.provider import (
    BearerError,
    MissingTokenError,
    Reason,
    StaticKeys,
    SyncTokenVerifier,
    SyncTrustedIssuers,
    TokenVerifier,
    TrustedIssuers,
)
from fullmakt.provider.asgi import BearerMiddleware
from tests.support.fake_issuer import CONSUMER, ISSUER, FakeIssuer, key

ALTINN = "https://altinn.test/authentication/api/v1/openid/"


@pytest.fixture
def altinn(clock: FixedClock) -> FakeIssuer:
    issuer = FakeIssuer(clock, ALTINN)
    issuer.signer = key("altinn-1")
    return issuer


@pytest.fixture
def trusted(issuer: FakeIssuer, altinn: FakeIssuer, clock: FixedClock) -> TrustedIssuers:
    """Maskinporten's tokens must be meant for this API; Altinn's are for all of them."""
    return TrustedIssuers(
        TokenVerifier(ISSUER, audience="https://api.test/", keys=_keys(issuer), clock=clock),
        TokenVerifier(ALTINN, keys=_keys(altinn), clock=clock),
    )


def _keys(issuer: FakeIssuer) -> StaticKeys:
    return StaticKeys([issuer.signer.public_jwk()])


async def test_either_issuers_token_is_taken_by_its_own_rules(
    trusted: TrustedIssuers, issuer: FakeIssuer, altinn: FakeIssuer
) -> None:
    assert trusted.issuers == (ISSUER, ALTINN)
    of_maskinporten = await trusted.verify(issuer.mint(aud="https://api.test/"), scopes=["provider:api.read"])
    of_altinn = await trusted.verify(altinn.mint(), consumers=[CONSUMER])
    assert (of_maskinporten.issuer, of_altinn.issuer) == (ISSUER, ALTINN)
    with pytest.raises(BearerError) as refused:
        await trusted.verify(issuer.mint())
    assert refused.value.reason == Reason.WRONG_AUDIENCE


@pytest.mark.parametrize("asynchronous", [True, False], ids=["tasks", "threads"])
async def test_nobody_else_is_trusted_and_neither_issuer_for_the_other(
    trusted: TrustedIssuers, issuer: FakeIssuer, altinn: FakeIssuer, clock: FixedClock, asynchronous: bool
) -> None:
    in_threads = SyncTrustedIssuers(
        SyncTokenVerifier(ISSUER, audience="https://api.test/", keys=_keys(issuer), clock=clock),
        SyncTokenVerifier(ALTINN, keys=_keys(altinn), clock=clock),
    )

    async def reason(token: str | None, **asked: Any) -> Reason:
        if not asynchronous:
            with pytest.raises(BearerError) as refused:
                in_threads.verify(token, **asked)
            return refused.value.reason
        with pytest.raises(BearerError) as refused:
            await trusted.verify(token, **asked)
        return refused.value.reason

    assert await reason(None) == Reason.MISSING
    assert await reason("x") == Reason.MALFORMED
    assert await reason(issuer.mint(iss="https://elsewhere.test/")) == Reason.WRONG_ISSUER
    assert await reason(issuer.mint(iss=[ALTINN])) == Reason.WRONG_ISSUER
    assert await reason(issuer.mint(iss=ALTINN)) == Reason.UNKNOWN_KID
    assert await reason(altinn.mint(key("stranger"))) == Reason.UNKNOWN_KID
    assert await reason(altinn.mint(), scopes=["other:one"]) == Reason.INSUFFICIENT_SCOPE
    assert await reason(altinn.mint(), consumers=["310000035"]) == Reason.CONSUMER_NOT_ALLOWED


def test_an_issuer_is_named_once() -> None:
    with pytest.raises(ValueError, match="at least one issuer"):
        TrustedIssuers()
    with pytest.raises(ValueError, match="none twice"):
        TrustedIssuers(TokenVerifier(ISSUER), TokenVerifier(ISSUER))


async def test_it_stands_before_an_api_as_one_verifier_does(trusted: TrustedIssuers, altinn: FakeIssuer) -> None:
    sent: list[Any] = []

    async def api(scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["state"]["token"].issuer.encode()})

    async def send(message: Any) -> None:
        sent.append(message)

    async def call(authorization: bytes) -> None:
        headers = [(b"authorization", authorization)] if authorization else []
        sent.clear()
        await BearerMiddleware(api, trusted)({"type": "http", "headers": headers}, None, send)  # type: ignore[arg-type]

    await call(f"Bearer {altinn.mint()}".encode())
    assert (sent[0]["status"], sent[1]["body"]) == (200, ALTINN.encode())
    await call(b"")
    assert sent[0]["status"] == 401
    assert json.loads(sent[1]["body"]) == MissingTokenError().body()
