"""A consumer fetches a token and calls an API that trusts the issuer: both SDKs and the example, over real sockets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import httpx2
import pytest
from examples.whoami.app import create

from fullmakt.client import AsyncMaskinportenClient, Credentials, MaskinportenAuth, MaskinportenClient
from fullmakt.kernel.clock import system_clock
from tests.support.fake_issuer import CONSUMER, FakeIssuer, key
from tests.support.sockets import served, url_of

SCOPE = "fullmakt:whoami"


@pytest.fixture
def issuer() -> Iterator[FakeIssuer]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        fake = FakeIssuer(system_clock, url_of(listening))
        with served(fake.app, listening):
            yield fake


@pytest.fixture
def api(issuer: FakeIssuer) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listening, served(create(issuer.issuer), listening):
        yield url_of(listening)


@pytest.fixture
def credentials(issuer: FakeIssuer) -> Credentials:
    return Credentials.from_jwk(issuer.issuer, "the-client", key("client-key").private_jwk())


def check(answer: httpx2.Response) -> None:
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert 100 < body.pop("valid_for_seconds") <= 120
    assert body == {"consumer": CONSUMER, "supplier": None, "client_id": "the-client", "scopes": [SCOPE]}


def test_a_thread_calls_the_api(api: str, credentials: Credentials) -> None:
    with httpx2.Client(base_url=api, auth=MaskinportenAuth(credentials, SCOPE)) as http:
        check(http.get("/whoami"))


async def test_a_task_calls_the_api(api: str, credentials: Credentials) -> None:
    async with httpx2.AsyncClient(base_url=api, auth=MaskinportenAuth(credentials, SCOPE)) as http:
        check(await http.get("/whoami"))


async def test_one_token_serves_a_hundred_callers_of_both_kinds(
    issuer: FakeIssuer, api: str, credentials: Credentials
) -> None:
    client = MaskinportenClient(credentials)
    auth = MaskinportenAuth(client, SCOPE)
    with httpx2.Client(base_url=api, auth=auth) as threads:
        await asyncio.to_thread(threads.get, "/whoami")
        async with httpx2.AsyncClient(base_url=api, auth=auth) as tasks, asyncio.TaskGroup() as group:
            calls = [group.create_task(tasks.get("/whoami")) for _ in range(50)]
            calls += [group.create_task(asyncio.to_thread(threads.get, "/whoami")) for _ in range(50)]
    for call in calls:
        check(call.result())
    assert issuer.requests["/token"] == 1
    assert issuer.requests["/jwk"] == 1


async def test_each_event_loop_may_use_the_same_client(issuer: FakeIssuer, credentials: Credentials) -> None:
    client = AsyncMaskinportenClient(credentials)
    first = await client.token(SCOPE)
    second = await asyncio.to_thread(lambda: asyncio.run(client.token("other:scope")))
    assert first.value != second.value
    assert issuer.requests["/token"] == 2


@pytest.mark.parametrize(
    ("scope", "status", "challenge"),
    [
        (None, 401, 'Bearer realm="whoami"'),
        (
            "other:scope",
            403,
            (
                'Bearer realm="whoami", error="insufficient_scope", '
                'error_description="The token lacks the scope fullmakt:whoami", scope="fullmakt:whoami"'
            ),
        ),
    ],
)
def test_the_api_refuses_with_the_right_challenge(
    api: str, credentials: Credentials, scope: str | None, status: int, challenge: str
) -> None:
    auth = None if scope is None else MaskinportenAuth(credentials, scope)
    answer = httpx2.get(f"{api}whoami", auth=auth)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (status, challenge)
