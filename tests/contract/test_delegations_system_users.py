"""What a system user is given, on real PostgreSQL: in its keeper's transaction, as far as the giver may."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import replace
from uuid import UUID, uuid5

import pytest
from sqlalchemy import text

from fullmakt.altinn.delegations.model import OPERATOR, Offer, Selection
from fullmakt.altinn.delegations.service import DelegationsService
from fullmakt.altinn.delegations.system_users import SystemUserDelegations
from fullmakt.infra.altinn import ForbiddenError
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import FixedClock, new_uuid
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.delegations import Given, GivenKind, Giving, GivingRefusedError
from fullmakt.wire.altinn.parties import HeldRights, PartyIdentity
from tests.support.delegations import FakeAuthority, FakePackages, FakeParties, FakeResources
from tests.support.parties import national_id
from tests.support.policies import policy_xml

AGENT, OTHER = UUID(int=71), UUID(int=72)
NOW = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
LONN, REVISJON = Attribute(ids.ACCESS_PACKAGE, "lonn"), Attribute(ids.ACCESS_PACKAGE, "revisjon")


class World:
    """Kari leads ``owner``, which keeps the books of ``client`` and ``second``."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.parties, self.resources, self.packages = FakeParties(), FakeResources(), FakePackages()
        self.authority = FakeAuthority()
        self.owner = self.parties.organisation("910753614")
        self.client = self.parties.organisation("810418672")
        self.second = self.parties.organisation("991825827")
        self.kari = self.parties.person(national_id(1))
        self.ola = self.parties.person(national_id(2))
        self.parties.hold(self.kari, self.owner, HeldRights(packages=frozenset({LONN})))
        for client in (self.client, self.second):
            self.parties.hold(self.owner, client, HeldRights(packages=frozenset({REVISJON})))
        for name, delegable, assignable in (("lonn", True, True), ("revisjon", True, False), ("bundet", False, True)):
            self.packages.add(name, delegable=delegable, assignable=assignable)
        self.resources.add("skjema", resource_type="GenericAccessResource")
        self.resources.add("annet", resource_type="GenericAccessResource")
        self.resources.add("stengt", resource_type="GenericAccessResource", delegable=False)
        self.resources.add("api", "test:scope")
        for resource in ("skjema", "annet", "stengt", "api"):
            self.authority.permit(self.kari, resource, self.owner, "read", "write")
        self.service = DelegationsService(
            database, FixedClock(NOW), new_uuid, resources=self.resources, parties=self.parties
        )
        self.rights = SystemUserDelegations(
            self.service, parties=self.parties, resources=self.resources, packages=self.packages,
            authority=self.authority,
        )  # fmt: skip

    async def checked(
        self, who: PartyIdentity, *, resources: tuple[str, ...] = (), packages: tuple[str, ...] = ()
    ) -> tuple[Giving, ...]:
        return await self.rights.check(_caller(who), self.owner.party_uuid, resources=resources, packages=packages)

    async def change(
        self,
        *give: Giving,
        take: tuple[tuple[GivenKind, str], ...] = (),
        giver: PartyIdentity | None = None,
        via: UUID | None = None,
        system_user: UUID = AGENT,
    ) -> int:
        async with self.database.transaction() as connection:
            return await self.rights.change(
                connection, system_user, (giver or self.owner).party_uuid, give=give, take=take, via=via, actor="kari"
            )

    async def through(self, client: PartyIdentity, *packages: str, system_user: UUID = AGENT) -> int:
        checked = await self.rights.check_clients(self.owner.party_uuid, client.party_uuid, packages)
        return await self.change(*checked, giver=client, via=self.owner.party_uuid, system_user=system_user)

    async def names(self, system_user: UUID = AGENT) -> list[tuple[str, bool]]:
        return [(one.name, one.holds) for one in await self.rights.given(system_user)]

    async def counted(self, client: PartyIdentity) -> set[str]:
        return {one.value for one in await self.service.packages([AGENT], client.party_uuid)}


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


def _caller(who: PartyIdentity, level: int = 4) -> Caller:
    return Caller(frozenset(), user_id=who.user_id, party_uuid=who.party_uuid, auth_level=level)


async def test_a_check_tells_of_each_thing_whether_it_may_be_given(world: World) -> None:
    resources = ("skjema", "stengt", "api", "none", "nul\0", "skjema")
    packages = ("lonn", "urn:altinn:accesspackage:lonn", "revisjon", "bundet", "none")
    found = await world.checked(world.kari, resources=resources, packages=packages)
    assert [(one.kind, one.name, one.permitted, one.reasons) for one in found] == [
        (GivenKind.RESOURCE, "skjema", True, ("RoleAccess",)),
        (GivenKind.RESOURCE, "stengt", False, ("RoleAccess", "ResourceNotDelegable")),
        (GivenKind.RESOURCE, "api", False, ("RoleAccess", "ResourceIsMaskinPortenSchema")),
        (GivenKind.RESOURCE, "none", False, ("UnknownResource",)),
        (GivenKind.RESOURCE, "nul\0", False, ("UnknownResource",)),
        (GivenKind.PACKAGE, "lonn", True, ("PackageAccess",)),
        (GivenKind.PACKAGE, "revisjon", False, ("MissingPackageAccess", "PackageNotAssignable")),
        (GivenKind.PACKAGE, "bundet", False, ("MissingPackageAccess",)),
        (GivenKind.PACKAGE, "none", False, ("UnknownPackage",)),
    ]
    assert found[0].sources == {None: frozenset({"read", "write"})}
    (refused,) = await world.checked(world.ola, resources=("skjema",))
    assert (refused.permitted, refused.reasons) == (False, ("MissingRoleAccess", "MissingDelegationAccess"))
    with pytest.raises(ForbiddenError):
        await world.rights.check(Caller(frozenset()), world.owner.party_uuid, packages=["lonn"])


async def test_one_action_that_may_be_given_is_enough_and_no_more_than_that_is_given(world: World) -> None:
    world.authority.permit(world.ola, "skjema", world.owner, "read")
    (giving,) = await world.checked(world.ola, resources=("skjema",))
    assert (giving.permitted, giving.reasons) == (True, ("RoleAccess",))
    assert await world.change(giving) == 1
    (given,) = await world.rights.given(AGENT)
    assert given == Given(
        GivenKind.RESOURCE, "skjema", world.owner.party_uuid, AGENT, frozenset({"read"}), None, True, NOW
    )


async def test_what_is_given_is_told_once_and_makes_no_connection(world: World) -> None:
    checked = await world.checked(world.kari, resources=("skjema", "annet"), packages=("lonn",))
    assert await world.change(*checked) == 3
    assert await world.change(*checked) == 0
    assert await world.names() == [("lonn", True), ("annet", True), ("skjema", True)]
    assert await world.service.connections() == ()
    assert await world.change(take=((GivenKind.RESOURCE, "annet"), (GivenKind.PACKAGE, "lonn"))) == 2
    assert await world.names() == [("skjema", True)]
    assert await world.change(take=((GivenKind.RESOURCE, "annet"), (GivenKind.PACKAGE, "lonn"))) == 0
    async with world.database.transaction() as connection:
        trail = await connection.execute(text("SELECT action, actor FROM audit.event ORDER BY id"))
        assert [tuple(row) for row in trail] == [
            ("delegation:create", "kari"),
            ("delegation:create", "kari"),
            ("package:give", "kari"),
            ("delegation:withdraw", "kari"),
            ("package:take", "kari"),
        ]


async def test_what_is_given_falls_with_the_transaction_it_was_given_in(world: World) -> None:
    checked = await world.checked(world.kari, resources=("skjema",), packages=("lonn",))

    async def half_done() -> None:
        async with world.database.transaction() as connection:
            await world.rights.change(connection, AGENT, world.owner.party_uuid, give=checked, actor="kari")
            assert len(await world.rights.kept(connection, AGENT)) == 2
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await half_done()
    assert await world.rights.given(AGENT) == ()


async def test_nothing_is_given_that_may_not_be(world: World) -> None:
    good, bad = await world.checked(world.kari, packages=("lonn", "bundet"))
    with pytest.raises(GivingRefusedError) as refused:
        await world.change(good, bad)
    assert refused.value.reason == "not_permitted"
    (resource,) = await world.checked(world.kari, resources=("skjema",))
    with pytest.raises(GivingRefusedError) as refused:
        await world.change(resource, giver=world.client, via=world.owner.party_uuid)
    assert refused.value.reason == "not_through_a_facilitator"
    with pytest.raises(GivingRefusedError) as refused:
        await world.change(good, system_user=world.owner.party_uuid)
    assert refused.value.reason == "to_oneself"
    assert await world.rights.given(AGENT) == ()


async def test_what_rests_on_a_delegation_falls_with_it(world: World) -> None:
    offer = Offer(world.owner.party_uuid, world.ola.party_uuid, "skjema", frozenset({"read"}))
    await world.service.delegate(offer, OPERATOR)
    (root,) = await world.service.rights([world.ola.party_uuid], world.owner.party_uuid, "skjema")
    world.authority.permit(world.ola, "skjema", world.owner, "read")
    world.authority.delegated["skjema", "read"] = root.delegation_id
    checked = await world.checked(world.ola, resources=("skjema",))
    assert checked[0].sources == {root.delegation_id: frozenset({"read"})}
    assert await world.change(*checked) == 1
    await world.service.withdraw(Selection(world.owner.party_uuid, world.ola.party_uuid, "skjema"), OPERATOR)
    assert await world.rights.given(AGENT) == ()
    with pytest.raises(GivingRefusedError) as refused:
        await world.change(*checked)
    assert refused.value.reason == "fallen"


async def test_a_facilitator_gives_what_it_holds_itself_and_may_give_on(world: World) -> None:
    names = ("revisjon", "lonn", "bundet", "none")
    found = await world.rights.check_clients(world.owner.party_uuid, world.client.party_uuid, names)
    assert [(one.name, one.permitted, one.reasons) for one in found] == [
        ("revisjon", True, ("PackageAccess",)),
        ("lonn", False, ("MissingPackageAccess",)),
        ("bundet", False, ("MissingPackageAccess", "PackageNotDelegable")),
        ("none", False, ("UnknownPackage",)),
    ]
    both = {world.client.party_uuid: {"revisjon"}, world.second.party_uuid: {"revisjon"}}
    assert await world.rights.clients(world.owner.party_uuid) == both
    assert await world.rights.clients(world.owner.party_uuid, ["urn:altinn:accesspackage:revisjon"]) == both
    await world.service.give_package(world.second.party_uuid, world.owner.party_uuid, "lonn", OPERATOR)
    await world.service.give_package(world.client.party_uuid, world.owner.party_uuid, "bundet", OPERATOR)
    assert await world.rights.clients(world.owner.party_uuid, ["revisjon", "lonn"]) == {
        world.second.party_uuid: {"revisjon", "lonn"}
    }
    assert await world.rights.clients(world.owner.party_uuid, ["none"]) == {}


async def test_a_client_that_the_register_takes_away_counts_for_nothing_until_it_is_back(world: World) -> None:
    assert await world.through(world.client, "revisjon") == 1
    assert await world.through(world.second, "revisjon") == 1
    assert await world.counted(world.client) == {"revisjon"}
    world.parties.hold(world.owner, world.client, HeldRights())
    assert (await world.counted(world.client), await world.counted(world.second)) == (set(), {"revisjon"})
    assert [one.giver for one in await world.service.delegated_packages(receivers=[AGENT])] == [world.second.party_uuid]
    holds = {one.giver: one.holds for one in await world.rights.given(AGENT)}
    assert holds == {world.client.party_uuid: False, world.second.party_uuid: True}
    world.parties.hold(world.owner, world.client, HeldRights(packages=frozenset({REVISJON})))
    assert await world.counted(world.client) == {"revisjon"}


async def test_a_package_that_the_facilitator_was_given_counts_while_it_has_it(world: World) -> None:
    ends = world.client.party_uuid, world.owner.party_uuid, "lonn", OPERATOR
    await world.service.give_package(*ends)
    assert await world.through(world.client, "lonn") == 1
    assert await world.counted(world.client) == {"lonn"}
    await world.service.take_packages(*ends)
    assert await world.counted(world.client) == set()
    assert await world.names() == [("lonn", False)]


async def test_an_agent_does_not_stand_on_another_agents_package(world: World) -> None:
    """Nor on its own: what came through a facilitator is nothing that the facilitator holds."""
    await world.through(world.client, "revisjon", system_user=OTHER)
    assert await world.counted(world.client) == set()
    given = (await world.rights.check_clients(world.owner.party_uuid, world.client.party_uuid, ["revisjon"]))[0]
    await world.change(given, giver=world.client, via=OTHER)
    assert await world.counted(world.client) == set()


async def test_one_package_is_given_in_one_way(world: World) -> None:
    given = (await world.rights.check_clients(world.owner.party_uuid, world.client.party_uuid, ["revisjon"]))[0]
    await world.change(given, giver=world.client)
    with pytest.raises(GivingRefusedError) as refused:
        await world.change(given, giver=world.client, via=world.owner.party_uuid)
    assert refused.value.reason == "given_otherwise"
    assert await world.change(take=((GivenKind.PACKAGE, "revisjon"),), giver=world.client, via=OTHER) == 0
    assert await world.change(take=((GivenKind.PACKAGE, "revisjon"),), giver=world.client) == 1


async def test_all_is_taken_back_or_what_came_from_one(world: World) -> None:
    await world.change(*await world.checked(world.kari, resources=("skjema", "annet"), packages=("lonn",)))
    await world.through(world.client, "revisjon")
    await world.through(world.second, "revisjon")
    await world.through(world.second, "revisjon", system_user=OTHER)
    async with world.database.transaction() as connection:
        taken = await world.rights.take_all(
            connection, AGENT, via=world.owner.party_uuid, giver=world.client.party_uuid, actor="kari"
        )
    assert (taken, len(await world.rights.given(AGENT))) == (1, 4)
    async with world.database.transaction() as connection:
        assert await world.rights.take_all(connection, AGENT, actor="kari") == 4
    assert await world.rights.given(AGENT) == ()
    assert [one.giver for one in await world.rights.given(OTHER, via=world.owner.party_uuid)] == [
        world.second.party_uuid
    ]


async def test_the_operator_declares_whatever_there_is(world: World) -> None:
    policy = {"rules": [{"action": ["read", "sign"], "subject": [f"{ids.ROLE_CODE}=dagl"]}]}
    denial = {"effect": "Deny", "action": ["fly"], "subject": [f"{ids.ROLE_CODE}=dagl"]}
    rules = {"rules": [*policy["rules"], denial]}
    world.resources.change("skjema", policy=policy_xml("skjema", rules))
    world.resources.change("annet", policy=b"<rubbish")
    found = await world.rights.declared(resources=["skjema", "annet", "stengt"], packages=["bundet", "none"])
    assert [one.permitted for one in found] == [True, False, False, True, False]
    await world.change(*(one for one in found if one.permitted))
    given = {one.name: one.actions for one in await world.rights.given(AGENT)}
    assert given == {"skjema": {"read", "sign"}, "bundet": frozenset()}


async def test_givers_that_change_at_once_wait_for_one_another(world: World) -> None:
    """Two agents with the same clients, in either order: none waits for one that waits for it."""
    givings = [
        replace(one, name=f"package{number}")
        for number in range(4)
        for one in await world.rights.check_clients(world.owner.party_uuid, world.client.party_uuid, ["revisjon"])
    ]
    agents = [uuid5(AGENT, str(number)) for number in range(4)]
    clients = [world.client, world.second]

    async def busy(place: int) -> None:
        for client in clients if place % 2 else reversed(clients):
            await world.change(*givings, giver=client, via=world.owner.party_uuid, system_user=agents[place])
        async with world.database.transaction() as connection:
            await world.rights.take_all(connection, agents[place], actor="kari")

    await asyncio.gather(*map(busy, range(4)))
    assert [await world.rights.given(agent) for agent in agents] == [()] * 4
