"""What is done by people: whoever can give the consent looks at the request, says yes or no, and takes it back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.altinn.consents import rules, store
from fullmakt.altinn.consents.errors import ConsentRefusedError
from fullmakt.altinn.consents.model import Consent
from fullmakt.altinn.consents.ports import Neighbours
from fullmakt.altinn.consents.rules import Moved, Reason, Refusal
from fullmakt.altinn.consents.work import Change, Work
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.parties import PartyKind
from fullmakt.wire.altinn.xacml_json import required_level

ACCESS_MANAGEMENT = "altinn_access_management"

Gate = Callable[[AsyncConnection, Consent], Awaitable[Refusal | None]]
"""What else has to hold when a consent is asked for or accepted, asked in the transaction of that."""
GateOf = Callable[[Consent], Awaitable[Gate | None]]
"""The gate that a consent is accepted through; whatever it needs to know it finds out before the transaction."""


@dataclass(frozen=True, slots=True)
class Answered:
    """How a consent stands; ``changed`` False: it stood so already."""

    consent: Consent
    changed: bool


class Answering:
    """Consents, from the side of their givers. Of answers that race, the first one stands."""

    def __init__(self, work: Work, neighbours: Neighbours) -> None:
        self._work = work
        self._neighbours = neighbours
        self._gate_of: GateOf | None = None

    def gated(self, gate_of: GateOf) -> None:
        """From here on, nothing is accepted but through the gate that ``gate_of`` names for the consent."""
        self._gate_of = gate_of

    async def shown(self, consent_id: UUID, caller: Caller) -> Consent:
        """The request, to a person who can answer it.

        Raises:
            ConsentRefusedError: there is none; the caller is not the one who must answer, or can not.
        """
        async with self._auditing("consent:read", consent_id, caller):
            return await self._admitted(consent_id, caller, "read")

    async def given(self, consent_id: UUID, caller: Caller) -> Consent:
        """A consent that was given, to whoever may see to its giver's affairs.

        Raises:
            ConsentRefusedError: there is none, it was not given, or the caller may not.
        """
        async with self._auditing("consent:read", consent_id, caller):
            consent = await self._managed(consent_id, caller, "read")
            if consent.consented is None:
                raise ConsentRefusedError(Reason.NOT_FOUND, status=consent.status.value)
            return consent

    async def require(self, caller: Caller, action: str, party: UUID) -> None:
        """Let nobody through but whoever may see to the party's affairs (``read``, ``write``).

        Raises:
            ConsentRefusedError: the caller may not.
        """
        async with self._auditing("consent:read", f"party:{party}", caller):
            await self._require(await self._person(caller), action, ACCESS_MANAGEMENT, party, caller)

    async def open(self, consent_id: UUID, caller: Caller) -> Answered:
        """Look at a request of Altinn 2's form: the first time is remembered.

        Raises:
            ConsentRefusedError: as ``shown``.
        """
        return await self._answer("consent:open", consent_id, caller, rules.open_, access="read")

    async def accept(
        self,
        consent_id: UUID,
        caller: Caller,
        *,
        language: str,
        shown: Mapping[str, Any] | None = None,
    ) -> Answered:
        """Say yes, in ``language``, to what was ``shown``.

        Raises:
            ConsentRefusedError: as ``shown``; its time is over; it was answered otherwise; the gate is closed.
        """

        def rule(consent: Consent, person: UUID, now: Any) -> Moved:
            return rules.accept(consent, person, now, language=language, shown=shown)

        return await self._answer("consent:accept", consent_id, caller, rule, gate_of=self._gate_of, language=language)

    async def reject(self, consent_id: UUID, caller: Caller) -> Answered:
        """Say no.

        Raises:
            ConsentRefusedError: as ``shown``; it was answered otherwise, or can not be any more.
        """
        return await self._answer("consent:reject", consent_id, caller, rules.reject)

    async def revoke(self, consent_id: UUID, caller: Caller) -> Answered:
        """Take back what was given: anybody can who may see to the giver's affairs.

        Raises:
            ConsentRefusedError: there is none, the caller may not, or it was not given.
        """
        action = "consent:revoke"
        async with self._auditing(action, consent_id, caller):
            await self._managed(consent_id, caller, "write")
            person = await self._person(caller)
            async with self._work.changing() as change:
                before = await change.locked(consent_id)
                return await _moved(change, before, rules.revoke(before, change.now), person, caller.actor, action)

    async def _answer(
        self,
        action: str,
        consent_id: UUID,
        caller: Caller,
        rule: Callable[[Consent, UUID, Any], Moved],
        *,
        access: str = "write",
        gate_of: GateOf | None = None,
        **facts: Any,
    ) -> Answered:
        """Who may is found out before the transaction, since the decision point reads by connections of its own."""
        async with self._auditing(action, consent_id, caller):
            consent = await self._admitted(consent_id, caller, access)
            person = await self._person(caller)
            gate = None if gate_of is None else await gate_of(consent)
            async with self._work.changing() as change:
                before = await change.locked(consent_id)
                after = rule(before, person, change.now)
                if gate is not None and isinstance(after, Consent) and after is not before:
                    after = await gate(change.connection, before) or after
                return await _moved(change, before, after, person, caller.actor, action, **facts)

    async def _admitted(self, consent_id: UUID, caller: Caller, action: str) -> Consent:
        consent = await self._held(consent_id)
        await self.admit(consent, caller, action)
        return consent

    async def admit(self, consent: Consent, caller: Caller, action: str) -> UUID:
        """Let through whoever may give each of the consent's rights, and see to its giver's affairs (§4.7); the person.

        Raises:
            ConsentRefusedError: the caller is not the one who must answer, or can not.
        """
        person = await self._person(caller)
        refusal = rules.answer_refusal(consent, person)
        if refusal is not None:
            raise ConsentRefusedError.of(refusal)
        wanted = {(right.resource, one): None for right in consent.rights for one in right.actions}
        for resource, right in wanted:
            await self._require(person, right, resource, consent.giver, caller)
        await self._require(person, action, ACCESS_MANAGEMENT, consent.giver, caller)
        return person

    async def _managed(self, consent_id: UUID, caller: Caller, action: str) -> Consent:
        consent = await self._held(consent_id)
        await self._require(await self._person(caller), action, ACCESS_MANAGEMENT, consent.giver, caller)
        return consent

    async def _held(self, consent_id: UUID) -> Consent:
        async with self._work.database.transaction() as connection:
            consent = await store.get(connection, consent_id)
        if consent is None:
            raise ConsentRefusedError(Reason.NOT_FOUND)
        return consent

    async def _require(self, person: UUID, action: str, resource: str, party: UUID, caller: Caller) -> None:
        subject = [Attribute(ids.PARTY_UUID, str(person))]
        decision = await self._neighbours.authority.may(subject, action, resource, party, actor=caller.actor)
        facts = {"action": action, "resource": resource, "party": str(party)}
        if not decision.permitted:
            raise ConsentRefusedError(Reason.NOT_AUTHORIZED, why=decision.reason, **facts)
        required = required_level(decision.obligations)
        if caller.auth_level < required:
            raise ConsentRefusedError(
                Reason.NOT_AUTHORIZED, why="authentication_level", required=required, level=caller.auth_level, **facts
            )

    async def _person(self, caller: Caller) -> UUID:
        """The person who has logged in; nobody else answers: no system, and no organisation by its own token."""
        name = None if caller.system_user is not None else _name(caller)
        found = None if name is None else await self._neighbours.party(name)
        if found is None or found.kind is not PartyKind.PERSON:
            raise ConsentRefusedError(Reason.NOT_AUTHORIZED, why="no_person")
        return found.party_uuid

    def _auditing(self, action: str, subject: UUID | str, caller: Caller) -> Auditing:
        return Auditing(self._work, action, subject, caller.actor)


class Auditing:
    """A block whose refusal is written down."""

    def __init__(self, work: Work, action: str, subject: UUID | str, actor: str) -> None:
        self._work = work
        self._told = (actor, action, subject)

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, ConsentRefusedError):
            await self._work.record(*self._told, error.reason.value, **error.facts)


async def _moved(
    change: Change, before: Consent, after: Moved, performed_by: UUID, actor: str, action: str, **facts: Any
) -> Answered:
    if isinstance(after, Refusal):
        raise ConsentRefusedError.of(after)
    if after is before:
        return Answered(before, changed=False)
    await change.keep(before, after, performed_by)
    change.tell_consent(actor, action, after, **facts)
    return Answered(after, changed=True)


def _name(caller: Caller) -> Attribute | None:
    if caller.party_uuid is not None:
        return Attribute(ids.PARTY_UUID, str(caller.party_uuid))
    return None if caller.user_id is None else Attribute(ids.USER_ID, str(caller.user_id))
