"""A world written to a file reads back as the same world."""

from __future__ import annotations

import tomllib

from hypothesis import HealthCheck, given, settings

from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.world.export import export
from fullmakt.world.model import Client, Unusable, World
from fullmakt.world.parse import parse
from tests.unit.world.strategies import worlds


@given(worlds)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_an_exported_world_reads_back_as_itself(world: World) -> None:
    assert parse(export(world)) == world


def test_an_empty_world_is_a_file_with_nothing_in_it() -> None:
    assert tomllib.loads(export(World())) == {}


def test_a_client_that_a_file_can_not_declare_is_left_out_with_the_reason() -> None:
    client = Client("x", "id-1", OrgNumber("910753614"), Unusable("its key is nowhere"), "x", "x")
    text = export(World(clients=(client,)))
    assert "# id-1 is left out: its key is nowhere" in text
    assert parse(text) == World()
