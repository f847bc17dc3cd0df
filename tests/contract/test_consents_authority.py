"""Who may look at, answer and take back a consent: it takes what the contract says, and no more (consent.md §4.7)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from uuid import UUID

import pytest

from fullmakt.altinn.consents.errors import ConsentRefusedError
from fullmakt.altinn.consents.rules import Reason
from fullmakt.infra.database import Database
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.callers import Caller
from tests.support.consents_altinn2 import BANK, TAX, Altinn2World, service

LOANS, TAXES, AFFAIRS = "lanekassen_5498_1", "lanekassen_4629_2", "altinn_access_management"
GIVES = frozenset({(LOANS, "consent"), (TAXES, "consent")})
READS, WRITES = frozenset({(AFFAIRS, "read")}), frozenset({(AFFAIRS, "write")})
ALL = GIVES | READS | WRITES


@pytest.fixture
async def world(database: Database) -> AsyncIterator[Altinn2World]:
    world = await Altinn2World(database).begin()
    yield world
    await world.close()


@dataclass(frozen=True)
class Door:
    """Something that is done with a consent, and all that a person has to be permitted for it."""

    work: Callable[[Altinn2World, UUID, Caller], Awaitable[object]]
    needs: frozenset[tuple[str, str]]
    given: bool = False
    """Whether it is done to a consent that was given, rather than to a request."""

    async def shut(self, world: Altinn2World, permitted: frozenset[tuple[str, str]], caller: Caller) -> Reason | None:
        """Why Ola, or the bank, does not get through, for Kari, with what is ``permitted`` alone; None: it does."""
        services = [service(Navn="Banken AS"), service(TAX, inntektsaar="2025")]
        code = await world.code(RequestResources=services)
        if self.given:
            await world.accept(code)
        ola = Attribute(ids.PARTY_UUID, str(world.ola.party_uuid))
        world.authority.rules -= {rule for rule in world.authority.rules if rule[0] == ola}
        for resource, action in permitted:
            for who in (world.ola, world.organisations[BANK]):
                world.authority.permit(who, resource, world.kari, action)
        try:
            await self.work(world, UUID(code), caller)
        except ConsentRefusedError as error:
            return error.reason
        return None


DOORS = {
    "shown": Door(lambda world, code, by: world.consents.answering.shown(code, by), GIVES | READS),
    "open": Door(lambda world, code, by: world.consents.answering.open(code, by), GIVES | READS),
    "accept": Door(lambda world, code, by: world.consents.answering.accept(code, by, language="nb"), GIVES | WRITES),
    "reject": Door(lambda world, code, by: world.consents.answering.reject(code, by), GIVES | WRITES),
    "given": Door(lambda world, code, by: world.consents.answering.given(code, by), READS, given=True),
    "revoke": Door(lambda world, code, by: world.consents.answering.revoke(code, by), WRITES, given=True),
}
"""Any access manager of the giver's takes back what somebody else gave; to give it takes every right as well."""


@pytest.mark.parametrize("name", DOORS)
async def test_a_door_opens_to_who_is_permitted_what_it_takes_and_to_nobody_who_lacks_any_of_it(
    world: Altinn2World, name: str
) -> None:
    door, ola = DOORS[name], world.caller(world.ola)
    assert await door.shut(world, door.needs, ola) is None
    for missing in sorted(door.needs):
        assert await door.shut(world, ALL - {missing}, ola) is Reason.NOT_AUTHORIZED, missing


@pytest.mark.parametrize("name", DOORS)
async def test_no_organisation_and_no_system_goes_through_whatever_it_may(world: Altinn2World, name: str) -> None:
    bank = OrgNumber(BANK)
    persons = world.caller(world.ola)
    for caller in (
        Caller(persons.scopes, consumer=bank, auth_level=4),
        replace(persons, party_uuid=world.organisations[BANK].party_uuid),
        replace(persons, party_uuid=None),
        replace(persons, system_user=UUID(int=7), system_user_org=bank),
    ):
        assert await DOORS[name].shut(world, ALL, caller) is Reason.NOT_AUTHORIZED


@pytest.mark.parametrize("name", DOORS)
async def test_a_door_asks_for_the_level_of_each_thing_that_it_takes(world: Altinn2World, name: str) -> None:
    door, weak = DOORS[name], replace(world.caller(world.ola), auth_level=2)
    for resource in sorted({resource for resource, _ in door.needs}):
        world.authority.levels = {resource: 3}
        assert await door.shut(world, ALL, weak) is Reason.NOT_AUTHORIZED, resource
    world.authority.levels = {resource: 2 for resource, _ in ALL}
    assert await door.shut(world, ALL, weak) is None
