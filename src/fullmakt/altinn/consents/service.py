"""Everything that is done with consents, and what other systems ask of them."""

from __future__ import annotations

from uuid import UUID

from fullmakt.altinn.consents import rules, store
from fullmakt.altinn.consents.answering import Answering
from fullmakt.altinn.consents.feeds import Feeds
from fullmakt.altinn.consents.migrating import Migrating
from fullmakt.altinn.consents.ports import Neighbours
from fullmakt.altinn.consents.using import Using
from fullmakt.altinn.consents.work import Work
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import Clock, NewId
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.consents import Cause, ConsentQuestion, FoundConsent, NoConsent
from fullmakt.wire.altinn.parties import PartyIdentity

_GIVERS = frozenset({ids.PERSON, ids.ORGANISATION})


class ConsentsService:
    """The use cases by whom they are for; what neighbours ask for are its own methods."""

    def __init__(self, database: Database, clock: Clock, new_id: NewId, neighbours: Neighbours) -> None:
        self.work = Work(database, clock, new_id)
        self.neighbours = neighbours
        self.using = Using(self.work)
        self.answering = Answering(self.work, neighbours)
        self.feeds = Feeds(self.work)
        self.migrating = Migrating(self.work)

    async def look_up(self, question: ConsentQuestion, *, actor: str = "maskinporten") -> FoundConsent | NoConsent:
        """The consent that may be drawn, or every cause why not (§4.9). Either is written down."""
        giver, receiver = await self._parties(question)
        async with self.work.database.transaction() as connection:
            consent = await store.get(connection, question.id)
        causes = (Cause.NOT_FOUND,) if consent is None else rules.look_up(consent, giver, receiver, self.work.clock())
        if causes or consent is None or consent.answered_at is None:
            codes = [cause.value for cause in causes]
            told = "not_found" if consent is None else causes[0].name.lower()
            await self.work.record(actor, "consent:look-up", question.id, told, causes=codes)
            return NoConsent(causes)
        await self.work.record(actor, "consent:look-up", question.id, outcome="permit", receiver=str(receiver))
        known = await self.neighbours.by_uuid([one for one in (consent.receiver, consent.handled_by) if one])
        return FoundConsent(
            id=consent.id,
            giver=question.giver,
            receiver=_orgno(known.get(consent.receiver)) or question.receiver,
            handled_by=_orgno(known.get(consent.handled_by)) if consent.handled_by else None,
            consented=consent.answered_at,
            valid_to=consent.valid_to,
            rights=consent.altinn3_rights,
        )

    async def _parties(self, question: ConsentQuestion) -> tuple[UUID | None, UUID | None]:
        kind, _, number = question.giver.rpartition(":")
        giver, receiver = Attribute(kind, number), Attribute(ids.ORGANISATION, question.receiver)
        found = await self.neighbours.parties.identify([receiver, *([giver] if kind in _GIVERS else [])])
        known = [found.get(giver), found.get(receiver)]
        first, second = (None if party is None else party.party_uuid for party in known)
        return first, second


def _orgno(party: PartyIdentity | None) -> OrgNumber | None:
    return None if party is None else party.orgno
