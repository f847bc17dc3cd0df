"""The built-in demo world holds together."""

from __future__ import annotations

from pathlib import Path

from fullmakt.lanekassen.people import customers
from fullmakt.world.demo import demo_world
from fullmakt.world.export import export
from fullmakt.world.model import Kind, World
from fullmakt.world.parse import parse
from fullmakt.world.plan import Action, plan


def test_everything_that_it_refers_to_is_in_it() -> None:
    steps = plan(demo_world(), World()).steps
    assert {step.action for step in steps} == {Action.CREATE}
    assert {step.kind for step in steps} == set(Kind)


def test_everybody_in_it_is_made_up() -> None:
    assert all(person.national_id.is_synthetic for person in demo_world().people)


def test_the_numbers_of_the_seeds_are_in_it() -> None:
    orgnos = {organisation.orgno for organisation in demo_world().organisations}
    assert orgnos >= {"991825827", "910753614", "999888777", "888666555"}


def test_it_exports_as_itself() -> None:
    assert parse(export(demo_world())) == demo_world()


def test_each_client_but_the_stranger_has_access_to_what_it_asks_for() -> None:
    world = demo_world()
    owners = {prefix.prefix: prefix.owner for prefix in world.prefixes}
    granted = {(access.scope, access.consumer) for access in world.accesses}
    delegated = {scope.name for scope in world.scopes if scope.delegation_source}
    without = {
        client.name
        for client in world.clients
        for scope in client.scopes
        if (scope, client.supplier or client.organisation) not in granted
        and owners[scope.prefix] != client.organisation
        and scope not in delegated
    }
    assert without == {"demo-stranger"}


def test_the_borrowers_that_are_not_in_it_have_a_world_file_of_their_own() -> None:
    text = (Path(__file__).parents[3] / "examples" / "worlds" / "lanekassen.toml").read_text(encoding="utf-8")
    declared = {*parse(text).people, *demo_world().people}
    assert {(person.national_id, person.name) for person in declared} >= {
        (customer.id, customer.name) for customer in customers().values()
    }
