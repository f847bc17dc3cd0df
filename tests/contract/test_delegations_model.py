"""Random delegations, withdrawals and passing on, held against a small model of who may do what."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4, uuid5

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from fullmakt.altinn.delegations.errors import DelegationRefusedError, UnknownDelegationError
from fullmakt.altinn.delegations.model import Offer, Performer, Selection
from fullmakt.altinn.delegations.service import DelegationsService
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import FixedClock, new_uuid
from tests.support.delegations import FakeParties, FakeResources

BY = Performer("operator")
PEOPLE = [uuid5(UUID(int=1), str(number)) for number in range(5)]
ACTIONS = ("read", "write", "sign")
INSTANCES = (None, "urn:altinn:instance-id:1/a")


@dataclass
class Node:
    """A right that was given, and what was passed on from it. The tree is the model: nothing in it refers upwards."""

    giver: int
    receiver: int
    actions: set[str]
    instance: str | None
    above: tuple[int, ...] = ()
    below: list[Node] = field(default_factory=list)

    def lose(self, actions: set[str]) -> None:
        self.actions -= actions
        for node in self.below:
            node.lose(actions)
        self.below = [node for node in self.below if node.actions]

    def all(self) -> list[Node]:
        return [self, *(one for node in self.below for one in node.all())]


class Model:
    """Who has been given what, as trees whose roots are what the givers gave themselves."""

    def __init__(self) -> None:
        self.roots: list[Node] = []

    def nodes(self) -> list[Node]:
        return [one for root in self.roots for one in root.all()]

    def give(self, giver: int, receiver: int, actions: set[str], instance: str | None) -> bool:
        return (
            giver != receiver
            and bool(actions)
            and self._merge(self.roots, Node(giver, receiver, set(actions), instance))
        )

    def pass_on(self, node: Node, receiver: int, actions: set[str], instance: str | None) -> bool:
        chain = (*node.above, node.receiver)
        wrong = receiver in chain or receiver == node.giver or not actions or not actions <= node.actions
        if wrong or (node.instance is not None and node.instance != instance):
            return False
        return self._merge(node.below, Node(node.giver, receiver, set(actions), instance, chain))

    @staticmethod
    def _merge(nodes: list[Node], new: Node) -> bool:
        for node in nodes:
            if (node.giver, node.receiver, node.instance) == (new.giver, new.receiver, new.instance):
                node.actions |= new.actions
                return True
        nodes.append(new)
        return True

    def withdraw(self, giver: int, receiver: int, actions: set[str], instance: str | None) -> None:
        for node in self.nodes():
            if (node.giver, node.receiver, node.instance) == (giver, receiver, instance):
                node.lose(set(actions))
        self._prune(self.roots)

    def _prune(self, nodes: list[Node]) -> None:
        nodes[:] = [node for node in nodes if node.actions]
        for node in nodes:
            self._prune(node.below)

    def has(self, receiver: int, giver: int) -> list[tuple[frozenset[str], str | None, int]]:
        return sorted(
            (
                (frozenset(node.actions), node.instance, node.above[-1] if node.above else node.giver)
                for node in self.nodes()
                if (node.receiver, node.giver) == (receiver, giver)
            ),
            key=repr,
        )


_PARTY = st.integers(0, len(PEOPLE) - 1)
_SETS = st.sets(st.sampled_from(ACTIONS))
_INSTANCE = st.sampled_from(INSTANCES)
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("give"), _PARTY, _PARTY, _SETS, _INSTANCE),
        st.tuples(st.just("pass"), st.integers(0, 30), _PARTY, _SETS, _INSTANCE),
        st.tuples(st.just("pass"), st.integers(0, 30), _PARTY, _SETS, st.none()),
        st.tuples(st.just("withdraw"), _PARTY, _PARTY, _SETS, _INSTANCE),
    ),
    min_size=5,
    max_size=40,
)


class Machine:
    """Plays each step against both, and compares what everybody has."""

    def __init__(self, database: Database) -> None:
        self.clock = FixedClock(dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
        self.service = DelegationsService(
            database, self.clock, new_uuid, resources=FakeResources(), parties=FakeParties()
        )
        self.resource = f"resource-{uuid4()}"
        self.model = Model()

    async def play(self, step: tuple[Any, ...]) -> None:
        self.clock.advance(seconds=1)
        match step:
            case ("give", int(giver), int(receiver), actions, instance):
                expected = self.model.give(giver, receiver, actions, instance)
                assert await self._give(PEOPLE[giver], PEOPLE[receiver], actions, instance, None) == expected
            case ("pass", int(which), int(receiver), actions, instance):
                await self._pass_on(which, receiver, actions, instance)
            case ("withdraw", int(giver), int(receiver), actions, instance):
                self.model.withdraw(giver, receiver, actions, instance)
                selection = Selection(PEOPLE[giver], PEOPLE[receiver], self.resource, actions, instance)
                await self.service.withdraw(selection, BY)

    async def _pass_on(self, which: int, receiver: int, actions: set[str], instance: str | None) -> None:
        nodes = self.model.nodes()
        if not nodes:
            return
        node = nodes[which % len(nodes)]
        standing_on = await self._find(node)
        expected = self.model.pass_on(node, receiver, actions, instance)
        assert await self._give(PEOPLE[node.giver], PEOPLE[receiver], actions, instance, standing_on) == expected

    async def _find(self, node: Node) -> UUID:
        links = await self.service.rights([PEOPLE[node.receiver]], PEOPLE[node.giver], self.resource)
        by_id = {link.delegation_id: link for link in links}
        for link in links:
            chain, above = [], link.passed_on_from
            while above is not None:
                chain.append(PEOPLE.index(by_id[above].receiver))
                above = by_id[above].passed_on_from
            same = (PEOPLE.index(link.receiver), tuple(reversed(chain)), link.instance)
            if same == (node.receiver, node.above, node.instance) and link.actions == node.actions:
                return link.delegation_id
        raise AssertionError(f"the service has lost {node}")

    async def _give(
        self, giver: UUID, receiver: UUID, actions: set[str], instance: str | None, on: UUID | None
    ) -> bool:
        try:
            await self.service.delegate(Offer(giver, receiver, self.resource, frozenset(actions), instance, on), BY)
        except (DelegationRefusedError, UnknownDelegationError):
            return False
        return True

    async def compare(self) -> None:
        for receiver, who in enumerate(PEOPLE):
            for giver, whose in enumerate(PEOPLE):
                links = await self.service.rights([who], whose, self.resource)
                found = [
                    (link.actions, link.instance, PEOPLE.index(link.given_by)) for link in links if link.receiver == who
                ]
                assert sorted(set(found), key=repr) == sorted(set(self.model.has(receiver, giver)), key=repr)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=_STEPS)
def test_whatever_happens_everybody_has_what_the_model_says(database_url: str, steps: list[tuple[Any, ...]]) -> None:
    async def run() -> None:
        database = Database(database_url)
        try:
            machine = Machine(database)
            for step in steps:
                await machine.play(step)
            await machine.compare()
            async with database.transaction() as connection:
                torn = text(
                    "SELECT count(*) FROM delegations.delegation d JOIN delegations.delegation a"
                    " ON a.delegation_id = d.passed_on_from"
                    " WHERE d.revoked IS NULL AND (a.revoked IS NOT NULL OR NOT d.actions <@ a.actions)"
                )
                assert (await connection.execute(torn)).scalar_one() == 0
        finally:
            await database.close()

    asyncio.run(run())
