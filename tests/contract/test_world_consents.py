"""Consent services, the rights registry and API keys of a world file."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from fullmakt.infra.database import Database
from fullmakt.wire.altinn.consents import ConsentQuestion, FoundConsent
from fullmakt.world.demo import demo_world
from fullmakt.world.export import export
from fullmakt.world.model import World as Declared
from fullmakt.world.parse import parse
from tests.support.world import World


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    world = World(database, tmp_path)
    demo = demo_world()
    base = Declared(
        organisations=demo.organisations, service_owners=demo.service_owners, resources=demo.resources,
        delegation_sources=demo.delegation_sources, prefixes=demo.prefixes, scopes=demo.scopes,
    )  # fmt: skip
    await world.apply(base)
    return world


def _consents() -> Declared:
    demo = demo_world()
    return Declared(consent_services=demo.consent_services, srr_entries=demo.srr_entries, api_keys=demo.api_keys)


async def test_what_is_declared_is_there_and_nothing_is_left_to_do(world: World) -> None:
    declared = _consents()
    await world.apply(declared)
    assert (await world.service.plan(declared)).changes == ()
    there = await world.service.current()
    assert (there.consent_services, there.srr_entries) == (declared.consent_services, declared.srr_entries)
    assert parse(export(there)) == there


async def test_the_borrower_of_the_demo_world_has_consented_already(world: World) -> None:
    demo = demo_world()
    await world.apply(Declared(people=demo.people, consents=demo.consents))
    (given,) = demo.consents
    question = ConsentQuestion(given.id, f"urn:altinn:person:identifier-no:{given.giver}", given.receiver)
    found = await world.consent_registers.service.look_up(question)
    assert isinstance(found, FoundConsent)
    assert found.rights[0].metadata == {"navn": "Demo Bank"}


async def test_the_secret_of_a_key_is_the_operators_alone_and_opens_the_door(world: World) -> None:
    await world.apply(_consents())
    path = world.files.api_key_path("demo-bank")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    found = await world.consent_registers.keys.holder(path.read_text())
    assert found is not None
    assert found.organisation == "910753614"


async def test_a_key_whose_secret_is_gone_from_here_is_made_anew(world: World) -> None:
    declared = _consents()
    await world.apply(declared)
    path = world.files.api_key_path("demo-bank")
    before = path.read_text()
    path.unlink()
    assert [step.entry for step in (await world.service.plan(declared)).changes] == [declared.api_keys[0]]
    await world.apply(declared)
    assert path.read_text() != before
    assert await world.consent_registers.keys.holder(before) is None


async def test_an_entry_takes_the_conditions_of_the_newest_declaration(world: World) -> None:
    declared = _consents()
    await world.apply(declared)
    entry = replace(declared.srr_entries[0], domains=("https://bank.example",), keep_session_alive=True)
    await world.apply(replace(declared, srr_entries=(entry,)))
    assert (await world.service.current()).srr_entries == (entry,)
