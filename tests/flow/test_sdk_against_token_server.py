"""Our SDKs as the other parties of our own token server: a consumer gets a token, and an API trusts it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import anyio
import httpx2
import pytest
from anyio.lowlevel import checkpoint

from fullmakt.client import (
    AccessDeniedError,
    AsyncMaskinportenClient,
    ClientAuthenticationError,
    Credentials,
    InvalidScopeError,
    MaskinportenError,
    ReplayedGrantError,
)
from fullmakt.infra.database import Database
from fullmakt.jose.keys import LocalSigner
from fullmakt.kernel.clock import FixedClock
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.pki import exports
from fullmakt.pki import http as pki_http
from fullmakt.provider import RemoteKeys, TokenVerifier
from tests.support.pki import set_up_pki
from tests.support.token_nodes import Node, node
from tests.support.tokens import CLIENT_ID, ISSUER, NOW, ORGNO, PID, SCOPE, SECONDS, RegistryRows, key_number

A_YEAR = 365 * 86_400


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
async def rows(database: Database) -> RegistryRows:
    """A client with a scope and a key that is good for a year; another scope is for others."""
    rows = RegistryRows(database)
    await rows.scope()
    await rows.scope("demo:others", access=())
    await rows.client(keys=[], scopes=[SCOPE, "demo:others"])
    await rows.key(CLIENT_ID, key_number(1), expires=SECONDS + A_YEAR)
    return rows


@pytest.fixture
async def server(database_url: str, rows: RegistryRows, clock: FixedClock) -> AsyncIterator[Node]:
    async with node(database_url, clock=clock) as server:
        yield server


def consumer(
    server: Node, clock: FixedClock, credentials: Credentials | None = None, **more: Any
) -> AsyncMaskinportenClient:
    credentials = credentials or Credentials(ISSUER, CLIENT_ID, key_number(1))
    return AsyncMaskinportenClient(credentials, clock=clock, http=server.http, **more)


def provider(http: httpx2.AsyncClient, clock: FixedClock, **more: Any) -> TokenVerifier:
    return TokenVerifier(ISSUER, keys=RemoteKeys(ISSUER, clock=clock, http=http), clock=clock, **more)


async def test_a_consumers_token_is_accepted_by_the_api(server: Node, clock: FixedClock) -> None:
    token = await consumer(server, clock).token(SCOPE, resource="https://api.example/", pid=PID)
    verified = await provider(server.http, clock, audience="https://api.example/").verify(
        token.value, scopes=[SCOPE], consumers=[ORGNO]
    )
    assert (verified.consumer, verified.client_id, verified.client_amr) == (ORGNO, CLIENT_ID, "private_key_jwt")
    assert (verified.audience, verified.pid) == (("https://api.example/",), PID)
    assert verified.expires_at == token.expires_at
    assert token.scopes == (SCOPE,)


async def test_an_enterprise_certificate_is_as_good_as_a_key(
    database: Database, database_url: str, rows: RegistryRows, clock: FixedClock
) -> None:
    await rows.client("by-certificate", keys=[])
    pki = await set_up_pki(database, clock, "http://pki.test")
    p12 = exports.pkcs12(await pki.issue(OrgNumber(ORGNO), "Skarpnes og Ula"), "changeit")
    credentials = Credentials.from_pkcs12(ISSUER, "by-certificate", p12=p12, password=b"changeit")
    crls = httpx2.ASGITransport(pki_http.app(pki))
    async with node(database_url, clock=clock, anchors=pki, crls=crls) as server:
        token = await consumer(server, clock, credentials).token(SCOPE)
        assert (await provider(server.http, clock).verify(token.value)).client_amr == "virksomhetssertifikat"


async def test_each_refusal_arrives_as_what_it_means(server: Node, clock: FixedClock) -> None:
    with pytest.raises(AccessDeniedError) as denied:
        await consumer(server, clock).token("demo:others")
    assert (denied.value.status, denied.value.code, denied.value.reason) == (403, "MP-250", "no_access")
    assert denied.value.description == "Consumer has not been granted access to the scope demo:others."
    assert denied.value.trace_id is not None
    with pytest.raises(InvalidScopeError):
        await consumer(server, clock).token("demo:unheard")
    for stranger in (Credentials(ISSUER, "nobody", key_number(1)), Credentials(ISSUER, CLIENT_ID, key_number(2))):
        with pytest.raises(ClientAuthenticationError):
            await consumer(server, clock, stranger).token(SCOPE)
    imposter = LocalSigner.from_native(key_number(2).native, key_number(1).kid)
    with pytest.raises(ClientAuthenticationError) as refused:
        await consumer(server, clock, Credentials(ISSUER, CLIENT_ID, imposter)).token(SCOPE)
    assert refused.value.code == "MP-124"


async def test_a_grant_id_that_is_used_twice_is_told_as_a_replay(server: Node, clock: FixedClock) -> None:
    stuck = consumer(server, clock, new_id=lambda: "always-the-same")
    await stuck.token(SCOPE)
    clock.advance(seconds=105)
    with pytest.raises(ReplayedGrantError):
        await stuck.token(SCOPE)


async def test_a_clock_that_is_off_is_told(server: Node, clock: FixedClock) -> None:
    ahead = FixedClock(NOW)
    ahead.advance(seconds=11)
    with pytest.raises(MaskinportenError) as refused:
        await consumer(server, ahead).token(SCOPE)
    assert refused.value.reason == "issued_in_future"
    ahead.advance(seconds=-1)
    assert await consumer(server, ahead).token(SCOPE)


async def test_many_tasks_share_one_token(server: Node, clock: FixedClock) -> None:
    client = consumer(server, clock)
    assert len({token.value for token in await asyncio.gather(*(client.token(SCOPE) for _ in range(100)))}) == 1


async def test_no_api_notices_that_the_token_server_changes_its_key(server: Node, clock: FixedClock) -> None:
    client, old_verifier = consumer(server, clock), provider(server.http, clock)
    await old_verifier.verify((await client.token(SCOPE)).value)
    new_key = await server.signing_keys.rotate()
    with anyio.fail_after(10):
        while new_key.kid.encode() not in server.service.jwks():  # the server hears of it by its feed
            await checkpoint()
    verifiers = [old_verifier, provider(server.http, clock)]
    signers = set()
    for _ in range(4 * 24):
        token = (await client.token(SCOPE)).value
        signers.add(token.partition(".")[0])
        for verifier in verifiers:
            await verifier.verify(token)
        clock.advance(hours=1)
    assert len(signers) == 2
