"""Consents of Altinn 2 that go on living in Altinn 3, with the ids they had (consent.md §4.17), by the operator."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from fullmakt.altinn.consents import rules, store
from fullmakt.altinn.consents.answering import Auditing
from fullmakt.altinn.consents.errors import ConsentRefusedError
from fullmakt.altinn.consents.model import Consent, ConsentEvent, EventType, Form, Status
from fullmakt.altinn.consents.rules import Reason
from fullmakt.altinn.consents.work import Work
from fullmakt.kernel.declarations import Outcome
from fullmakt.kernel.ordered_ids import time_ordered_id

OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Past:
    """Something that happened to a consent before it came here."""

    type: EventType
    at: dt.datetime
    performed_by: UUID


class Migrating:
    """Takes consents over. To say it again does nothing."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def take_over(self, consent_id: UUID) -> Outcome:
        """Let Altinn 3 know a consent that was given in Altinn 2's form here, with all that has happened to it.

        Raises:
            ConsentRefusedError: there is none, or it was not given.
        """
        action = "consent:migrate"
        async with Auditing(self._work, action, consent_id, OPERATOR), self._work.changing() as change:
            before = await change.locked(consent_id)
            if before.in_altinn3:
                return Outcome.UNCHANGED
            if before.status is not Status.ACCEPTED:
                raise ConsentRefusedError(Reason.NOT_ACCEPTED, status=before.status.value)
            after = replace(before, migrated=change.now)
            await change.keep(before, after, before.receiver)
            change.tell_consent(OPERATOR, action, after)
            return Outcome.CHANGED

    async def bring_in(self, consent: Consent, past: Sequence[Past]) -> Outcome:
        """Keep a consent that was given elsewhere, with its own times and history; its time may be over already.

        One that is here in Altinn 2's form is taken over.

        Raises:
            ConsentRefusedError: it was not given, or its id is that of a consent between others.
        """
        async with Auditing(self._work, "consent:migrate", consent.id, OPERATOR):
            if consent.consented is None:
                raise ConsentRefusedError(Reason.NOT_ACCEPTED, status=consent.status.value)
            async with self._work.changing() as change:
                found = await store.get(change.connection, consent.id)
                made = replace(consent, form=Form.ALTINN3, rights=consent.altinn3_rights)
                if found is None and await store.insert(change.connection, made):
                    events = [
                        ConsentEvent(
                            time_ordered_id(one.at, change.fresh_id(), place),
                            consent.id,
                            one.type,
                            one.at,
                            one.performed_by,
                        )
                        for place, one in enumerate(past)
                    ]
                    await store.add_events(change.connection, made, events)
                    change.tell_consent(OPERATOR, "consent:migrate", made)
                    return Outcome.CREATED
                found = found or await change.locked(consent.id)
            if not rules.same_parties(found, consent):
                raise ConsentRefusedError(Reason.NOT_FOUND)
        return await self.take_over(consent.id)
