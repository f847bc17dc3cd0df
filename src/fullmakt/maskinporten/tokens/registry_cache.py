"""The clients that this process remembers; how it knows that they are still so is told in ``infra/feed_cache.py``."""

from __future__ import annotations

from collections.abc import Sequence

from fullmakt.infra.feed import Changes
from fullmakt.infra.feed_cache import FeedCache
from fullmakt.jose.keys import PublicKey
from fullmakt.maskinporten.tokens.model import Refusal, TokenPlan
from fullmakt.maskinporten.tokens.ports import Registry
from fullmakt.wire.maskinporten.registry import RegisteredClient, RegisteredKey

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


class RegistryCache(FeedCache[str, ClientEntry]):
    """The clients used last, by client id."""

    def __init__(self, registry: Registry, capacity: int, *, patience: float = 5.0) -> None:
        super().__init__(capacity, patience=patience)
        self._registry = registry

    async def fetch(self, keys: Sequence[str]) -> dict[str, ClientEntry]:
        """The clients that exist."""
        found = await self._registry.clients(keys)
        return {client_id: ClientEntry(client) for client_id, client in found.items()}

    async def changes_since(self, version: int) -> Changes:
        """What changed in the registry."""
        return await self._registry.changes_since(version)

    def forget(self, changed: Sequence[str]) -> None:
        """Forget changed clients, and those whom a changed scope or organisation concerns."""
        kinds: dict[str, set[str]] = {"client": set(), "scope": set(), "organisation": set()}
        for key in changed:
            kind, _, name = key.partition(":")
            if kind in kinds:
                kinds[kind].add(name)
        concerned = kinds["client"] & self.entries.keys()
        if kinds["scope"] or kinds["organisation"]:
            concerned |= {
                client_id
                for client_id, entry in self.entries.items()
                if _concerns(entry.client, kinds["scope"], kinds["organisation"])
            }
        for client_id in concerned:
            del self.entries[client_id]


def _concerns(client: RegisteredClient, scopes: set[str], organisations: set[str]) -> bool:
    if client.client_orgno in organisations or client.supplier_orgno in organisations:
        return True
    return any(scope.name in scopes for scope in client.scopes)
