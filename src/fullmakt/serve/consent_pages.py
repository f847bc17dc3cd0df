"""Requests for consent as the portal shows them, and lets picked people answer them, in both of Altinn's forms."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from uuid import UUID

from fullmakt.altinn.consents.altinn2 import rules as altinn2
from fullmakt.altinn.consents.altinn3.rules import redirect_members
from fullmakt.altinn.consents.errors import ConsentRefusedError
from fullmakt.altinn.consents.model import Consent, Form, Status
from fullmakt.altinn.consents.rules import Reason
from fullmakt.altinn.consents.service import ConsentsService
from fullmakt.altinn.consents.showing import Showing
from fullmakt.altinn.consents.templates import Shown
from fullmakt.altinn.consents.texts import redirect_parts, with_members
from fullmakt.portal.consents import Answer, Refused, RefusedError, Right, ShownConsent, State
from fullmakt.portal.forms import Person
from fullmakt.serve.picked_people import PickedPeople

_STATES = {
    Status.ACCEPTED: State.ACCEPTED,
    Status.REJECTED: State.REJECTED,
    Status.REVOKED: State.ENDED,
    Status.DELETED: State.WITHDRAWN,
}
_WHY = {
    Reason.NOT_FOUND: Refused.UNKNOWN,
    Reason.EXPIRED: Refused.EXPIRED,
    Reason.NOT_PENDING: Refused.ANSWERED,
    Reason.GATE_CLOSED: Refused.CLOSED,
}
_GIVEN = {Status.ACCEPTED: Answer.ACCEPT, Status.REJECTED: Answer.REJECT}


class ConsentDesk:
    """The portal's ``ConsentRequests``, on the consents of both forms."""

    def __init__(self, service: ConsentsService, showing: Showing, people: PickedPeople) -> None:
        self._service = service
        self._showing = showing
        self._people = people

    async def shown(self, consent_id: UUID, language: str) -> ShownConsent | None:
        """The request in words, with those who may answer it."""
        kept = await self._service.using.find(consent_id)
        if kept is None:
            return None
        consent = kept.consent
        state = self._state(consent)
        given = consent.status in {Status.ACCEPTED, Status.REVOKED}
        try:
            words = await self._showing.page(consent, language, accepted=given)
        except ConsentRefusedError:  # somebody has gone from the register
            return None
        after = _after(consent)
        answer = _GIVEN.get(consent.status)
        return ShownConsent(
            consent_id=consent.id,
            state=state,
            title=words.title,
            heading=words.heading,
            message=words.message,
            intro=words.intro,
            rights=tuple(Right(right.title, right.html) for right in words.rights),
            expiration=words.expiration,
            handled_by=words.handled_by,
            is_power_of_attorney=words.is_power_of_attorney,
            read=_digest(words),
            people=await self._able(consent) if state is State.WAITING else (),
            onward=after.get(answer, "") if answer is not None else "",
            after=after,
        )

    async def opened(self, consent_id: UUID, person: UUID) -> None:
        """Remember it, where the person may look at it at all."""
        caller = await self._people.caller(person)
        if caller is None:
            return
        try:
            await self._service.answering.open(consent_id, caller)
        except ConsentRefusedError:  # it is in the trail; the page says what comes of it when they answer
            return

    async def answer(self, consent_id: UUID, answer: Answer, person: UUID, *, language: str, read: str) -> str:
        """Let the person answer; where the browser goes on.

        Raises:
            RefusedError: it was not taken.
        """
        caller = await self._people.caller(person)
        if caller is None:
            raise RefusedError(Refused.PERSON)
        if answer is Answer.ACCEPT:
            await self._check_read(consent_id, language, read)
        try:
            if answer is Answer.ACCEPT:
                answered = await self._showing.accept(consent_id, caller, language)
            else:
                answered = await self._service.answering.reject(consent_id, caller)
        except ConsentRefusedError as error:
            raise RefusedError(_WHY.get(error.reason, Refused.PERSON)) from error
        return _after(answered.consent).get(answer, "")

    async def _check_read(self, consent_id: UUID, language: str, read: str) -> None:
        """Consent is to what was read, and not to what an owner has written since. What was given already stands."""
        now = await self.shown(consent_id, language)
        if now is not None and now.state is State.WAITING and now.read != read:
            raise RefusedError(Refused.CHANGED)

    async def _able(self, consent: Consent) -> tuple[Person, ...]:
        """Where one person must answer nobody else is shown; else those who see to the giver's affairs."""
        able = await self._people.able("write", consent.giver)
        required = consent.required_delegator
        return able if required is None else tuple(one for one in able if one.uuid == required)

    def _state(self, consent: Consent) -> State:
        if consent.status is Status.CREATED:
            return State.EXPIRED if consent.is_expired(self._service.work.clock()) else State.WAITING
        return _STATES[consent.status]


def _after(consent: Consent) -> Mapping[Answer, str]:
    """Where each answer takes the browser; nothing where the consent's URL is none to be sent to."""
    if redirect_parts(consent.redirect_url) is None:
        return {}
    if consent.form is Form.ALTINN2:
        return {Answer.ACCEPT: altinn2.accepted_url(consent), Answer.REJECT: altinn2.declined_url(consent)}
    url = consent.redirect_url
    return {
        Answer.ACCEPT: with_members(url, redirect_members(accepted=True)),
        Answer.REJECT: with_members(url, redirect_members(accepted=False)),
    }


def _digest(words: Shown) -> str:
    return hashlib.sha256(json.dumps(words.document(), sort_keys=True).encode()).hexdigest()
