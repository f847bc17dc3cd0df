"""Scopes, accesses, prefixes and look-ups (maskinporten.md §7.7)."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.kernel.identifiers import InvalidIdentifierError, ScopeName
from fullmakt.maskinporten.selfservice.errors import ConflictError, InvalidError, NotFoundError
from fullmakt.maskinporten.selfservice.model import Caller, DelegationSource, Scope, ScopePrefix
from fullmakt.maskinporten.selfservice.rules import permissions
from fullmakt.maskinporten.selfservice.rules import scopes as rules
from fullmakt.maskinporten.selfservice.rules.permissions import Right
from fullmakt.maskinporten.selfservice.service.work import Work
from fullmakt.maskinporten.selfservice.store import scopes as store
from fullmakt.wire.maskinporten.selfservice import ScopeBody


async def existing(connection: AsyncConnection, name: str, *, lock: bool = False) -> Scope:
    """The scope by that name.

    Raises:
        NotFoundError: there is none.
    """
    try:
        found = await store.find(connection, ScopeName(name), lock=lock)
    except InvalidIdentifierError:
        found = None
    if found is None:
        raise NotFoundError("There is no such scope")
    return found


async def issuers(connection: AsyncConnection) -> set[str]:
    """The issuers of all delegation sources."""
    return {source.issuer for source in await store.delegation_sources(connection)}


class Scopes:
    """Use cases on scopes and prefixes. Those with a caller raise ``DeniedError`` when it may not."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def of(self, caller: Caller, *, inactive: bool = False) -> list[Scope]:
        """The caller's own scopes."""
        async with self._work.reading(caller.name, "scope:list") as connection:
            permissions.require(caller, Right.READ_SCOPES)
            return await store.of_owner(connection, caller.orgno, inactive=inactive)

    async def get(self, caller: Caller, name: str) -> Scope:
        """One of the caller's scopes.

        Raises:
            NotFoundError: there is none by that name.
        """
        async with self._work.reading(caller.name, "scope:read") as connection:
            permissions.require(caller, Right.READ_SCOPES)
            scope = await existing(connection, name)
            permissions.require_scope_owner(caller, scope)
            return scope

    async def create(self, caller: Caller, body: ScopeBody) -> Scope:
        """Make a scope under one of the caller's prefixes.

        Raises:
            InvalidError: the body breaks a rule, or there is no such prefix.
            ConflictError: there is a scope by that name, perhaps a deactivated one.
        """
        name = rules.name_of(body)
        async with self._work.changing(caller.name, "scope:create", name) as change:
            permissions.require(caller, Right.CHANGE_SCOPES)
            prefix = await store.find_prefix(change.connection, name.prefix)
            if prefix is None or not prefix.active:
                raise InvalidError.field(rules.OBJECT, "prefix", f"There is no active prefix {name.prefix}")
            permissions.require_prefix_owner(caller, prefix)
            attributes = rules.attributes_of(body, await issuers(change.connection))
            scope = Scope(name, prefix.owner_orgno, attributes, change.now, change.now)
            if not await store.add(change.connection, scope):
                raise ConflictError(f"The scope {name} exists already", rules.OBJECT, "name")
            change.done(f"scope:{name}")
            return scope

    async def replace(self, caller: Caller, name: str, body: ScopeBody) -> Scope:
        """Give a scope new attributes in place of all that it had; ``active`` wakes a deactivated one.

        Raises:
            NotFoundError: there is none by that name.
            InvalidError: the body breaks a rule, or names another prefix or subscope.
        """
        async with self._work.changing(caller.name, "scope:update", _told(name)) as change:
            permissions.require(caller, Right.CHANGE_SCOPES)
            before = await existing(change.connection, name, lock=True)
            permissions.require_scope_owner(caller, before)
            rules.require_same_name(body, before)
            attributes = rules.attributes_of(body, await issuers(change.connection), before.attributes)
            scope = replace(before, attributes=attributes, last_updated=change.now)
            await store.replace(change.connection, scope)
            change.done(f"scope:{name}", active=attributes.active)
            return scope

    async def deactivate(self, caller: Caller, name: str) -> Scope:
        """Put a scope to rest: no new token for it. Accesses to it stay.

        Raises:
            NotFoundError: there is none by that name.
        """
        async with self._work.changing(caller.name, "scope:delete", _told(name)) as change:
            permissions.require(caller, Right.CHANGE_SCOPES)
            scope = await existing(change.connection, name, lock=True)
            permissions.require_scope_owner(caller, scope)
            if scope.attributes.active:
                attributes = replace(scope.attributes, active=False)
                scope = replace(scope, attributes=attributes, last_updated=change.now)
                await store.replace(change.connection, scope)
                change.done(f"scope:{name}")
            return scope

    async def prefixes(self, caller: Caller) -> list[ScopePrefix]:
        """The caller's prefixes."""
        async with self._work.reading(caller.name, "prefix:list") as connection:
            permissions.require(caller, Right.READ_SCOPES)
            return await store.prefixes(connection, owner=caller.orgno, inactive=False)

    async def everyones_prefixes(self, *, inactive: bool = False) -> list[ScopePrefix]:
        """Every prefix there is: public."""
        async with self._work.reading("", "prefix:list-all") as connection:
            return await store.prefixes(connection, owner=None, inactive=inactive)

    async def public(
        self,
        *,
        prefix: str | None = None,
        inactive: bool = False,
        delegated_sources: bool | None = None,
        accessible_for_all: bool | None = None,
        integration_type: str | None = None,
    ) -> list[Scope]:
        """The scopes that everybody may see, by what is asked for; None asks for nothing."""
        if prefix is not None and not rules.is_prefix(prefix):
            return []
        async with self._work.reading("", "scope:list-all") as connection:
            return await store.public(
                connection,
                prefix=prefix,
                inactive=inactive,
                delegated_sources=delegated_sources,
                accessible_for_all=accessible_for_all,
                integration_type=integration_type,
            )

    async def delegation_sources(self) -> list[DelegationSource]:
        """The systems in which scopes can be delegated: public."""
        async with self._work.reading("", "delegation-source:list") as connection:
            return await store.delegation_sources(connection)


def _told(name: str) -> str:
    """The name as the audit trail can hold it: one that no scope can have is not repeated."""
    try:
        return ScopeName(name)
    except InvalidIdentifierError:
        return ""
