"""A request as its giver reads it, and what was read kept with the answer (consent.md §2.5, §4.8)."""

from __future__ import annotations

from uuid import UUID

from fullmakt.altinn.consents.answering import Answered
from fullmakt.altinn.consents.errors import ConsentRefusedError
from fullmakt.altinn.consents.model import Consent
from fullmakt.altinn.consents.rules import Reason
from fullmakt.altinn.consents.service import ConsentsService
from fullmakt.altinn.consents.templates import Shown, render
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.parties import PartyIdentity


class Showing:
    """Words requests, for pages and for those who answer through an API."""

    def __init__(self, service: ConsentsService) -> None:
        self._service = service

    async def page(
        self, consent: Consent, language: str, *, accepted: bool = False, giver: PartyIdentity | None = None
    ) -> Shown:
        """The consent in words. Whoever calls has seen to it that the reader may see it, and may say who gives it.

        Raises:
            ConsentRefusedError: its giver or receiver has gone from the register.
        """
        neighbours = self._service.neighbours
        named = {consent.giver, consent.receiver, *({consent.handled_by} - {None})}
        found = await neighbours.by_uuid([party for party in named if party is not None])
        parties = found if giver is None else {**found, consent.giver: giver}
        if consent.giver not in parties or consent.receiver not in parties:
            raise ConsentRefusedError(Reason.NOT_FOUND, why="party_gone")
        return render(
            consent,
            language,
            giver=parties[consent.giver],
            receiver=parties[consent.receiver],
            handled_by=parties.get(consent.handled_by) if consent.handled_by else None,
            resources=await neighbours.resources.resources({right.resource for right in consent.rights}),
            accepted=accepted,
        )

    async def accept(self, consent_id: UUID, caller: Caller, language: str) -> Answered:
        """Say yes to the consent as it reads now, in ``language``.

        Raises:
            ConsentRefusedError: see ``Answering.accept``, and ``page``.
        """
        answering = self._service.answering
        kept = await self._service.using.find(consent_id)
        try:
            shown = {} if kept is None else (await self.page(kept.consent, language)).document()
        except ConsentRefusedError as error:
            await answering.shown(consent_id, caller)  # who may not answer is told that, and nothing of the parties
            await self._service.work.record(
                caller.actor, "consent:accept", consent_id, error.reason.value, **error.facts
            )
            raise
        return await answering.accept(consent_id, caller, language=language, shown=shown)
