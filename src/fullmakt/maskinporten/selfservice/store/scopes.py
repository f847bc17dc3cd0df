"""Statements on prefixes, scopes, accesses and delegation sources."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, and_, func, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.maskinporten.selfservice.model import DelegationSource, Scope, ScopeAccess, ScopePrefix
from fullmakt.maskinporten.selfservice.store import tables
from fullmakt.maskinporten.selfservice.store.rows import access_of, columns_of, prefix_of, scope_of
from fullmakt.wire.maskinporten.selfservice import AccessState

_s, _p, _a, _d = tables.scope, tables.prefix, tables.scope_access, tables.delegation_source


def _scopes() -> Select[Any]:
    return select(_s, _p.c.owner_orgno).join(_p, _p.c.prefix == _s.c.prefix).order_by(_s.c.name)


async def _read_scopes(connection: AsyncConnection, statement: Select[Any]) -> list[Scope]:
    return [scope_of(row) for row in (await connection.execute(statement)).mappings()]


async def find(connection: AsyncConnection, name: str, *, lock: bool = False) -> Scope | None:
    """The scope; with ``lock`` nobody else changes it before this transaction ends."""
    statement = _scopes().where(_s.c.name == name)
    found = await _read_scopes(connection, statement.with_for_update(of=_s) if lock else statement)
    return found[0] if found else None


async def of_owner(connection: AsyncConnection, owner: str, *, inactive: bool) -> list[Scope]:
    """The organisation's own scopes."""
    statement = _scopes().where(_p.c.owner_orgno == owner)
    return await _read_scopes(connection, statement if inactive else statement.where(_s.c.active))


async def everyones(connection: AsyncConnection) -> list[Scope]:
    """Every scope there is, for the operator."""
    return await _read_scopes(connection, _scopes())


async def public(
    connection: AsyncConnection,
    *,
    prefix: str | None,
    inactive: bool,
    delegated_sources: bool | None,
    accessible_for_all: bool | None,
    integration_type: str | None,
) -> list[Scope]:
    """The scopes that everybody may see, by what is asked for; None asks for nothing."""
    where = [_s.c.visibility == "PUBLIC"]
    if prefix is not None:
        where.append(_s.c.prefix == prefix)
    if not inactive:
        where.append(_s.c.active)
    if delegated_sources is not None:
        where.append(_s.c.delegation_source.is_not(None) if delegated_sources else _s.c.delegation_source.is_(None))
    if accessible_for_all is not None:
        where.append(_s.c.accessible_for_all == accessible_for_all)
    if integration_type is not None:
        types = _s.c.allowed_integration_types
        where.append(or_(func.cardinality(types) == 0, types.contains([integration_type])))
    return await _read_scopes(connection, _scopes().where(and_(*where)))


async def add(connection: AsyncConnection, scope: Scope) -> bool:
    """Store a new scope; False when its name is taken."""
    values = {
        "name": scope.name,
        "prefix": scope.name.prefix,
        "subscope": scope.name.subscope,
        "created": scope.created,
        "last_updated": scope.last_updated,
        **columns_of(scope.attributes),
    }
    statement = insert(_s).values(values).on_conflict_do_nothing().returning(_s.c.name)
    return (await connection.execute(statement)).first() is not None


async def replace(connection: AsyncConnection, scope: Scope) -> None:
    """Write the scope's attributes."""
    values = {**columns_of(scope.attributes), "last_updated": scope.last_updated}
    await connection.execute(update(_s).where(_s.c.name == scope.name).values(values))


def _accesses() -> Select[Any]:
    return (
        select(_a, _p.c.owner_orgno)
        .join(_s, _s.c.name == _a.c.scope)
        .join(_p, _p.c.prefix == _s.c.prefix)
        .order_by(_a.c.scope, _a.c.consumer_orgno)
    )


async def _read_accesses(connection: AsyncConnection, statement: Select[Any]) -> list[ScopeAccess]:
    return [access_of(row) for row in (await connection.execute(statement)).mappings()]


async def find_access(connection: AsyncConnection, scope: str, consumer: str) -> ScopeAccess | None:
    """The consumer's access to the scope, whatever its state."""
    found = await _read_accesses(connection, _accesses().where(_a.c.scope == scope, _a.c.consumer_orgno == consumer))
    return found[0] if found else None


async def accesses_given(
    connection: AsyncConnection, owner: str, *, scope: str | None, consumer: str | None, inactive: bool
) -> list[ScopeAccess]:
    """The accesses that the organisation has given, those to deactivated scopes when ``inactive``."""
    statement = _accesses().where(_p.c.owner_orgno == owner)
    if scope is not None:
        statement = statement.where(_a.c.scope == scope)
    if consumer is not None:
        statement = statement.where(_a.c.consumer_orgno == consumer)
    return await _read_accesses(connection, statement if inactive else statement.where(_s.c.active))


async def accesses_held(connection: AsyncConnection, consumer: str, *, inactive: bool) -> list[ScopeAccess]:
    """The accesses that the organisation has been given, those to deactivated scopes when ``inactive``."""
    statement = _accesses().where(_a.c.consumer_orgno == consumer)
    return await _read_accesses(connection, statement if inactive else statement.where(_s.c.active))


async def open_scopes(connection: AsyncConnection) -> list[Scope]:
    """The active public scopes that everybody has access to."""
    return await public(
        connection, prefix=None, inactive=False, delegated_sources=None, accessible_for_all=True, integration_type=None
    )


async def everyones_accesses(
    connection: AsyncConnection, named: Collection[tuple[str, str]] | None = None
) -> list[ScopeAccess]:
    """Every access there is (or those ``named`` by scope and consumer), for the operator."""
    statement = _accesses()
    if named is not None:
        statement = statement.where(tuple_(_a.c.scope, _a.c.consumer_orgno).in_(list(named)))
    return await _read_accesses(connection, statement)


async def set_access(
    connection: AsyncConnection, scope: str, consumer: str, state: AccessState, now: dt.datetime
) -> bool:
    """Give the access this state; False when it has it already. Two at once end as one of them wanted."""
    values = {"scope": scope, "consumer_orgno": consumer, "state": state, "created": now, "last_updated": now}
    statement = (
        insert(_a)
        .values(values)
        .on_conflict_do_update(
            index_elements=["scope", "consumer_orgno"],
            set_={"state": state, "last_updated": now},
            where=_a.c.state != state,
        )
        .returning(_a.c.scope)
    )
    return (await connection.execute(statement)).first() is not None


async def find_prefix(connection: AsyncConnection, prefix: str, *, lock: bool = False) -> ScopePrefix | None:
    """The prefix."""
    statement = select(_p).where(_p.c.prefix == prefix)
    row = (await connection.execute(statement.with_for_update() if lock else statement)).mappings().first()
    return prefix_of(row) if row is not None else None


async def prefixes(connection: AsyncConnection, *, owner: str | None, inactive: bool) -> list[ScopePrefix]:
    """The organisation's prefixes, or everybody's when ``owner`` is None."""
    statement = select(_p).order_by(_p.c.prefix)
    if owner is not None:
        statement = statement.where(_p.c.owner_orgno == owner)
    if not inactive:
        statement = statement.where(_p.c.active)
    return [prefix_of(row) for row in (await connection.execute(statement)).mappings()]


async def put_prefix(connection: AsyncConnection, prefix: ScopePrefix) -> None:
    """Add a prefix, or write it anew."""
    values = {
        "prefix": prefix.prefix,
        "owner_orgno": prefix.owner_orgno,
        "active": prefix.active,
        "created": prefix.created,
        "last_updated": prefix.last_updated,
    }
    statement = insert(_p).values(values)
    changed = {name: values[name] for name in ("owner_orgno", "active", "last_updated")}
    await connection.execute(statement.on_conflict_do_update(index_elements=["prefix"], set_=changed))


async def delegation_sources(connection: AsyncConnection) -> list[DelegationSource]:
    """Every delegation source."""
    rows = (await connection.execute(select(_d).order_by(_d.c.name, _d.c.issuer))).mappings()
    return [DelegationSource(row["issuer"], row["name"], row["created"], row["last_updated"]) for row in rows]


async def put_delegation_source(connection: AsyncConnection, source: DelegationSource) -> None:
    """Add a delegation source, or write its name anew."""
    values = {
        "issuer": source.issuer,
        "name": source.name,
        "created": source.created,
        "last_updated": source.last_updated,
    }
    statement = insert(_d).values(values)
    changed = {"name": source.name, "last_updated": source.last_updated}
    await connection.execute(statement.on_conflict_do_update(index_elements=["issuer"], set_=changed))
