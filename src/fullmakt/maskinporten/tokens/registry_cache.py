"""What this process remembers of the registry, and how it knows that it is still so.

The cache has a version, the change feed's. Whoever decides on what is in here hands the version to the ledger, which
writes the decision only if the feed has not moved on (``ledger.py``); when it has, the cache catches up and the request
is decided anew. So a stale entry can cost time but never a wrong answer. Why: docs/decisions/0002.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence

from fullmakt.infra.database import answered_within
from fullmakt.infra.feed import EVERYTHING
from fullmakt.jose.keys import PublicKey
from fullmakt.maskinporten.tokens.model import Refusal, TokenPlan
from fullmakt.maskinporten.tokens.ports import Registry
from fullmakt.wire.maskinporten.registry import RegisteredClient, RegisteredKey

MAX_GROUP = 500
"""Clients asked for in one query."""
_MAX_PLANS = 64


class ClientEntry:
    """A client, its keys parsed when they are first used, and what it gets for each scope string it has asked with."""

    __slots__ = ("_parsed", "client", "keys", "plans")

    def __init__(self, client: RegisteredClient) -> None:
        self.client = client
        self.keys: dict[str, RegisteredKey] = {key.kid: key for key in client.keys}
        self.plans: dict[tuple[str, str | None, str], TokenPlan | Refusal] = {}
        self._parsed: dict[str, PublicKey] = {}

    def public_key(self, key: RegisteredKey) -> PublicKey:
        """The key, ready to verify."""
        parsed = self._parsed.get(key.kid)
        if parsed is None:
            parsed = self._parsed[key.kid] = PublicKey.from_der(key.der, key.alg)
        return parsed

    def remember(self, question: tuple[str, str | None, str], plan: TokenPlan | Refusal) -> None:
        """Keep the answer; a client that asks with ever new scope strings starts over after a while."""
        if len(self.plans) >= _MAX_PLANS:
            self.plans.clear()
        self.plans[question] = plan


class RegistryCache:
    """The clients used last, at most ``capacity`` of them.

    ``on_change`` is told the changed keys before the version moves on to where they are known, so that whoever reads
    the version can not miss them. The registry has ``patience`` seconds for each answer.
    """

    def __init__(self, registry: Registry, capacity: int, *, patience: float = 5.0) -> None:
        self.on_change: Callable[[Sequence[str]], None] = _ignore
        self._registry = registry
        self._capacity = capacity
        self._patience = patience
        self._entries: OrderedDict[str, ClientEntry] = OrderedDict()
        self._wanted: dict[str, asyncio.Future[ClientEntry | None]] = {}
        self._loading: asyncio.Task[None] | None = None
        self._catching_up: asyncio.Task[Sequence[str]] | None = None
        self.version = 0

    def get(self, client_id: str) -> ClientEntry | None:
        """The entry when it is remembered; never waits."""
        entry = self._entries.get(client_id)
        if entry is not None:
            self._entries.move_to_end(client_id)
        return entry

    async def load(self, client_id: str) -> ClientEntry | None:
        """The entry, asked for together with all others that are wanted in the same turn of the event loop."""
        future = self._wanted.get(client_id)
        if future is None:
            future = self._wanted[client_id] = asyncio.get_running_loop().create_future()
            if self._loading is None:
                self._loading = asyncio.create_task(self._load_wanted())
        return await asyncio.shield(future)

    async def _load_wanted(self) -> None:
        try:
            while self._wanted:
                batch = dict(list(self._wanted.items())[:MAX_GROUP])
                for client_id in batch:
                    del self._wanted[client_id]
                try:
                    await self._load(batch)
                except Exception as error:  # whatever it is, those who wait must hear of it
                    for future in batch.values():
                        if not future.done():
                            future.set_exception(error)
        finally:
            self._loading = None

    async def _load(self, batch: dict[str, asyncio.Future[ClientEntry | None]]) -> None:
        while True:
            version = self.version
            found = await answered_within(self._patience, self._registry.clients(list(batch)))
            if version == self.version:
                break  # else the feed moved while the query ran, and what it read may be from before
        for client_id, future in batch.items():
            client = found.get(client_id)
            entry = None if client is None else ClientEntry(client)
            if entry is not None:
                self._entries[client_id] = entry
            if not future.done():
                future.set_result(entry)
        while len(self._entries) > self._capacity:
            self._entries.popitem(last=False)

    async def catch_up(self) -> Sequence[str]:
        """Forget what the feed says has changed. Returns the changed keys; concurrent calls share one reading."""
        if self._catching_up is None:
            self._catching_up = asyncio.create_task(self._catch_up())
        return await asyncio.shield(self._catching_up)

    async def _catch_up(self) -> Sequence[str]:
        try:
            changes = await answered_within(self._patience, self._registry.changes_since(self.version))
            self._forget(changes.keys)
            self.on_change(changes.keys)
            self.version = changes.version
            return changes.keys
        finally:
            self._catching_up = None

    def _forget(self, keys: Sequence[str]) -> None:
        if EVERYTHING in keys:
            self._entries.clear()
            return
        changed: dict[str, set[str]] = {"client": set(), "scope": set(), "organisation": set()}
        for key in keys:
            kind, _, name = key.partition(":")
            if kind in changed:
                changed[kind].add(name)
        for client_id in changed["client"]:
            self._entries.pop(client_id, None)
        if changed["scope"] or changed["organisation"]:
            for client_id in [
                client_id
                for client_id, entry in self._entries.items()
                if _concerns(entry.client, changed["scope"], changed["organisation"])
            ]:
                del self._entries[client_id]


def _ignore(_changed: Sequence[str]) -> None:
    """Nobody else wants to know."""


def _concerns(client: RegisteredClient, scopes: set[str], organisations: set[str]) -> bool:
    if client.client_orgno in organisations or client.supplier_orgno in organisations:
        return True
    return any(scope.name in scopes for scope in client.scopes)
