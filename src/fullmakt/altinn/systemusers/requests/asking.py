"""What a vendor does with requests: make them, look at them, take them back (altinn-authentication.md §8.1, §8.2)."""

from __future__ import annotations

from uuid import UUID

from fullmakt.altinn.systemusers import errors
from fullmakt.altinn.systemusers.model import System
from fullmakt.altinn.systemusers.ports import Neighbours
from fullmakt.altinn.systemusers.register import store as register
from fullmakt.altinn.systemusers.requests import rules, store
from fullmakt.altinn.systemusers.requests.model import Key, RequestStatus, SystemUserRequest, Wish
from fullmakt.altinn.systemusers.users import store as users
from fullmakt.altinn.systemusers.work import Change, Work, concerned
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn.problems import AltinnProblemError
from fullmakt.wire.altinn.systemusers import UserType

PAGE_SIZE = 50


def raise_if(problem: AltinnProblemError | None) -> None:
    """Raises:
    AltinnProblemError: there is one.
    """
    if problem is not None:
        raise problem


class Asking:
    """A vendor's requests. Whoever asks again for the same has asked once."""

    def __init__(self, work: Work, neighbours: Neighbours) -> None:
        self._work = work
        self._neighbours = neighbours

    async def ask(self, wish: Wish, vendor: OrgNumber, actor: str) -> tuple[SystemUserRequest, bool]:
        """The request, and whether it is new.

        Raises:
            AltinnProblemError: AUTH-00004, or one of those in §8.1's list, the first that applies.
        """
        key = wish.key
        async with self._work.database.transaction() as connection:
            system = owned(await register.find(connection, key.system_id), vendor)
            if await users.live(connection, key.system_id, key.party, key.external_ref) is not None:
                raise AltinnProblemError(errors.SYSTEM_USER_EXISTS)
            known = await store.current(connection, key)
        if known is not None and not rules.timed_out(known.created, self._work.clock()):
            return known, False
        if system.deleted:
            raise AltinnProblemError(errors.SYSTEM_NOT_FOUND)
        raise_if(rules.earlier(known) if known is not None else None)
        await self._check(wish, system)
        return await self._keep(wish, actor)

    async def _check(self, wish: Wish, system: System) -> None:
        if await self._neighbours.organisation(wish.key.party) is None:
            raise AltinnProblemError(errors.UNKNOWN_ORGANISATION)
        rights, packages = wish.rights or (), wish.packages or ()
        raise_if(rules.redirect_fault(wish.redirect_url, system))
        raise_if(rules.nothing_asked(wish))
        raise_if(rules.beyond_system(rights, packages, system))
        await check_delegable(self._neighbours, rules.resources(rights))
        raise_if(rules.not_for(wish.key.kind, packages, self._neighbours.packages))

    async def _keep(self, wish: Wish, actor: str) -> tuple[SystemUserRequest, bool]:
        async with self._work.changing() as change:
            system = await held_system(change, wish.key.system_id)
            raise_if(rules.redirect_fault(wish.redirect_url, system))
            raise_if(rules.beyond_system(wish.rights or (), wish.packages or (), system))
            request = SystemUserRequest(
                request_id=change.fresh_id(),
                key=wish.key,
                integration_title=wish.integration_title or system.name.get("nb", system.id),
                rights=wish.rights or (),
                packages=wish.packages or (),
                redirect_url=wish.redirect_url,
                status=RequestStatus.NEW,
                created=change.now,
            )
            old = await store.current(change.connection, wish.key)
            if old is not None and rules.timed_out(old.created, change.now):
                await store.release(change.connection, old.request_id, change.now)
            if await store.insert(change.connection, request):
                tell(change, actor, "system-user-request:create", request, system)
                return request, True
            known = await store.current(change.connection, wish.key)
            if known is None:  # it was made, and taken back, at the very moment
                raise AltinnProblemError(errors.REQUEST_NOT_STORED)
            return known, False

    async def get(self, request_id: UUID, kind: UserType, vendor: OrgNumber) -> SystemUserRequest:
        """A request of the vendor's.

        Raises:
            AltinnProblemError: AUTH-00010 (agents: 30), there is none; AUTH-00011, it is another vendor's.
        """
        async with self._work.database.transaction() as connection:
            request = of_kind(await store.get(connection, request_id), kind)
            owned(await register.find(connection, request.key.system_id), vendor)
        return self._as_of_now(request)

    async def by_reference(self, key: Key, vendor: OrgNumber) -> SystemUserRequest:
        """The last request made with the key.

        Raises:
            AltinnProblemError: AUTH-00011, the system is not the vendor's; AUTH-00010 (agents: 30), there is none.
        """
        async with self._work.database.transaction() as connection:
            owned(await register.find(connection, key.system_id), vendor)
            return self._as_of_now(of_kind(await store.newest(connection, key), key.kind))

    async def of_system(self, system_id: str, kind: UserType, vendor: OrgNumber, after: int) -> list[SystemUserRequest]:
        """A page of the requests for a system of the vendor's, after the one with that number, and the one after it.

        Raises:
            AltinnProblemError: AUTH-00011, there is no such system, or it is another vendor's.
        """
        async with self._work.database.transaction() as connection:
            owned(await register.find(connection, system_id), vendor)
            found = await store.of_system(connection, system_id, kind, after, PAGE_SIZE + 1)
        return [self._as_of_now(request) for request in found]

    async def delete(self, request_id: UUID, vendor: OrgNumber, actor: str) -> None:
        """Take a request back, however it stands; a system user that came of it stays.

        Raises:
            AltinnProblemError: AUTH-00010, there is none; AUTH-00011, it is another vendor's.
        """
        async with self._work.changing() as change:
            request = await store.get(change.connection, request_id, lock=True)
            if request is None:
                raise AltinnProblemError(errors.REQUEST_NOT_FOUND)
            system = owned(await register.find(change.connection, request.key.system_id), vendor)
            await store.delete(change.connection, request_id, change.now)
            tell(change, actor, "system-user-request:delete", request, system)

    def _as_of_now(self, request: SystemUserRequest) -> SystemUserRequest:
        return rules.as_of(request, self._work.clock())


def owned(system: System | None, vendor: OrgNumber) -> System:
    """The system, if it is the vendor's.

    Raises:
        AltinnProblemError: AUTH-00011, it is another's, or there is none.
    """
    if system is None or system.vendor != vendor:
        raise AltinnProblemError(errors.SYSTEM_NOT_FOUND)
    return system


async def held_system(change: Change, system_id: str) -> System:
    """The system, which stays as it is until the transaction ends.

    Raises:
        AltinnProblemError: AUTH-00011, it is not there, or deleted.
    """
    system = await register.hold(change.connection, system_id)
    if system is None or system.deleted:
        raise AltinnProblemError(errors.SYSTEM_NOT_FOUND)
    return system


async def check_delegable(neighbours: Neighbours, identifiers: list[str]) -> None:
    """Raises:
    AltinnProblemError: AUTH-00001, one of the resources is not there, or is never delegated.
    """
    if identifiers:
        raise_if(rules.not_delegable(identifiers, await neighbours.resources.resources(identifiers)))


def of_kind(request: SystemUserRequest | None, kind: UserType) -> SystemUserRequest:
    """The request, if it is of that kind.

    Raises:
        AltinnProblemError: AUTH-00010, or AUTH-00030 of an agent's.
    """
    if request is None or request.key.kind is not kind:
        raise AltinnProblemError(errors.AGENT_REQUEST_NOT_FOUND if kind is UserType.AGENT else errors.REQUEST_NOT_FOUND)
    return request


def tell(change: Change, actor: str, action: str, request: SystemUserRequest, system: System) -> None:
    """Say what has become of a request; Maskinporten tells its system's clients whether it has been answered."""
    key = request.key
    facts = {"system": key.system_id, "party": str(key.party), "external_ref": key.external_ref}
    subject = f"request:{request.request_id}"
    change.tell(actor, action, subject, subject, *concerned(system), **facts)
