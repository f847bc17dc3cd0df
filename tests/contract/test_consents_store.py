"""Consents in PostgreSQL: what is kept comes back, and of two who move one, one does."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from uuid import uuid4

import pytest

from fullmakt.altinn.consents import rules, store
from fullmakt.altinn.consents.model import Consent, ConsentEvent, ConsentRight, EventType, Form, PortalViewMode
from fullmakt.infra.database import Database
from fullmakt.kernel.ordered_ids import time_ordered_id
from tests.support.consents import GIVER, NOW, PERSON, RECEIVER, SUPPLIER, consent

LATER = NOW + dt.timedelta(minutes=5)


async def kept(database: Database, made: Consent) -> Consent:
    async with database.transaction() as connection:
        assert await store.insert(connection, made)
    return made


async def read(database: Database, made: Consent) -> Consent | None:
    async with database.transaction() as connection:
        return await store.get(connection, made.id)


def full() -> Consent:
    return consent(
        form=Form.ALTINN2,
        handled_by=SUPPLIER,
        required_delegator=PERSON,
        message={"nb": "Æ <b>ø</b> å", "en": "é"},
        portal_view_mode=PortalViewMode.SHOW,
        template_id="default",
        template_version=3,
        one_time=True,
        notification_url="https://bank.example/hendelser",
        rights=(
            ConsentRight("ttd_4628_1", ("consent", "read"), {"inntektsaar": "2024"}, 4),
            ConsentRight("ttd_4628_1", ("consent",), {"inntektsaar": "2025"}, None),
        ),
    )


async def test_a_consent_comes_back_as_it_was(database: Database) -> None:
    for made in (consent(), full(), consent(rights=())):
        await kept(database, made)
        assert await read(database, made) == made


async def test_one_that_is_not_there_is_none(database: Database) -> None:
    assert await read(database, consent()) is None


async def test_of_two_with_one_id_the_first_is_kept(database: Database) -> None:
    made = await kept(database, consent())
    async with database.transaction() as connection:
        assert not await store.insert(connection, replace(made, receiver=SUPPLIER, rights=()))
    assert await read(database, made) == made


@pytest.mark.parametrize("form", list(Form))
async def test_each_state_comes_back(database: Database, form: Form) -> None:
    made = await kept(database, consent(form=form, one_time=True))
    opened = rules.open_(made, PERSON, LATER)
    assert isinstance(opened, Consent)
    accepted = rules.accept(opened, PERSON, LATER, language="nn", shown={"title": "Ja"})
    assert isinstance(accepted, Consent)
    used = rules.log_use(accepted, LATER)
    assert isinstance(used, Consent)
    migrated = replace(used, migrated=LATER)
    for before, after in ((made, opened), (opened, accepted), (accepted, used), (used, migrated)):
        async with database.transaction() as connection:
            assert await store.move(connection, before, after)
        assert await read(database, made) == after


async def test_what_has_moved_meanwhile_is_not_moved_again(database: Database) -> None:
    made = await kept(database, consent())
    accepted, rejected = rules.accept(made, PERSON, LATER), rules.reject(made, PERSON, LATER)
    assert isinstance(accepted, Consent)
    assert isinstance(rejected, Consent)
    async with database.transaction() as connection:
        assert await store.move(connection, made, accepted)
        assert not await store.move(connection, made, rejected)
        assert not await store.move(connection, made, accepted)
    assert await read(database, made) == accepted


async def test_events_come_back_oldest_first_and_of_each_consent_its_own(database: Database) -> None:
    one, other, quiet = [await kept(database, consent()) for _ in range(3)]

    def event(about: Consent, kind: EventType, minute: int) -> ConsentEvent:
        at = NOW + dt.timedelta(minutes=minute)
        return ConsentEvent(time_ordered_id(at, uuid4()), about.id, kind, at, GIVER)

    first, second = event(one, EventType.CREATED, 0), event(one, EventType.ACCEPTED, 1)
    third = event(other, EventType.CREATED, 2)
    async with database.transaction() as connection:
        await store.add_events(connection, one, [second, first])
        await store.add_events(connection, other, [third])
        found = await store.events(connection, [one.id, other.id, quiet.id])
    assert found == {one.id: (first, second), other.id: (third,), quiet.id: ()}
    assert first.performed_by == GIVER
    assert one.receiver == RECEIVER
