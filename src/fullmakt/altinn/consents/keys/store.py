"""The table ``consents.api_key``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.altinn.consents.keys.model import ApiKey
from fullmakt.altinn.consents.srr.domains import parse_pattern
from fullmakt.kernel.identifiers import OrgNumber

_SELECT = (
    "SELECT key_id, name, secret_hash, organisation, domains, service_owner, created, revoked FROM consents.api_key"
)
_BY_HASH = text(f"{_SELECT} WHERE secret_hash = :secret_hash")
_LIVE = text(f"{_SELECT} WHERE name = :name AND revoked IS NULL FOR UPDATE")
_LISTED = text(
    f"{_SELECT} WHERE revoked IS NULL AND (CAST(:names AS text[]) IS NULL OR name = ANY(CAST(:names AS text[])))"
    " ORDER BY name"
)
_OF_ORGANISATION = text(f"{_SELECT} WHERE revoked IS NULL AND organisation = :organisation ORDER BY name")
_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('consents.api_key'))")
_INSERT = text(
    "INSERT INTO consents.api_key"
    " (key_id, name, secret_hash, organisation, domains, service_owner, created, changed) VALUES"
    " (:key_id, :name, :secret_hash, :organisation, CAST(:domains AS text[]), :service_owner, :now, :now)"
)
_UPDATE = text(
    "UPDATE consents.api_key SET organisation = :organisation, domains = CAST(:domains AS text[]),"
    " service_owner = :service_owner, changed = :now WHERE key_id = :key_id"
)
_REVOKE = text("UPDATE consents.api_key SET revoked = :now, changed = :now WHERE key_id = :key_id")


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key with what is kept of its secret."""

    key: ApiKey
    secret_hash: bytes
    revoked: bool


async def take_turns(connection: AsyncConnection) -> None:
    """Let nobody else declare keys until the transaction ends."""
    await connection.execute(_LOCK)


async def by_hash(connection: AsyncConnection, secret_hash: bytes) -> StoredKey | None:
    """The key with this secret, withdrawn or not."""
    row = (await connection.execute(_BY_HASH, {"secret_hash": secret_hash})).mappings().first()
    return _stored(row) if row else None


async def live(connection: AsyncConnection, name: str) -> StoredKey | None:
    """The key of that name, held still until the transaction ends."""
    row = (await connection.execute(_LIVE, {"name": name})).mappings().first()
    return _stored(row) if row else None


async def listed(connection: AsyncConnection, names: Collection[str] | None) -> list[ApiKey]:
    """Keys that have not been withdrawn, by name."""
    wanted = None if names is None else list(names)
    return [_stored(row).key for row in (await connection.execute(_LISTED, {"names": wanted})).mappings()]


async def of_organisation(connection: AsyncConnection, organisation: str) -> list[ApiKey]:
    """An organisation's keys that have not been withdrawn, by name."""
    rows = await connection.execute(_OF_ORGANISATION, {"organisation": organisation})
    return [_stored(row).key for row in rows.mappings()]


async def insert(connection: AsyncConnection, key: ApiKey, secret_hash: bytes) -> None:
    """Keep a new key."""
    await connection.execute(_INSERT, {**_values(key), "secret_hash": secret_hash, "now": key.created})


async def update(connection: AsyncConnection, key: ApiKey, now: dt.datetime) -> None:
    """Keep what is declared anew of a key."""
    await connection.execute(_UPDATE, {**_values(key), "now": now})


async def revoke(connection: AsyncConnection, key_id: UUID, now: dt.datetime) -> None:
    """Withdraw a key."""
    await connection.execute(_REVOKE, {"key_id": key_id, "now": now})


def _values(key: ApiKey) -> dict[str, object]:
    return {
        "key_id": key.key_id,
        "name": key.name,
        "organisation": str(key.organisation),
        "domains": [str(one) for one in key.domains],
        "service_owner": key.service_owner,
    }


def _stored(row: RowMapping) -> StoredKey:
    key = ApiKey(
        row["key_id"],
        row["name"],
        OrgNumber(row["organisation"]),
        tuple(map(parse_pattern, row["domains"])),
        row["service_owner"],
        row["created"],
    )
    return StoredKey(key, bytes(row["secret_hash"]), row["revoked"] is not None)
