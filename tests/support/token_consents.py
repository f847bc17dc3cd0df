"""An Altinn that keeps consents, for tests of the token server: told what to answer, and announcing its changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from fullmakt.infra import feed
from fullmakt.infra.database import Database, DatabaseUnavailableError
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn.consents import TOPIC, Cause, ConsentQuestion, ConsentRight, FoundConsent, NoConsent
from tests.support.tokens import ORGNO, PID

CONSENT_ID = UUID("77ed8698-e619-4066-9eb4-5c1eb3f165a1")
GIVER = f"urn:altinn:person:identifier-no:{PID}"
RESOURCE = "standard-samtykke-for-dele-data"
CONSENT = FoundConsent(
    id=CONSENT_ID,
    giver=GIVER,
    receiver=OrgNumber(ORGNO),
    handled_by=None,
    consented=datetime(2026, 11, 20, 10, 34, 39, 676924, tzinfo=UTC),
    valid_to=datetime(2027, 1, 20, 10, 34, 34, tzinfo=UTC),
    rights=(ConsentRight(RESOURCE, metadata={"inntektsaar": "2024"}),),
)


def consent_given(**changes: Any) -> FoundConsent:
    """``CONSENT`` with other values."""
    return replace(CONSENT, **changes)


def element_of(consent: UUID | str = CONSENT_ID, giver: str = GIVER) -> dict[str, str]:
    """The element of a grant's ``authorization_details``."""
    return {"type": "urn:altinn:consent", "id": str(consent), "from": giver}


class AltinnWithConsents:
    """What has been consented to. ``asked`` are the questions, ``silent`` makes it answer nobody.

    ``causes`` is what it says of a consent that is not there.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.given: dict[UUID, FoundConsent] = {}
        self.causes: tuple[Cause, ...] = (Cause.NOT_FOUND,)
        self.asked: list[ConsentQuestion] = []
        self.silent = False

    async def give(self, *consents: FoundConsent) -> None:
        """Let these be given, in a transaction that tells of it."""
        await self._change({**self.given, **{one.id: one for one in consents}}, *[one.id for one in consents])

    async def revoke(self, consent: UUID = CONSENT_ID) -> None:
        """Take one back."""
        self.causes = (Cause.REVOKED,)
        await self._change({key: one for key, one in self.given.items() if key != consent}, consent)

    async def announce(self, consent: UUID) -> None:
        """Tell of a change of one, whatever it is."""
        await self._change(self.given, consent)

    async def _change(self, given: Mapping[UUID, FoundConsent], *changed: UUID) -> None:
        async with self.database.transaction() as connection:
            await feed.publish(connection, TOPIC, [f"consent:{one}" for one in changed])
            self.given = dict(given)

    def answer(self, question: ConsentQuestion) -> FoundConsent | NoConsent:
        """As the look-up does."""
        self.asked.append(question)
        if self.silent:
            raise DatabaseUnavailableError("Altinn does not answer")
        consent = self.given.get(question.id)
        if consent is None:
            return NoConsent(self.causes)
        causes = []
        if question.receiver not in (consent.receiver, consent.handled_by):
            causes.append(Cause.NOT_FOUND)
        if question.giver != consent.giver:
            causes.append(Cause.OTHER_GIVER)
        return NoConsent(tuple(causes)) if causes else consent


class ConsentsInOurDatabase:
    """The ``Consents`` port, with the feed in the token server's own database."""

    topic: str | None = TOPIC

    def __init__(self, altinn: AltinnWithConsents) -> None:
        self._altinn = altinn

    async def look_up(self, question: ConsentQuestion) -> FoundConsent | NoConsent:
        """As the port has it."""
        return self._altinn.answer(question)

    async def version(self) -> int:
        """As the port has it."""
        async with self._altinn.database.transaction() as connection:
            return await feed.current_version(connection, TOPIC)
