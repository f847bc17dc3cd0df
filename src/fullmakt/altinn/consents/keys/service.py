"""Who holds which API key. Each use case is one transaction, with its audit event in it.

Nobody remembers keys: they are looked up for every call, so that one that is withdrawn opens nothing from then on.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.altinn.consents.keys import rules, store
from fullmakt.altinn.consents.keys.model import ApiKey, ApiKeyDeclaration, ApiKeyRefusedError, DeclaredKey
from fullmakt.altinn.consents.keys.store import StoredKey
from fullmakt.infra import audit
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import Clock, NewId
from fullmakt.kernel.declarations import Outcome

SYSTEM = "consents"


class ApiKeys:
    """The keys. ``new_id`` makes their ids and, where none is handed in, their secrets."""

    def __init__(self, database: Database, clock: Clock, new_id: NewId) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id

    async def holder(self, secret: str) -> ApiKey | None:
        """The key with this secret; None when there is none, or it has been withdrawn."""
        secret_hash = rules.hash_of(secret)
        if secret_hash is None:
            return None
        async with self._database.transaction() as connection:
            found = await store.by_hash(connection, secret_hash)
        if found is None or found.revoked or not hmac.compare_digest(found.secret_hash, secret_hash):
            return None
        return found.key

    async def holds(self, name: str, secret: str) -> bool:
        """True when ``secret`` is that of the key of this name."""
        found = await self.holder(secret)
        return found is not None and found.name == name

    async def listed(self, names: Collection[str] | None = None) -> list[ApiKey]:
        """The keys that have not been withdrawn, or those of them with these names."""
        async with self._database.transaction() as connection:
            return await store.listed(connection, names)

    async def of_organisation(self, organisation: str, connection: AsyncConnection | None = None) -> list[ApiKey]:
        """An organisation's keys that have not been withdrawn; with ``connection`` as that transaction sees them."""
        if connection is not None:
            return await store.of_organisation(connection, organisation)
        async with self._database.transaction() as own:
            return await store.of_organisation(own, organisation)

    async def declare(
        self, declaration: ApiKeyDeclaration, *, secret: str | None = None, actor: str = "operator"
    ) -> DeclaredKey:
        """Let there be such a key. Without ``secret``, a key that is there keeps its own, and a new one gets one made.

        With another secret than it has, a key is withdrawn and made anew: the old secret opens nothing any more.

        Raises:
            ApiKeyRefusedError: ``bad_name``, ``too_many_domains``, ``bad_domain``; ``bad_secret``, it is no GUID;
                ``secret_taken``, it is another key's, or one that has been withdrawn.
        """
        domains = rules.domains_of(declaration)
        made = secret is None
        wanted = secret or self._new_id()
        secret_hash = rules.hash_of(wanted)
        if secret_hash is None:
            raise ApiKeyRefusedError("bad_secret", f"the secret of the key {declaration.name} is no GUID")
        async with self._database.transaction() as connection:
            await store.take_turns(connection)
            now = self._clock()
            before = await store.live(connection, declaration.name)
            key = ApiKey(
                UUID(self._new_id()),
                declaration.name,
                declaration.organisation,
                domains,
                declaration.service_owner,
                now,
            )
            if before is not None and (made or before.secret_hash == secret_hash):
                return await self._change(connection, before, key, actor)
            if await store.by_hash(connection, secret_hash) is not None:
                raise ApiKeyRefusedError("secret_taken", f"the secret of the key {key.name} has been used before")
            if before is not None:
                await store.revoke(connection, before.key.key_id, now)
                await self._tell(connection, "api-key:revoke", before.key, actor)
            await store.insert(connection, key, secret_hash)
            await self._tell(connection, "api-key:create", key, actor)
        outcome = Outcome.CREATED if before is None else Outcome.CHANGED
        return DeclaredKey(outcome, wanted if made else None)

    async def _change(self, connection: AsyncConnection, before: StoredKey, key: ApiKey, actor: str) -> DeclaredKey:
        after = replace(key, key_id=before.key.key_id, created=before.key.created)
        if after == before.key:
            return DeclaredKey(Outcome.UNCHANGED)
        await store.update(connection, after, self._clock())
        await self._tell(connection, "api-key:change", after, actor)
        return DeclaredKey(Outcome.CHANGED)

    async def revoke(self, name: str, *, actor: str = "operator") -> bool:
        """Withdraw the key of that name, for good; False when there is none."""
        async with self._database.transaction() as connection:
            found = await store.live(connection, name)
            if found is None:
                return False
            await store.revoke(connection, found.key.key_id, self._clock())
            await self._tell(connection, "api-key:revoke", found.key, actor)
            return True

    async def _tell(self, connection: AsyncConnection, action: str, key: ApiKey, actor: str) -> None:
        facts: dict[str, Any] = {
            "name": key.name,
            "organisation": str(key.organisation),
            "domains": [str(one) for one in key.domains],
            "service_owner": key.service_owner,
        }
        event = audit.AuditEvent(
            self._clock(), SYSTEM, action, "done", actor=actor, subject=f"api-key:{key.key_id}", facts=facts
        )
        await audit.record(connection, event)
