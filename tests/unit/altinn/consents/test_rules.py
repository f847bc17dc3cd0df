"""Every transition of a consent, from every state."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from fullmakt.altinn.consents import rules
from fullmakt.altinn.consents.model import Consent, ConsentEvent, EndReason, EventType, Form, Status
from fullmakt.altinn.consents.rules import Reason, Refusal
from fullmakt.wire.altinn.consents import Cause
from tests.support.consents import GIVER, NOW, PERSON, RECEIVER, STRANGER, SUPPLIER, YEAR, consent

LATER = NOW + dt.timedelta(minutes=5)
AFTER = NOW + YEAR


def in_state(status: Status, **given: object) -> Consent:
    """A consent that came to ``status`` by the rules themselves."""
    made = consent(**given)
    match status:
        case Status.ACCEPTED:
            moved = rules.accept(made, PERSON, NOW)
        case Status.REJECTED:
            moved = rules.reject(made, PERSON, NOW)
        case Status.DELETED:
            moved = rules.withdraw(made, NOW)
        case Status.REVOKED:
            accepted = rules.accept(made, PERSON, NOW)
            assert isinstance(accepted, Consent)
            moved = rules.revoke(accepted, NOW)
        case _:
            return made
    assert isinstance(moved, Consent)
    return moved


def reason(moved: Consent | Refusal | None) -> Reason | None:
    return moved.reason if isinstance(moved, Refusal) else None


def test_accepting_keeps_who_when_and_what_was_shown() -> None:
    moved = rules.accept(consent(), PERSON, LATER, language="nn", shown={"title": "Samtykke"})
    assert isinstance(moved, Consent)
    assert (moved.status, moved.consented, moved.answered_by) == (Status.ACCEPTED, LATER, PERSON)
    assert (moved.language, moved.shown) == ("nn", {"title": "Samtykke"})
    assert moved.last_changed == LATER


def test_what_has_been_accepted_is_accepted_once() -> None:
    accepted = in_state(Status.ACCEPTED)
    assert rules.accept(accepted, PERSON, LATER, language="en") is accepted


@pytest.mark.parametrize("status", [Status.REJECTED, Status.REVOKED, Status.DELETED])
def test_what_has_been_answered_otherwise_is_not_accepted(status: Status) -> None:
    assert reason(rules.accept(in_state(status), PERSON, LATER)) is Reason.NOT_PENDING


@pytest.mark.parametrize("status", list(Status))
def test_nothing_is_accepted_when_its_time_is_over(status: Status) -> None:
    assert reason(rules.accept(in_state(status), PERSON, AFTER)) is Reason.EXPIRED


def test_a_consent_lapses_at_the_very_moment_it_names() -> None:
    made = consent()
    assert not made.is_expired(made.valid_to - dt.timedelta(microseconds=1))
    assert made.is_expired(made.valid_to)


@pytest.mark.parametrize("status", [Status.ACCEPTED, Status.REVOKED, Status.DELETED])
def test_what_has_been_answered_otherwise_is_not_declined(status: Status) -> None:
    assert reason(rules.reject(in_state(status), PERSON, LATER)) is Reason.NOT_PENDING


def test_what_has_been_declined_is_declined_once() -> None:
    rejected = in_state(Status.REJECTED)
    assert rules.reject(rejected, PERSON, LATER) is rejected
    assert rejected.consented is None


def test_altinn_2_takes_no_answer_after_the_time_and_altinn_3_a_no() -> None:
    assert reason(rules.reject(consent(form=Form.ALTINN2), PERSON, AFTER)) is Reason.EXPIRED
    declined = rules.reject(consent(form=Form.ALTINN3), PERSON, AFTER)
    assert isinstance(declined, Consent)
    assert declined.status is Status.REJECTED


@pytest.mark.parametrize("status", list(Status))
def test_where_one_person_must_answer_nobody_else_can_whatever_has_happened(status: Status) -> None:
    made = in_state(status, required_delegator=PERSON)
    for act in (
        rules.open_(made, STRANGER, LATER),
        rules.accept(made, STRANGER, LATER),
        rules.reject(made, STRANGER, LATER),
    ):
        assert reason(act) is Reason.OTHER_PERSON


def test_the_required_delegator_can() -> None:
    assert isinstance(rules.accept(consent(required_delegator=PERSON), PERSON, LATER), Consent)


def test_it_is_opened_once_and_only_while_it_can_be_answered() -> None:
    opened = rules.open_(consent(), PERSON, LATER)
    assert isinstance(opened, Consent)
    assert (opened.opened_at, opened.status) == (LATER, Status.CREATED)
    for later in (LATER + dt.timedelta(seconds=1), AFTER):
        assert rules.open_(opened, PERSON, later) is opened
    late = consent()
    assert rules.open_(late, PERSON, AFTER) is late
    for status in (Status.ACCEPTED, Status.REJECTED, Status.REVOKED, Status.DELETED):
        done = in_state(status)
        assert rules.open_(done, PERSON, LATER) is done


@pytest.mark.parametrize("status", [Status.CREATED, Status.REJECTED, Status.DELETED])
def test_only_what_was_given_can_be_taken_back_given_up_or_used(status: Status) -> None:
    made = in_state(status)
    for act in (rules.revoke(made, LATER), rules.give_up(made, LATER), rules.log_use(made, LATER)):
        assert reason(act) is Reason.NOT_ACCEPTED


def test_it_ends_once_and_keeps_how() -> None:
    accepted = in_state(Status.ACCEPTED)
    revoked, given_up = rules.revoke(accepted, LATER), rules.give_up(accepted, LATER)
    assert isinstance(revoked, Consent)
    assert isinstance(given_up, Consent)
    assert (revoked.end_reason, given_up.end_reason) == (EndReason.REVOKED, EndReason.GIVEN_UP)
    assert revoked.consented == NOW
    assert rules.revoke(given_up, AFTER) is given_up
    assert rules.give_up(revoked, AFTER) is revoked


def test_it_can_be_revoked_after_its_time() -> None:
    assert isinstance(rules.revoke(in_state(Status.ACCEPTED), AFTER), Consent)


@pytest.mark.parametrize("status", [Status.ACCEPTED, Status.REJECTED, Status.REVOKED])
def test_a_question_can_be_taken_back_until_it_is_answered(status: Status) -> None:
    withdrawn = in_state(Status.DELETED)
    assert withdrawn.last_changed == NOW
    assert rules.withdraw(withdrawn, LATER) is withdrawn
    assert reason(rules.withdraw(in_state(status), LATER)) is Reason.NOT_PENDING


def test_one_that_is_good_for_one_time_ends_with_its_use_and_another_does_not() -> None:
    lasting, once = in_state(Status.ACCEPTED), in_state(Status.ACCEPTED, one_time=True)
    assert rules.log_use(lasting, LATER) is lasting
    used = rules.log_use(once, LATER)
    assert isinstance(used, Consent)
    assert (used.status, used.end_reason) == (Status.REVOKED, EndReason.USED_UP)
    assert reason(rules.log_use(used, LATER)) is Reason.ENDED
    assert reason(rules.log_use(lasting, AFTER)) is Reason.EXPIRED


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (Status.CREATED, Reason.NOT_ACCEPTED),
        (Status.REJECTED, Reason.NOT_ACCEPTED),
        (Status.DELETED, Reason.NOT_ACCEPTED),
        (Status.REVOKED, Reason.ENDED),
        (Status.ACCEPTED, None),
    ],
)
def test_what_may_be_drawn(status: Status, expected: Reason | None) -> None:
    assert reason(rules.drawn_refusal(in_state(status), LATER)) is expected


# -- the look-up (§4.9) --


@pytest.mark.parametrize(
    ("status", "causes"),
    [
        (Status.CREATED, (Cause.NOT_ACCEPTED,)),
        (Status.REJECTED, (Cause.NOT_ACCEPTED,)),
        (Status.DELETED, (Cause.NOT_ACCEPTED,)),
        (Status.REVOKED, (Cause.REVOKED,)),
        (Status.ACCEPTED, ()),
    ],
)
def test_what_maskinporten_may_draw(status: Status, causes: tuple[Cause, ...]) -> None:
    assert rules.look_up(in_state(status), GIVER, RECEIVER, LATER) == causes


def test_every_cause_is_told() -> None:
    assert rules.look_up(in_state(Status.REVOKED), STRANGER, STRANGER, AFTER) == (
        Cause.NOT_FOUND,
        Cause.OTHER_GIVER,
        Cause.EXPIRED,
        Cause.REVOKED,
    )
    assert rules.look_up(in_state(Status.ACCEPTED), None, None, LATER) == (Cause.NOT_FOUND, Cause.OTHER_GIVER)


def test_the_supplier_may_draw_it_and_where_there_is_none_nobody_passes_for_it() -> None:
    with_supplier, without = in_state(Status.ACCEPTED, handled_by=SUPPLIER), in_state(Status.ACCEPTED)
    assert rules.look_up(with_supplier, GIVER, SUPPLIER, LATER) == ()
    assert rules.look_up(without, GIVER, SUPPLIER, LATER) == (Cause.NOT_FOUND,)
    assert Cause.NOT_FOUND in rules.look_up(without, GIVER, None, LATER)


def test_maskinporten_knows_nothing_of_altinn_2_until_it_is_taken_over() -> None:
    old = in_state(Status.ACCEPTED, form=Form.ALTINN2)
    assert rules.look_up(old, GIVER, RECEIVER, LATER) == (Cause.NOT_FOUND,)
    assert rules.look_up(replace(old, migrated=LATER), GIVER, RECEIVER, LATER) == ()


# -- what has happened --


def test_what_happened_between_two_states() -> None:
    made = consent(form=Form.ALTINN2, one_time=True)
    opened = rules.open_(made, PERSON, NOW)
    assert isinstance(opened, Consent)
    accepted = rules.accept(opened, PERSON, NOW)
    assert isinstance(accepted, Consent)
    used = rules.log_use(accepted, NOW)
    assert isinstance(used, Consent)
    assert rules.events_of(None, made) == (EventType.CREATED,)
    assert rules.events_of(made, opened) == (EventType.OPENED,)
    assert rules.events_of(opened, accepted) == (EventType.ACCEPTED,)
    assert rules.events_of(accepted, used, used=True) == (EventType.USED, EventType.REVOKED)
    assert rules.events_of(accepted, accepted) == ()


def test_expiry_is_told_at_the_end_with_the_same_id_each_time() -> None:
    made = consent()
    before = (ConsentEvent(made.id, made.id, EventType.CREATED, NOW, RECEIVER),)
    assert rules.with_expiry(made, before, LATER) == before
    *kept, expired = rules.with_expiry(made, before, AFTER)
    assert tuple(kept) == before
    assert (expired.type, expired.created, expired.performed_by) == (EventType.EXPIRED, made.valid_to, RECEIVER)
    assert rules.with_expiry(made, before, AFTER + YEAR)[-1] == expired
