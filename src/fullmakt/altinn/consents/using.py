"""What is done by those who ask: make a request, take it back, give up what was given, say that it has been used."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.altinn.consents import rules, store
from fullmakt.altinn.consents.answering import Answered, Auditing, Gate
from fullmakt.altinn.consents.errors import ConsentRefusedError
from fullmakt.altinn.consents.model import Consent, ConsentEvent
from fullmakt.altinn.consents.rules import Moved, Reason, Refusal
from fullmakt.altinn.consents.work import Work

Admission = Callable[[Consent], Refusal | None]
"""Whether the caller may do it to this consent: a refusal, or None."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A consent and what has happened to it, as it was in one moment. ``created``: it was made just now."""

    consent: Consent
    events: tuple[ConsentEvent, ...]
    created: bool = False


class Using:
    """Consents, from the side of those who ask and receive."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def request(self, consent: Consent, performed_by: UUID, actor: str, *, gate: Gate | None = None) -> Kept:
        """Ask. One with the same id is given back as it is, whosever it is; ``Kept.created`` tells.

        Raises:
            ConsentRefusedError: the gate is closed.
        """
        async with self._auditing("consent:request", consent.id, actor), self._work.changing() as change:
            refusal = None if gate is None else await gate(change.connection, consent)
            if refusal is not None:
                raise ConsentRefusedError.of(refusal)
            try:
                events = await change.keep(None, consent, performed_by)
            except ConsentRefusedError:  # there is one with this id
                found = await change.locked(consent.id)
                return Kept(found, (await store.events(change.connection, [found.id]))[found.id])
            resources = sorted({right.resource for right in consent.rights})
            change.tell_consent(actor, "consent:request", consent, form=consent.form.value, resources=resources)
            return Kept(consent, events, created=True)

    async def find(self, consent_id: UUID) -> Kept | None:
        """The consent with that id."""
        async with self._work.database.transaction() as connection:
            return await _kept(connection, consent_id)

    async def withdraw(self, consent_id: UUID, by: UUID, actor: str, admits: Admission) -> Answered:
        """Take a question back, as long as nobody has answered it.

        Raises:
            ConsentRefusedError: there is none, the caller may not, or it has been answered.
        """
        return await self._move("consent:withdraw", consent_id, by, actor, admits, rules.withdraw)

    async def give_up(self, consent_id: UUID, by: UUID, actor: str, admits: Admission) -> Answered:
        """Do without what was given.

        Raises:
            ConsentRefusedError: there is none, the caller may not, or it was not given.
        """
        return await self._move("consent:give-up", consent_id, by, actor, admits, rules.give_up)

    async def log_use(
        self, consent_id: UUID, by: UUID, actor: str, admits: Admission, *, used_at: dt.datetime | None = None
    ) -> Answered:
        """Say that it was used, at ``used_at`` (now when None). One that is good for one time ends with that.

        Raises:
            ConsentRefusedError: there is none, the caller may not, or it can not be drawn.
        """
        action = "consent:use"
        async with self._auditing(action, consent_id, actor), self._work.changing() as change:
            before = await change.locked(consent_id)
            after = _admitted(before, admits, rules.log_use(before, change.now))
            await change.keep(before, after, by, used=True)
            ended, at = after is not before, used_at or change.now
            change.tell_consent(actor, action, after, used_at=at.isoformat(), ended=ended)
            return Answered(after, changed=ended)

    async def _move(
        self,
        action: str,
        consent_id: UUID,
        by: UUID,
        actor: str,
        admits: Admission,
        rule: Callable[[Consent, dt.datetime], Moved],
    ) -> Answered:
        async with self._auditing(action, consent_id, actor), self._work.changing() as change:
            before = await change.locked(consent_id)
            after = _admitted(before, admits, rule(before, change.now))
            if after is before:
                return Answered(before, changed=False)
            await change.keep(before, after, by)
            change.tell_consent(actor, action, after)
            return Answered(after, changed=True)

    def _auditing(self, action: str, consent_id: UUID, actor: str) -> Auditing:
        return Auditing(self._work, action, consent_id, actor)


def only(*parties: UUID | None) -> Admission:
    """Lets the receiver's own in, or whoever handles it for the receiver; to others the consent is not there."""

    def admits(consent: Consent) -> Refusal | None:
        allowed = {consent.receiver, consent.handled_by} - {None}
        return None if allowed.intersection(parties) else Refusal(Reason.NOT_FOUND)

    return admits


def _admitted(before: Consent, admits: Admission, after: Moved) -> Consent:
    """Who may not do it is not told how the consent stands."""
    refusal = admits(before) or (after if isinstance(after, Refusal) else None)
    if refusal is not None:
        raise ConsentRefusedError.of(refusal)
    assert isinstance(after, Consent)  # noqa: S101 - it is no refusal
    return after


async def _kept(connection: AsyncConnection, consent_id: UUID) -> Kept | None:
    consent = await store.get(connection, consent_id)
    if consent is None:
        return None
    return Kept(consent, (await store.events(connection, [consent_id]))[consent_id])
