"""What is remembered is asked for once, and makes no wrong answer when it is no longer so."""

from __future__ import annotations

import asyncio
import tomllib
from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from uuid import UUID

import pytest

from fullmakt.altinn.decisions.errors import UnsettledError
from fullmakt.altinn.decisions.memory import FactMemory
from fullmakt.altinn.decisions.searching import part_of
from fullmakt.altinn.decisions.service import DecisionPoint
from fullmakt.infra.database import DatabaseUnavailableError
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.delegations import DelegatedRight
from fullmakt.wire.altinn.parties import HeldRights
from fullmakt.wire.altinn.resources import Membership
from tests.support.decision_tables import FOLDER, TableFacts, TablePackage, read_facts, uuid_of
from tests.support.decisions import MemoryJournal, TableNeighbours, decision_point
from tests.support.policies import policy_xml

VENDOR = [Attribute(ids.ORGANISATION, "991825827")]
OLA = [Attribute(ids.USER_ID, "20002")]
ACME = uuid_of("acme")


def facts() -> TableFacts:
    return read_facts(tomllib.loads((FOLDER / "delegations.toml").read_text()))


@pytest.fixture
def neighbours() -> TableNeighbours:
    return TableNeighbours(facts())


@pytest.fixture
def journal() -> MemoryJournal:
    return MemoryJournal()


@pytest.fixture
def point(neighbours: TableNeighbours, journal: MemoryJournal) -> DecisionPoint:
    return decision_point(neighbours, journal)


async def test_the_second_decision_asks_nobody(point: DecisionPoint, neighbours: TableNeighbours) -> None:
    assert await point.may(VENDOR, "read", "api", ACME)
    neighbours.asked.clear()
    assert await point.may(VENDOR, "read", "api", ACME)
    assert neighbours.asked == []


async def test_the_facts_of_many_questions_are_asked_for_together(
    point: DecisionPoint, neighbours: TableNeighbours
) -> None:
    """As many questions to each neighbour as for two subjects: what a person was given is asked for when it is known
    for whom else it acts."""
    neighbours.facts.resources["taxes"] = replace(
        neighbours.facts.resources["api"],
        identifier="taxes",
        policy=policy_xml("taxes", {"rules": [{"action": ["read"], "subject": [f"{ids.ACCESS_PACKAGE}=skatt"]}]}),
    )
    subjects = [VENDOR, OLA, [Attribute(ids.USER_ID, "20001")], [Attribute(ids.ORGANISATION, "889640782")]]
    parts = [part_of(subject, "read", "taxes", ACME) for subject in subjects]
    together = await point.decide_each(parts)
    asked = Counter(neighbours.asked)
    names = ("identify", "resources", "held", "holders", "delegated_packages", "rights")
    assert {name: asked[name] for name in names} == {
        "identify": 1,
        "resources": 1,
        "held": 0,
        "holders": 1,
        "delegated_packages": 1,
        "rights": 2,
    }
    alone = decision_point(neighbours)
    assert together == [(await alone.decide_each([part]))[0] for part in parts]


async def test_the_lists_of_a_party_are_asked_for_once_whatever_is_asked(neighbours: TableNeighbours) -> None:
    memory = FactMemory(neighbours, neighbours, neighbours, MemoryJournal(), capacity=40)
    lists = [Membership("ttd", name, resource, None) for name, resource in (("a", "api"), ("b", "api"), ("c", "x"))]
    neighbours.facts.memberships[:] = [(ACME, one) for one in lists]
    keys = [("memberships", ACME, resource) for resource in ("api", "x", "none", None)]
    found = await asyncio.gather(*map(memory.load, keys))
    assert found == [tuple(lists[:2]), (lists[2],), (), tuple(lists)]
    assert neighbours.asked == ["memberships"]


async def test_a_package_is_asked_for_anew_when_its_giver_s_roles_change(
    point: DecisionPoint, neighbours: TableNeighbours, journal: MemoryJournal
) -> None:
    """What came through a facilitator counts only while that holds it by the register."""
    taxes = {"rules": [{"action": ["read"], "subject": [f"{ids.ACCESS_PACKAGE}=skatt"]}]}
    neighbours.facts.resources["api"] = replace(
        neighbours.facts.resources["api"], policy=policy_xml("api", taxes), identifier="api"
    )
    neighbours.facts.delegations.clear()
    neighbours.facts.packages[:] = [TablePackage(ACME, uuid_of("vendor"), "skatt")]
    assert await point.may(VENDOR, "read", "api", ACME)
    neighbours.facts.packages.clear()
    journal.change(f"party:{ACME}")
    assert not await point.may(VENDOR, "read", "api", ACME)


async def test_a_withdrawn_delegation_is_refused_by_the_very_next_decision(
    point: DecisionPoint, neighbours: TableNeighbours, journal: MemoryJournal
) -> None:
    assert await point.may(VENDOR, "read", "api", ACME)
    assert await point.may(OLA, "read", "api", ACME)
    neighbours.facts.delegations.clear()
    journal.change(f"from:{ACME}", f"to:{uuid_of('vendor')}")
    assert not await point.may(VENDOR, "read", "api", ACME)
    assert not await point.may(OLA, "read", "api", ACME)


async def test_a_right_that_was_given_just_now_counts(
    point: DecisionPoint, neighbours: TableNeighbours, journal: MemoryJournal
) -> None:
    assert not await point.may(VENDOR, "write", "api", ACME)
    neighbours.facts.delegations.append(
        replace(neighbours.facts.delegations[1], delegation_id=uuid_of("n"), receiver=uuid_of("vendor"))
    )
    journal.change(f"to:{uuid_of('vendor')}")
    assert await point.may(VENDOR, "write", "api", ACME)


async def test_a_key_role_that_is_lost_takes_the_organisation_s_rights_along(
    point: DecisionPoint, neighbours: TableNeighbours, journal: MemoryJournal
) -> None:
    assert await point.may(OLA, "read", "api", ACME)
    neighbours.facts.key_roles.clear()
    journal.change(f"party:{uuid_of('ola')}", "organisation:991825827")
    assert not await point.may(OLA, "read", "api", ACME)


async def test_a_role_and_a_new_policy_count_at_once(
    point: DecisionPoint, neighbours: TableNeighbours, journal: MemoryJournal
) -> None:
    kari = [Attribute(ids.USER_ID, "20001")]
    assert not await point.may(kari, "write", "api", ACME)
    role = Attribute(ids.ROLE_CODE, "dagl")
    neighbours.facts.held[uuid_of("kari"), ACME] = HeldRights(frozenset({role}))
    journal.change(f"party:{ACME}")
    assert await point.may(kari, "write", "api", ACME)
    resource = neighbours.facts.resources["api"]
    neighbours.facts.resources["api"] = replace(resource, policy=policy_xml("api", {"rules": []}))
    journal.change("resource:api")
    assert not await point.may(kari, "write", "api", ACME)
    assert not await point.may(VENDOR, "read", "api", ACME)


async def test_a_change_while_facts_are_read_has_them_read_anew(journal: MemoryJournal) -> None:
    class Withdrawing(TableNeighbours):
        async def rights(self, receivers: Collection[UUID], giver: UUID, resource: str) -> tuple[DelegatedRight, ...]:
            found = await super().rights(receivers, giver, resource)
            if self.facts.delegations:
                self.facts.delegations.clear()
                journal.change(f"from:{giver}")
            return found

    point = decision_point(Withdrawing(facts()), journal)
    assert not await point.may(VENDOR, "read", "api", ACME)
    assert len(journal.entries) == 1


async def test_the_journal_holds_what_was_decided_and_no_more(point: DecisionPoint, journal: MemoryJournal) -> None:
    journal.change("resource:other")
    await point.may(VENDOR, "read", "api", ACME, actor="me")
    [entry] = journal.entries
    assert entry.version == 1
    assert b'"actor":"me"' in entry.events[0]
    assert b'"reason":"delegation"' in entry.events[0]


async def test_facts_that_never_stand_still_are_told(neighbours: TableNeighbours) -> None:
    class Restless(MemoryJournal):
        @property
        def version(self) -> int:
            self._version = getattr(self, "_version", 0) + 1
            return self._version

        @version.setter
        def version(self, value: int) -> None:
            self._version = value

    with pytest.raises(UnsettledError):
        await decision_point(neighbours, Restless()).may(VENDOR, "read", "api", ACME)


async def test_an_outage_is_no_answer(neighbours: TableNeighbours) -> None:
    class Silent(TableNeighbours):
        async def rights(self, receivers: Collection[UUID], giver: UUID, resource: str) -> tuple[DelegatedRight, ...]:
            raise DatabaseUnavailableError("gone")

    with pytest.raises(DatabaseUnavailableError):
        await decision_point(Silent(neighbours.facts)).may(VENDOR, "read", "api", ACME)


async def test_every_action_of_the_policy_is_weighed(point: DecisionPoint) -> None:
    found = await point.delegable_actions(VENDOR, "api", ACME)
    assert {action: bool(one) for action, one in found.items()} == {
        "read": True, "write": False, "never": False, "unsure": False,
    }  # fmt: skip
    assert await point.delegable_actions(VENDOR, "nothing", ACME) == {}
    assert await point.delegable_actions(VENDOR, "nothing\0", ACME) == {}


async def test_no_more_than_a_thousand_are_looked_at_and_it_is_said_so(
    neighbours: TableNeighbours, journal: MemoryJournal
) -> None:
    policy = {"rules": [{"action": [f"a{number:04}" for number in range(1_002)], "subject": [f"{ids.ROLE_CODE}=dagl"]}]}
    api = neighbours.facts.resources["api"]
    neighbours.facts.resources["api"] = replace(api, policy=policy_xml("api", policy))
    (given, *_) = [one for one in neighbours.facts.delegations if one.resource == "api"]
    neighbours.facts.delegations[:] = [
        replace(given, delegation_id=UUID(int=number), receiver=UUID(int=number), given_by=given.giver,
                passed_on_from=None, actions=frozenset({"a0000"}))
        for number in range(1, 1_003)
    ]  # fmt: skip
    point = decision_point(neighbours, journal)
    found = await point.who_can("a0000", "api", given.giver)
    assert not found.complete
    assert len(found.able) <= 1_000
    assert b'"looked_at":1000' in journal.entries[-1].events[0]
    assert len(await point.delegable_actions(OLA, "api", ACME)) == 1_000


async def test_who_can_names_those_who_were_given_it(point: DecisionPoint) -> None:
    able = (await point.who_can("read", "api", ACME)).able
    assert {one.who.value for one in able} == {str(uuid_of("kari")), "991825827", "889640782"}
    assert {one.decision.reason for one in able} == {"delegation"}
    [robot] = (await point.who_can("write", "api", ACME)).able
    assert robot.who == Attribute(ids.SYSTEM_USER, str(uuid_of("robot")))
    assert (await point.who_can("gone", "api", ACME)).able == []


async def test_no_fact_outlives_a_change_however_many_there_were_before_it(neighbours: TableNeighbours) -> None:
    memory = FactMemory(neighbours, neighbours, neighbours, MemoryJournal(), capacity=4)
    for number in range(40):
        pair = [uuid_of(f"{side}{number}") for side in ("a", "b")]
        keys = [("memberships", party, None) for party in pair]
        await asyncio.gather(*map(memory.load, keys))
        assert memory.entries.keys() >= set(keys)
        memory.forget([f"member:{party}" for party in pair])
        assert memory.entries.keys().isdisjoint(keys)
