"""Consents of Altinn 2 that go on living in Altinn 3, with the ids they had (consent.md §4.17)."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.altinn.consents import migrating, rules
from fullmakt.altinn.consents.errors import ConsentRefusedError
from fullmakt.altinn.consents.migrating import Past
from fullmakt.altinn.consents.model import Consent, ConsentRight, EventType, Form, Status
from fullmakt.infra import audit
from fullmakt.infra.database import Database
from fullmakt.kernel.declarations import Outcome
from fullmakt.wire.altinn.consents import Cause, ConsentQuestion, FoundConsent, NoConsent
from tests.support.consents import (
    BANK,
    EVENTS,
    KARI,
    NOW,
    REQUESTS,
    YEAR,
    ConsentSetting,
    consent,
    organisation_urn,
    person_urn,
)

LONG_AGO = NOW - YEAR
RIGHT = ConsentRight("skd_5498_1", metadata={"Navn": "Banken AS"})


@pytest.fixture
async def setting(database: Database) -> AsyncIterator[ConsentSetting]:
    setting = await ConsentSetting(database).begin()
    yield setting
    await setting.end()


async def old(setting: ConsentSetting, **changes: Any) -> Consent:
    """A consent of Altinn 2's form that Kari gave the bank a year ago, wherever it is kept."""
    kari, bank = await setting.uuid(KARI), await setting.uuid(BANK)
    made = consent(
        form=Form.ALTINN2, giver=kari, receiver=bank, created=LONG_AGO, created_by=bank, rights=(RIGHT,), **changes
    )
    accepted = rules.accept(made, kari, LONG_AGO + dt.timedelta(minutes=1), language="nb")
    assert isinstance(accepted, Consent)
    return accepted


async def given_here(setting: ConsentSetting) -> Consent:
    """The same, asked for and given here."""
    made = replace(await old(setting), status=Status.CREATED, answered_at=None, answered_by=None, language="")
    await setting.service.using.request(made, made.receiver, str(BANK))
    answered = await setting.service.answering.accept(made.id, setting.callers.known["kari"], language="nb")
    return answered.consent


async def drawn(setting: ConsentSetting, consent_id: UUID) -> FoundConsent | NoConsent:
    return await setting.service.look_up(ConsentQuestion(consent_id, person_urn(KARI), BANK))


async def test_altinn_3_knows_nothing_of_a_consent_until_it_is_taken_over(setting: ConsentSetting) -> None:
    given = await given_here(setting)
    path = f"{REQUESTS}/{given.id}"
    assert (await setting.call("bank", "GET", path)).status_code == 404
    assert await drawn(setting, given.id) == NoConsent((Cause.NOT_FOUND,))
    assert await setting.service.migrating.take_over(given.id) is Outcome.CHANGED
    assert await setting.service.migrating.take_over(given.id) is Outcome.UNCHANGED
    document = (await setting.call("bank", "GET", path)).json()
    assert (document["id"], document["status"]) == (str(given.id), "Accepted")
    assert document["consentRights"][0]["metadata"] == {"navn": "Banken AS"}
    assert [one["eventType"] for one in document["consentRequestEvents"]] == ["Created", "Accepted"]
    found = await drawn(setting, given.id)
    assert isinstance(found, FoundConsent)
    assert found.rights[0].metadata == {"navn": "Banken AS"}
    setting.clock.advance(seconds=301)
    told = (await setting.call("bank", "GET", EVENTS)).json()["data"]
    assert [one["eventType"] for one in told] == ["Created", "Accepted"]
    assert [one for one in await setting.told() if one[0] == "consent:migrate"] == [("consent:migrate", "done", "")]


async def test_one_that_has_been_taken_over_ends_in_both(setting: ConsentSetting) -> None:
    given = await given_here(setting)
    await setting.service.migrating.take_over(given.id)
    await setting.service.answering.revoke(given.id, setting.callers.known["kari"])
    assert await drawn(setting, given.id) == NoConsent((Cause.REVOKED,))
    kept = await setting.service.using.find(given.id)
    assert kept is not None
    assert rules.drawn_refusal(kept.consent, NOW) is not None


async def test_what_was_not_given_is_not_taken_over(setting: ConsentSetting) -> None:
    made = replace(await old(setting), status=Status.CREATED, answered_at=None, answered_by=None)
    await setting.service.using.request(made, made.receiver, str(BANK))
    for consent_id in (made.id, UUID(int=9)):
        with pytest.raises(ConsentRefusedError):
            await setting.service.migrating.take_over(consent_id)
    with pytest.raises(ConsentRefusedError, match="consent_not_accepted"):
        await setting.service.migrating.bring_in(made, [])


async def test_one_that_was_given_elsewhere_keeps_its_id_its_times_and_its_history(setting: ConsentSetting) -> None:
    given = await old(setting, valid_to=NOW + dt.timedelta(days=1))
    past = [
        Past(EventType.CREATED, LONG_AGO, given.receiver),
        Past(EventType.ACCEPTED, LONG_AGO + dt.timedelta(minutes=1), given.giver),
    ]
    assert await setting.service.migrating.bring_in(given, past) is Outcome.CREATED
    assert await setting.service.migrating.bring_in(given, past) is Outcome.UNCHANGED
    document = (await setting.call("bank", "GET", f"{REQUESTS}/{given.id}")).json()
    assert document["consented"] == (LONG_AGO + dt.timedelta(minutes=1)).isoformat()
    assert [(one["eventType"], one["created"], one["performedBy"]) for one in document["consentRequestEvents"]] == [
        ("Created", LONG_AGO.isoformat(), organisation_urn(BANK)),
        ("Accepted", (LONG_AGO + dt.timedelta(minutes=1)).isoformat(), person_urn(KARI)),
    ]
    assert document["consentRights"][0]["metadata"] == {"navn": "Banken AS"}
    assert isinstance(await drawn(setting, given.id), FoundConsent)
    told = (await setting.call("bank", "GET", EVENTS)).json()["data"]
    assert [one["eventType"] for one in told] == ["Created", "Accepted"]


async def test_one_whose_time_is_over_is_brought_in_too(setting: ConsentSetting) -> None:
    given = await old(setting, valid_to=NOW - dt.timedelta(days=1))
    assert await setting.service.migrating.bring_in(given, []) is Outcome.CREATED
    assert await drawn(setting, given.id) == NoConsent((Cause.EXPIRED,))


async def test_one_that_is_here_already_is_taken_over_and_none_of_others_replaced(setting: ConsentSetting) -> None:
    given = await given_here(setting)
    assert await setting.service.migrating.bring_in(given, []) is Outcome.CHANGED
    assert isinstance(await drawn(setting, given.id), FoundConsent)
    with pytest.raises(ConsentRefusedError, match="consent_not_found"):
        await setting.service.migrating.bring_in(replace(given, giver=given.receiver), [])


@pytest.mark.parametrize("here_first", [False, True], ids=["brought in before", "given here"])
async def test_one_that_has_ended_by_a_later_export_ends_here_once(setting: ConsentSetting, here_first: bool) -> None:
    given = await given_here(setting) if here_first else await old(setting)
    if not here_first:
        await setting.service.migrating.bring_in(given, [])
    ended = rules.revoke(given, NOW)
    assert isinstance(ended, Consent)
    (told,) = await setting.service.migrating.bring_in_all([(ended, [])], dry_run=True)
    assert told.result is Outcome.CHANGED
    assert await setting.service.migrating.bring_in(ended, []) is Outcome.CHANGED
    assert await setting.service.migrating.bring_in(ended, []) is Outcome.UNCHANGED
    assert await drawn(setting, given.id) == NoConsent((Cause.REVOKED,))
    document = (await setting.call("bank", "GET", f"{REQUESTS}/{given.id}")).json()
    assert [one["performedBy"] for one in document["consentRequestEvents"] if one["eventType"] == "Revoked"] == [
        person_urn(KARI)
    ]
    assert await setting.service.migrating.bring_in(given, []) is Outcome.UNCHANGED  # an older export wakes nothing


async def test_taking_all_over_is_taken_up_where_it_was_cut_off(
    setting: ConsentSetting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrating, "BATCH", 2)
    given = sorted([(await given_here(setting)).id for _ in range(5)])
    lapsing = await old(setting, valid_to=NOW + dt.timedelta(minutes=5))
    lapsing = replace(lapsing, status=Status.CREATED, answered_at=None, answered_by=None, language="")
    await setting.service.using.request(lapsing, lapsing.receiver, str(BANK))
    await setting.service.answering.accept(lapsing.id, setting.callers.known["kari"], language="nb")
    setting.clock.advance(minutes=6)
    taking = setting.service.migrating
    async for batch in taking.waiting():
        assert [one.result for one in await taking.take_over_all(batch)] == [Outcome.CHANGED] * 2
        break
    left = [list(batch) async for batch in taking.waiting()]
    assert left == [given[2:4], given[4:]]
    assert await taking.left() == {"consent_expired": 1}
    assert [one async for one in taking.waiting(resource="another")] == []
    lapsed = [one async for batch in taking.waiting(lapsed=True) for one in batch]
    assert sorted(lapsed) == sorted([*given[2:], lapsing.id])


async def test_a_batch_in_which_something_fails_leaves_nothing(
    setting: ConsentSetting, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = [await old(setting) for _ in range(3)]
    told = audit.record

    async def fails(connection: AsyncConnection, event: audit.AuditEvent) -> None:
        if event.subject == f"consent:{given[2].id}":
            raise ConnectionError("the program is killed")
        await told(connection, event)

    with monkeypatch.context() as patched:
        patched.setattr(audit, "record", fails)
        with pytest.raises(ConnectionError):
            await setting.service.migrating.bring_in_all([(one, []) for one in given])
    assert await setting.rows("SELECT count(*) FROM consents.consent") == [(0,)]
    done = await setting.service.migrating.bring_in_all([(one, []) for one in given])
    assert [one.result for one in done] == [Outcome.CREATED] * 3


async def test_a_dry_run_judges_and_leaves_no_trace(setting: ConsentSetting) -> None:
    here, elsewhere = await given_here(setting), await old(setting)
    before = await setting.told()
    taking = setting.service.migrating
    (first, second) = await taking.take_over_all([here.id, UUID(int=9)], dry_run=True)
    assert (first.result, second.reason) == (Outcome.CHANGED, "consent_not_found")
    pairs: list[tuple[Consent, list[Past]]] = [(elsewhere, []), (replace(here, giver=here.receiver), [])]
    (first, second) = await taking.bring_in_all(pairs, dry_run=True)
    assert (first.result, second.reason) == (Outcome.CREATED, "consent_id_taken")
    assert await setting.told() == before
    assert await setting.service.using.find(elsewhere.id) is None


async def test_however_many_bring_it_in_it_is_there_once(setting: ConsentSetting) -> None:
    given = await old(setting)
    past = [Past(EventType.CREATED, LONG_AGO, given.receiver)]
    outcomes = await asyncio.gather(*(setting.service.migrating.bring_in(given, past) for _ in range(4)))
    assert sorted(outcomes) == [Outcome.CREATED, *[Outcome.UNCHANGED] * 3]
    assert await setting.rows("SELECT count(*) FROM consents.consent_event") == [(1,)]
