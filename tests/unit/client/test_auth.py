"""Tokens put on requests, in clients of both kinds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from fullmakt.client import (
    AsyncMaskinportenClient,
    ClientAuthenticationError,
    Credentials,
    MaskinportenAuth,
    MaskinportenClient,
)
from fullmakt.kernel.clock import FixedClock
from fullmakt.provider import InvalidTokenError, MissingTokenError, Reason
from tests.support.fake_issuer import ISSUER, FakeIssuer, refusal

SCOPE = "provider:api.read"


class Api:
    """Answers with the token and the body it was sent; refuses the tokens in ``refused``."""

    def __init__(self) -> None:
        self.refused: set[str] = set()
        self.refuse_all = False
        self.seen: list[str] = []
        self.app = Starlette(routes=[Route("/", self._answer, methods=["GET", "POST"])])

    async def _answer(self, request: Request) -> Response:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        self.seen.append(token)
        if not token:
            return Response(status_code=401, headers=MissingTokenError().headers())
        if self.refuse_all or token in self.refused:
            error = InvalidTokenError(Reason.UNKNOWN_KID, "The issuer has no key with the token's kid")
            return Response(status_code=401, headers=error.headers())
        return JSONResponse({"token": token, "body": (await request.body()).decode()})


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def tokens(issuer: FakeIssuer, clock: FixedClock) -> AsyncMaskinportenClient:
    return AsyncMaskinportenClient(
        Credentials(ISSUER, "the-client", issuer.client_key), clock=clock, http=issuer.http()
    )


@pytest.fixture
async def http(api: Api, tokens: AsyncMaskinportenClient) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(api.app)
    auth = MaskinportenAuth(tokens, SCOPE)
    async with httpx2.AsyncClient(transport=transport, base_url="https://api.test", auth=auth) as client:
        yield client


@pytest.fixture
def sync_http(api: Api, issuer: FakeIssuer, clock: FixedClock) -> Iterator[httpx2.Client]:
    credentials = Credentials(ISSUER, "the-client", issuer.client_key)
    with TestClient(issuer.app) as line, TestClient(api.app) as client:
        client.auth = MaskinportenAuth(MaskinportenClient(credentials, clock=clock, http=line), SCOPE)
        yield client


async def test_every_request_carries_the_token(http: httpx2.AsyncClient, issuer: FakeIssuer, api: Api) -> None:
    for _ in range(3):
        assert (await http.get("/")).status_code == 200
    assert len(set(api.seen)) == 1
    assert issuer.requests["/token"] == 1


def test_every_request_of_a_thread_carries_it_too(sync_http: httpx2.Client, issuer: FakeIssuer, api: Api) -> None:
    for _ in range(3):
        assert sync_http.get("/").status_code == 200
    assert len(set(api.seen)) == 1
    assert issuer.requests["/token"] == 1


async def test_a_token_that_the_api_has_stopped_taking_is_replaced(
    http: httpx2.AsyncClient, issuer: FakeIssuer, api: Api
) -> None:
    old = (await http.get("/")).json()["token"]
    api.refused.add(old)
    answer = (await http.post("/", content=b"the body")).json()
    assert answer["token"] != old
    assert answer["body"] == "the body"
    assert issuer.requests["/token"] == 2


def test_a_thread_replaces_it_too(sync_http: httpx2.Client, issuer: FakeIssuer, api: Api) -> None:
    api.refused.add(sync_http.get("/").json()["token"])
    assert sync_http.post("/", content=b"the body").json()["body"] == "the body"
    assert issuer.requests["/token"] == 2


async def test_a_token_that_was_new_is_not_replaced(http: httpx2.AsyncClient, issuer: FakeIssuer, api: Api) -> None:
    api.refuse_all = True
    assert (await http.get("/")).status_code == 401
    assert issuer.requests["/token"] == 1
    assert len(api.seen) == 1


async def test_a_streamed_body_is_not_sent_twice(http: httpx2.AsyncClient, issuer: FakeIssuer, api: Api) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"once"

    api.refused.add((await http.get("/")).json()["token"])
    assert (await http.post("/", content=body())).status_code == 401
    assert issuer.requests["/token"] == 1


async def test_having_no_token_is_told_from_the_api_refusing_it(
    http: httpx2.AsyncClient, issuer: FakeIssuer, api: Api
) -> None:
    issuer.answers = [refusal(400, "invalid_grant", "No", "MP-100")]
    with pytest.raises(ClientAuthenticationError):
        await http.get("/")
    assert api.seen == []


def test_credentials_are_enough(issuer: FakeIssuer) -> None:
    credentials = Credentials(ISSUER, "the-client", issuer.client_key)
    assert MaskinportenAuth(credentials, SCOPE, consumer_org="310000027")
