"""Giving organisations access to scopes (maskinporten.md §7.7, §8.3)."""

from __future__ import annotations

from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.maskinporten.selfservice.errors import NotFoundError
from fullmakt.maskinporten.selfservice.model import Caller, ScopeAccess
from fullmakt.maskinporten.selfservice.rules import permissions
from fullmakt.maskinporten.selfservice.rules.permissions import Right
from fullmakt.maskinporten.selfservice.service.scopes import existing
from fullmakt.maskinporten.selfservice.service.work import Work
from fullmakt.maskinporten.selfservice.store import scopes as store
from fullmakt.wire.maskinporten.selfservice import AccessState


class Accesses:
    """Use cases on accesses. Every one raises ``DeniedError`` when the caller may not."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def given(
        self, caller: Caller, *, scope: str | None, consumer: OrgNumber | None, inactive: bool = False
    ) -> list[ScopeAccess]:
        """The accesses that the caller has given, to one scope or one consumer when asked.

        Raises:
            NotFoundError: there is no scope by that name.
        """
        async with self._work.reading(caller.name, "access:list") as connection:
            permissions.require(caller, Right.READ_SCOPES)
            if scope is not None:
                permissions.require_scope_owner(caller, await existing(connection, scope))
            return await store.accesses_given(
                connection, caller.orgno, scope=scope, consumer=consumer, inactive=inactive
            )

    async def held(self, caller: Caller, *, inactive: bool = False) -> list[ScopeAccess]:
        """The accesses that the caller has been given."""
        async with self._work.reading(caller.name, "access:list-own") as connection:
            permissions.require(caller, Right.READ_SCOPES)
            return await store.accesses_held(connection, caller.orgno, inactive=inactive)

    async def held_by(self, caller: Caller, consumer: OrgNumber, *, include_open: bool = False) -> list[ScopeAccess]:
        """The APPROVED accesses of another organisation, and what is open to everybody when asked for (§8.3)."""
        async with self._work.reading(caller.name, "access:list-other", consumer) as connection:
            permissions.require(caller, Right.LOOK_INTO_OTHERS)
            held = await store.accesses_held(connection, consumer, inactive=False)
            approved = {access.scope: access for access in held if access.state == "APPROVED"}
            for scope in await store.open_scopes(connection) if include_open else ():
                opened = ScopeAccess(
                    scope.name, scope.owner_orgno, consumer, "APPROVED", scope.created, scope.last_updated
                )
                approved.setdefault(scope.name, opened)
            return sorted(approved.values(), key=lambda access: access.scope)

    async def approve(self, caller: Caller, scope: str, consumer: OrgNumber) -> ScopeAccess:
        """Give a consumer access to one of the caller's scopes; giving it twice is giving it once.

        Raises:
            NotFoundError: there is no scope by that name.
        """
        return await self._set(caller, "access:approve", scope, consumer, "APPROVED")

    async def deny(self, caller: Caller, scope: str, consumer: OrgNumber) -> ScopeAccess:
        """Take a consumer's access to one of the caller's scopes.

        Raises:
            NotFoundError: there is no scope by that name, or the consumer never had access to it.
        """
        return await self._set(caller, "access:deny", scope, consumer, "DENIED")

    async def _set(
        self, caller: Caller, action: str, scope: str, consumer: OrgNumber, state: AccessState
    ) -> ScopeAccess:
        async with self._work.changing(caller.name, action, consumer) as change:
            permissions.require(caller, Right.CHANGE_SCOPES)
            permissions.require_scope_owner(caller, await existing(change.connection, scope))
            if state == "DENIED" and await store.find_access(change.connection, scope, consumer) is None:
                raise NotFoundError(f"{consumer} has never had access to the scope")
            if await store.set_access(change.connection, scope, consumer, state, change.now):
                change.done(f"scope:{scope}", scope=scope)
            access = await store.find_access(change.connection, scope, consumer)
            assert access is not None  # noqa: S101 - written above, in this transaction
            return access
