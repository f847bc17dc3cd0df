"""The two clients: tokens from the cache, one fetch for all, and refreshes that nobody waits for in vain."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import httpx2
import pytest
from starlette.testclient import TestClient

from fullmakt.client import (
    AccessDeniedError,
    AsyncMaskinportenClient,
    Credentials,
    MaskinportenClient,
    TemporarilyUnavailableError,
)
from fullmakt.kernel.clock import FixedClock
from tests.support.fake_issuer import CONSUMER, ISSUER, FakeIssuer, refusal

SCOPE = "provider:api.read"


class Waits:
    """Takes the place of sleeping, and keeps count."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)

    async def in_task(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def credentials(issuer: FakeIssuer) -> Credentials:
    return Credentials(ISSUER, "the-client", issuer.client_key)


@pytest.fixture
def client(issuer: FakeIssuer, clock: FixedClock, credentials: Credentials, waits: Waits) -> AsyncMaskinportenClient:
    return AsyncMaskinportenClient(credentials, clock=clock, http=issuer.http(), sleep=waits.in_task)


@pytest.fixture
def sync_client(
    issuer: FakeIssuer, clock: FixedClock, credentials: Credentials, waits: Waits
) -> Iterator[MaskinportenClient]:
    with TestClient(issuer.app) as http:
        yield MaskinportenClient(credentials, clock=clock, http=http, sleep=waits)


async def test_a_token_is_fetched_once_for_a_hundred_tasks(client: AsyncMaskinportenClient, issuer: FakeIssuer) -> None:
    tokens = await asyncio.gather(*(client.token(SCOPE) for _ in range(100)))
    assert len({token.value for token in tokens}) == 1
    assert issuer.requests["/token"] == 1


def test_a_token_is_fetched_once_for_a_hundred_threads(sync_client: MaskinportenClient, issuer: FakeIssuer) -> None:
    together = threading.Barrier(100)
    tokens = []

    def ask() -> None:
        together.wait()
        tokens.append(sync_client.token(SCOPE))

    threads = [threading.Thread(target=ask) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tokens) == 100
    assert len({token.value for token in tokens}) == 1
    assert issuer.requests["/token"] == 1


async def test_tokens_for_different_consumers_are_fetched_each_on_its_own(
    client: AsyncMaskinportenClient, issuer: FakeIssuer
) -> None:
    await asyncio.gather(client.token(SCOPE), client.token(SCOPE, consumer_org=CONSUMER), client.token("other:one"))
    assert issuer.requests["/token"] == 3


async def test_a_token_is_replaced_ahead_of_its_expiry(
    client: AsyncMaskinportenClient, issuer: FakeIssuer, clock: FixedClock
) -> None:
    first = await client.token(SCOPE)
    clock.advance(seconds=99)
    assert await client.token(SCOPE) == first
    clock.advance(seconds=1)
    second = await client.token(SCOPE)
    assert second.value != first.value
    assert issuer.requests["/token"] == 2


async def test_a_token_is_used_on_while_no_other_is_to_be_had(
    client: AsyncMaskinportenClient, issuer: FakeIssuer, clock: FixedClock
) -> None:
    first = await client.token(SCOPE)
    clock.advance(seconds=100)
    issuer.down = True
    assert await client.token(SCOPE) == first
    before = issuer.requests["/token"]
    assert await client.token(SCOPE) == first
    assert issuer.requests["/token"] == before
    clock.advance(seconds=15)
    with pytest.raises(TemporarilyUnavailableError):
        await client.token(SCOPE)
    issuer.down = False
    assert (await client.token(SCOPE)).value != first.value


def test_threads_use_a_token_on_too(sync_client: MaskinportenClient, issuer: FakeIssuer, clock: FixedClock) -> None:
    first = sync_client.token(SCOPE)
    clock.advance(seconds=100)
    issuer.down = True
    assert sync_client.token(SCOPE) == first
    clock.advance(seconds=20)
    with pytest.raises(TemporarilyUnavailableError):
        sync_client.token(SCOPE)


async def test_a_retry_waits_as_long_as_the_server_says(
    client: AsyncMaskinportenClient, sync_client: MaskinportenClient, issuer: FakeIssuer, waits: Waits
) -> None:
    issuer.answers = [refusal(503, "temporarily_unavailable", "Busy", Retry_After="3")]
    await client.token(SCOPE)
    issuer.answers = [refusal(503, "temporarily_unavailable", "Busy")]
    await asyncio.to_thread(sync_client.token, SCOPE)
    assert waits.seconds == [3.0, 0.5]
    assert len({grant["jti"] for grant in issuer.grants}) == 2


async def test_a_refusal_reaches_everybody_who_asked_and_is_not_kept(
    client: AsyncMaskinportenClient, issuer: FakeIssuer
) -> None:
    issuer.answers = [refusal(403, "forbidden", "Consumer has not been granted access to the scope x.", "MP-250")]
    outcomes = await asyncio.gather(*(client.token(SCOPE) for _ in range(10)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [AccessDeniedError] * 10
    assert await client.token(SCOPE)


async def test_threads_and_tasks_share_tokens(client: AsyncMaskinportenClient, issuer: FakeIssuer) -> None:
    first = await client.token(SCOPE)
    with TestClient(issuer.app) as http:
        assert await asyncio.to_thread(client.for_threads(http=http).token, SCOPE) == first
    assert issuer.requests["/token"] == 1


async def test_the_grant_is_the_one_asked_for(client: AsyncMaskinportenClient, issuer: FakeIssuer) -> None:
    await client.token([SCOPE, "provider:other"], resource="https://api.example/", consumer_org=CONSUMER)
    grant = issuer.grants[0]
    assert grant["scope"] == f"{SCOPE} provider:other"
    assert grant["resource"] == ["https://api.example/"]
    assert grant["consumer_org"] == CONSUMER
    assert issuer.grant_headers[0] == {"kid": "client-key", "alg": "RS256"}


async def test_the_http_clients_own_auth_is_left_out(
    issuer: FakeIssuer, clock: FixedClock, credentials: Credentials
) -> None:
    seen: list[httpx2.Request] = []

    async def keep(request: httpx2.Request) -> None:
        seen.append(request)

    http = issuer.http()
    http.auth = httpx2.BasicAuth("user", "password")
    http.event_hooks = {"request": [keep]}
    await AsyncMaskinportenClient(credentials, clock=clock, http=http).token(SCOPE)
    assert len(seen) == 2
    assert not any("authorization" in request.headers for request in seen)
