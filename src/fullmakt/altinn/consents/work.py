"""How consents change: see ``infra.work``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fullmakt.altinn.consents import notifications, rules, store
from fullmakt.altinn.consents.errors import ConsentRefusedError
from fullmakt.altinn.consents.model import Consent, ConsentEvent, EventType
from fullmakt.altinn.consents.rules import Reason
from fullmakt.infra import audit, work
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import Clock, NewId
from fullmakt.kernel.ordered_ids import time_ordered_id
from fullmakt.wire.altinn.consents import TOPIC

SYSTEM = "consents"
_PLACES = {kind: place for place, kind in enumerate(rules.ORDER)}


@dataclass
class Change(work.Change):
    """A use case that may change consents."""

    system, topic = SYSTEM, TOPIC

    async def locked(self, consent_id: UUID) -> Consent:
        """The consent, kept from moving until the transaction ends.

        Raises:
            ConsentRefusedError: there is none.
        """
        found = await store.get(self.connection, consent_id, lock=True)
        if found is None:
            raise ConsentRefusedError(Reason.NOT_FOUND)
        return found

    async def keep(
        self, before: Consent | None, after: Consent, performed_by: UUID, *, used: bool = False
    ) -> tuple[ConsentEvent, ...]:
        """Let the consent stand as ``after``, and write down what has happened; what is not there yet is added.

        Raises:
            ConsentRefusedError: somebody else has moved it meanwhile, or made one with the same id.
        """
        kept = (
            await store.insert(self.connection, after)
            if before is None
            else await store.move(self.connection, before, after)
        )
        if not kept:
            raise ConsentRefusedError(Reason.NOT_PENDING)
        events = tuple(
            ConsentEvent(self._event_id(before, kind), after.id, kind, self.now, performed_by)
            for kind in rules.events_of(before, after, used=used)
        )
        await store.add_events(self.connection, after, events)
        await notifications.queue(self.connection, after, events)
        return events

    def tell_consent(self, actor: str, action: str, consent: Consent, /, **facts: Any) -> None:
        """Say that a consent has changed, and with it what may be drawn."""
        subject = f"consent:{consent.id}"
        self.tell(actor, action, subject, subject, f"from:{consent.giver}", f"to:{consent.receiver}", **facts)

    def _event_id(self, before: Consent | None, kind: EventType) -> UUID:
        """An id after those of all that has happened to the consent, should this node's clock be behind another's."""
        at = self.now if before is None else max(self.now, before.last_changed)
        return time_ordered_id(at, self.fresh_id(), _PLACES[kind])


class Work(work.Work[Change]):
    """Opens use cases."""

    def __init__(self, database: Database, clock: Clock, new_id: NewId) -> None:
        super().__init__(Change, database, clock, new_id)

    async def record(
        self,
        actor: str,
        action: str,
        subject: UUID | str,
        reason: str = "",
        /,
        outcome: str = "deny",
        **facts: Any,
    ) -> None:
        """Keep in the audit trail what was decided about a consent (its id), or that somebody was refused at a place,
        in a transaction of its own."""
        told = audit.AuditEvent(
            self.clock(),
            SYSTEM,
            action,
            outcome,
            actor=actor,
            subject=f"consent:{subject}" if isinstance(subject, UUID) else subject,
            reason=reason,
            facts=facts,
        )
        async with self.database.transaction() as connection:
            await audit.record(connection, told)
