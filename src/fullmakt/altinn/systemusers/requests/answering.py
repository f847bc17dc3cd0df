"""What the organisation that is asked does with requests: look at them, say yes or no, pass them on to somebody who may
(altinn-authentication.md §8.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fullmakt.altinn.systemusers import access, errors
from fullmakt.altinn.systemusers.ports import Neighbours
from fullmakt.altinn.systemusers.register import store as register
from fullmakt.altinn.systemusers.requests import rules, store
from fullmakt.altinn.systemusers.requests.asking import held_system, of_kind, raise_if, tell
from fullmakt.altinn.systemusers.requests.model import RequestStatus, SystemUserRequest
from fullmakt.altinn.systemusers.users import store as users
from fullmakt.altinn.systemusers.users.model import Owner, SystemUser
from fullmakt.altinn.systemusers.work import Work
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.delegations import Giving, GivingRefusedError
from fullmakt.wire.altinn.parties import PartyIdentity
from fullmakt.wire.altinn.problems import AltinnProblemError, ProblemKind
from fullmakt.wire.altinn.systemusers import UserType


@dataclass(frozen=True, slots=True)
class Shown:
    """A request as those who are asked see it."""

    request: SystemUserRequest
    party: PartyIdentity
    may_escalate_only: bool


class Answering:
    """Requests, from the side of those who are asked. Of answers that race, the first one stands."""

    def __init__(self, work: Work, neighbours: Neighbours) -> None:
        self._work = work
        self._neighbours = neighbours

    async def shown(self, request_id: UUID, kind: UserType, caller: Caller, party_id: int | None = None) -> Shown:
        """A request, to somebody who may look at it; ``party_id`` None: whichever party is asked.

        Raises:
            AltinnProblemError: AUTH-00010 (agents: 30), there is none; 41 (agents: 42), the party is another; 43, 44.
        """
        async with self._work.database.transaction() as connection:
            request = await store.get(connection, request_id)
        if party_id is not None:
            party = await access.admitted_to_look(self._neighbours, party_id, caller)
            request = _of_party(of_kind(request, kind), party)
        else:
            request = of_kind(request, kind)
            found = await self._neighbours.organisation(request.key.party)
            if found is None:
                raise AltinnProblemError(errors.UNKNOWN_ORGANISATION)
            party = found
            await access.require_to_look(self._neighbours, caller, party.party_uuid)
        refusal = await access.refusal_of(self._neighbours.authority, caller, "write", party.party_uuid)
        return Shown(rules.as_of(request, self._work.clock()), party, refusal is not None)

    async def pending(self, party_id: int, orgno: OrgNumber, kind: UserType, caller: Caller) -> Sequence[Shown]:
        """The requests that the party has yet to answer, oldest first.

        Raises:
            AltinnProblemError: AUTH-00041 (agents: 42), the number is not the party's; 43, 44.
        """
        party = await access.admitted(self._neighbours, party_id, caller, "read")
        if party.orgno != orgno:
            raise AltinnProblemError(_mismatch(kind))
        refusal = await access.refusal_of(self._neighbours.authority, caller, "write", party.party_uuid)
        async with self._work.database.transaction() as connection:
            found = await store.pending(connection, orgno, kind, self._work.clock() - rules.LIFE)
        return [Shown(request, party, refusal is not None) for request in found]

    async def approve(self, party_id: int, request_id: UUID, kind: UserType, caller: Caller) -> SystemUser:
        """Say yes: a system user with the request's id, and with the rights that were asked for.

        The rights are checked before the transaction, since the decision point reads by connections of its own, and
        given in it, or not at all.

        Raises:
            AltinnProblemError: 43 or 44; 10, 13, 41 of the request (agents: 30, 13, 42); 11, 01 or 63, the system has
                been changed or deleted meanwhile; 14, 16, 18, 19, 20, 69, 70, 71, 50 or 53, the caller can not give
                what is asked for; 04, there is such a system user; 02, what was to be given has gone.
        """
        party = await access.admitted(self._neighbours, party_id, caller, "write")
        request = await self._open(request_id, kind, party)
        givings = await self._check(request, party, caller)
        try:
            async with self._work.changing() as change:
                request = _still_open(
                    await store.get(change.connection, request_id, lock=True), kind, party, change.now
                )
                system = await held_system(change, request.key.system_id)
                raise_if(rules.beyond_system(request.rights, request.packages, system))
                user = made_of(request, party, system.vendor, change.now)
                if not await users.insert(change.connection, user):
                    raise AltinnProblemError(errors.SYSTEM_USER_EXISTS)
                await store.move(change.connection, request_id, RequestStatus.ACCEPTED, change.now)
                tell(change, caller.actor, "system-user-request:approve", request, system)
                change.tell_user(caller.actor, "system-user:create", request_id, system, owner=str(party.orgno))
                if givings:
                    await self._neighbours.rights.change(
                        change.connection,
                        request_id,
                        party.party_uuid,
                        give=givings,
                        actor=caller.actor,
                        user_id=caller.user_id,
                    )
                return user
        except GivingRefusedError as error:
            raise AltinnProblemError(errors.DELEGATION_FAILED, reason=error.reason) from error

    async def reject(self, party_id: int, request_id: UUID, kind: UserType, caller: Caller) -> None:
        """Say no.

        Raises:
            AltinnProblemError: 43 or 44; 10, 13 or 41 of the request (agents: 30, 13, 42).
        """
        party = await access.admitted(self._neighbours, party_id, caller, "write")
        async with self._work.changing() as change:
            request = _still_open(await store.get(change.connection, request_id, lock=True), kind, party, change.now)
            await store.move(change.connection, request_id, RequestStatus.REJECTED, change.now)
            system = await register.find(change.connection, request.key.system_id)
            if system is not None:
                tell(change, caller.actor, "system-user-request:reject", request, system)

    async def escalate(self, party_id: int, request_id: UUID, kind: UserType, caller: Caller) -> None:
        """Leave the answer to somebody who may give it.

        Raises:
            AltinnProblemError: as ``reject``, except that it is enough to be able to look at the request.
        """
        party = await access.admitted_to_look(self._neighbours, party_id, caller)
        async with self._work.changing() as change:
            request = _still_open(await store.get(change.connection, request_id, lock=True), kind, party, change.now)
            system = await register.find(change.connection, request.key.system_id)
            if not request.escalated and system is not None:
                await store.escalate(change.connection, request_id, change.now)
                tell(change, caller.actor, "system-user-request:escalate", request, system)

    async def _open(self, request_id: UUID, kind: UserType, party: PartyIdentity) -> SystemUserRequest:
        async with self._work.database.transaction() as connection:
            request = _still_open(await store.get(connection, request_id), kind, party, self._work.clock())
            system = await register.find(connection, request.key.system_id)
        if system is None or system.deleted:
            raise AltinnProblemError(errors.SYSTEM_NOT_FOUND)
        raise_if(rules.beyond_system(request.rights, request.packages, system))
        return request

    async def _check(self, request: SystemUserRequest, party: PartyIdentity, caller: Caller) -> tuple[Giving, ...]:
        """What the caller gives; an agent is given its packages client by client, and nothing of its owner's."""
        if request.key.kind is UserType.AGENT:
            return ()
        found = await self._neighbours.rights.check(
            caller, party.party_uuid, resources=rules.resources(request.rights), packages=request.packages
        )
        raise_if(rules.refusal_of(found))
        return found


def made_of(request: SystemUserRequest, party: PartyIdentity, vendor: OrgNumber, now: datetime) -> SystemUser:
    """The system user that a request asks for."""
    key = request.key
    return SystemUser(
        system_user_id=request.request_id,
        kind=key.kind,
        system_id=key.system_id,
        vendor=vendor,
        owner=Owner(party.party_uuid, party.party_id, key.party),
        external_ref=key.external_ref,
        integration_title=request.integration_title,
        packages=request.packages if key.kind is UserType.AGENT else (),
        created=now,
        changed=now,
    )


def _still_open(
    request: SystemUserRequest | None, kind: UserType, party: PartyIdentity, now: datetime
) -> SystemUserRequest:
    found = of_kind(request, kind)
    raise_if(rules.closed(found, now))
    return _of_party(found, party)


def _of_party(request: SystemUserRequest, party: PartyIdentity) -> SystemUserRequest:
    if party.orgno != request.key.party:
        raise AltinnProblemError(_mismatch(request.key.kind))
    return request


def _mismatch(kind: UserType) -> ProblemKind:
    return errors.AGENT_PARTY_MISMATCH if kind is UserType.AGENT else errors.PARTY_MISMATCH
