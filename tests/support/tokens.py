"""What the tests of the token server share: keys, grants, and registered clients as values or as rows."""

from __future__ import annotations

import base64
import datetime as dt
import json
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from sqlalchemy import text

from fullmakt.infra import feed
from fullmakt.infra.database import Database
from fullmakt.infra.feed import Changes
from fullmakt.jose.keys import LocalSigner
from fullmakt.wire.maskinporten.registry import TOPIC, RegisteredClient, RegisteredKey, RegisteredScope

ISSUER = "https://maskinporten.test/"
NOW = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)
SECONDS = int(NOW.timestamp())
ORGNO = "910753614"
SUPPLIER = "991825827"
OWNER = "310943223"
CLIENT_ID = "5f0c1f0e-1c1d-4f53-9a0e-2f8c8e1c7b11"
SCOPE = "demo:api.read"
PID = "05895199925"
ABSENT = object()
"""As a claim's value: leave the claim out."""


@cache
def key_number(number: int) -> LocalSigner:
    """An RSA key, the same one each time a test process asks for that number."""
    return LocalSigner.generate(kid=f"key-{number}")


@cache
def ec_key() -> LocalSigner:
    """A P-256 key."""
    return LocalSigner.generate(ec_key=True, kid="ec-key")


# -- grants -----------------------------------------------------------------------------------------------------------


def claims_of(at: float = SECONDS, /, **changes: Any) -> dict[str, Any]:
    """The claims of a grant that is right, save for ``changes``; its ``jti`` is fresh."""
    right: dict[str, Any] = {
        "aud": ISSUER, "iss": CLIENT_ID, "scope": SCOPE, "iat": at, "exp": at + 120, "jti": str(uuid.uuid4()),
    }  # fmt: skip
    return {name: value for name, value in {**right, **changes}.items() if value is not ABSENT}


def sign(claims: Mapping[str, Any] | bytes, key: LocalSigner | None = None, **header: Any) -> str:
    """A grant signed with ``key`` (key number 1 by default); ``header`` members stand beside or replace the usual."""
    key = key or key_number(1)
    members = {"kid": key.kid, "alg": key.alg, **header}
    head = json.dumps({name: value for name, value in members.items() if value is not ABSENT}).encode()
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    return key.sign(payload, head).decode()


def payload_of(token: str) -> dict[str, Any]:
    """The claims in a compact JWS, unverified."""
    return _segment(token, 1)


def header_of(token: str) -> dict[str, Any]:
    """The header of a compact JWS, unverified."""
    return _segment(token, 0)


def _segment(token: str, number: int) -> dict[str, Any]:
    segment = token.split(".")[number]
    document = json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    assert isinstance(document, dict)
    return document


# -- the registry as values -------------------------------------------------------------------------------------------


def registered_key(key: LocalSigner | None = None, **changes: Any) -> RegisteredKey:
    """A key as it is registered, good for a day."""
    key = key or key_number(1)
    return replace(RegisteredKey(key.kid, key.public.to_der(), key.alg, SECONDS + 86_400.0), **changes)


def registered_scope(name: str = SCOPE, **changes: Any) -> RegisteredScope:
    """A scope that the client may have, save for ``changes``."""
    return replace(RegisteredScope(name, True, True, False, (), None, 0, None), **changes)


def registered_client(**changes: Any) -> RegisteredClient:
    """A client with a key and a scope, save for ``changes``."""
    right = RegisteredClient(
        CLIENT_ID, True, "maskinporten", ORGNO, None, False, 120, (registered_key(),), (registered_scope(),), ()
    )
    return replace(right, **changes)


class RegistryInMemory:
    """The ``Registry`` port over values. ``change`` moves the feed on; ``reads`` is what was asked for, in order."""

    def __init__(self, *clients: RegisteredClient) -> None:
        self._clients = {client.client_id: client for client in clients}
        self._changes: list[str] = []
        self.reads: list[tuple[str, ...]] = []
        self.granted: frozenset[tuple[str, str]] = frozenset()

    def change(self, key: str, *clients: RegisteredClient) -> None:
        """Replace ``clients`` and announce ``key``."""
        self._clients.update({client.client_id: client for client in clients})
        self._changes.append(key)

    async def accesses(self, consumers: Collection[str], scopes: Collection[str]) -> frozenset[tuple[str, str]]:
        """As the port has it, of ``granted``."""
        return frozenset(pair for pair in self.granted if pair[0] in consumers and pair[1] in scopes)

    async def clients(self, client_ids: Sequence[str]) -> Mapping[str, RegisteredClient]:
        """As the port has it."""
        self.reads.append(tuple(client_ids))
        return {name: self._clients[name] for name in client_ids if name in self._clients}

    async def changes_since(self, version: int) -> Changes:
        """As the port has it."""
        return Changes(len(self._changes), tuple(self._changes[version:]))


# -- the registry as rows ---------------------------------------------------------------------------------------------


class RegistryRows:
    """Writes registry rows the short way, past the self-service API, and announces them as that does."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def change(self, statement: str, values: Mapping[str, Any], *keys: str) -> None:
        """Run a statement and announce the changed ``keys``, in one transaction."""
        async with self._database.transaction() as connection:
            await connection.execute(text(statement), dict(values))
            await feed.publish(connection, TOPIC, keys)

    async def prefix(self, prefix: str, owner: str = OWNER) -> None:
        """Give ``owner`` a prefix."""
        await self._insert(
            "prefix", {"prefix": prefix, "owner_orgno": owner}, f"organisation:{owner}", "ON CONFLICT DO NOTHING"
        )

    async def delegation_source(self, issuer: str) -> None:
        """Let scopes be delegated through ``issuer``."""
        await self._insert("delegation_source", {"issuer": issuer, "name": "altinn"}, "")

    async def scope(self, name: str = SCOPE, *, access: Sequence[str] = (ORGNO,), **columns: Any) -> None:
        """Make a scope (and its prefix), with access for the organisations in ``access``."""
        prefix, _, subscope = name.partition(":")
        await self.prefix(prefix)
        row = {"name": name, "prefix": prefix, "subscope": subscope, "description": name, **columns}
        await self._insert("scope", row, f"scope:{name}")
        for orgno in access:
            await self._insert(
                "scope_access", {"scope": name, "consumer_orgno": orgno, "state": "APPROVED"}, f"scope:{name}"
            )

    async def client(
        self,
        client_id: str = CLIENT_ID,
        *,
        scopes: Sequence[str] = (SCOPE,),
        keys: Sequence[LocalSigner] | None = None,
        **columns: Any,
    ) -> None:
        """Make a client with scopes and keys (key number 1 by default)."""
        row = {"client_id": client_id, "client_orgno": ORGNO, "integration_type": "maskinporten",
               "client_name": "Test", **columns}  # fmt: skip
        await self._insert("client", row, f"client:{client_id}")
        for scope in scopes:
            await self.change(
                "INSERT INTO selfservice.client_scope VALUES (:client_id, :scope)",
                {"client_id": client_id, "scope": scope},
                f"client:{client_id}",
            )
        for key in [key_number(1)] if keys is None else keys:
            await self.key(client_id, key)

    async def key(self, client_id: str, key: LocalSigner, **columns: Any) -> None:
        """Register a key, good for a day."""
        row = {"client_id": client_id, "kid": key.kid, "alg": key.alg, "jwk": "{}", "spki": key.public.to_der(),
               "expires": SECONDS + 86_400, **columns}  # fmt: skip
        await self._insert("client_key", row, f"client:{client_id}")

    async def deactivate_client(self, client_id: str = CLIENT_ID) -> None:
        """What DELETE on a client comes to."""
        await self.change(
            "UPDATE selfservice.client SET active = false WHERE client_id = :id", {"id": client_id},
            f"client:{client_id}",
        )  # fmt: skip

    async def delete_keys(self, client_id: str = CLIENT_ID) -> None:
        """Take all keys from a client."""
        await self.change(
            "DELETE FROM selfservice.client_key WHERE client_id = :id", {"id": client_id}, f"client:{client_id}"
        )

    async def deny_access(self, scope: str = SCOPE, orgno: str = ORGNO) -> None:
        """Withdraw an organisation's access."""
        await self.change(
            "UPDATE selfservice.scope_access SET state = 'DENIED' WHERE scope = :scope AND consumer_orgno = :orgno",
            {"scope": scope, "orgno": orgno}, f"scope:{scope}",
        )  # fmt: skip

    async def deactivate_scope(self, scope: str = SCOPE) -> None:
        """Take a scope out of use."""
        await self.change(
            "UPDATE selfservice.scope SET active = false WHERE name = :scope", {"scope": scope}, f"scope:{scope}"
        )

    async def _insert(self, table: str, row: Mapping[str, Any], key: str, conflict: str = "") -> None:
        row = {**row, "created": NOW, "last_updated": NOW}
        names, values = ", ".join(row), ", ".join(f":{name}" for name in row)
        await self.change(
            f"INSERT INTO selfservice.{table} ({names}) VALUES ({values}) {conflict}",  # noqa: S608 - tests' own names
            row,
            key,
        )
