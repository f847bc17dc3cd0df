"""The two verifiers give the same answers, and live through a rotation of the issuer's keys."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.testclient import TestClient

from fullmakt.jose.keys import LocalSigner
from fullmakt.kernel.clock import FixedClock
from fullmakt.provider import (
    BearerError,
    InvalidTokenError,
    Reason,
    RemoteKeys,
    StaticKeys,
    SyncTokenVerifier,
    TokenVerifier,
)
from tests.support.fake_issuer import CONSUMER, ISSUER, FakeIssuer, key


async def test_both_verifiers_answer_alike(issuer: FakeIssuer, clock: FixedClock) -> None:
    keys = StaticKeys([issuer.signer.public_jwk()])
    tasks = TokenVerifier(ISSUER, keys=keys, clock=clock)
    threads = SyncTokenVerifier(ISSUER, keys=keys, clock=clock)
    assert tasks.issuer == threads.issuer == ISSUER
    good = issuer.mint()
    asked: Any = {"scopes": ["provider:api.read"], "consumers": [CONSUMER]}
    assert await tasks.verify(good, **asked) == threads.verify(good, **asked)
    for bad in (None, "x", issuer.mint(exp=1), issuer.mint(key("stranger")), issuer.mint(scope="other:one")):
        with pytest.raises(BearerError) as of_task:
            await tasks.verify(bad, **asked)
        with pytest.raises(BearerError) as of_thread:
            threads.verify(bad, **asked)
        assert of_task.value.reason == of_thread.value.reason


async def test_a_token_of_another_issuer_does_not_set_off_a_search_for_its_key(
    issuer: FakeIssuer, clock: FixedClock
) -> None:
    verifier = TokenVerifier(ISSUER, keys=RemoteKeys(ISSUER, clock=clock, http=issuer.http()), clock=clock)
    with pytest.raises(InvalidTokenError) as refused:
        await verifier.verify(issuer.mint(iss="https://elsewhere.test/"))
    assert refused.value.reason == Reason.WRONG_ISSUER
    assert not issuer.requests


@pytest.mark.parametrize(
    "published_ahead", [True, False], ids=["published a day ahead", "published with its first use"]
)
async def test_no_caller_notices_that_the_issuer_rotates_its_keys(
    issuer: FakeIssuer, clock: FixedClock, published_ahead: bool
) -> None:
    issuer.cache_control = "max-age=86400"
    keys = RemoteKeys(ISSUER, clock=clock, http=issuer.http(), sync_http=TestClient(issuer.app))
    verifier, in_thread = (
        TokenVerifier(ISSUER, keys=keys, clock=clock),
        SyncTokenVerifier(ISSUER, keys=keys, clock=clock),
    )
    new = key("issuer-2")
    for hour in range(24 * 5):
        if hour == (24 if published_ahead else 48):
            issuer.published = [issuer.signer, new]
        if hour == 48:
            issuer.signer = new
        if hour == 73:
            issuer.published = [new]
        await verifier.verify(issuer.mint())
        await asyncio.to_thread(in_thread.verify, issuer.mint())
        clock.advance(hours=1)
    assert issuer.requests["/jwk"] <= 6


async def test_a_withdrawn_key_is_trusted_no_longer_than_its_cache_says(issuer: FakeIssuer, clock: FixedClock) -> None:
    verifier = TokenVerifier(ISSUER, keys=RemoteKeys(ISSUER, clock=clock, http=issuer.http()), clock=clock)
    await verifier.verify(issuer.mint())
    issuer.published = [key("issuer-2")]
    clock.advance(seconds=3600)
    with pytest.raises(InvalidTokenError) as refused:
        await verifier.verify(issuer.mint())
    assert refused.value.reason == Reason.UNKNOWN_KID


async def test_an_api_may_take_fewer_algorithms_than_there_are(issuer: FakeIssuer, clock: FixedClock) -> None:
    jwk = {name: value for name, value in issuer.signer.public_jwk().items() if name != "alg"}
    keys = StaticKeys([jwk])
    longer = issuer.mint(LocalSigner.from_jwk({**issuer.signer.private_jwk(), "alg": "RS512"}))
    assert await TokenVerifier(ISSUER, keys=keys, clock=clock).verify(longer)
    with pytest.raises(InvalidTokenError) as refused:
        await TokenVerifier(ISSUER, keys=keys, clock=clock, algorithms=["RS256"]).verify(longer)
    assert refused.value.reason == Reason.ALGORITHM
