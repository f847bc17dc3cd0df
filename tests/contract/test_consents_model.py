"""Whatever happens to consents in whatever order: the system and an independent model of it agree after each step.

The model is written from consent.md alone, as plain dictionaries and one table of transitions, and knows nothing of the
system's rules.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from fullmakt.altinn.consents.errors import ConsentRefusedError
from fullmakt.altinn.consents.model import Consent, ConsentRight, Form
from fullmakt.altinn.consents.using import only
from fullmakt.infra.database import Database
from fullmakt.kernel.identifiers import NationalId, OrgNumber
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

_T = TypeVar("_T")
PEOPLE = {"kari": KARI, "ola": OLA}
BANKS = {"bank": BANK, "other": OTHER_BANK, "agent": AGENT}
HOUR = dt.timedelta(hours=1)
NUMBERS = st.integers(0, 5)
SOMEBODY = st.sampled_from(["kari", "kari", "kari", "ola"])
ANYBODY = st.sampled_from(["bank", "bank", "agent", "other"])

NEXT = {
    "accept": {"Created": "Accepted", "Accepted": "Accepted"},
    "reject": {"Created": "Rejected", "Rejected": "Rejected"},
    "withdraw": {"Created": "Deleted", "Deleted": "Deleted"},
    "revoke": {"Accepted": "Revoked", "Revoked": "Revoked"},
    "give_up": {"Accepted": "Revoked", "Revoked": "Revoked"},
}
"""By act and status, the status after it; what is not here is refused."""


@dataclass
class Expected:
    """One consent, as the contract says it should be."""

    giver: str
    receiver: str
    supplier: str | None
    required: str | None
    form: Form
    one_time: bool
    valid_to: dt.datetime
    status: str = "Created"
    opened: bool = False
    migrated: bool = False
    happened: list[str] = field(default_factory=lambda: ["Created"])

    def answerable_by(self, person: str) -> bool:
        return person == self.giver and self.required in {None, person}

    def act(self, name: str, now: dt.datetime) -> bool:
        """Do it, if it can be done."""
        if name == "accept" and now >= self.valid_to:
            return False
        if name == "reject" and self.form is Form.ALTINN2 and now >= self.valid_to and self.status == "Created":
            return False
        after = NEXT[name].get(self.status)
        if after is None:
            return False
        if after != self.status:
            self.happened.append(after)
        self.status = after
        return True

    def use(self, now: dt.datetime) -> bool:
        if self.status != "Accepted" or now >= self.valid_to:
            return False
        self.happened.append("Used")
        if self.one_time:
            self.status = "Revoked"
            self.happened.append("Revoked")
        return True

    def causes(self, giver: str, receiver: str, now: dt.datetime) -> set[str]:
        if self.form is Form.ALTINN2 and not self.migrated:
            return {"AM-00001"}
        found = set()
        if receiver not in {self.receiver, self.supplier}:
            found.add("AM-00001")
        if giver != self.giver:
            found.add("AM-00012")
        if now >= self.valid_to:
            found.add("AM-00013")
        if self.status in {"Created", "Rejected", "Deleted"}:
            found.add("AM-00014")
        if self.status == "Revoked":
            found.add("AM-00011")
        return found


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
        for number, form in enumerate((*Form, *Form)):
            self.request(form, "kari", "bank", supplier, None, form is Form.ALTINN3, 3)
            if number > 1:
                self.answer(number, "kari", "accept")

    def done(self, work: Coroutine[Any, Any, object]) -> bool:
        async def attempt() -> bool:
            try:
                await work
            except ConsentRefusedError:
                return False
            return True

        return self.run(attempt())

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
        self.expected[made.id] = Expected(giver, receiver, supplier, required, form, one_time, valid_to)

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
        assert self.done(work) == (allowed and expected.act(act, self.now))

    @rule(number=NUMBERS, person=SOMEBODY)
    def open(self, number: int, person: str) -> None:
        consent_id, expected = self.chosen(number)
        opened = self.done(self.setting.service.answering.open(consent_id, self.setting.callers.known[person]))
        assert opened == expected.answerable_by(person)
        if opened and expected.status == "Created" and self.now < expected.valid_to and not expected.opened:
            expected.opened = True
            expected.happened.append("Opened")

    @rule(number=NUMBERS, person=SOMEBODY)
    def revoke(self, number: int, person: str) -> None:
        consent_id, expected = self.chosen(number)
        work = self.setting.service.answering.revoke(consent_id, self.setting.callers.known[person])
        assert self.done(work) == (person == expected.giver and expected.act("revoke", self.now))

    @rule(
        number=NUMBERS,
        bank=ANYBODY,
        act=st.sampled_from(["withdraw", "give_up", "log_use", "log_use", "log_use"]),
    )
    def by_consumer(self, number: int, bank: str, act: str) -> None:
        consent_id, expected = self.chosen(number)
        allowed = bank in {expected.receiver, expected.supplier}
        party = self.uuids[bank]
        work = getattr(self.setting.service.using, act)(consent_id, party, bank, only(party))
        done = self.done(work)
        wanted = expected.use if act == "log_use" else lambda now: expected.act(act, now)
        assert done == (allowed and wanted(self.now))

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
            assert [event.type.value for event in kept.events] == expected.happened
        if getattr(self, "expected", None):
            self.told()

    def agrees(self, kept: Consent, expected: Expected) -> None:
        assert kept.status.value == expected.status
        assert (kept.opened_at is not None) == expected.opened
        assert kept.in_altinn3 == (expected.form is Form.ALTINN3 or expected.migrated)
        assert (kept.consented is not None) == (expected.status in {"Accepted", "Revoked"})
        assert (kept.end_reason is not None) == (expected.status == "Revoked")

    def told(self) -> None:
        """What receivers are told is what has happened in Altinn 3, each thing once."""
        self.setting.clock.advance(seconds=301)
        for bank in ("bank", "other"):
            events = self.run(self.setting.service.feeds.events(self.uuids[bank], 1_000))
            told: dict[UUID, list[str]] = {}
            for event in events:
                told.setdefault(event.consent_id, []).append(event.type.value)
            wanted = {
                consent_id: [kind for kind in expected.happened if kind != "Opened"]
                for consent_id, expected in self.expected.items()
                if expected.receiver == bank and (expected.form is Form.ALTINN3 or expected.migrated)
            }
            assert {one: kinds for one, kinds in told.items() if one in self.expected} == wanted


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
