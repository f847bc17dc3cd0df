"""Whatever is asked, opened, answered, revoked, withdrawn, given up and used, in whatever order, and however time
passes: Altinn 2's form says of every consent what a plain model says."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Coroutine
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text

from fullmakt.altinn.consents.errors import ConsentRefusedError
from fullmakt.altinn.consents.srr.model import Entry, ServiceKey
from fullmakt.infra.database import Database
from fullmakt.wire.altinn.consents2 import local_time
from tests.support.consents_altinn2 import (
    BANK,
    KARI,
    LOAN,
    NOW,
    OTHER_BANK,
    OWNER,
    REQUESTS,
    TOKEN,
    Altinn2World,
    codes,
    part,
    service,
)
from tests.support.consents_expected import Requested, Requests

ONCE = ServiceKey("4631", 1)
PEOPLE = ("kari", "ola")
LIVES = {"short": dt.timedelta(hours=3), "long": dt.timedelta(days=30)}

T = TypeVar("T")


class ConsentMachine(RuleBasedStateMachine):
    """The system and the model, side by side."""

    url: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.database = Database(self.url)
        self.world = Altinn2World(self.database)
        self.model = Requests(NOW, LOAN)
        self.entry: Entry | None = None

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def teardown(self) -> None:
        self.run(self.world.close())
        self.run(self.database.close())
        self.loop.close()

    @initialize(with_srr=st.booleans())
    def begin(self, with_srr: bool) -> None:
        self.run(self.fill())
        if with_srr:
            self.list_or_unlist()
        self.ask(LOAN, "long", False)

    async def fill(self) -> None:
        async with self.database.transaction() as connection:
            await connection.execute(text("TRUNCATE consents.consent, consents.srr_entry, consents.service CASCADE"))
        await self.world.begin()
        for resource in ("lanekassen_5498_1", "lanekassen_4631_1"):
            self.world.authority.permit(self.world.ola, resource, self.world.kari, "consent")
        self.world.authority.permit(self.world.ola, "altinn_access_management", self.world.kari, "read", "write")

    def pick(self, data: st.DataObject) -> tuple[str, Requested]:
        code = data.draw(st.sampled_from(sorted(self.model.ones)))
        return code, self.model.ones[code]

    def pending(self, *keys: ServiceKey) -> list[str]:
        """The codes of requests that wait for an answer, to one of the services, or to any."""
        pending = [(code, one) for code, one in sorted(self.model.ones.items()) if self.model.is_open(one)]
        return [code for code, one in pending if one.key in (keys or {one.key})]

    def succeeds(self, work: Awaitable[object]) -> bool:
        async def tried() -> bool:
            try:
                await work
            except ConsentRefusedError:
                return False
            return True

        return self.run(tried())

    def status(self, method: str, path: str, **more: Any) -> int:
        return self.run(self.world.send(BANK, method, path, **more)).status_code

    # -- what happens --------------------------------------------------------------------------------------------------

    @rule(key=st.sampled_from([LOAN, ONCE]), life=st.sampled_from(sorted(LIVES)), required=st.booleans())
    def ask(self, key: ServiceKey, life: str, required: bool) -> None:
        valid_to = self.model.now + LIVES[life]
        named = {"RequiredDelegator": KARI, "RequiredDelegatorName": "Grønseth"} if required else {}
        wanted = [service(key, Navn="Banken AS")]
        answer = self.run(self.world.ask(ValidTo=valid_to.isoformat(), RequestResources=wanted, **named))
        if self.model.gate_is_closed(key):
            assert codes(answer) == ["90007"]
            return
        assert answer.status_code == 200, answer.text
        self.model.ones[answer.json()["AuthorizationCode"]] = Requested(key, valid_to, required, self.model.now)

    @precondition(lambda self: self.model.ones)
    @rule(data=st.data(), person=st.sampled_from(PEOPLE))
    def open(self, data: st.DataObject, person: str) -> None:
        self.opens(*self.pick(data), person)

    def opens(self, code: str, one: Requested, person: str) -> None:
        answering, caller = self.world.consents.answering, self.world.caller(getattr(self.world, person))
        assert self.succeeds(answering.open(UUID(code), caller)) == self.model.may_answer(one, person)
        if self.model.may_answer(one, person) and self.model.is_open(one) and one.valid_to > self.model.now:
            one.becomes("Opened", self.model.now)

    @precondition(lambda self: self.model.ones)
    @rule(data=st.data(), person=st.sampled_from(PEOPLE), meanwhile=st.booleans())
    def accept(self, data: st.DataObject, person: str, meanwhile: bool) -> None:
        if meanwhile:
            self.list_or_unlist()
        self.accepts(*self.pick(data), person)

    def accepts(self, code: str, one: Requested, person: str) -> None:
        in_time = self.model.may_answer(one, person) and one.valid_to > self.model.now
        first = in_time and self.model.is_open(one) and not self.model.gate_is_closed(one.key)
        again = in_time and one.status == "Accepted" and not one.ended
        assert self.succeeds(self.world.accept(code, getattr(self.world, person))) == (first or again)
        if first:
            one.becomes("Accepted", self.model.now)

    @precondition(lambda self: self.model.ones)
    @rule(data=st.data(), person=st.sampled_from(PEOPLE))
    def reject(self, data: st.DataObject, person: str) -> None:
        self.rejects(*self.pick(data), person)

    def rejects(self, code: str, one: Requested, person: str) -> None:
        may = self.model.may_answer(one, person)
        first = may and self.model.is_open(one) and one.valid_to > self.model.now
        again = may and one.status == "Rejected"
        assert self.succeeds(self.world.reject(code, getattr(self.world, person))) == (first or again)
        if first:
            one.becomes("Rejected", self.model.now)

    @precondition(lambda self: self.model.ones)
    @rule(data=st.data())
    def revoke(self, data: st.DataObject) -> None:
        code, one = self.pick(data)
        assert self.succeeds(self.world.revoke(code)) == (one.status == "Accepted")
        one.ended = one.ended or one.status == "Accepted"

    @precondition(lambda self: self.model.ones)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        self.withdraws(*self.pick(data))

    def withdraws(self, code: str, one: Requested) -> None:
        expected = 404 if one.withdrawn else 204 if self.model.is_open(one) else 400
        assert self.status("DELETE", f"{REQUESTS}/{code}") == expected
        one.withdrawn = one.withdrawn or expected == 204

    @precondition(lambda self: self.model.ones)
    @rule(data=st.data())
    def give_up(self, data: st.DataObject) -> None:
        code, one = self.pick(data)
        assert self.status("DELETE", f"{TOKEN}/{code}") == (204 if one.status == "Accepted" else 403)
        one.ended = one.ended or one.status == "Accepted"

    @precondition(lambda self: self.model.ones)
    @rule(data=st.data())
    def use(self, data: st.DataObject) -> None:
        code, one = self.pick(data)
        use = {"ServiceCode": one.key.code, "ServiceEditionCode": one.key.edition, "UsageDateTime": "2026-05-04"}
        stood = self.model.stands(one)
        assert self.status("POST", f"{TOKEN}/{code}/loguse", json=use) == (204 if stood else 403)
        one.ended = one.ended or (stood and one.key == ONCE)

    @precondition(lambda self: self.pending())
    @rule(data=st.data())
    def all_at_once(self, data: st.DataObject) -> None:
        """Whoever is first, one answer stands, or the withdrawal does."""
        code = data.draw(st.sampled_from(self.pending()))
        one = self.model.ones[code]

        async def race() -> tuple[Any, Any, Any]:
            return await asyncio.gather(
                self.world.accept(code),
                self.world.reject(code),
                self.world.send(BANK, "DELETE", f"{REQUESTS}/{code}"),
                return_exceptions=True,
            )

        accepted, rejected, withdrawn = self.run(race())
        done = [not isinstance(accepted, BaseException), not isinstance(rejected, BaseException)]
        done.append(withdrawn.status_code == 204)
        assert done.count(True) == 1
        assert not done[0] or not self.model.gate_is_closed(one.key)
        if done[2]:
            one.withdrawn = True
        else:
            assert one.valid_to > self.model.now
            one.becomes("Accepted" if done[0] else "Rejected", self.model.now)

    @precondition(lambda self: self.pending())
    @rule(data=st.data(), late=st.sampled_from([None, False, True]), act=st.sampled_from(["yes", "no", "withdraw"]))
    def after_a_look(self, data: st.DataObject, late: bool | None, act: str) -> None:
        """An opened request is answered, or taken back: at once, in its last moment, or in the first after it."""
        code = data.draw(st.sampled_from(self.pending()))
        one = self.model.ones[code]
        self.opens(code, one, "kari")
        if late is not None:
            edge = one.valid_to - dt.timedelta(microseconds=0 if late else 1)
            self.move_to(max(edge, self.model.now))
        if act == "withdraw":
            self.withdraws(code, one)
        else:
            (self.accepts if act == "yes" else self.rejects)(code, one, "kari")

    @precondition(lambda self: self.pending(LOAN))
    @rule(data=st.data(), listed=st.booleans())
    def a_yes_while_the_list_changes(self, data: st.DataObject, listed: bool) -> None:
        """A yes that has been said is heard again when SRR does not list the receiver any more, and gives no token."""
        code = data.draw(st.sampled_from(self.pending(LOAN)))
        for now_listed in (listed, False):
            while self.model.listed is not now_listed:
                self.list_or_unlist()
            self.accepts(code, self.model.ones[code], "kari")

    @rule(hours=st.sampled_from([1, 4]))
    def pass_time(self, hours: int) -> None:
        self.move_to(self.model.now + dt.timedelta(hours=hours))

    def move_to(self, at: dt.datetime) -> None:
        self.world.clock.at = self.model.now = at

    @rule()
    def change_srr(self) -> None:
        self.list_or_unlist()

    def list_or_unlist(self) -> None:
        if self.entry is None:
            self.entry = self.run(self.world.list_in_srr(LOAN))
        else:
            self.run(self.world.end_in_srr(self.entry))
            self.entry = None
        self.model.listed = self.entry is not None

    # -- what must hold ------------------------------------------------------------------------------------------------

    @invariant()
    def every_request_says_what_the_model_says(self) -> None:
        found = self.run(self.world.send(BANK, "GET", REQUESTS)) if self.model.ones else None
        listed = {} if found is None else {
            one["AuthorizationCode"]: (one["RequestStatus"], one["LastChanged"])
            for one in found.json()["_embedded"]["consentRequests"]
        }  # fmt: skip
        assert listed == {
            code: (one.status, local_time(one.changed)) for code, one in self.model.ones.items() if not one.withdrawn
        }

    @invariant()
    def tokens_are_to_be_had_when_the_model_says(self) -> None:
        for code, one in self.model.ones.items():
            drawn = self.run(self.world.draw(code))
            assert (drawn.status_code == 200) == self.model.can_be_drawn(one), (code, one)
            if drawn.status_code == 200:
                assert part(drawn.json(), 1)["ValidToDate"] == int(one.valid_to.timestamp())
            assert self.run(self.world.draw(code, OTHER_BANK)).status_code == 403

    @invariant()
    def the_owners_list_is_the_models(self) -> None:
        if not self.model.ones:
            return
        for key in (LOAN, ONCE):
            listed = self.run(self.owned(key))
            assert listed == {
                code: "revoked" if one.ended else "active"
                for code, one in self.model.ones.items()
                if one.key == key and (one.ended or self.model.stands(one))
            }

    async def owned(self, key: ServiceKey) -> dict[str, str]:
        path = f"/api/serviceowner/consents?serviceCode={key.code}&serviceEditionCode={key.edition}"
        found = (await self.world.send(OWNER, "GET", path)).json()["_embedded"]["consents"]
        return {one["AuthorizationCode"]: one["Status"] for one in found}


def test_every_consent_of_altinn_2s_form_follows_from_what_was_done(database_url: str) -> None:
    machine = type("Machine", (ConsentMachine,), {"url": database_url})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=10, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
