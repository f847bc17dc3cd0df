"""What a node remembers of the registry: loaded in groups, forgotten when the feed says so, never stale unawares."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from fullmakt.infra.database import DatabaseUnavailableError
from fullmakt.infra.feed import EVERYTHING, Changes
from fullmakt.infra.feed_cache import MAX_GROUP
from fullmakt.maskinporten.tokens.model import Refusal
from fullmakt.maskinporten.tokens.registry_cache import ClientEntry, RegistryCache
from fullmakt.wire.maskinporten.registry import RegisteredClient
from tests.support.tokens import (
    CLIENT_ID,
    ORGNO,
    SCOPE,
    SUPPLIER,
    RegistryInMemory,
    registered_client,
    registered_key,
    registered_scope,
)


def clients(*names: str) -> list[RegisteredClient]:
    return [registered_client(client_id=name, keys=()) for name in names]


async def test_what_is_loaded_once_is_remembered() -> None:
    registry = RegistryInMemory(registered_client())
    cache = RegistryCache(registry, capacity=10)
    assert cache.get(CLIENT_ID) is None
    entry = await cache.load(CLIENT_ID)
    assert entry is not None
    assert cache.get(CLIENT_ID) is entry
    assert registry.reads == [(CLIENT_ID,)]


async def test_a_client_that_is_not_there_is_asked_for_again() -> None:
    registry = RegistryInMemory()
    cache = RegistryCache(registry, capacity=10)
    assert [await cache.load("x"), await cache.load("x")] == [None, None]
    assert registry.reads == [("x",), ("x",)]


async def test_all_who_ask_in_the_same_turn_share_one_query() -> None:
    names = [f"client-{number}" for number in range(MAX_GROUP + 1)]
    registry = RegistryInMemory(*clients(*names))
    cache = RegistryCache(registry, capacity=1_000)
    entries = await asyncio.gather(*[cache.load(name) for name in [*names, *names]])
    assert [entry.client.client_id for entry in entries if entry] == [*names, *names]
    assert registry.reads == [tuple(names[:MAX_GROUP]), tuple(names[MAX_GROUP:])]


async def test_the_client_used_longest_ago_is_the_first_to_go() -> None:
    cache = RegistryCache(RegistryInMemory(*clients("a", "b", "c")), capacity=2)
    await cache.load("a")
    await cache.load("b")
    cache.get("a")
    await cache.load("c")
    assert [cache.get(name) is not None for name in ("a", "b", "c")] == [True, False, True]


@pytest.mark.parametrize(
    ("key", "forgotten"),
    [
        (f"client:{CLIENT_ID}", True),
        (f"scope:{SCOPE}", True),
        (f"organisation:{ORGNO}", True),
        (f"organisation:{SUPPLIER}", True),
        (EVERYTHING, True),
        ("client:another", False),
        ("scope:demo:other", False),
        ("organisation:310943223", False),
        ("signing-keys", False),
        ("of a kind that is not known here:x", False),
    ],
)
async def test_a_change_forgets_the_clients_that_it_concerns(key: str, forgotten: bool) -> None:
    registry = RegistryInMemory(registered_client(supplier_orgno=SUPPLIER))
    cache = RegistryCache(registry, capacity=10)
    await cache.load(CLIENT_ID)
    registry.change(key)
    assert await cache.catch_up() == (key,)
    assert cache.version == 1
    assert (cache.get(CLIENT_ID) is None) is forgotten


async def test_catching_up_with_nothing_new_forgets_nothing() -> None:
    cache = RegistryCache(RegistryInMemory(registered_client()), capacity=10)
    await cache.load(CLIENT_ID)
    assert await cache.catch_up() == ()
    assert cache.get(CLIENT_ID) is not None


class RegistryAtHand(RegistryInMemory):
    """Answers when it is told to; what it read is from the moment of the question."""

    def __init__(self, *known: RegisteredClient) -> None:
        super().__init__(*known)
        self.questions: asyncio.Queue[asyncio.Event] = asyncio.Queue()

    async def _hold(self) -> None:
        answer = asyncio.Event()
        self.questions.put_nowait(answer)
        await answer.wait()

    async def clients(self, client_ids: Sequence[str]) -> Mapping[str, RegisteredClient]:
        found = await super().clients(client_ids)
        await self._hold()
        return found

    async def changes_since(self, version: int) -> Changes:
        changes = await super().changes_since(version)
        await self._hold()
        return changes


async def test_a_load_that_was_overtaken_by_the_feed_is_made_again() -> None:
    registry = RegistryAtHand(registered_client())
    cache = RegistryCache(registry, capacity=10)
    loading = asyncio.create_task(cache.load(CLIENT_ID))
    read = await registry.questions.get()
    registry.change(f"client:{CLIENT_ID}", registered_client(active=False))
    catching_up = asyncio.create_task(cache.catch_up())
    (await registry.questions.get()).set()
    await catching_up
    read.set()
    (await registry.questions.get()).set()
    entry = await loading
    assert entry is not None
    assert not entry.client.active
    assert len(registry.reads) == 2


async def test_a_change_between_a_load_and_the_moment_that_it_wakes_who_asked_leaves_nothing_in_the_cache() -> None:
    registry = RegistryAtHand(registered_client())
    cache = RegistryCache(registry, capacity=10)
    loading = asyncio.create_task(cache.load(CLIENT_ID))
    read = await registry.questions.get()
    registry.change(f"client:{CLIENT_ID}")
    catching_up = asyncio.create_task(cache.catch_up())
    changed = await registry.questions.get()
    read.set()
    changed.set()
    assert await loading is not None  # which is why a decision keeps the version from before its load
    await catching_up
    assert cache.get(CLIENT_ID) is None


async def test_those_who_catch_up_at_once_share_one_reading() -> None:
    registry = RegistryAtHand()
    cache = RegistryCache(registry, capacity=10)
    registry.change("scope:a:b")
    both = asyncio.gather(cache.catch_up(), cache.catch_up())
    (await registry.questions.get()).set()
    assert list(map(list, await both)) == [["scope:a:b"], ["scope:a:b"]]
    assert registry.questions.empty()


async def test_one_who_gives_up_waiting_takes_nothing_from_the_others() -> None:
    registry = RegistryAtHand(registered_client())
    cache = RegistryCache(registry, capacity=10)
    first, second = (asyncio.create_task(cache.load(CLIENT_ID)) for _ in range(2))
    read = await registry.questions.get()
    first.cancel()
    read.set()
    assert await second is not None
    assert first.cancelled()


class RegistryGone(RegistryInMemory):
    """Does not answer."""

    async def clients(self, client_ids: Sequence[str]) -> Mapping[str, RegisteredClient]:
        raise DatabaseUnavailableError(f"asked for {len(client_ids)}")


async def test_an_outage_reaches_everybody_who_waits_and_leaves_nothing_behind() -> None:
    cache = RegistryCache(RegistryGone(), capacity=10)
    for _ in range(2):
        outcomes = await asyncio.gather(cache.load("a"), cache.load("b"), return_exceptions=True)
        assert [str(outcome) for outcome in outcomes] == ["asked for 2", "asked for 2"]


def test_a_key_is_parsed_once() -> None:
    key = registered_key()
    entry = ClientEntry(registered_client(keys=(key,)))
    assert entry.public_key(key) is entry.public_key(key)
    assert entry.public_key(key).to_der() == key.der


def test_a_client_that_asks_with_ever_new_scope_strings_starts_over() -> None:
    entry = ClientEntry(registered_client(scopes=(registered_scope(),)))
    for number in range(200):
        entry.remember((f"scope {number}", None, "private_key_jwt"), Refusal("no_access"))
        assert len(entry.plans) <= 64
    assert ("scope 199", None, "private_key_jwt") in entry.plans
