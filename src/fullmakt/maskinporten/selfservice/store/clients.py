"""Statements on clients, their scopes and their on-behalf-of registrations."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.maskinporten.selfservice.model import Client, OnBehalfOf, ScopeStanding
from fullmakt.maskinporten.selfservice.store import tables
from fullmakt.maskinporten.selfservice.store.rows import client_of, columns_of, onbehalfof_of

_c, _cs, _ck, _obo = tables.client, tables.client_scope, tables.client_key, tables.onbehalfof

_FORGET_SCOPES = text("DELETE FROM selfservice.client_scope WHERE client_id = :client_id AND NOT scope = ANY(:scopes)")
_ADD_SCOPES = text(
    "INSERT INTO selfservice.client_scope (client_id, scope) SELECT :client_id, unnest(CAST(:scopes AS text[]))"
    " ON CONFLICT DO NOTHING"
)
_STANDINGS = text(
    "SELECT s.name, s.active, o.owner_orgno, COALESCE(a.state = 'APPROVED', false) AS approved, s.accessible_for_all,"
    " s.delegation_source, s.allowed_integration_types"
    " FROM selfservice.scope s JOIN selfservice.prefix o USING (prefix)"
    " LEFT JOIN selfservice.scope_access a ON a.scope = s.name AND a.consumer_orgno = :orgno"
    " WHERE s.name = ANY(:names)"
)


def _clients() -> Select[Any]:
    scopes = (
        select(func.coalesce(func.array_agg(_cs.c.scope), text("'{}'::text[]")))
        .where(_cs.c.client_id == _c.c.client_id)
        .scalar_subquery()
    )
    has_keys = exists().where(_ck.c.client_id == _c.c.client_id)
    return select(_c, scopes.label("scopes"), has_keys.label("has_keys"))


async def _read(connection: AsyncConnection, statement: Select[Any]) -> list[Client]:
    rows = (await connection.execute(statement)).mappings().all()
    acting: defaultdict[str, list[OnBehalfOf]] = defaultdict(list)
    others = select(_obo).where(_obo.c.client_id.in_([row["client_id"] for row in rows])).order_by(_obo.c.value)
    for row in (await connection.execute(others)).mappings() if rows else ():
        acting[row["client_id"]].append(onbehalfof_of(row))
    return [client_of(row, tuple(acting[row["client_id"]])) for row in rows]


async def find(connection: AsyncConnection, client_id: str, *, lock: bool = False) -> Client | None:
    """The client; with ``lock`` nobody else changes it, its scopes or its keys before this transaction ends."""
    if lock:
        await connection.execute(select(_c.c.client_id).where(_c.c.client_id == client_id).with_for_update())
    found = await _read(connection, _clients().where(_c.c.client_id == client_id))
    return found[0] if found else None


async def of_organisation(
    connection: AsyncConnection,
    orgno: str,
    *,
    as_supplier: bool,
    inactive: bool,
    integration_type: str | None = None,
    client_orgno: str | None = None,
) -> list[Client]:
    """The organisation's own clients, and those that it administers when ``as_supplier``, by when they were made."""
    owned: ColumnElement[bool] = _c.c.client_orgno == orgno
    where = [or_(owned, _c.c.supplier_orgno == orgno) if as_supplier else owned]
    if not inactive:
        where.append(_c.c.active)
    if integration_type is not None:
        where.append(_c.c.integration_type == integration_type)
    if client_orgno is not None:
        where.append(_c.c.client_orgno == client_orgno)
    return await _read(connection, _clients().where(and_(*where)).order_by(_c.c.created, _c.c.client_id))


async def made_by(connection: AsyncConnection, client_id: str) -> list[Client]:
    """The active clients that this administrator made through the Altinn admin endpoints."""
    mine = and_(_c.c.made_by_altinn, _c.c.created_by_client_id == client_id, _c.c.active)
    return await _read(connection, _clients().where(mine).order_by(_c.c.created, _c.c.client_id))


async def everyone(connection: AsyncConnection, client_ids: Collection[str] | None = None) -> list[Client]:
    """Every client there is (or those of ``client_ids``), for the operator."""
    statement = _clients().order_by(_c.c.client_id)
    return await _read(
        connection, statement if client_ids is None else statement.where(_c.c.client_id.in_(list(client_ids)))
    )


async def add(connection: AsyncConnection, client: Client) -> bool:
    """Store a new client with its scopes; False when its id is taken, by whomever and however long ago."""
    values = {
        "client_id": client.client_id,
        "client_orgno": client.client_orgno,
        "supplier_orgno": client.supplier_orgno,
        "integration_type": client.integration_type,
        "made_by_altinn": client.made_by_altinn,
        "created_by_client_id": client.created_by_client_id,
        "created": client.created,
        "last_updated": client.last_updated,
        **columns_of(client.attributes),
    }
    statement = upsert(_c).values(values).on_conflict_do_nothing().returning(_c.c.client_id)
    if (await connection.execute(statement)).first() is None:
        return False
    await _set_scopes(connection, client)
    return True


async def replace(connection: AsyncConnection, client: Client) -> None:
    """Write the client's attributes and scopes; a secret goes when the client no longer authenticates with one."""
    values: dict[str, Any] = {**columns_of(client.attributes), "last_updated": client.last_updated}
    if not client.attributes.has_secret:
        values |= {"secret_sha256": None, "secret_expires": None}
    await connection.execute(update(_c).where(_c.c.client_id == client.client_id).values(values))
    await _set_scopes(connection, client)


async def _set_scopes(connection: AsyncConnection, client: Client) -> None:
    values = {"client_id": client.client_id, "scopes": list(client.scopes)}
    await connection.execute(_FORGET_SCOPES, values)
    await connection.execute(_ADD_SCOPES, values)


async def set_secret(connection: AsyncConnection, client_id: str, sha256: bytes, expires: dt.datetime) -> None:
    """Store the hash of a client's new secret; the old one is gone."""
    secret = {"secret_sha256": sha256, "secret_expires": expires}
    await connection.execute(update(_c).where(_c.c.client_id == client_id).values(secret))


async def standings(connection: AsyncConnection, names: Sequence[str], orgno: str) -> dict[str, ScopeStanding]:
    """How these scopes stand to an organisation; those that do not exist are left out."""
    rows = (await connection.execute(_STANDINGS, {"names": list(names), "orgno": orgno})).mappings()
    return {
        row["name"]: ScopeStanding(**{**row, "allowed_integration_types": tuple(row["allowed_integration_types"])})
        for row in rows
    }


async def add_onbehalfof(connection: AsyncConnection, client_id: str, entry: OnBehalfOf) -> bool:
    """Store a new registration; False when the client has one by that value."""
    values = {"client_id": client_id, **asdict(entry)}
    statement = upsert(_obo).values(values).on_conflict_do_nothing().returning(_obo.c.value)
    return (await connection.execute(statement)).first() is not None


async def replace_onbehalfof(connection: AsyncConnection, client_id: str, entry: OnBehalfOf) -> None:
    """Write a registration anew."""
    where = and_(_obo.c.client_id == client_id, _obo.c.value == entry.value)
    await connection.execute(update(_obo).where(where).values(asdict(entry)))


async def remove_onbehalfof(connection: AsyncConnection, client_id: str, value: str) -> None:
    """Remove a registration."""
    await connection.execute(_obo.delete().where(and_(_obo.c.client_id == client_id, _obo.c.value == value)))
