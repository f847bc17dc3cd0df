"""Requests for consent as the portal shows them, and lets picked people answer them, in both of Altinn's forms."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from uuid import UUID

from fullmakt.altinn.consents.altinn2 import rules as altinn2
from fullmakt.altinn.consents.altinn2.redirects import Redirects
from fullmakt.altinn.consents.altinn3.rules import redirect_members
from fullmakt.altinn.consents.errors import ConsentRefusedError
from fullmakt.altinn.consents.model import Consent, Form, PortalViewMode, Status
from fullmakt.altinn.consents.rules import Reason
from fullmakt.altinn.consents.service import ConsentsService
from fullmakt.altinn.consents.showing import Showing
from fullmakt.altinn.consents.templates import Shown
from fullmakt.altinn.consents.texts import redirect_parts, with_members
from fullmakt.infra.telemetry import current_trace
from fullmakt.kernel.clock import Clock
from fullmakt.portal.consents import Answer, Refused, RefusedError, Right, ShownConsent, State
from fullmakt.portal.forms import Person
from fullmakt.serve.consents import Consents
from fullmakt.serve.picked_people import PickedPeople

_STATES = {
    Status.ACCEPTED: State.ACCEPTED,
    Status.REJECTED: State.REJECTED,
    Status.REVOKED: State.ENDED,
    Status.DELETED: State.WITHDRAWN,
}
WHY = {
    Reason.NOT_FOUND: Refused.UNKNOWN,
    Reason.EXPIRED: Refused.EXPIRED,
    Reason.NOT_PENDING: Refused.ANSWERED,
    Reason.GATE_CLOSED: Refused.CLOSED,
}
"""Why an answer was not taken, to the page; any other reason is the person's."""
_GIVEN = {Status.ACCEPTED: Answer.ACCEPT, Status.REJECTED: Answer.REJECT}
TECHNICAL = "Technical error"
"""``ErrorMessage`` of a redirect when something went wrong here."""


class ConsentDesk:
    """The portal's ``ConsentRequests``, on the consents of both forms."""

    def __init__(self, service: ConsentsService, showing: Showing, redirects: Redirects, people: PickedPeople) -> None:
        self._service = service
        self._showing = showing
        self._redirects = redirects
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
        leads_on = await self._redirects.refusal(consent) is None
        after = _after(consent) if leads_on else {}
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
            read=digest(words),
            people=await self._able(consent) if state is State.WAITING else (),
            onward=after.get(answer, "") if answer is not None else "",
            after=after,
            failed=self._failed(consent) if after else "",
            is_listed=consent.portal_view_mode is PortalViewMode.SHOW,
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
        # Looked up before the answer: once that is given, nothing may fail that would tell the receiver otherwise.
        kept = await self._service.using.find(consent_id)
        refusal = None if kept is None else await self._redirects.refusal(kept.consent)
        try:
            if answer is Answer.ACCEPT:
                answered = await self._showing.accept(consent_id, caller, language)
            else:
                answered = await self._service.answering.reject(consent_id, caller)
        except ConsentRefusedError as error:
            raise RefusedError(WHY.get(error.reason, Refused.PERSON)) from error
        consent = answered.consent
        if refusal is not None:  # the answer stands; where it was to be told of, nobody may be sent any more
            work = self._service.work
            await work.record(caller.actor, "consent:redirect", consent.id, refusal.reason, **refusal.facts)
            return ""
        return _after(consent).get(answer, "")

    def _failed(self, consent: Consent) -> str:
        """Altinn 3's form has no words for it."""
        if consent.form is not Form.ALTINN2:
            return ""
        return altinn2.failed_url(consent, TECHNICAL, error_code(), self._service.work.clock())

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


def consent_desk(consents: Consents, people: PickedPeople, clock: Clock) -> ConsentDesk:
    """The desk over these consents."""
    redirects = Redirects(consents.altinn2.parties, consents.srr, consents.keys, clock)
    return ConsentDesk(consents.service, consents.showing, redirects, people)


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


def error_code() -> str:
    """What to ask us about: the trace of the request that is being served."""
    trace = current_trace.get()
    return trace.trace_id if trace else ""


def digest(words: Shown) -> str:
    """Stands for everything that is read: an answer is to that."""
    return hashlib.sha256(json.dumps(words.document(), sort_keys=True).encode()).hexdigest()
