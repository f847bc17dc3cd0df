"""Whom an agent system user acts for: the clients of its owner, the facilitator (altinn-authentication.md §11).

What an agent may do for a client, access management keeps: the packages that it was approved with, given in that client
through the facilitator, which count for as long as the facilitator itself holds them there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

from fullmakt.altinn.systemusers import access, errors
from fullmakt.altinn.systemusers.access import CLIENT_ADMINISTRATION
from fullmakt.altinn.systemusers.ports import Neighbours
from fullmakt.altinn.systemusers.register import store as register
from fullmakt.altinn.systemusers.requests import rules
from fullmakt.altinn.systemusers.requests.asking import raise_if
from fullmakt.altinn.systemusers.users import store
from fullmakt.altinn.systemusers.users.model import Client, SystemUser
from fullmakt.altinn.systemusers.work import Change, Work
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.delegations import Giving, GivingRefusedError
from fullmakt.wire.altinn.parties import PartyIdentity
from fullmakt.wire.altinn.problems import AltinnProblemError, AltinnValidationError, ValidationFault
from fullmakt.wire.altinn.systemusers import UserType


class Agents:
    """Agents and their clients. Giving a client again, or taking one that was not given, does nothing."""

    def __init__(self, work: Work, neighbours: Neighbours) -> None:
        self._work = work
        self._neighbours = neighbours

    # -- who is meant -------------------------------------------------------------------------------------------------

    async def of_party(
        self, party_id: int, system_user_id: UUID, facilitator: UUID | None, caller: Caller
    ) -> SystemUser:
        """An agent of the party's that the caller may see to the clients of.

        Raises:
            AltinnProblemError: AUTH-00043 or 44; 31, the facilitator is another party; 15, the party has no such system
                user; 34, it is no agent.
        """
        party = await access.admitted(self._neighbours, party_id, caller, "write", CLIENT_ADMINISTRATION)
        if facilitator is not None and facilitator != party.party_uuid:
            raise AltinnProblemError(errors.WRONG_FACILITATOR)
        return await self._agent(system_user_id, party)

    async def seen_by(self, facilitator: UUID, system_user_id: UUID, caller: Caller) -> SystemUser:
        """An agent of the facilitator's that the caller may see the clients of.

        Raises:
            AltinnProblemError: AUTH-00043 or 44; 15, the facilitator has no such system user; 34, it is no agent.
        """
        party = await self._neighbours.party_of(facilitator)
        if party is None:
            raise AltinnProblemError(errors.NOT_ALLOWED, reason="unknown_party")
        await access.require(self._neighbours.authority, caller, "read", facilitator, CLIENT_ADMINISTRATION)
        return await self._agent(system_user_id, party)

    async def _agent(self, system_user_id: UUID, party: PartyIdentity) -> SystemUser:
        async with self._work.database.transaction() as connection:
            user = await store.get(connection, system_user_id)
        if user is None or user.deleted or user.owner.party_uuid != party.party_uuid:
            raise AltinnProblemError(errors.SYSTEM_USER_NOT_FOUND)
        if user.kind is not UserType.AGENT:
            raise AltinnProblemError(errors.EXPECTED_AGENT)
        return user

    async def by_id(self, system_user_id: UUID, caller: Caller, action: str) -> SystemUser:
        """An agent, whose owner's clients the caller may ``read`` of or ``write`` to.

        Raises:
            AltinnValidationError: AUTH.VLD-00014, there is none; 15, it is no agent.
            AltinnProblemError: AUTH-00043 or 44.
        """
        async with self._work.database.transaction() as connection:
            user = await store.get(connection, system_user_id)
        if user is None or user.deleted:
            raise _fault(errors.AGENT_UNKNOWN)
        await access.require(self._neighbours.authority, caller, action, user.owner.party_uuid, CLIENT_ADMINISTRATION)
        if user.kind is not UserType.AGENT:
            raise _fault(errors.NOT_AN_AGENT)
        return user

    async def owned_by(self, orgno: str, caller: Caller) -> list[SystemUser]:
        """The agents of an organisation whose clients the caller may see to.

        Raises:
            AltinnProblemError: AUTH-00000, there is no such organisation; 43 or 44.
        """
        number = rules.organisation_number(orgno)
        party = None if number is None else await self._neighbours.organisation(number)
        if party is None:
            raise AltinnProblemError(errors.UNKNOWN_ORGANISATION)
        await access.require(self._neighbours.authority, caller, "read", party.party_uuid, CLIENT_ADMINISTRATION)
        async with self._work.database.transaction() as connection:
            return await store.of_owner(connection, party.party_uuid, UserType.AGENT)

    # -- their clients ------------------------------------------------------------------------------------------------

    async def clients_of(self, user: SystemUser) -> list[Client]:
        """The clients that the agent acts for, by organisation number; those that its owner has lost are left out."""
        given = await self._neighbours.rights.given(user.system_user_id)
        held: dict[UUID, set[str]] = {}
        for one in given:
            if one.holds:
                held.setdefault(one.giver, set()).add(one.name)
        return await self._named(held)

    async def available_to(self, user: SystemUser) -> list[Client]:
        """The clients of the agent's owner in which the agent could act, and does not yet, by organisation number."""
        acting = {client.party_uuid for client in await self.clients_of(user)}
        found = await self.clients_of_facilitator(user.owner.party_uuid, user.packages)
        return [client for client in found if client.party_uuid not in acting]

    async def clients_of_facilitator(self, facilitator: UUID, packages: Collection[str]) -> list[Client]:
        """The facilitator's clients, in each of which it holds all of ``packages``, by organisation number."""
        return await self._named(await self._neighbours.rights.clients(facilitator, packages))

    async def facilitator(self, party_id: int, facilitator: UUID | None, caller: Caller) -> UUID:
        """The party, which is the facilitator, if the caller may see its clients.

        Raises:
            AltinnProblemError: AUTH-00043 or 44; 31, the facilitator is another party.
        """
        party = await access.admitted(self._neighbours, party_id, caller, "read", CLIENT_ADMINISTRATION)
        if facilitator is not None and facilitator != party.party_uuid:
            raise AltinnProblemError(errors.WRONG_FACILITATOR)
        return party.party_uuid

    async def _named(self, held: Mapping[UUID, Iterable[str]]) -> list[Client]:
        known = await self._neighbours.organisations(list(held)) if held else {}
        found = [
            Client(uuid, party.orgno, party.name, tuple(sorted(held[uuid])))
            for uuid, party in known.items()
            if party.orgno is not None
        ]
        return sorted(found, key=lambda client: client.orgno)

    # -- giving and taking --------------------------------------------------------------------------------------------

    async def give(self, user: SystemUser, client: UUID, caller: Caller) -> None:
        """Let the agent act for a client of its owner's, with all the packages that it was approved with.

        Raises:
            AltinnProblemError: AUTH-00079, there is no such organisation; 80, the owner does not hold the packages
                there; 65, one of them is not to be given on; 15, the agent is gone; 11, its system is; 51, what was to
                be given has gone.
        """
        if client not in await self._neighbours.organisations([client]):
            raise AltinnProblemError(errors.CLIENT_NOT_FOUND)
        givings = await self._neighbours.rights.check_clients(user.owner.party_uuid, client, user.packages)
        raise_if(_refusal(givings))
        await self._give(user, client, givings, caller, via=user.owner.party_uuid)

    async def give_itself(self, user: SystemUser, caller: Caller) -> None:
        """Let the agent act for its owner too.

        Raises:
            AltinnProblemError: AUTH-00050 or 53, the caller can not give the packages; 15, 11 and 51 as with ``give``.
        """
        owner = user.owner.party_uuid
        givings = await self._neighbours.rights.check(caller, owner, packages=user.packages)
        raise_if(rules.refusal_of(givings))
        await self._give(user, owner, givings, caller, via=None)

    async def _give(
        self, user: SystemUser, client: UUID, givings: Collection[Giving], caller: Caller, via: UUID | None
    ) -> None:
        try:
            async with self._work.changing() as change:
                if not (await self._held(change, user)).system_live:
                    raise AltinnProblemError(errors.SYSTEM_NOT_FOUND)
                changed = await self._neighbours.rights.change(
                    change.connection,
                    user.system_user_id,
                    client,
                    give=givings,
                    via=via,
                    actor=caller.actor,
                    user_id=caller.user_id,
                )
                if changed:
                    await self._tell(change, caller, "agent-client:give", user, client)
        except GivingRefusedError as error:
            raise AltinnProblemError(errors.PACKAGE_DELEGATION_FAILED, reason=error.reason) from error

    async def take(self, user: SystemUser, client: UUID, caller: Caller) -> bool:
        """Let the agent not act for the client any more; False when it did not.

        Raises:
            AltinnProblemError: AUTH-00015, the agent is gone.
        """
        async with self._work.changing() as change:
            await self._held(change, user)
            changed = await self._neighbours.rights.take_all(
                change.connection, user.system_user_id, giver=client, actor=caller.actor, user_id=caller.user_id
            )
            if changed:
                await self._tell(change, caller, "agent-client:take", user, client)
            return changed > 0

    async def _held(self, change: Change, user: SystemUser) -> SystemUser:
        """The agent, which stays as it is until the transaction ends."""
        found = await store.get(change.connection, user.system_user_id, lock=True)
        if found is None or found.deleted:
            raise AltinnProblemError(errors.SYSTEM_USER_NOT_FOUND)
        return found

    async def _tell(self, change: Change, caller: Caller, action: str, user: SystemUser, client: UUID) -> None:
        system = await register.find(change.connection, user.system_id)
        if system is not None:
            change.tell_user(caller.actor, action, user.system_user_id, system, client=str(client))


def _fault(fault: ValidationFault) -> AltinnValidationError:
    return AltinnValidationError(fault)


def _refusal(givings: Iterable[Giving]) -> AltinnProblemError | None:
    refused = [one for one in givings if not one.permitted]
    if not refused:
        return None
    names = rules.urns(one.name for one in refused)
    reasons = {reason for one in refused for reason in one.reasons}
    if "MissingPackageAccess" in reasons:
        return AltinnProblemError(errors.CLIENT_LACKS_PACKAGES, packages=names)
    kind = errors.PACKAGE_NOT_FOR_AGENT if "PackageNotDelegable" in reasons else errors.PACKAGES_INVALID
    return AltinnProblemError(kind, packages=names)
