"""The decision point among its real neighbours, and two nodes on one PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

import orjson
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.altinn.decisions.config import DecisionsConfig
from fullmakt.altinn.decisions.model import Reason
from fullmakt.altinn.decisions.ports import JournalEntry
from fullmakt.altinn.decisions.searching import Page, part_of
from fullmakt.altinn.decisions.service import DecisionPoint
from fullmakt.altinn.decisions.store import DecisionFeed, DecisionJournal
from fullmakt.altinn.delegations.model import OPERATOR, Offer, Selection
from fullmakt.altinn.delegations.service import DelegationsService
from fullmakt.altinn.parties.model import Role
from fullmakt.altinn.parties.service import PartiesService
from fullmakt.altinn.resources.access_lists.service import AccessLists
from fullmakt.altinn.resources.service import ResourcesService
from fullmakt.infra import feed
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import FixedClock, new_uuid
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.xacml_json import RequestAttribute
from tests.support.parties import NOW, Register, national_id, orgno
from tests.support.policies import policy_xml
from tests.support.resources import register_owners, resource

POLICY = {"level": 3, "rules": [{"id": "r1", "action": ["read", "write"], "subject": [f"{ids.ROLE_CODE}=dagl"]}]}


@dataclass
class Node:
    """A process of its own, as far as memory goes."""

    database: Database
    point: DecisionPoint
    journal: DecisionJournal


class Altinn:
    """Real services on one database, and as many nodes as are wanted."""

    def __init__(self, database: Database, url: str) -> None:
        clock = FixedClock(NOW)
        self.database = database
        self.url = url
        self.parties = PartiesService(database, clock, new_uuid)
        self.register = Register(self.parties)
        self.resources = ResourcesService(database, clock)
        self.delegations = DelegationsService(database, clock, new_uuid, resources=self.resources, parties=self.parties)
        self.nodes: list[Node] = []

    def node(self) -> Node:
        """One more."""
        clock = FixedClock(NOW)
        database = Database(self.url)
        parties, resources = PartiesService(database, clock, new_uuid), ResourcesService(database, clock)
        journal = DecisionJournal(database)
        point = DecisionPoint(
            DecisionsConfig(),
            parties=parties,
            resources=resources,
            policy_index=resources.policies,
            access_lists=AccessLists(database, clock, parties, resources),
            delegations=DelegationsService(database, clock, new_uuid, resources=resources, parties=parties),
            feed=lambda: DecisionFeed(database),
            journal=journal,
            clock=clock,
        )
        self.nodes.append(Node(database, point, journal))
        return self.nodes[-1]

    async def close(self) -> None:
        """Every node's connections."""
        for node in self.nodes:
            await node.journal.close()
            await node.database.close()

    async def events(self) -> list[tuple[str, str]]:
        """Outcome and reason of each decision in the trail."""
        async with self.database.transaction() as connection:
            rows = await connection.execute(
                text("SELECT outcome, reason FROM audit.event WHERE system = 'decisions' ORDER BY id")
            )
            return [(row[0], row[1]) for row in rows]


@pytest.fixture
async def altinn(database: Database, database_url: str) -> AsyncIterator[Altinn]:
    world = Altinn(database, database_url)
    yield world
    await world.close()


async def _people(altinn: Altinn) -> tuple[UUID, list[Attribute], list[Attribute]]:
    """An organisation with a managing director, and a vendor."""
    acme = await altinn.register.organisation(1)
    await altinn.register.organisation(2)
    await altinn.register.person(1)
    await altinn.register.grant(national_id(1), "dagl", 1)
    await register_owners(altinn.resources)
    await altinn.resources.declare_resource(resource("thing"), policy_xml("thing", POLICY))
    return acme, [Attribute(ids.PERSON, str(national_id(1)))], [Attribute(ids.ORGANISATION, orgno(2))]


async def test_a_role_gives_a_right_and_its_end_takes_it_on_every_node(altinn: Altinn) -> None:
    acme, kari, _ = await _people(altinn)
    one, other = altinn.node(), altinn.node()
    for node in (one, other):
        decision = await node.point.may(kari, "read", "thing", acme)
        assert (decision.permitted, decision.reason) == (True, Reason.RULE)
    await altinn.parties.withdraw_role(Role(national_id(1), "dagl", orgno(1)))
    for node in (one, other):
        assert (await node.point.may(kari, "read", "thing", acme)).reason == Reason.NO_RIGHT
    assert await altinn.events() == [("permit", "rule")] * 2 + [("deny", "no_right")] * 2


async def test_a_withdrawn_delegation_is_refused_by_the_very_next_decision_on_every_node(altinn: Altinn) -> None:
    acme, _, vendor = await _people(altinn)
    receiver = await altinn.register.uuid(orgno(2))
    nodes = [altinn.node(), altinn.node()]
    for node in nodes:
        assert not await node.point.may(vendor, "read", "thing", acme)
    await altinn.delegations.delegate(Offer(acme, receiver, "thing", frozenset({"read"})), OPERATOR)
    for node in nodes:
        decision = await node.point.may(vendor, "read", "thing", acme)
        assert (decision.permitted, decision.reason) == (True, Reason.DELEGATION)
        assert [one.assignments[0].value for one in decision.obligations] == ["3"]
    await altinn.delegations.withdraw(Selection(acme, receiver, "thing"), OPERATOR)
    for node in nodes:
        assert not await node.point.may(vendor, "read", "thing", acme)


async def test_an_access_package_that_was_given_counts_until_it_is_taken_back(altinn: Altinn) -> None:
    acme, _, vendor = await _people(altinn)
    receiver = await altinn.register.uuid(orgno(2))
    rules = {"rules": [{"action": ["read"], "subject": [f"{ids.ACCESS_PACKAGE}=skatt-naering"]}]}
    await altinn.resources.declare_resource(resource("taxes"), policy_xml("taxes", rules))
    node = altinn.node()
    assert not await node.point.may(vendor, "read", "taxes", acme)
    await altinn.delegations.give_package(acme, receiver, "skatt-naering", OPERATOR)
    assert await node.point.may(vendor, "read", "taxes", acme)
    await altinn.delegations.take_packages(acme, receiver, "skatt-naering", OPERATOR)
    assert not await node.point.may(vendor, "read", "taxes", acme)


async def test_a_resource_for_those_on_its_lists_opens_and_closes_with_them(altinn: Altinn) -> None:
    acme, kari, _ = await _people(altinn)
    await altinn.resources.declare_resource(resource("thing", accessListMode="Enabled"))
    lists = AccessLists(altinn.database, FixedClock(NOW), altinn.parties, altinn.resources).declarations
    member = Attribute(ids.ORGANISATION, orgno(1))
    nodes = [altinn.node(), altinn.node()]

    async def answers() -> list[Reason | str]:
        return [(await node.point.may(kari, "read", "thing", acme)).reason for node in nodes]

    assert await answers() == [Reason.NOT_ON_ACCESS_LIST] * 2
    await lists.declare_list("skd", "banks", "Banks", members=[member])
    assert await answers() == [Reason.NOT_ON_ACCESS_LIST] * 2
    await lists.declare_list("skd", "banks", "Banks", members=[member], connections={"thing": []})
    assert await answers() == [Reason.RULE] * 2
    await lists.declare_list("skd", "banks", "Banks", members=[member], connections={"thing": ["write"]})
    assert await answers() == [Reason.ACCESS_LIST_LACKS_ACTION] * 2
    await lists.declare_list("skd", "banks", "Banks", members=[], connections={"thing": []})
    assert await answers() == [Reason.NOT_ON_ACCESS_LIST] * 2


async def test_a_new_policy_counts_at_once(altinn: Altinn) -> None:
    acme, kari, _ = await _people(altinn)
    node = altinn.node()
    assert await node.point.may(kari, "read", "thing", acme)
    other = {"rules": [{"action": ["read"], "subject": [f"{ids.ROLE_CODE}=lede"]}]}
    await altinn.resources.declare_resource(resource("thing"), policy_xml("thing", other))
    assert not await node.point.may(kari, "read", "thing", acme)


async def test_the_registry_names_the_policies_in_force_that_permit_whom_they_do_not_name(altinn: Altinn) -> None:
    await _people(altinn)
    anybody = {"rules": [{"action": ["read"]}]}
    nobody: dict[str, Any] = {"rules": []}
    await altinn.resources.declare_resource(resource("open"), policy_xml("open", anybody))
    await altinn.resources.declare_resource(resource("bare"))
    assert await altinn.resources.policies.permitting_unnamed() == ["open"]
    await altinn.resources.declare_resource(resource("open"), policy_xml("open", nobody))
    assert await altinn.resources.policies.permitting_unnamed() == []


async def test_who_can_and_what_can_they(altinn: Altinn) -> None:
    acme, kari, vendor = await _people(altinn)
    receiver = await altinn.register.uuid(orgno(2))
    await altinn.delegations.delegate(Offer(acme, receiver, "thing", frozenset({"write"})), OPERATOR)
    node = altinn.node()
    found_out = await node.point.who_can("write", "thing", acme)
    assert found_out.complete
    assert [(one.decision.reason, one.who.id) for one in found_out.able] == [
        (Reason.RULE, ids.PERSON_UUID),
        (Reason.DELEGATION, ids.ORGANISATION),
    ]
    found = await node.point.delegable_actions(vendor, "thing", acme)
    assert [action for action, decision in found.items() if decision] == ["write"]
    assert kari


async def test_searches_find_what_decisions_permit_among_real_neighbours(altinn: Altinn) -> None:
    acme, kari, vendor = await _people(altinn)
    receiver = await altinn.register.uuid(orgno(2))
    await altinn.register.person(2)
    await altinn.register.grant(national_id(2), "dagl", 2)
    ola = [Attribute(ids.PERSON, str(national_id(2)))]
    rules: dict[str, dict[str, Any]] = {
        "thing": POLICY,
        "given": {"rules": [{"action": ["read"], "subject": [f"{ids.ACCESS_PACKAGE}=skatt-naering"]}]},
        "delegated": POLICY,
        "open": {"rules": [{"action": ["read"]}]},
        "named": {"rules": [{"action": ["read"], "subject": [f"{ids.ORGANISATION}={orgno(2)}"]}]},
        "closed": {"rules": [{"action": ["read"], "subject": [f"{ids.ROLE_CODE}=lede"]}]},
    }
    for name, policy in rules.items():
        await altinn.resources.declare_resource(resource(name), policy_xml(name, policy))
    await altinn.delegations.give_package(acme, receiver, "skatt-naering", OPERATOR)
    await altinn.delegations.delegate(Offer(acme, receiver, "delegated", frozenset({"read"})), OPERATOR)
    point = altinn.node().point
    expected = {
        "kari": {"thing", "delegated", "open", "given"},
        "vendor": {"given", "delegated", "open", "named"},
        "ola": {"given", "delegated", "open"},
    }
    for name, subject in {"kari": kari, "vendor": vendor, "ola": ola}.items():
        named = [RequestAttribute(one.id, one.value) for one in subject]
        found = await point.resources_for(named, "read", acme, partial(part_of, subject, "read", party=acme), Page())
        decided = {one for one in rules if await point.may(subject, "read", one, acme)}
        assert set(found.permitted) == decided, name
        assert decided == expected[name], name


async def test_many_decisions_on_facts_that_nobody_remembers_take_as_many_transactions_as_few(
    altinn: Altinn, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme, kari, vendor = await _people(altinn)
    taxes = {"rules": [{"action": ["read"], "subject": [f"{ids.ACCESS_PACKAGE}=skatt-naering"]}]}
    names = [f"taxes{number}" for number in range(20)]
    for name in names:
        await altinn.resources.declare_resource(resource(name), policy_xml(name, taxes))

    async def transactions(resources: Sequence[str]) -> int:
        """That a node with nothing in its memory takes to decide about them."""
        node = altinn.node()
        asked, transaction = 0, node.database.transaction

        def counted() -> AbstractAsyncContextManager[AsyncConnection]:
            nonlocal asked
            asked += 1
            return transaction()

        monkeypatch.setattr(node.database, "transaction", counted)
        parts = [part_of(subject, "read", name, acme) for subject in (kari, vendor) for name in resources]
        assert len(await node.point.decide_each(parts)) == len(parts)
        return asked

    few = await transactions(names[:1])
    assert few <= 12
    assert await transactions(names) == few


async def test_a_decision_on_old_facts_is_not_written(altinn: Altinn) -> None:
    node = altinn.node()
    event: dict[str, Any] = {"action": "decision:make", "outcome": "permit", "reason": "rule", "facts": {}}
    told = orjson.dumps({**event, "trace_id": "t", "actor": "a", "subject": "s"})
    entries = [JournalEntry(version, NOW, (told, told)) for version in (0, 3, 0)]
    assert await asyncio.gather(*map(node.journal.write, entries)) == [True, False, True]
    async with altinn.database.transaction() as connection:
        await feed.publish(connection, "altinn.parties", ["party:x"])
        await feed.publish(connection, "altinn.delegations", ["to:x"])
    assert not await node.journal.write(JournalEntry(0, NOW, (told,)))
    assert not await node.journal.write(JournalEntry(0, NOW, ()))
    assert await node.journal.write(JournalEntry(2, NOW, ()))
    assert await altinn.events() == [("permit", "rule")] * 4


async def test_decisions_race_with_a_role_that_comes_and_goes(altinn: Altinn) -> None:
    acme, kari, _ = await _people(altinn)
    nodes = [altinn.node(), altinn.node()]
    role = Role(national_id(1), "dagl", orgno(1))

    async def toggle() -> None:
        for _ in range(10):
            await altinn.parties.withdraw_role(role)
            assert not any(await asyncio.gather(*(node.point.may(kari, "read", "thing", acme) for node in nodes)))
            await altinn.parties.grant_role(role)
            assert all(await asyncio.gather(*(node.point.may(kari, "read", "thing", acme) for node in nodes)))

    async def ask(node: Node) -> None:
        for _ in range(30):
            await node.point.may(kari, "write", "thing", acme)

    await asyncio.gather(toggle(), *map(ask, nodes))
    assert len(await altinn.events()) == 100
