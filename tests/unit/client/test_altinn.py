"""Altinn's tokens for Maskinporten's: two servers, one token, and what is done when either will not or can not."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from fullmakt.client import (
    AltinnAuth,
    AltinnClient,
    AsyncAltinnClient,
    AsyncMaskinportenClient,
    Credentials,
    DiscoveryError,
    ExchangeRefusedError,
    InvalidScopeError,
    MaskinportenClient,
    TemporarilyUnavailableError,
    UnexpectedResponseError,
)
from fullmakt.jose.compact import parse_compact
from fullmakt.kernel.clock import FixedClock
from tests.support.fake_issuer import ISSUER, FakeIssuer, key, refusal

SCOPE = "altinn:instances.read"
URL = "https://altinn.test/authentication"


class Altinn:
    """Exchanges and refreshes for thirty minutes; ``answers`` are sent in place of the next tokens."""

    def __init__(self, clock: FixedClock, issuer: FakeIssuer) -> None:
        self._clock = clock
        self._issuer = issuer
        self.signer = key("altinn-1")
        self.refused: set[str] = set()
        self.answers: list[Response] = []
        self.seen: Counter[str] = Counter()
        self.queries: list[str] = []
        self.accepts: list[str] = []
        self._app = Starlette(
            routes=[
                Route("/authentication/api/v1/exchange/maskinporten", self._token),
                Route("/authentication/api/v1/refresh", self._token),
                Route("/instances", self._instances),
            ]
        )

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        """Both servers, by their hosts."""
        host = dict(scope["headers"]).get(b"host", b"") if scope["type"] == "http" else b""
        await (self._issuer.app if host == b"issuer.test" else self._app)(scope, receive, send)

    async def _token(self, request: Request) -> Response:
        self.seen[request.url.path.rsplit("/v1/")[1]] += 1
        self.queries.append(request.url.query)
        self.accepts.append(request.headers["accept"])
        if self.answers:
            return self.answers.pop(0)
        shown = request.headers["authorization"].removeprefix("Bearer ")
        if shown in self.refused:
            return Response(status_code=401)
        claims = parse_compact(shown).unverified_payload
        now = int(self._clock().timestamp())
        claims |= {"iss": f"{URL}/api/v1/openid/", "iat": now, "exp": now + 1800, "n": sum(self.seen.values())}
        return PlainTextResponse(self.signer.sign(json.dumps(claims).encode()).decode())

    async def _instances(self, request: Request) -> Response:
        shown = request.headers["authorization"].removeprefix("Bearer ")
        self.seen["instances"] += 1
        if shown in self.refused:
            return Response(status_code=401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
        return PlainTextResponse(shown)


@pytest.fixture
def altinn(clock: FixedClock, issuer: FakeIssuer) -> Altinn:
    return Altinn(clock, issuer)


@pytest.fixture
def credentials(issuer: FakeIssuer) -> Credentials:
    return Credentials(ISSUER, "the-client", issuer.client_key)


@pytest.fixture
def maskinporten(credentials: Credentials, clock: FixedClock, altinn: Altinn) -> AsyncMaskinportenClient:
    line = httpx2.AsyncClient(transport=httpx2.ASGITransport(altinn.app))
    return AsyncMaskinportenClient(credentials, clock=clock, http=line, sleep=_at_once)


@pytest.fixture
def client(maskinporten: AsyncMaskinportenClient) -> AsyncAltinnClient:
    return AsyncAltinnClient(maskinporten, URL, sleep=_at_once)


@pytest.fixture
def sync_maskinporten(credentials: Credentials, clock: FixedClock, altinn: Altinn) -> Iterator[MaskinportenClient]:
    with TestClient(altinn.app) as http:
        yield MaskinportenClient(credentials, clock=clock, http=http)


async def _at_once(_seconds: float) -> None:
    """Nobody waits in a test."""


async def test_maskinportens_token_is_exchanged_once_for_all_and_kept_for_half_an_hour(
    client: AsyncAltinnClient, altinn: Altinn, issuer: FakeIssuer, clock: FixedClock
) -> None:
    tokens = await asyncio.gather(*(client.token(SCOPE) for _ in range(50)))
    assert len({token.value for token in tokens}) == 1
    assert tokens[0].expires_at - clock() == dt.timedelta(minutes=30)
    assert tokens[0].scopes == (SCOPE,)
    clock.advance(minutes=28)
    assert await client.token(SCOPE) == tokens[0]
    assert (issuer.requests["/token"], altinn.seen["exchange/maskinporten"]) == (1, 1)
    assert altinn.accepts == ["text/plain"]
    clock.advance(minutes=1)
    assert (await client.token(SCOPE)).value != tokens[0].value
    assert (issuer.requests["/token"], altinn.seen["exchange/maskinporten"], altinn.seen["refresh"]) == (2, 2, 0)


def test_a_thread_gets_the_same(sync_maskinporten: MaskinportenClient, altinn: Altinn, issuer: FakeIssuer) -> None:
    client = AltinnClient(sync_maskinporten, f"{URL}/", test=True)
    token = client.token(SCOPE)
    assert client.token(SCOPE) == token
    assert parse_compact(token.value).unverified_payload["iss"] == f"{URL}/api/v1/openid/"
    assert altinn.queries == ["test=true"]
    sync_maskinporten.token(SCOPE)
    assert issuer.requests["/token"] == 1  # one token of Maskinporten's for both


async def test_a_system_user_is_asked_for_at_maskinporten(client: AsyncAltinnClient, issuer: FakeIssuer) -> None:
    details = [{"type": "urn:altinn:systemuser", "systemuser_org": {"authority": "iso6523-actorid-upis", "ID": "x"}}]
    await client.token(SCOPE, authorization_details=details)
    assert issuer.grants[0]["authorization_details"] == details


async def test_while_maskinporten_is_out_the_token_is_refreshed(
    client: AsyncAltinnClient, altinn: Altinn, issuer: FakeIssuer, clock: FixedClock
) -> None:
    first = await client.token(SCOPE)
    issuer.down = True
    for _ in range(3):
        clock.advance(minutes=29, seconds=30)
        again = await client.token(SCOPE)
        assert again.value != first.value
        assert again.expires_at - clock() == dt.timedelta(minutes=30)
    assert (altinn.seen["exchange/maskinporten"], altinn.seen["refresh"]) == (1, 3)
    clock.advance(minutes=31)
    with pytest.raises(TemporarilyUnavailableError, match=r"issuer\.test"):
        await client.token(SCOPE)


async def test_a_token_that_can_be_neither_exchanged_nor_refreshed_is_used_on_to_its_end(
    client: AsyncAltinnClient, altinn: Altinn, issuer: FakeIssuer, clock: FixedClock
) -> None:
    first = await client.token(SCOPE)
    issuer.down = True
    altinn.refused.add(first.value)
    clock.advance(minutes=29, seconds=30)
    assert await client.token(SCOPE) == first
    clock.advance(seconds=26)
    with pytest.raises(TemporarilyUnavailableError):
        await client.token(SCOPE)


async def test_what_maskinporten_takes_back_is_not_refreshed(
    client: AsyncAltinnClient, altinn: Altinn, issuer: FakeIssuer, clock: FixedClock
) -> None:
    await client.token(SCOPE)
    clock.advance(minutes=29, seconds=30)
    issuer.answers = [refusal(400, "invalid_scope", "Client has no access to scope", "MP-200")]
    with pytest.raises(InvalidScopeError):
        await client.token(SCOPE)
    assert altinn.seen["refresh"] == 0


async def test_a_remembered_token_that_altinn_does_not_take_is_asked_for_anew_once(
    client: AsyncAltinnClient, maskinporten: AsyncMaskinportenClient, altinn: Altinn, issuer: FakeIssuer
) -> None:
    altinn.refused.add((await maskinporten.token(SCOPE)).value)
    await client.token(SCOPE)
    assert (issuer.requests["/token"], altinn.seen["exchange/maskinporten"]) == (2, 2)
    altinn.answers = [Response(status_code=401)] * 2
    with pytest.raises(ExchangeRefusedError):
        await client.token("altinn:other")
    assert issuer.requests["/token"] == 3  # a new one that is not taken is not asked for again


@pytest.mark.parametrize(
    ("status", "says"), [(400, "no provider"), (401, "does not believe"), (403, "scopes"), (404, "404"), (302, "302")]
)
async def test_a_refusal_tells_what_altinns_status_means_and_what_to_do(
    client: AsyncAltinnClient, altinn: Altinn, status: int, says: str
) -> None:
    altinn.answers = [Response("eyJ.secret", status, {"Location": "https://elsewhere.test/"})]
    with pytest.raises(ExchangeRefusedError, match=says) as refused:
        await client.token(SCOPE)
    assert refused.value.status == status
    assert "same environment" in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_altinn_is_asked_once_more_when_it_can_not_answer(
    client: AsyncAltinnClient, altinn: Altinn, issuer: FakeIssuer, status: int
) -> None:
    altinn.answers = [Response(status_code=status, headers={"Retry-After": "2"})]
    assert (await client.token(SCOPE)).value
    altinn.answers = [Response(status_code=status)] * 2
    with pytest.raises(TemporarilyUnavailableError) as refused:
        await client.token("altinn:other")
    assert refused.value.status == status
    altinn.answers = [Response(status_code=status, headers={"Retry-After": "60"})]
    before = altinn.seen["exchange/maskinporten"]
    with pytest.raises(TemporarilyUnavailableError):
        await client.token("altinn:other")
    assert altinn.seen["exchange/maskinporten"] == before + 1
    assert issuer.requests["/token"] == 2  # Maskinporten's token was kept


def _claims(**claims: object) -> str:
    return key("altinn-1").sign(json.dumps(claims).encode()).decode()


@pytest.mark.parametrize(
    "body",
    ["", "<html>", "a.b.c", '{"access_token": "x"}', _claims(iat=1), _claims(iat=2, exp=1), _claims(iat="1", exp=2.5),
     _claims(iat=0, exp=10**10)],
    ids=["nothing", "page", "no JWT", "object", "no end", "ended", "no numbers", "for ever"],
)  # fmt: skip
async def test_an_answer_without_a_token_is_told(client: AsyncAltinnClient, altinn: Altinn, body: str) -> None:
    altinn.answers = [PlainTextResponse(body)]
    with pytest.raises(UnexpectedResponseError, match="no token"):
        await client.token(SCOPE)


async def test_a_token_that_comes_as_json_is_read(client: AsyncAltinnClient, altinn: Altinn) -> None:
    token = _claims(iat=1000, exp=2800)
    altinn.answers = [PlainTextResponse(f'"{token}"\n')]
    assert (await client.token(SCOPE)).value == token


async def test_a_url_that_is_none_is_told(maskinporten: AsyncMaskinportenClient) -> None:
    with pytest.raises(DiscoveryError, match="not a URL"):
        await AsyncAltinnClient(maskinporten, "https://altinn.test:port").token(SCOPE)


async def test_requests_carry_altinns_token_and_a_new_one_where_it_is_not_taken(
    maskinporten: AsyncMaskinportenClient, altinn: Altinn, issuer: FakeIssuer
) -> None:
    auth = AltinnAuth(maskinporten, URL, SCOPE)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(altinn.app), auth=auth) as http:
        first = (await http.get("https://altinn.test/instances")).text
        altinn.refused.add(first)
        second = (await http.get("https://altinn.test/instances")).text
    assert parse_compact(second).unverified_payload["iss"] == f"{URL}/api/v1/openid/"
    assert second != first
    assert issuer.requests["/token"] == 1  # Maskinporten's token was good all along


def test_a_threads_requests_carry_it_too(sync_maskinporten: MaskinportenClient, altinn: Altinn) -> None:
    with TestClient(altinn.app, base_url="https://altinn.test") as http:
        http.auth = AltinnAuth(sync_maskinporten, URL, SCOPE)
        assert http.get("/instances").status_code == 200
        altinn.refused.add(http.get("/instances").text)
        assert http.get("/instances").status_code == 200
    assert altinn.seen["exchange/maskinporten"] == 2
