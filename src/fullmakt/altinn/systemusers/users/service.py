"""What there is of system users, and who may take one away (altinn-authentication.md §10)."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from fullmakt.altinn.systemusers import access, errors
from fullmakt.altinn.systemusers.model import System
from fullmakt.altinn.systemusers.ports import Neighbours
from fullmakt.altinn.systemusers.register import store as register
from fullmakt.altinn.systemusers.requests import rules
from fullmakt.altinn.systemusers.requests import store as requests
from fullmakt.altinn.systemusers.requests.asking import PAGE_SIZE, check_delegable, held_system, owned, raise_if
from fullmakt.altinn.systemusers.users import store
from fullmakt.altinn.systemusers.users.model import Owner, Page, SystemUser
from fullmakt.altinn.systemusers.work import Change, Work
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.delegations import Given, GivingRefusedError
from fullmakt.wire.altinn.parties import PartyIdentity
from fullmakt.wire.altinn.problems import AltinnProblemError
from fullmakt.wire.altinn.systemusers import UserType

STREAM_PAGE = 100


class Users:
    """System users, for their owners, their vendors and the platform's own readers."""

    def __init__(self, work: Work, neighbours: Neighbours) -> None:
        self._work = work
        self._neighbours = neighbours

    # -- for the owner ------------------------------------------------------------------------------------------------

    async def of_party(self, party_id: int, kind: UserType, caller: Caller) -> list[SystemUser]:
        """The party's system users, oldest first.

        Raises:
            AltinnProblemError: AUTH-00043 or 44.
        """
        party = await access.admitted(self._neighbours, party_id, caller, "read")
        async with self._work.database.transaction() as connection:
            return await store.of_owner(connection, party.party_uuid, kind)

    async def one(self, party_id: int, system_user_id: UUID, caller: Caller) -> tuple[SystemUser, tuple[Given, ...]]:
        """A system user of the party's, and what the party has given it.

        Raises:
            AltinnProblemError: AUTH-00043 or 44; 15, the party has none with that id.
        """
        party = await access.admitted(self._neighbours, party_id, caller, "read")
        async with self._work.database.transaction() as connection:
            user = _of(await store.get(connection, system_user_id), party)
        if user is None:
            raise AltinnProblemError(errors.SYSTEM_USER_NOT_FOUND)
        return user, await self._neighbours.rights.given(system_user_id, giver=party.party_uuid)

    async def create(self, party_id: int, title: str, system_id: str, caller: Caller) -> SystemUser:
        """Take a visible system into use without being asked, with all that it was registered with.

        Raises:
            AltinnProblemError: AUTH-00043 or 44; 00, the party is no organisation; 11, there is no such system to be
                picked; 59, it needs nothing; 04, there is such a system user; those of a delegation check; 02.
        """
        party = await access.admitted(self._neighbours, party_id, caller, "write")
        if party.orgno is None:
            raise AltinnProblemError(errors.UNKNOWN_ORGANISATION)
        async with self._work.database.transaction() as connection:
            seen = _visible(await register.find(connection, system_id))
        if not (seen.rights or seen.packages):
            raise AltinnProblemError(errors.NO_RIGHT_OR_PACKAGE)
        resources = rules.resources(seen.rights)
        await check_delegable(self._neighbours, resources)
        givings = await self._neighbours.rights.check(
            caller, party.party_uuid, resources=resources, packages=seen.packages
        )
        raise_if(rules.refusal_of(givings))
        try:
            async with self._work.changing() as change:
                system = _visible(await held_system(change, system_id))
                raise_if(rules.beyond_system(seen.rights, seen.packages, system))
                user = _picked(change, system, party, party.orgno, title)
                if not await store.insert(change.connection, user):
                    raise AltinnProblemError(errors.SYSTEM_USER_EXISTS)
                change.tell_user(
                    caller.actor, "system-user:create", user.system_user_id, system, owner=str(party.orgno)
                )
                await self._neighbours.rights.change(
                    change.connection,
                    user.system_user_id,
                    party.party_uuid,
                    give=givings,
                    actor=caller.actor,
                    user_id=caller.user_id,
                )
                return user
        except GivingRefusedError as error:
            raise AltinnProblemError(errors.DELEGATION_FAILED, reason=error.reason) from error

    async def delete(self, party_id: int, system_user_id: UUID, caller: Caller) -> bool:
        """Take a standard system user away, with all that it may; False when the party has none with that id.

        Raises:
            AltinnProblemError: AUTH-00043 or 44; 36, it is an agent.
        """
        party = await access.admitted(self._neighbours, party_id, caller, "write")
        async with self._work.changing() as change:
            user = _of(await store.get(change.connection, system_user_id, lock=True), party)
            if user is None:
                return False
            if user.kind is not UserType.STANDARD:
                raise AltinnProblemError(errors.EXPECTED_STANDARD)
            await self._delete(change, user, caller)
            return True

    async def delete_agent(self, party_id: int, system_user_id: UUID, facilitator: UUID | None, caller: Caller) -> bool:
        """Take an agent away, which has no client any more; False when the party has none with that id.

        Raises:
            AltinnProblemError: AUTH-00043 or 44; 31, the facilitator is another party; 34, it is no agent; 35, it has
                clients.
        """
        party = await access.admitted(self._neighbours, party_id, caller, "write")
        if facilitator is not None and facilitator != party.party_uuid:
            raise AltinnProblemError(errors.WRONG_FACILITATOR)
        lost = {_client(one) for one in await self._neighbours.rights.given(system_user_id) if not one.holds}
        async with self._work.changing() as change:
            user = _of(await store.get(change.connection, system_user_id, lock=True), party)
            if user is None:
                return False
            if user.kind is not UserType.AGENT:
                raise AltinnProblemError(errors.EXPECTED_AGENT)
            kept = await self._neighbours.rights.kept(change.connection, system_user_id)
            if not lost.issuperset(map(_client, kept)):
                raise AltinnProblemError(errors.AGENT_HAS_CLIENTS)
            await self._delete(change, user, caller)
            return True

    async def _delete(self, change: Change, user: SystemUser, caller: Caller) -> None:
        await store.delete(change.connection, user.system_user_id, change.now)
        await requests.release(change.connection, user.system_user_id, change.now)
        system = await register.find(change.connection, user.system_id)
        if system is None:
            raise LookupError(user.system_id)
        change.tell_user(caller.actor, "system-user:delete", user.system_user_id, system, owner=user.owner.orgno)
        await self._neighbours.rights.take_all(
            change.connection, user.system_user_id, actor=caller.actor, user_id=caller.user_id
        )

    # -- for the vendor -----------------------------------------------------------------------------------------------

    async def by_key(self, system_id: str, orgno: OrgNumber, external_ref: str, vendor: OrgNumber) -> SystemUser:
        """The system user of a system of the vendor's, an organisation and a reference.

        Raises:
            AltinnProblemError: AUTH-00011, the system is not the vendor's; 15, there is none.
        """
        async with self._work.database.transaction() as connection:
            owned(await register.find(connection, system_id), vendor)
            user = await store.live(connection, system_id, orgno, external_ref)
        if user is None:
            raise AltinnProblemError(errors.SYSTEM_USER_NOT_FOUND)
        return user

    async def of_system(self, system_id: str, vendor: OrgNumber, after: int) -> list[SystemUser]:
        """A page of the system users of a system of the vendor's, after the one with that number, and the one after it.

        Raises:
            AltinnProblemError: AUTH-00011, the system is not the vendor's.
        """
        async with self._work.database.transaction() as connection:
            owned(await register.find(connection, system_id), vendor)
            return await store.of_system(connection, system_id, after, PAGE_SIZE + 1)

    # -- for the platform ---------------------------------------------------------------------------------------------

    async def stream(self, after: int) -> Page:
        """A hundred system users, deleted ones too, in the order of their last changes, after that number."""
        async with self._work.database.transaction() as connection:
            found, newest = await store.changed_after(connection, after, STREAM_PAGE)
        return Page(tuple(found), newest)

    async def get(self, system_user_id: UUID) -> SystemUser | None:
        """A system user; None when there is none, or no longer."""
        async with self._work.database.transaction() as connection:
            user = await store.get(connection, system_user_id)
        return None if user is None or user.deleted else user

    async def known(self, system_users: Collection[UUID]) -> dict[UUID, SystemUser]:
        """Those of the system users that there are, or have been, deleted ones too."""
        async with self._work.database.transaction() as connection:
            return await store.many(connection, system_users)


def _client(given: Given) -> tuple[UUID, UUID | None, str]:
    return given.giver, given.via, given.name


def _of(user: SystemUser | None, party: PartyIdentity) -> SystemUser | None:
    return user if user is not None and not user.deleted and user.owner.party_uuid == party.party_uuid else None


def _visible(system: System | None) -> System:
    if system is None or system.deleted or not system.visible:
        raise AltinnProblemError(errors.SYSTEM_NOT_FOUND)
    return system


def _picked(change: Change, system: System, party: PartyIdentity, orgno: OrgNumber, title: str) -> SystemUser:
    return SystemUser(
        system_user_id=change.fresh_id(),
        kind=UserType.STANDARD,
        system_id=system.id,
        vendor=system.vendor,
        owner=Owner(party.party_uuid, party.party_id, orgno),
        external_ref=str(orgno),
        integration_title=title or system.name.get("nb", system.id),
        packages=(),
        created=change.now,
        changed=change.now,
    )
