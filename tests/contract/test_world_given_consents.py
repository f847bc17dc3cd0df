"""Consents of a world file on a real database: they are there, as asked for and answered, once and for all."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text

from fullmakt.altinn.consents import store
from fullmakt.altinn.consents.declared import DeclaredConsent, DeclaredRight, State
from fullmakt.altinn.consents.declaring import ConsentDeclarationError
from fullmakt.altinn.consents.model import Consent, EndReason, EventType, Form, Status
from fullmakt.infra.database import Database
from fullmakt.infra.feed import current_version
from fullmakt.kernel.clock import FixedClock
from fullmakt.kernel.declarations import Outcome
from fullmakt.kernel.identifiers import NationalId, OrgNumber
from fullmakt.wire.altinn.consents import TOPIC, ConsentQuestion, FoundConsent, NoConsent
from fullmakt.world.errors import WorldFaults
from fullmakt.world.export import export
from fullmakt.world.model import World as Declared
from fullmakt.world.parse import parse
from tests.support.world import World

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
JONAS, KARI = NationalId("30918899991"), NationalId("05895199925")
BANK = OrgNumber("910753614")
FILE = """
[[organisation]]
orgno = "313579247"
name = "Etaten"

[[organisation]]
orgno = "910753614"
name = "Banken"

[[person]]
id = "30918899991"
name = "Jonas Låntaker"

[[person]]
id = "05895199925"
name = "Kari Nordmann"

[[service_owner]]
code = "etat"
organisation = "313579247"
name = "Etaten"

[[resource]]
identifier = "etat_5498_1"
owner = "etat"
resourceType = "Consent"
title = "Saldo"
description = "Saldo"
rightDescription = "Saldo"
consentMetadata = { Navn = { optional = true } }
consentText = "{Navn} kan se saldoen."
roles = ["priv"]

[[resource]]
identifier = "etat_5498_2"
owner = "etat"
resourceType = "Consent"
title = "Saldo en gang"
description = "Saldo"
rightDescription = "Saldo"
isOneTimeConsent = true
consentText = "Banken kan se saldoen."
roles = ["priv"]
"""
SALDO, ONCE = DeclaredRight("etat_5498_1", (("navn", "Banken"),)), DeclaredRight("etat_5498_2")
TAKEN_OVER = {Form.ALTINN2: True, Form.ALTINN3: False}


def consent(number: int, state: State = State.ACCEPTED, **changes: object) -> DeclaredConsent:
    """A consent of Jonas's to the bank."""
    made = DeclaredConsent(
        UUID(int=number),
        JONAS,
        BANK,
        (ONCE if state is State.USED_UP else SALDO,),
        dt.datetime(2099, 1, 1, tzinfo=dt.UTC),
        state=state,
        answered_by=JONAS if state.was_answered else None,
        redirect_url="https://bank.example/retur",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    world = World(database, tmp_path, clock=FixedClock(NOW))
    await world.apply(FILE)
    return world


async def kept(world: World, number: int) -> tuple[Consent, list[EventType]]:
    async with world.database.transaction() as connection:
        found = await store.get(connection, UUID(int=number))
        events = (await store.events(connection, [UUID(int=number)]))[UUID(int=number)]
    assert found is not None
    return found, [one.type for one in events]


async def trail(world: World) -> list[tuple[str, str]]:
    statement = "SELECT outcome, reason FROM audit.event WHERE action = 'consent:declare' ORDER BY id"
    async with world.database.transaction() as connection:
        return [tuple(row) for row in await connection.execute(text(statement))]


async def drawn(world: World, number: int) -> FoundConsent | NoConsent:
    question = ConsentQuestion(UUID(int=number), f"urn:altinn:person:identifier-no:{JONAS}", BANK)
    return await world.consent_registers.service.look_up(question)


def of_every_kind() -> Declared:
    """Every state in both forms; some of Altinn 2's taken over by Altinn 3."""
    made: list[DeclaredConsent] = []
    for form in Form:
        for state in State:
            if state is State.OPENED and form is Form.ALTINN3:
                continue
            made.append(
                consent(len(made) + 1, state, form=form, migrated=(TAKEN_OVER[form] and state.was_given) or None)
            )
    return Declared(consents=tuple(made))


async def test_consents_in_every_state_are_there_once(world: World) -> None:
    declared = of_every_kind()
    await world.apply(declared)
    assert (await world.service.plan(declared)).changes == ()
    there = await world.service.current()
    assert there.consents == declared.consents
    assert parse(export(there)) == there
    assert await trail(world) == [("done", "")] * len(declared.consents)
    for entry in declared.consents:
        assert await world.consent_registers.declaring.declare(entry) is Outcome.UNCHANGED
    assert len(await trail(world)) == len(declared.consents)


async def test_what_has_happened_is_told_as_if_people_had_done_it(world: World) -> None:
    states = (State.REVOKED, State.USED_UP, State.WITHDRAWN, State.REJECTED, State.GIVEN_UP)
    await world.apply(Declared(consents=tuple(consent(number, state) for number, state in enumerate(states, 1))))
    happened = {State(each): (await kept(world, number))[1] for number, each in enumerate(states, 1)}
    assert happened == {
        State.REVOKED: [EventType.CREATED, EventType.ACCEPTED, EventType.REVOKED],
        State.USED_UP: [EventType.CREATED, EventType.ACCEPTED, EventType.USED, EventType.REVOKED],
        State.WITHDRAWN: [EventType.CREATED, EventType.DELETED],
        State.REJECTED: [EventType.CREATED, EventType.REJECTED],
        State.GIVEN_UP: [EventType.CREATED, EventType.ACCEPTED, EventType.REVOKED],
    }
    ends = [(await kept(world, number))[0].end_reason for number in (1, 2, 5)]
    assert ends == [EndReason.REVOKED, EndReason.USED_UP, EndReason.GIVEN_UP]


async def test_one_that_was_given_can_be_drawn_and_readers_of_the_feed_hear_of_it(world: World) -> None:
    async with world.database.transaction() as connection:
        before = await current_version(connection, TOPIC)
    await world.apply(Declared(consents=(consent(1),)))
    assert isinstance(await drawn(world, 1), FoundConsent)
    async with world.database.transaction() as connection:
        assert await current_version(connection, TOPIC) == before + 1


async def test_one_whose_time_is_over_was_given_before_that(world: World) -> None:
    over = NOW - dt.timedelta(days=30)
    await world.apply(Declared(consents=(consent(1, valid_to=over), consent(2, State.REVOKED, valid_to=over))))
    found, events = await kept(world, 1)
    assert (found.created, found.answered_at) == (over - dt.timedelta(days=1),) * 2
    assert events == [EventType.CREATED, EventType.ACCEPTED]
    assert (await kept(world, 2))[0].ended_at == over - dt.timedelta(days=1)
    assert isinstance(await drawn(world, 1), NoConsent)


async def test_a_request_is_answered_by_a_later_file_and_never_asked_again(world: World) -> None:
    asked, given = consent(1, State.CREATED), consent(1)
    await world.apply(Declared(consents=(asked,)))
    await world.apply(Declared(consents=(given,)))
    await world.apply(Declared(consents=(replace(given, state=State.REVOKED),)))
    found, events = await kept(world, 1)
    assert found.status is Status.REVOKED
    assert events == [EventType.CREATED, EventType.ACCEPTED, EventType.REVOKED]
    for contradicted in (asked, given):
        with pytest.raises(WorldFaults, match="is there with revoked, which can not become"):
            await world.apply(Declared(consents=(contradicted,)))
    assert (await kept(world, 1))[0] == found


async def test_keys_are_kept_as_each_form_spells_them(world: World) -> None:
    await world.apply(Declared(consents=(consent(1, form=Form.ALTINN2), consent(2))))
    assert (await kept(world, 1))[0].rights[0].metadata == {"Navn": "Banken"}
    assert (await kept(world, 2))[0].rights[0].metadata == {"navn": "Banken"}


async def test_one_that_altinn_3_takes_over_by_a_later_file_is_drawn_there(world: World) -> None:
    old = consent(1, form=Form.ALTINN2)
    await world.apply(Declared(consents=(old,)))
    assert isinstance(await drawn(world, 1), NoConsent)
    await world.apply(Declared(consents=(replace(old, migrated=True),)))
    assert isinstance(await drawn(world, 1), FoundConsent)


async def test_a_file_is_still_true_of_what_altinn_3_took_over_without_it(world: World) -> None:
    standing, ended = consent(1, form=Form.ALTINN2), consent(2, form=Form.ALTINN2)
    file = Declared(consents=(standing, ended))
    await world.apply(file)
    before = await world.service.export()
    migrating = world.consent_registers.service.migrating
    for one in file.consents:
        assert await migrating.take_over(one.id) is Outcome.CHANGED
    for declared in (file, parse(before), parse(await world.service.export())):
        assert (await world.service.plan(declared)).changes == ()
    for one in file.consents:
        assert await world.consent_registers.declaring.declare(one) is Outcome.UNCHANGED
    await world.apply(Declared(consents=(standing, replace(ended, state=State.REVOKED))))
    found, _ = await kept(world, 2)
    assert (found.status, found.migrated is None) == (Status.REVOKED, False)
    with pytest.raises(ConsentDeclarationError, match="it is there with another migrated"):
        await world.consent_registers.declaring.declare(replace(standing, migrated=False))
    with pytest.raises(WorldFaults, match="which is not undone"):
        await world.service.plan(Declared(consents=(replace(standing, migrated=False),)))


async def test_only_one_for_one_time_can_be_used_up(world: World) -> None:
    used_up = consent(1, State.USED_UP, rights=(SALDO,))
    with pytest.raises(WorldFaults, match="only a consent for one time can be used up"):
        await world.apply(Declared(consents=(used_up,)))
    assert await trail(world) == []
    with pytest.raises(ConsentDeclarationError, match="only a consent for one time can be used up"):
        await world.consent_registers.declaring.declare(used_up)  # the resource has changed since it was planned
    assert await trail(world) == [("deny", "consent_not_one_time")]
    assert (await world.service.current()).consents == ()


async def test_what_has_changed_since_the_plan_is_refused_and_written_down(world: World) -> None:
    declaring = world.consent_registers.declaring
    await declaring.declare(consent(1, State.REJECTED))
    for refused in (consent(1), consent(2, answered_by=NationalId("12846799972")), consent(3, rights=(ONCE, SALDO))):
        if refused.id == UUID(int=3):
            refused = replace(refused, rights=(DeclaredRight("etat_5498_1"),))
        with pytest.raises(ConsentDeclarationError):
            await declaring.declare(refused)
    assert [reason for _, reason in await trail(world)] == [
        "",
        "consent_contradicted",
        "consent_party_unknown",
        "consent_rights_unfit",
    ]


async def test_one_that_was_asked_for_on_other_terms_can_still_end(world: World) -> None:
    await world.apply(Declared(consents=(consent(1), consent(2))))
    await world.apply(FILE.replace("Navn = { optional = true }", "Aar = { optional = true }"))
    assert (await world.service.plan(Declared(consents=(consent(1),)))).changes == ()
    await world.apply(Declared(consents=(consent(1, State.REVOKED),)))
    assert (await kept(world, 1))[0].status is Status.REVOKED
    with pytest.raises(ConsentDeclarationError, match="only a consent for one time"):
        await world.consent_registers.declaring.declare(consent(2, State.USED_UP, rights=(SALDO,)))
    assert f"# {UUID(int=1)} is left out: etat_5498_1 has no metadata 'navn'" in await world.service.export()


async def test_of_those_who_declare_it_at_once_one_makes_it(world: World) -> None:
    declaring = world.consent_registers.declaring
    outcomes = await asyncio.gather(*(declaring.declare(consent(1, State.REVOKED)) for _ in range(4)))
    assert sorted(outcomes) == sorted([Outcome.CREATED, *[Outcome.UNCHANGED] * 3])
    assert (await kept(world, 1))[1] == [EventType.CREATED, EventType.ACCEPTED, EventType.REVOKED]


async def test_no_number_of_a_person_is_in_the_trail(world: World) -> None:
    await world.apply(of_every_kind())
    with pytest.raises(ConsentDeclarationError):
        await world.consent_registers.declaring.declare(consent(90, State.USED_UP, rights=(SALDO,), giver=KARI))
    statement = "SELECT count(*) FROM audit.event e WHERE system = 'consents' AND CAST(e AS text) LIKE ANY(:numbers)"
    async with world.database.transaction() as connection:
        found = await connection.execute(text(statement), {"numbers": [f"%{JONAS}%", f"%{KARI}%"]})
        assert found.scalar_one() == 0
