"""Requests that a system user be given other rights (altinn-authentication.md §9)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from fullmakt.altinn.systemusers import access, errors
from fullmakt.altinn.systemusers.model import System
from fullmakt.altinn.systemusers.ports import Neighbours
from fullmakt.altinn.systemusers.register import store as register
from fullmakt.altinn.systemusers.requests import change_store as store
from fullmakt.altinn.systemusers.requests import rules
from fullmakt.altinn.systemusers.requests.asking import PAGE_SIZE, check_delegable, held_system, owned, raise_if
from fullmakt.altinn.systemusers.requests.model import Alteration, ChangeRequest, RequestStatus
from fullmakt.altinn.systemusers.users import store as users
from fullmakt.altinn.systemusers.users.model import SystemUser
from fullmakt.altinn.systemusers.work import Change, Work
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.delegations import GivenKind, Giving, GivingRefusedError
from fullmakt.wire.altinn.parties import PartyIdentity
from fullmakt.wire.altinn.problems import AltinnProblemError
from fullmakt.wire.altinn.systemusers import UserType


@dataclass(frozen=True, slots=True)
class ShownChange:
    """A change request with the system user that it is about."""

    change: ChangeRequest
    user: SystemUser


class Changing:
    """Change requests, from both sides. Of answers that race, the first one stands."""

    def __init__(self, work: Work, neighbours: Neighbours) -> None:
        self._work = work
        self._neighbours = neighbours

    # -- the vendor's side --------------------------------------------------------------------------------------------

    async def ask(
        self,
        change_request_id: UUID,
        system_user_id: UUID,
        alteration: Alteration,
        redirect_url: str,
        vendor: OrgNumber,
        actor: str,
    ) -> tuple[ShownChange, bool]:
        """The change request with that id, and whether it is new; one that would change nothing is not kept.

        Raises:
            AltinnProblemError: AUTH-00015, 11 or 36 of the system user; 61, the id has been used for something else or
                has been answered; 26, 21, 01, 63 or 64 of what is asked for.
        """
        async with self._work.database.transaction() as connection:
            user = await users.get(connection, system_user_id)
            if user is None or user.deleted:
                raise AltinnProblemError(errors.SYSTEM_USER_NOT_FOUND)
            system = owned(await register.find(connection, user.system_id), vendor)
            if system.deleted:
                raise AltinnProblemError(errors.SYSTEM_NOT_FOUND)
            if user.kind is not UserType.STANDARD:
                raise AltinnProblemError(errors.EXPECTED_STANDARD)
            known = await store.get(connection, change_request_id)
            used = known is not None or await store.is_used(connection, change_request_id)
        if used:
            return ShownChange(self._same(known, system_user_id), user), False
        await self._check(alteration, redirect_url, system)
        asked = ChangeRequest(
            change_request_id, system_user_id, alteration, redirect_url, RequestStatus.NEW, self._work.clock()
        )
        given = await self._neighbours.rights.given(system_user_id, giver=user.owner.party_uuid)
        if rules.remaining(alteration, {(one.kind, one.name) for one in given}) == Alteration():
            return ShownChange(rules.with_status(asked, RequestStatus.NO_CHANGE_NEEDED), user), False
        async with self._work.changing() as change:
            user = await _held(change, system_user_id)
            system = await held_system(change, user.system_id)
            raise_if(rules.redirect_fault(redirect_url, system))
            raise_if(rules.beyond_system(alteration.required_rights, alteration.required_packages, system))
            if await store.insert(change.connection, asked):
                _tell(change, actor, "system-user-change:create", asked, user)
                return ShownChange(asked, user), True
            known = await store.get(change.connection, change_request_id)
        return ShownChange(self._same(known, system_user_id), user), False

    def _same(self, known: ChangeRequest | None, system_user_id: UUID) -> ChangeRequest:
        is_open = known is not None and rules.closed(known, self._work.clock()) is None
        if known is None or not is_open or known.system_user_id != system_user_id:
            raise AltinnProblemError(errors.CHANGE_REQUEST_NOT_NEW)
        return known

    async def _check(self, alteration: Alteration, redirect_url: str, system: System) -> None:
        rights, packages = alteration.required_rights, alteration.required_packages
        raise_if(rules.redirect_fault(redirect_url, system))
        raise_if(rules.beyond_system(rights, packages, system))
        raise_if(rules.misnamed(alteration.unwanted_rights))
        await check_delegable(self._neighbours, rules.resources(rights))
        raise_if(rules.not_for(UserType.STANDARD, packages, self._neighbours.packages))

    async def get(self, change_request_id: UUID, vendor: OrgNumber) -> ShownChange:
        """A change request of the vendor's.

        Raises:
            AltinnProblemError: AUTH-00010, there is none; AUTH-00011, it is another vendor's.
        """
        return _to_vendor(_owned_by(await self._shown(change_request_id), vendor))

    async def by_reference(self, system_id: str, orgno: OrgNumber, external_ref: str, vendor: OrgNumber) -> ShownChange:
        """The last change request for the system user with that key.

        Raises:
            AltinnProblemError: AUTH-00011, the system is not the vendor's; AUTH-00010, there is none.
        """
        async with self._work.database.transaction() as connection:
            owned(await register.find(connection, system_id), vendor)
            user = await users.live(connection, system_id, orgno, external_ref)
            found = None if user is None else await store.newest(connection, user.system_user_id)
        if user is None or found is None:
            raise AltinnProblemError(errors.REQUEST_NOT_FOUND)
        return ShownChange(rules.as_of(found, self._work.clock()), user)

    async def of_system(self, system_id: str, vendor: OrgNumber, after: int) -> list[ShownChange]:
        """A page of the change requests for system users of a system of the vendor's, and the one after it.

        Raises:
            AltinnProblemError: AUTH-00011, the system is not the vendor's.
        """
        async with self._work.database.transaction() as connection:
            owned(await register.find(connection, system_id), vendor)
            found = await store.of_system(connection, system_id, after, PAGE_SIZE + 1)
            about = await users.many(connection, {one.system_user_id for one in found})
        now = self._work.clock()
        return [_to_vendor(ShownChange(rules.as_of(one, now), about[one.system_user_id])) for one in found]

    async def delete(self, change_request_id: UUID, vendor: OrgNumber, actor: str) -> None:
        """Take a change request back, however it stands.

        Raises:
            AltinnProblemError: AUTH-00010, there is none; AUTH-00011, it is another vendor's.
        """
        async with self._work.changing() as change:
            found = await store.get(change.connection, change_request_id, lock=True)
            user = None if found is None else await users.get(change.connection, found.system_user_id)
            if found is None or user is None:
                raise AltinnProblemError(errors.REQUEST_NOT_FOUND)
            _owned_by(ShownChange(found, user), vendor)
            await store.delete(change.connection, change_request_id, change.now)
            _tell(change, actor, "system-user-change:delete", found, user)

    # -- the side of those who are asked ------------------------------------------------------------------------------

    async def shown(self, change_request_id: UUID, caller: Caller, party_id: int | None = None) -> ShownChange:
        """A change request, to somebody who may see to the affairs of the system user's owner.

        Raises:
            AltinnProblemError: AUTH-00010, there is none; 41, the party is another; 43, 44.
        """
        if party_id is not None:
            party = await access.admitted(self._neighbours, party_id, caller, "read")
            shown = await self._shown(change_request_id)
            _check_party(shown.user, party)
            return shown
        shown = await self._shown(change_request_id)
        await access.require(self._neighbours.authority, caller, "read", shown.user.owner.party_uuid)
        return shown

    async def approve(self, party_id: int, change_request_id: UUID, caller: Caller) -> None:
        """Say yes: what is required is given, and what is unwanted taken back, at once.

        Raises:
            AltinnProblemError: 43 or 44; 10 or 13 of the request, 41, the system user is another's; 15, it is gone; 11,
                01 or 63, its system has been changed or deleted; those of a delegation check; 02.
        """
        party = await access.admitted(self._neighbours, party_id, caller, "write")
        shown = await self._shown(change_request_id)
        raise_if(rules.closed(shown.change, self._work.clock()))
        _check_party(shown.user, party)
        asked = shown.change.alteration
        givings = await self._givings(asked, shown.user, party, caller)
        try:
            async with self._work.changing() as change:
                user = await self._still_open(change, change_request_id, party)
                system = await held_system(change, user.system_id)
                raise_if(rules.beyond_system(asked.required_rights, asked.required_packages, system))
                await store.move(change.connection, change_request_id, RequestStatus.ACCEPTED, change.now)
                _tell(change, caller.actor, "system-user-change:approve", shown.change, user)
                change.tell_user(caller.actor, "system-user:change", user.system_user_id, system)
                await self._neighbours.rights.change(
                    change.connection,
                    user.system_user_id,
                    party.party_uuid,
                    give=givings,
                    take=_unwanted(asked),
                    actor=caller.actor,
                    user_id=caller.user_id,
                )
        except GivingRefusedError as error:
            raise AltinnProblemError(errors.DELEGATION_FAILED, reason=error.reason) from error

    async def _givings(
        self, asked: Alteration, user: SystemUser, party: PartyIdentity, caller: Caller
    ) -> tuple[Giving, ...]:
        async with self._work.database.transaction() as connection:
            system = await register.find(connection, user.system_id)
        if system is None or system.deleted:
            raise AltinnProblemError(errors.SYSTEM_NOT_FOUND)
        raise_if(rules.beyond_system(asked.required_rights, asked.required_packages, system))
        if not (asked.required_rights or asked.required_packages):
            return ()
        found = await self._neighbours.rights.check(
            caller,
            party.party_uuid,
            resources=rules.resources(asked.required_rights),
            packages=asked.required_packages,
        )
        raise_if(rules.refusal_of(found))
        return found

    async def reject(self, party_id: int, change_request_id: UUID, caller: Caller) -> None:
        """Say no.

        Raises:
            AltinnProblemError: 43 or 44; 10 or 13 of the request; 41, the system user is another's; 15, it is gone.
        """
        party = await access.admitted(self._neighbours, party_id, caller, "write")
        async with self._work.changing() as change:
            user = await self._still_open(change, change_request_id, party)
            await store.move(change.connection, change_request_id, RequestStatus.REJECTED, change.now)
            found = await store.get(change.connection, change_request_id)
            if found is not None:
                _tell(change, caller.actor, "system-user-change:reject", found, user)

    async def _still_open(self, change: Change, change_request_id: UUID, party: PartyIdentity) -> SystemUser:
        """The system user that an open change request is about; both stay as they are until the transaction ends."""
        found = await store.get(change.connection, change_request_id, lock=True)
        if found is None:
            raise AltinnProblemError(errors.REQUEST_NOT_FOUND)
        raise_if(rules.closed(found, change.now))
        user = await _held(change, found.system_user_id)
        _check_party(user, party)
        return user

    async def _shown(self, change_request_id: UUID) -> ShownChange:
        async with self._work.database.transaction() as connection:
            found = await store.get(connection, change_request_id)
            user = None if found is None else await users.get(connection, found.system_user_id)
        if found is None or user is None:
            raise AltinnProblemError(errors.REQUEST_NOT_FOUND)
        return ShownChange(rules.as_of(found, self._work.clock()), user)


async def _held(change: Change, system_user_id: UUID) -> SystemUser:
    """The system user, which stays as it is until the transaction ends."""
    user = await users.get(change.connection, system_user_id, lock=True)
    if user is None or user.deleted:
        raise AltinnProblemError(errors.SYSTEM_USER_NOT_FOUND)
    return user


def _owned_by(shown: ShownChange, vendor: OrgNumber) -> ShownChange:
    if shown.user.vendor != vendor:
        raise AltinnProblemError(errors.SYSTEM_NOT_FOUND)
    return shown


def _to_vendor(shown: ShownChange) -> ShownChange:
    """Nobody answers for a system user that its owner has taken back: that is an answer."""
    waits = shown.change.status is RequestStatus.NEW
    return (
        ShownChange(rules.with_status(shown.change, RequestStatus.REJECTED), shown.user)
        if (waits and shown.user.deleted)
        else shown
    )


def _check_party(user: SystemUser, party: PartyIdentity) -> None:
    if user.owner.party_uuid != party.party_uuid:
        raise AltinnProblemError(errors.PARTY_MISMATCH)


def _unwanted(asked: Alteration) -> Collection[tuple[GivenKind, str]]:
    """What is to be taken back; what is required besides stays."""
    required = rules.resources(asked.required_rights)
    resources = [name for name in rules.resources(asked.unwanted_rights) if name not in required]
    packages = [one for one in asked.unwanted_packages if one not in asked.required_packages]
    return [
        *((GivenKind.RESOURCE, name) for name in resources),
        *((GivenKind.PACKAGE, name) for name in packages),
    ]


def _tell(change: Change, actor: str, action: str, asked: ChangeRequest, user: SystemUser) -> None:
    subject = f"request:{asked.change_request_id}"
    change.tell(actor, action, subject, subject, system=user.system_id, systemuser=str(user.system_user_id))
