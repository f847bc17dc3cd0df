"""What can become of a consent, and who may draw it. Pure.

A transition is given the consent as it stands, and returns it as it stands then, or a ``Refusal``. One that has been
made already returns the very same consent. Source: consent.md §2.3, §2.4, §2.10, §4.7, §4.9, §4.15.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from fullmakt.altinn.consents.model import Consent, ConsentEvent, EndReason, EventType, Form, Status
from fullmakt.kernel.ordered_ids import time_ordered_id
from fullmakt.wire.altinn.consents import Cause


class Reason(StrEnum):
    """Why something can not be done with a consent."""

    NOT_FOUND = "consent_not_found"
    """There is none, or it is not the caller's to know of."""
    EXPIRED = "consent_expired"
    NOT_PENDING = "consent_already_answered"
    """It has been answered, withdrawn or ended."""
    NOT_ACCEPTED = "consent_not_accepted"
    ENDED = "consent_ended"
    """It was revoked, given up, or used up."""
    OTHER_PERSON = "not_the_required_delegator"
    NOT_AUTHORIZED = "not_authorized_for_consent"
    """The person may not do it for the giver."""
    GATE_CLOSED = "consent_gate_closed"
    """What else the form asks for does not hold; the fact ``why`` says what."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """It can not be done, and why. ``facts`` are fit for the audit trail."""

    reason: Reason
    facts: Mapping[str, Any] = field(default_factory=dict)


Moved = Consent | Refusal

ORDER = (
    EventType.CREATED,
    EventType.OPENED,
    EventType.REJECTED,
    EventType.ACCEPTED,
    EventType.USED,
    EventType.REVOKED,
    EventType.DELETED,
    EventType.EXPIRED,
)
"""In which order things happen to a consent, where they happen at the same time."""


def open_(consent: Consent, person: UUID, now: datetime) -> Moved:
    """Somebody who can answer looks at it for the first time (Altinn 2's ``Opened``)."""
    refusal = answer_refusal(consent, person)
    if refusal is not None:
        return refusal
    if consent.status is not Status.CREATED or consent.opened_at is not None or consent.is_expired(now):
        return consent
    return replace(consent, opened_at=now)


def accept(
    consent: Consent, person: UUID, now: datetime, *, language: str = "", shown: Mapping[str, Any] | None = None
) -> Moved:
    """Say yes. Of a consent whose time is over nothing can be made, of one that was accepted already nothing more."""
    refusal = answer_refusal(consent, person)
    if refusal is not None:
        return refusal
    if consent.is_expired(now):
        return _refusal(Reason.EXPIRED, consent)
    if consent.status is Status.ACCEPTED:
        return consent
    if consent.status is not Status.CREATED:
        return _refusal(Reason.NOT_PENDING, consent)
    return replace(
        consent,
        status=Status.ACCEPTED,
        answered_at=now,
        answered_by=person,
        language=language,
        shown=shown or {},
    )


def reject(consent: Consent, person: UUID, now: datetime) -> Moved:
    """Say no. In Altinn 2's form a request can not be answered after its time, in Altinn 3's that much can be said."""
    refusal = answer_refusal(consent, person)
    if refusal is not None:
        return refusal
    if consent.status is Status.REJECTED:
        return consent
    if consent.status is not Status.CREATED:
        return _refusal(Reason.NOT_PENDING, consent)
    if consent.form is Form.ALTINN2 and consent.is_expired(now):
        return _refusal(Reason.EXPIRED, consent)
    return replace(consent, status=Status.REJECTED, answered_at=now, answered_by=person)


def revoke(consent: Consent, now: datetime) -> Moved:
    """The giver takes it back, at any time after it was given. It has ended once."""
    if consent.status is Status.REVOKED:
        return consent
    if consent.status is not Status.ACCEPTED:
        return _refusal(Reason.NOT_ACCEPTED, consent)
    return _ended(consent, EndReason.REVOKED, now)


def withdraw(consent: Consent, now: datetime) -> Moved:
    """Whoever asked takes the question back: only as long as there is no answer (§2.3)."""
    if consent.status is Status.DELETED:
        return consent
    if consent.status is not Status.CREATED:
        return _refusal(Reason.NOT_PENDING, consent)
    return replace(consent, status=Status.DELETED, ended_at=now)


def give_up(consent: Consent, now: datetime) -> Moved:
    """The receiver needs it no more (§2.10)."""
    if consent.status is Status.REVOKED:
        return consent
    if consent.status is not Status.ACCEPTED:
        return _refusal(Reason.NOT_ACCEPTED, consent)
    return _ended(consent, EndReason.GIVEN_UP, now)


def log_use(consent: Consent, now: datetime) -> Moved:
    """It has been used: with that one that is good for one time has ended. The others stay as they are."""
    refusal = drawn_refusal(consent, now)
    if refusal is not None:
        return refusal
    return _ended(consent, EndReason.USED_UP, now) if consent.one_time else consent


def drawn_refusal(consent: Consent, now: datetime) -> Refusal | None:
    """What keeps a consent from being drawn, whoever its receiver is; None when nothing does."""
    if consent.status is Status.REVOKED:
        return _refusal(Reason.ENDED, consent)
    if consent.status is not Status.ACCEPTED:
        return _refusal(Reason.NOT_ACCEPTED, consent)
    return _refusal(Reason.EXPIRED, consent) if consent.is_expired(now) else None


def answer_refusal(consent: Consent, person: UUID) -> Refusal | None:
    """Where one person must answer, nobody else can, nor see it."""
    required = consent.required_delegator
    return None if required is None or required == person else _refusal(Reason.OTHER_PERSON, consent)


def look_up(consent: Consent, giver: UUID | None, receiver: UUID | None, now: datetime) -> tuple[Cause, ...]:
    """Why Maskinporten can not draw the consent for ``receiver``: every cause (§4.9), none when it can.

    None stands for a party that nobody is registered as.
    """
    if not consent.in_altinn3:
        return (Cause.NOT_FOUND,)
    causes = []
    if receiver is None or receiver not in {consent.receiver, consent.handled_by}:
        causes.append(Cause.NOT_FOUND)
    if giver != consent.giver:
        causes.append(Cause.OTHER_GIVER)
    if consent.is_expired(now):
        causes.append(Cause.EXPIRED)
    if consent.status is Status.REVOKED:
        causes.append(Cause.REVOKED)
    elif consent.status is not Status.ACCEPTED:
        causes.append(Cause.NOT_ACCEPTED)
    return tuple(causes)


def same_parties(one: Consent, other: Consent) -> bool:
    """Whether both are between the same two: an id that is used again for others is another's (§4.4, 12)."""
    return (one.giver, one.receiver) == (other.giver, other.receiver)


def events_of(before: Consent | None, after: Consent, *, used: bool = False) -> tuple[EventType, ...]:
    """What has happened between two states of a consent, in order; ``used`` when that was among it."""
    if before is None:
        return (EventType.CREATED,)
    happened = [EventType.USED] if used else []
    if before.opened_at is None and after.opened_at is not None:
        happened.append(EventType.OPENED)
    if before.status is not after.status:
        happened.append(EventType(after.status.value))
    return tuple(happened)


def with_expiry(consent: Consent, events: tuple[ConsentEvent, ...], now: datetime) -> tuple[ConsentEvent, ...]:
    """The events, and at their end that the time is over, if it is (§4.5). It has the same id each time."""
    if not consent.is_expired(now):
        return events
    event_id = time_ordered_id(consent.valid_to, consent.id)
    expired = ConsentEvent(event_id, consent.id, EventType.EXPIRED, consent.valid_to, consent.receiver)
    return (*events, expired)


def _ended(consent: Consent, why: EndReason, now: datetime) -> Consent:
    return replace(consent, status=Status.REVOKED, ended_at=now, end_reason=why)


def _refusal(reason: Reason, consent: Consent) -> Refusal:
    return Refusal(reason, {"status": consent.status.value})
