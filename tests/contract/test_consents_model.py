"""Whatever happens to consents in whatever order: the system and an independent model of it agree after each step.

The model is ``tests.support.consents_expected``, which knows nothing of the system's rules.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Coroutine
from itertools import groupby
from typing import Any, TypeVar
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from fullmakt.altinn.consents.answering import Answered
from fullmakt.altinn.consents.errors import ConsentRefusedError
from fullmakt.altinn.consents.model import Consent, ConsentEvent, ConsentRight, Form
from fullmakt.altinn.consents.rules import Reason
from fullmakt.altinn.consents.using import only
from fullmakt.infra.database import Database
from fullmakt.kernel.identifiers import NationalId, OrgNumber
from fullmakt.kernel.ordered_ids import first_id_at
from fullmakt.wire.altinn.consents import ConsentQuestion, NoConsent
from tests.support.consents import (
    AGENT,
    BANK,
    INCOME,
    KARI,
    OLA,
    OTHER_BANK,
    ConsentSetting,
    consent,
    person_urn,
)
from tests.support.consents_expected import Expected

_T = TypeVar("_T")
PEOPLE = {"kari": KARI, "ola": OLA}
BANKS = {"bank": BANK, "other": OTHER_BANK, "agent": AGENT}
HOUR = dt.timedelta(hours=1)
NUMBERS = st.integers(0, 5)
SOMEBODY = st.sampled_from(["kari", "kari", "kari", "ola"])
ANYBODY = st.sampled_from(["bank", "bank", "agent", "other"])
WHOEVER = st.sampled_from(["bank", "bank", "agent", "other", "kari"])


Event = tuple[str, dt.datetime, UUID]


def in_turn(events: list[Event]) -> list[Event]:
    """The events; those of the same kind at the same moment come in no order, and are put in one."""
    together = groupby(events, lambda event: event[:2])
    return [event for _, same in together for event in sorted(same)]


class Consents(RuleBasedStateMachine):
    """Steps in both; ``setting``, ``run`` and ``uuids`` are put in by the test."""

    setting: ConsentSetting
    run_: Callable[[Coroutine[Any, Any, Any]], Any]
    uuids: dict[str, UUID]

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        return type(self).run_(work)  # type: ignore[no-any-return]

    @initialize(supplier=st.sampled_from([None, "agent"]))
    def begin(self, supplier: str | None) -> None:
        """A request and a consent of each form: few are enough, if much happens to them."""
        self.expected: dict[UUID, Expected] = {}
        self.began = first_id_at(self.now)
        for number, form in enumerate((*Form, *Form)):
            self.request(form, "kari", "bank", supplier, None, form is Form.ALTINN3, 3)
            if number > 1:
                self.answer(number, "kari", "accept")

    def done(self, work: Coroutine[Any, Any, object], reason: Reason | None = None) -> bool:
        """Whether it could be done; ``reason`` is what can be the only one why not."""

        async def attempt() -> Reason | None:
            try:
                await work
            except ConsentRefusedError as error:
                return error.reason
            return None

        why_not = self.run(attempt())
        assert reason is None or why_not is reason
        return why_not is None

    @property
    def now(self) -> dt.datetime:
        return self.setting.clock()

    @precondition(lambda self: len(self.expected) < 6)
    @rule(
        form=st.sampled_from(Form),
        giver=SOMEBODY,
        receiver=st.sampled_from(["bank", "other"]),
        supplier=st.sampled_from([None, "agent"]),
        required=st.sampled_from([None, None, *PEOPLE]),
        one_time=st.booleans(),
        hours=st.integers(1, 5),
    )
    def request(
        self,
        form: Form,
        giver: str,
        receiver: str,
        supplier: str | None,
        required: str | None,
        one_time: bool,
        hours: int,
    ) -> None:
        valid_to = self.now + hours * HOUR
        made = consent(
            id=uuid4(),
            form=form,
            giver=self.uuids[giver],
            receiver=self.uuids[receiver],
            handled_by=self.uuids[supplier] if supplier else None,
            required_delegator=self.uuids[required] if required else None,
            created_by=self.uuids[receiver],
            created=self.now,
            valid_to=valid_to,
            one_time=one_time,
            rights=(ConsentRight(INCOME, metadata={"inntektsaar": "2025"}),),
        )
        kept = self.run(self.setting.service.using.request(made, made.receiver, receiver))
        assert kept.created
        assert not self.run(self.setting.service.using.request(made, made.receiver, receiver)).created
        self.expected[made.id] = Expected(
            giver, receiver, supplier, required, form, one_time, valid_to, [("Created", receiver, self.now)]
        )

    def chosen(self, number: int) -> tuple[UUID, Expected]:
        return list(self.expected.items())[number % len(self.expected)]

    @rule(number=NUMBERS, person=SOMEBODY, act=st.sampled_from(["accept", "accept", "reject"]))
    def answer(self, number: int, person: str, act: str) -> None:
        consent_id, expected = self.chosen(number)
        caller, answering = self.setting.callers.known[person], self.setting.service.answering
        work: Coroutine[Any, Any, object] = (
            answering.accept(consent_id, caller, language="nb")
            if act == "accept"
            else answering.reject(consent_id, caller)
        )
        allowed = expected.answerable_by(person)
        assert self.done(work) == (allowed and expected.act(act, person, self.now))

    @rule(number=NUMBERS, person=SOMEBODY)
    def open(self, number: int, person: str) -> None:
        consent_id, expected = self.chosen(number)
        opened = self.done(self.setting.service.answering.open(consent_id, self.setting.callers.known[person]))
        assert opened == expected.answerable_by(person)
        if opened:
            expected.look(person, self.now)

    @rule(number=NUMBERS, person=SOMEBODY)
    def revoke(self, number: int, person: str) -> None:
        consent_id, expected = self.chosen(number)
        work = self.setting.service.answering.revoke(consent_id, self.setting.callers.known[person])
        assert self.done(work) == (person == expected.giver and expected.act("revoke", person, self.now))

    @rule(
        number=NUMBERS,
        bank=WHOEVER,
        act=st.sampled_from(["withdraw", "give_up", "log_use", "log_use", "log_use"]),
    )
    def by_consumer(self, number: int, bank: str, act: str) -> None:
        consent_id, expected = self.chosen(number)
        allowed = bank in {expected.receiver, expected.supplier}
        party = self.uuids[bank]
        work = getattr(self.setting.service.using, act)(consent_id, party, bank, only(party))
        done = self.done(work, None if allowed else Reason.NOT_FOUND)
        could = allowed and (expected.use(bank, self.now) if act == "log_use" else expected.act(act, bank, self.now))
        assert done == could

    @rule(number=NUMBERS, act=st.sampled_from(["accept", "reject", "withdraw"]))
    def after_a_look(self, number: int, act: str) -> None:
        """It is opened once, and that it has been keeps nobody from anything."""
        _, expected = self.chosen(number)
        for _ in range(2):
            self.open(number, expected.giver)
            self.setting.clock.advance(seconds=1)
        if act == "withdraw":
            self.by_consumer(number, expected.receiver, act)
        else:
            self.answer(number, expected.giver, act)

    @rule(number=NUMBERS, late=st.booleans(), act=st.sampled_from(["accept", "reject", "open", "log_use", "look_up"]))
    def around_the_end(self, number: int, late: bool, act: str) -> None:
        """In the last moment of its time, or in the first moment after it."""
        _, expected = self.chosen(number)
        edge = expected.valid_to - (dt.timedelta(0) if late else dt.timedelta(microseconds=1))
        self.setting.clock.at = max(self.now, edge)
        if act == "look_up":
            self.look_up(number, expected.giver, expected.receiver)
        elif act == "log_use":
            self.by_consumer(number, expected.receiver, act)
        elif act == "open":
            self.open(number, expected.giver)
        else:
            self.answer(number, expected.giver, act)

    @rule(number=NUMBERS)
    def twice_yes_and_once_no_at_once(self, number: int) -> None:
        """The first answer stands; to say it again is as good, and writes nothing down."""
        consent_id, expected = self.chosen(number)
        answering, caller = self.setting.service.answering, self.setting.callers.known[expected.giver]

        async def race() -> list[bool]:
            answers = await asyncio.gather(
                answering.accept(consent_id, caller, language="nb"),
                answering.accept(consent_id, caller, language="nb"),
                answering.reject(consent_id, caller),
                return_exceptions=True,
            )
            assert all(isinstance(one, Answered | ConsentRefusedError) for one in answers), answers
            return [isinstance(one, Answered) for one in answers]

        done = self.run(race())
        if not expected.answerable_by(expected.giver):
            assert done == [False, False, False]
        elif done[2]:
            assert expected.act("reject", expected.giver, self.now)
            assert done == [False, False, True]
        else:
            could = expected.act("accept", expected.giver, self.now)
            assert done == [could, could, False]
            assert could or not expected.act("reject", expected.giver, self.now)

    @rule(number=NUMBERS)
    def take_over(self, number: int) -> None:
        consent_id, expected = self.chosen(number)
        known = expected.form is Form.ALTINN3 or expected.migrated
        done = self.done(self.setting.service.migrating.take_over(consent_id))
        assert done == (known or expected.status == "Accepted")
        expected.migrated = expected.migrated or (done and not known)

    @rule(hours=st.sampled_from([0.2, 0.5, 1, 3]))
    def time_passes(self, hours: float) -> None:
        self.setting.clock.advance(hours=hours)

    @rule(number=NUMBERS, giver=SOMEBODY, receiver=ANYBODY)
    def look_up(self, number: int, giver: str, receiver: str) -> None:
        consent_id, expected = self.chosen(number)
        question = ConsentQuestion(consent_id, person_urn(PEOPLE[giver]), BANKS[receiver])
        found = self.run(self.setting.service.look_up(question))
        causes = {cause.value for cause in found.causes} if isinstance(found, NoConsent) else set()
        assert causes == expected.causes(giver, receiver, self.now)

    def teardown(self) -> None:
        for consent_id, expected in getattr(self, "expected", {}).items():
            kept = self.run(self.setting.service.using.find(consent_id))
            assert kept is not None
            self.agrees(kept.consent, expected)
            happened = [(event.type.value, event.created, event.performed_by) for event in kept.events]
            assert in_turn(happened) == in_turn([(kind, at, self.uuids[by]) for kind, by, at in expected.happened])
        if getattr(self, "expected", None):
            self.told()
            self.setting.clock.advance(seconds=300)
            self.told()

    def agrees(self, kept: Consent, expected: Expected) -> None:
        assert kept.status.value == expected.status
        assert kept.opened_at == expected.opened
        assert kept.in_altinn3 == (expected.form is Form.ALTINN3 or expected.migrated)
        assert (kept.consented is not None) == (expected.status in {"Accepted", "Revoked"})
        by, answered = expected.answered or (None, None)
        assert (kept.answered_by, kept.answered_at) == (None if by is None else self.uuids[by], answered)
        assert (kept.end_reason, kept.ended_at) == (expected.ended or (None, None))

    def told(self) -> None:
        """What receivers are told is what has happened in Altinn 3 for five minutes or longer, each thing once."""
        for bank in ("bank", "other"):
            told: dict[UUID, list[str]] = {}
            for event in self.feed_of(bank):
                told.setdefault(event.consent_id, []).append(event.type.value)
            wanted = {
                consent_id: [
                    kind
                    for kind, _, at in expected.happened
                    if kind != "Opened" and at <= self.now - dt.timedelta(seconds=300)
                ]
                for consent_id, expected in self.expected.items()
                if expected.receiver == bank and (expected.form is Form.ALTINN3 or expected.migrated)
            }
            assert {one: kinds for one, kinds in told.items() if one in self.expected} == {
                one: kinds for one, kinds in wanted.items() if kinds
            }

    def feed_of(self, bank: str) -> list[ConsentEvent]:
        """The feed from its beginning to its end, page by page: each event once, the oldest first."""
        found: list[ConsentEvent] = []
        while True:
            after = found[-1].id if found else self.began
            page = self.run(self.setting.service.feeds.events(self.uuids[bank], 7, after=after))
            assert all(one.id > after for one in page)
            found += page
            if len(page) < 7:
                break
        assert [one.id for one in found] == sorted({one.id for one in found})
        return found


@pytest.mark.filterwarnings("ignore::hypothesis.errors.NonInteractiveExampleWarning")
def test_the_system_agrees_with_an_independent_model(database_url: str) -> None:
    loop = asyncio.new_event_loop()
    database = Database(database_url)
    setting = loop.run_until_complete(ConsentSetting(database).begin())

    async def uuids() -> dict[str, UUID]:
        numbers: dict[str, NationalId | OrgNumber] = {**PEOPLE, **BANKS}
        return {name: await setting.uuid(number) for name, number in numbers.items()}

    class Case(Consents):
        pass

    Case.setting, Case.run_ = setting, loop.run_until_complete
    Case.uuids = loop.run_until_complete(uuids())
    try:
        run_state_machine_as_test(
            Case,
            settings=settings(
                max_examples=60,
                stateful_step_count=30,
                deadline=None,
                suppress_health_check=[HealthCheck.too_slow],
            ),
        )
    finally:
        loop.run_until_complete(setting.end())
        loop.run_until_complete(database.close())
        loop.close()
