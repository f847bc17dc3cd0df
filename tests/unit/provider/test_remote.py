"""Keys fetched from an issuer: one flight, few requests, and no outage that the API's callers would notice."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import httpx2
import pytest
from anyio.lowlevel import checkpoint
from starlette.testclient import TestClient

from fullmakt.kernel.clock import FixedClock
from fullmakt.provider import IssuerUnavailableError, RemoteKeys
from fullmakt.provider.jwks import max_age
from tests.support.fake_issuer import ISSUER, FakeIssuer, key


@pytest.fixture
def keys(issuer: FakeIssuer, clock: FixedClock, sync_http: TestClient) -> RemoteKeys:
    return RemoteKeys(ISSUER, clock=clock, http=issuer.http(), sync_http=sync_http)


@pytest.fixture
def sync_http(issuer: FakeIssuer) -> Iterator[TestClient]:
    with TestClient(issuer.app) as http:
        yield http


async def test_keys_are_fetched_once_for_a_hundred_tasks(keys: RemoteKeys, issuer: FakeIssuer) -> None:
    found = await asyncio.gather(*(keys.find("issuer-1") for _ in range(100)))
    assert all(found)
    assert issuer.requests == {"/.well-known/oauth-authorization-server": 1, "/jwk": 1}


def test_keys_are_fetched_once_for_a_hundred_threads(keys: RemoteKeys, issuer: FakeIssuer) -> None:
    together = threading.Barrier(100)
    found = []

    def find() -> None:
        together.wait()
        found.append(keys.find_sync("issuer-1"))

    threads = [threading.Thread(target=find) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 100
    assert all(found)
    assert issuer.requests["/jwk"] == 1


async def test_threads_and_tasks_share_what_was_fetched(keys: RemoteKeys, issuer: FakeIssuer) -> None:
    first = await keys.find("issuer-1")
    assert await asyncio.to_thread(keys.find_sync, "issuer-1") is first
    assert issuer.requests["/jwk"] == 1


async def test_a_new_key_is_found_at_once(keys: RemoteKeys, issuer: FakeIssuer) -> None:
    await keys.find("issuer-1")
    issuer.published.append(key("issuer-2"))
    assert await keys.find("issuer-2") is not None


async def test_a_flood_of_unknown_key_ids_does_not_reach_the_issuer(
    keys: RemoteKeys, issuer: FakeIssuer, clock: FixedClock
) -> None:
    await keys.find("issuer-1")
    for turn in range(200):
        assert await asyncio.gather(*(keys.find(f"made-up-{turn}-{n}") for n in range(5))) == [None] * 5
        clock.advance(seconds=0.1)
    assert issuer.requests["/jwk"] == 1 + 2  # 20 seconds: one every ten, beside the first


async def test_an_outage_is_not_noticed_while_keys_are_known(
    keys: RemoteKeys, issuer: FakeIssuer, clock: FixedClock
) -> None:
    await keys.find("issuer-1")
    issuer.down = True
    clock.advance(days=2)
    for _ in range(50):
        assert await keys.find("issuer-1") is not None
    assert issuer.requests["/.well-known/oauth-authorization-server"] == 2
    assert keys.last_error == "ConnectError: the line is cut"


async def test_an_issuer_that_hangs_holds_up_one_caller_at_most(
    keys: RemoteKeys, issuer: FakeIssuer, clock: FixedClock
) -> None:
    await keys.find("issuer-1")
    issuer.down = True
    clock.advance(days=2)
    await keys.find("issuer-1")
    clock.advance(seconds=10)
    hanging = issuer.hang = asyncio.Event()
    held_up = asyncio.create_task(keys.find("issuer-1"))
    while issuer.requests["/.well-known/oauth-authorization-server"] < 3:
        await checkpoint()
    assert all([await keys.find("issuer-1") for _ in range(50)])
    assert not held_up.done()
    hanging.set()
    assert await held_up is not None


async def test_keys_come_back_with_the_issuer(keys: RemoteKeys, issuer: FakeIssuer, clock: FixedClock) -> None:
    issuer.down = True
    for _ in range(20):
        with pytest.raises(IssuerUnavailableError):
            await keys.find("issuer-1")
    assert sum(issuer.requests.values()) == 1
    issuer.down = False
    clock.advance(seconds=1)
    assert await keys.find("issuer-1") is not None
    assert keys.last_error is None


async def test_a_caller_who_leaves_does_not_take_the_fetch_along(keys: RemoteKeys, issuer: FakeIssuer) -> None:
    first, second = asyncio.create_task(keys.find("issuer-1")), asyncio.create_task(keys.find("issuer-1"))
    await checkpoint()
    first.cancel()
    assert await second is not None
    assert issuer.requests["/jwk"] == 1


@pytest.mark.parametrize("name", ["jwks_uri", "issuer"])
async def test_metadata_that_lacks_what_is_needed_gives_no_keys(
    keys: RemoteKeys, issuer: FakeIssuer, name: str
) -> None:
    del issuer.metadata[name]
    with pytest.raises(IssuerUnavailableError):
        await keys.find("issuer-1")


async def test_metadata_of_another_issuer_gives_no_keys(keys: RemoteKeys, issuer: FakeIssuer) -> None:
    issuer.metadata["issuer"] = "https://evil.test/"
    with pytest.raises(IssuerUnavailableError):
        await keys.find("issuer-1")
    assert keys.last_error is not None
    assert "https://evil.test/" in keys.last_error


async def test_a_jwks_without_usable_keys_leaves_the_known_ones_in_place(
    keys: RemoteKeys, issuer: FakeIssuer, clock: FixedClock
) -> None:
    await keys.find("issuer-1")
    issuer.published.clear()
    clock.advance(hours=2)
    assert await keys.find("issuer-1") is not None


async def test_keys_can_be_fetched_without_metadata(issuer: FakeIssuer, clock: FixedClock) -> None:
    keys = RemoteKeys(ISSUER, jwks_uri=f"{ISSUER}jwk", clock=clock, http=issuer.http())
    assert await keys.find("issuer-1") is not None
    assert issuer.requests == {"/jwk": 1}


async def test_an_issuer_that_publishes_nothing_is_unavailable(clock: FixedClock) -> None:
    http = httpx2.AsyncClient(transport=httpx2.MockTransport(lambda _request: httpx2.Response(404)))
    keys = RemoteKeys("https://nobody.test/tokens/", clock=clock, http=http)
    with pytest.raises(IssuerUnavailableError):
        await keys.find("any")
    assert keys.last_error == "KeysNotFetchedError: https://nobody.test/tokens/ publishes no metadata"


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b'{"keys": 1}', b"x" * 1_100_000])
async def test_an_answer_that_is_no_jwks_is_as_good_as_none(content: bytes, clock: FixedClock) -> None:
    http = httpx2.AsyncClient(transport=httpx2.MockTransport(lambda _request: httpx2.Response(200, content=content)))
    with pytest.raises(IssuerUnavailableError):
        await RemoteKeys(ISSUER, jwks_uri=f"{ISSUER}jwk", clock=clock, http=http).find("any")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Cache-Control": "public"}, None),
        ({"Cache-Control": "public, max-age=600"}, 600),
        ({"Cache-Control": "MAX-AGE=600"}, 600),
        ({"Cache-Control": "s-maxage=5, max-age=600"}, 600),
        ({"Cache-Control": "max-age=600", "Age": "500"}, 100),
        ({"Cache-Control": "max-age=600", "Age": "700"}, 0),
        ({"Cache-Control": "max-age=600", "Age": "young"}, 600),
        ({"Cache-Control": "max-age=600, no-store"}, 0),
        ({"Cache-Control": "no-cache"}, 0),
        ({"Cache-Control": "max-age=-1"}, None),
    ],
)
def test_cache_control_is_read_as_http_has_it(headers: dict[str, str], seconds: float | None) -> None:
    assert max_age(httpx2.Headers(headers)) == seconds
