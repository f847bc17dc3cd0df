"""Statements on clients' keys. Whoever changes keys holds the client's row (``clients.find(lock=True)``)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.maskinporten.selfservice.model import ClientKey
from fullmakt.maskinporten.selfservice.store import tables
from fullmakt.maskinporten.selfservice.store.rows import key_of

_k = tables.client_key


async def of_client(connection: AsyncConnection, client_id: str) -> list[ClientKey]:
    """The client's keys, the oldest first."""
    statement = select(_k).where(_k.c.client_id == client_id).order_by(_k.c.created, _k.c.kid)
    return [key_of(row) for row in (await connection.execute(statement)).mappings()]


async def put(connection: AsyncConnection, client_id: str, keys: Sequence[ClientKey]) -> None:
    """Add keys, or write those anew whose ``kid`` the client has already."""
    for key in keys:
        values = {
            "client_id": client_id,
            "kid": key.kid,
            "alg": key.alg,
            "jwk": dict(key.jwk),
            "x5c": list(key.x5c) if key.x5c is not None else None,
            "spki": key.spki,
            "certificate": key.certificate,
            "expires": key.expires,
            "created": key.created,
            "last_updated": key.last_updated,
        }
        statement = insert(_k).values(values)
        await connection.execute(statement.on_conflict_do_update(index_elements=["client_id", "kid"], set_=values))


async def remove_all_but(connection: AsyncConnection, client_id: str, kids: Sequence[str]) -> int:
    """Remove the client's keys other than these; returns how many went."""
    statement = delete(_k).where(_k.c.client_id == client_id, _k.c.kid.not_in(kids)).returning(_k.c.kid)
    return len((await connection.execute(statement)).all())


async def remove(connection: AsyncConnection, client_id: str, kid: str) -> bool:
    """Remove one key; False when the client has none by that name."""
    statement = delete(_k).where(_k.c.client_id == client_id, _k.c.kid == kid).returning(_k.c.kid)
    return (await connection.execute(statement)).first() is not None
