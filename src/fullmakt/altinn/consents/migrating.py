"""Consents of Altinn 2 that go on living in Altinn 3, with the ids they had (consent.md §4.17), by the operator."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from fullmakt.altinn.consents import migration_store, rules, store
from fullmakt.altinn.consents.errors import ConsentRefusedError
from fullmakt.altinn.consents.model import Consent, ConsentEvent, EndReason, EventType, Form, Status
from fullmakt.altinn.consents.rules import Reason, Refusal
from fullmakt.altinn.consents.work import Change, Work
from fullmakt.kernel.declarations import Outcome
from fullmakt.kernel.ordered_ids import time_ordered_id

OPERATOR = "operator"
ACTION = "consent:migrate"
BATCH = 100
"""Consents that are taken over in one transaction: nobody else moves them meanwhile."""
ID_TAKEN = "consent_id_taken"


@dataclass(frozen=True, slots=True)
class Past:
    """Something that happened to a consent before it came here."""

    type: EventType
    at: dt.datetime
    performed_by: UUID


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one consent: what was done, or why nothing was."""

    consent_id: UUID
    result: Outcome | Refusal

    @property
    def reason(self) -> str:
        """Why it was not taken, in one word; empty when it was."""
        return "" if isinstance(self.result, Outcome) else str(self.result.facts.get("why", self.result.reason.value))

    def outcome(self) -> Outcome:
        """What was done.

        Raises:
            ConsentRefusedError: nothing was.
        """
        if isinstance(self.result, Refusal):
            raise ConsentRefusedError.of(self.result)
        return self.result


class Migrating:
    """Takes consents over. To say it again does nothing, and what is cut off is taken up by saying it again.

    A dry run judges by what there is, and leaves neither a change nor a trace.
    """

    def __init__(self, work: Work) -> None:
        self._work = work

    async def take_over(self, consent_id: UUID) -> Outcome:
        """Let Altinn 3 know a consent that was given in Altinn 2's form here, with all that has happened to it.

        Raises:
            ConsentRefusedError: there is none, it was not given, or it has ended.
        """
        (taken,) = await self.take_over_all([consent_id])
        return taken.outcome()

    async def take_over_all(self, consent_ids: Sequence[UUID], *, dry_run: bool = False) -> list[Taken]:
        """The same of several, at most ``BATCH``, in one transaction."""
        if dry_run:
            async with self._work.database.transaction() as connection:
                there = await migration_store.found(connection, consent_ids)
            return [Taken(one, _taken_over(there.get(one))) for one in consent_ids]
        async with self._work.changing() as change:
            there = await migration_store.found(change.connection, consent_ids, lock=True)
            done = [Taken(one, await _take_over(change, there.get(one))) for one in dict.fromkeys(consent_ids)]
        await self._record(done)
        return done

    async def bring_in(self, consent: Consent, past: Sequence[Past]) -> Outcome:
        """Keep a consent that was given elsewhere, with its own times and history; its time may be over already.

        One that is here in Altinn 2's form is taken over, and what stands here and has ended there ends.

        Raises:
            ConsentRefusedError: it was not given, or its id is that of a consent between others.
        """
        (taken,) = await self.bring_in_all([(consent, past)])
        return taken.outcome()

    async def bring_in_all(
        self, consents: Sequence[tuple[Consent, Sequence[Past]]], *, dry_run: bool = False
    ) -> list[Taken]:
        """The same of several, at most ``BATCH``, in one transaction; what became of each, in their order."""
        ids = [consent.id for consent, _ in consents]
        if dry_run:
            async with self._work.database.transaction() as connection:
                there = await migration_store.found(connection, ids)
            return [Taken(one.id, _brought_in(there.get(one.id), one)) for one, _ in consents]
        done: dict[int, Taken] = {}
        async with self._work.changing() as change:
            there = await migration_store.found(change.connection, ids, lock=True)
            for place in sorted(range(len(ids)), key=ids.__getitem__):  # everybody makes them in the same order
                consent, past = consents[place]
                done[place] = Taken(consent.id, await _bring_in(change, there.pop(consent.id, None), consent, past))
        taken = [done[place] for place in range(len(ids))]
        await self._record(taken)
        return taken

    async def waiting(self, *, resource: str | None = None, lapsed: bool = False) -> AsyncIterator[Sequence[UUID]]:
        """The ids of what can be taken over, by the batch: to ``resource``, or to whatever; with ``lapsed`` also of
        those whose time is over. Those that come in meanwhile may be among them."""
        after, limit = migration_store.FIRST, BATCH
        while True:
            async with self._work.database.transaction() as connection:
                now = self._work.clock()
                ids = await migration_store.waiting(connection, after, limit, now, resource=resource, lapsed=lapsed)
            if not ids:
                return
            yield ids
            after = ids[-1]

    async def left(self, *, resource: str | None = None, lapsed: bool = False) -> Mapping[str, int]:
        """How many of Altinn 2's form are not for taking over, by the reason."""
        async with self._work.database.transaction() as connection:
            return await migration_store.left(connection, self._work.clock(), resource=resource, lapsed=lapsed)

    async def _record(self, taken: Sequence[Taken]) -> None:
        for one in taken:
            if isinstance(one.result, Refusal):
                await self._work.record(OPERATOR, ACTION, one.consent_id, one.reason, **one.result.facts)


def _taken_over(found: Consent | None) -> Outcome | Refusal:
    if found is None:
        return Refusal(Reason.NOT_FOUND)
    if found.in_altinn3:
        return Outcome.UNCHANGED
    if found.status is not Status.ACCEPTED:
        why = Reason.ENDED if found.status is Status.REVOKED else Reason.NOT_ACCEPTED
        return Refusal(why, {"status": found.status.value})
    return Outcome.CHANGED


def _brought_in(found: Consent | None, made: Consent) -> Outcome | Refusal:
    if made.consented is None:
        return Refusal(Reason.NOT_ACCEPTED, {"status": made.status.value})
    if found is None:
        return Outcome.CREATED
    if not rules.same_parties(found, made):
        return Refusal(Reason.NOT_FOUND, {"why": ID_TAKEN})
    result = _taken_over(found)
    return Outcome.CHANGED if result is Outcome.UNCHANGED and _has_ended_there(found, made) else result


def _has_ended_there(found: Consent, made: Consent) -> bool:
    """Whether what stands here was taken back, given up or used up where it was given."""
    return found.status is Status.ACCEPTED and made.status is Status.REVOKED


async def _take_over(change: Change, found: Consent | None, made: Consent | None = None) -> Outcome | Refusal:
    """``made`` is how the consent stands where it is brought in from, if it is."""
    result = _taken_over(found) if made is None else _brought_in(found, made)
    if result is not Outcome.CHANGED or found is None:
        return result
    after = found if found.in_altinn3 else replace(found, migrated=change.now)
    used = False
    if made is not None and _has_ended_there(found, made):
        after = replace(after, status=made.status, ended_at=change.now, end_reason=made.end_reason)
        used = made.end_reason is EndReason.USED_UP
    await change.keep(found, after, found.receiver if used else found.answered_by or found.giver, used=used)
    change.tell_consent(OPERATOR, ACTION, after, status=after.status.value)
    return result


async def _bring_in(change: Change, found: Consent | None, consent: Consent, past: Sequence[Past]) -> Outcome | Refusal:
    result = _brought_in(found, consent)
    if result is not Outcome.CREATED:
        return result if isinstance(result, Refusal) else await _take_over(change, found, consent)
    made = replace(consent, form=Form.ALTINN3, rights=consent.altinn3_rights)
    if not await store.insert(change.connection, made):  # somebody was faster
        there = await change.locked(consent.id)
        return await _bring_in(change, there, consent, past)
    events = [
        ConsentEvent(time_ordered_id(one.at, change.fresh_id(), place), consent.id, one.type, one.at, one.performed_by)
        for place, one in enumerate(past)
    ]
    await store.add_events(change.connection, made, events)
    change.tell_consent(OPERATOR, ACTION, made)
    return result
