"""Systems and system users that a world file declares are there as told, and can be declared anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from fullmakt.infra.database import Database
from fullmakt.world.export import export
from fullmakt.world.parse import parse
from fullmakt.world.service import ApplyError
from tests.support.world import World

VENDOR, BANK, ACCOUNTANT, BAKERY, SHOP = "312044005", "910753614", "314680138", "313579247", "312468018"
ACCOUNTING = "regnskapsforer-med-signeringsrettighet"

PEOPLE_AND_APIS = f"""
[[organisation]]
orgno = "{VENDOR}"
name = "Vendor"
[[organisation]]
orgno = "{BANK}"
name = "Bank"
[[organisation]]
orgno = "{ACCOUNTANT}"
name = "Accountant"
[[organisation]]
orgno = "{BAKERY}"
name = "Bakery"
[[organisation]]
orgno = "{SHOP}"
name = "Shop"
[[role]]
holder = "{ACCOUNTANT}"
code = "regn"
organisation = "{BAKERY}"
[[service_owner]]
code = "owner"
organisation = "{BANK}"
name = "Bank"
[[resource]]
identifier = "returns"
owner = "owner"
resourceType = "GenericAccessResource"
title = "Returns"
description = "Returns"
rightDescription = "Returns"
roles = ["dagl"]
packages = ["{ACCOUNTING}"]
actions = ["read"]
[[system]]
identifier = "{VENDOR}_tax"
vendor = "{VENDOR}"
name = "Tax"
clients = ["00000000-0000-4000-8000-000000000001"]
resources = ["returns"]
packages = ["{ACCOUNTING}", "merverdiavgift"]
visible = false
"""

OWN = f"""
[[system_user]]
system = "{VENDOR}_tax"
owner = "{BANK}"
resources = ["returns"]
"""

AGENT = f"""
[[system_user]]
system = "{VENDOR}_tax"
owner = "{ACCOUNTANT}"
type = "agent"
packages = ["{ACCOUNTING}"]
clients = ["{BAKERY}"]
"""


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    world = World(database, tmp_path)
    await world.apply(PEOPLE_AND_APIS)
    return world


async def test_what_is_declared_is_there_and_nothing_is_left_to_do(world: World) -> None:
    declared = parse(PEOPLE_AND_APIS + OWN + AGENT)
    await world.apply(declared)
    assert (await world.service.plan(declared)).changes == ()
    there = await world.service.current()
    assert (there.systems, sorted(there.system_users, key=lambda user: user.owner)) == (
        declared.systems,
        sorted(declared.system_users, key=lambda user: user.owner),
    )
    assert parse(export(there)) == there


async def test_a_system_user_gets_just_the_rights_of_the_newest_declaration(world: World) -> None:
    await world.apply(PEOPLE_AND_APIS + OWN)
    await world.apply(PEOPLE_AND_APIS + OWN.replace('resources = ["returns"]', 'packages = ["merverdiavgift"]'))
    (user,) = (await world.service.current()).system_users
    assert (user.resources, user.packages) == ((), ("merverdiavgift",))


async def test_an_agent_that_is_declared_without_a_client_has_lost_it(world: World) -> None:
    await world.apply(PEOPLE_AND_APIS + AGENT)
    await world.apply(PEOPLE_AND_APIS + AGENT.replace(f'clients = ["{BAKERY}"]', ""))
    (user,) = (await world.service.current()).system_users
    assert user.clients == ()


async def test_a_system_is_declared_anew_with_another_definition(world: World) -> None:
    changed = PEOPLE_AND_APIS.replace('name = "Tax"', 'name = "Taxes"').replace(f'["{ACCOUNTING}", ', "[")
    await world.apply(changed)
    (system,) = (await world.service.current()).systems
    assert (dict(system.name)["nb"], system.packages) == ("Taxes", ("merverdiavgift",))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (AGENT.replace(BAKERY, SHOP), "MissingPackageAccess"),
        (AGENT.replace(ACCOUNTING, "no-such-package"), "UnknownPackage"),
    ],
    ids=["a client that is none of the accountant's", "a package that there is not"],
)
async def test_what_can_not_be_is_refused_and_nothing_is_made(world: World, text: str, why: str) -> None:
    with pytest.raises(ApplyError, match=why):
        await world.apply(PEOPLE_AND_APIS + text)
    assert (await world.service.current()).system_users == ()


async def test_a_system_user_does_not_become_an_agent(world: World) -> None:
    await world.apply(PEOPLE_AND_APIS + OWN)
    with pytest.raises(ApplyError, match="of type standard"):
        await world.apply(PEOPLE_AND_APIS + AGENT.replace(ACCOUNTANT, BANK).replace(f'clients = ["{BAKERY}"]', ""))
