"""A list, whatever is done to it, is what a dict says, and its ETag changes exactly when the dict does."""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
from dataclasses import dataclass, field
from typing import Any, ClassVar

import httpx2
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from fullmakt.infra.database import Database
from fullmakt.kernel.clock import FixedClock
from tests.support.access_lists import LISTS, START, Setting, members, organisation

_fresh = itertools.count()
PARTIES = st.lists(st.integers(0, 3), max_size=3)
RESOURCES = st.sampled_from(["api-001", "api-002"])
ACTIONS = st.sampled_from([[], ["read"], ["write", "read"]])
NAMES = st.sampled_from(["Senders", "Banks"])
CONDITIONS = st.sampled_from(["", "", "", "match", "match stale", "match any", "none", "none stale", "none any"])


@dataclass
class Model:
    """What the list should be: name and description, since when who is a member, and filters by resource."""

    info: tuple[str, str] | None = None
    members: dict[int, str] = field(default_factory=dict)
    connections: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def state(self) -> tuple[Any, ...]:
        return self.info, dict(self.members), dict(self.connections)


class ListMachine(RuleBasedStateMachine):
    """One owner's list over HTTP, beside its model."""

    url: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.clock = FixedClock(START)
        self.setting = Setting(Database(self.url, pool_size=1), self.clock)
        self.path = f"{LISTS}/digdir/list-{next(_fresh)}"
        self.model = Model()
        self.tag = ""
        self.past: list[str] = []

    def teardown(self) -> None:
        self.runner.run(self.setting.database.close())
        self.runner.close()

    @initialize()
    def begin(self) -> None:
        self.client = self.setting.client()
        self.put("Senders", "", "")

    def call(self, method: str, path: str = "", body: Any = None, **headers: str) -> httpx2.Response:
        self.clock.advance(seconds=1)
        return self.runner.run(self.client.request(method, f"{self.path}{path}", json=body, headers=headers))

    def conditions(self, drawn: str) -> tuple[dict[str, str], bool]:
        """The headers, and whether they hold of the list as it is."""
        there = self.model.info is not None
        current, stale = self.tag or 'W/"eyJ2ZXJzaW9uIjoiOTk5In0"', ", ".join(self.past) or 'W/"eyJ2ZXJzaW9uIjoiMCJ9"'
        return {
            "": ({}, True),
            "match": ({"If-Match": current}, there),
            "match stale": ({"If-Match": stale}, False),
            "match any": ({"If-Match": "*"}, there),
            "none": ({"If-None-Match": current}, not there),
            "none stale": ({"If-None-Match": stale}, True),
            "none any": ({"If-None-Match": "*"}, not there),
        }[drawn]

    def write(self, drawn: str, method: str, path: str, body: Any, after: Model, done: int = 200) -> None:
        """Send the request; the list is ``after`` if the condition holds, and else what it was."""
        headers, holds = self.conditions(drawn)
        answer = self.call(method, path, body, **headers)
        assert answer.status_code == (done if holds else 412), answer.text
        if not holds:
            return
        before, self.model = self.model.state(), after
        if done == 200 and self.model.info is not None:
            tag = answer.headers["etag"]
            assert (tag == self.tag) == (before == self.model.state())
            self.moved_to(tag)
        elif self.model.info is None:
            self.moved_to("")

    def moved_to(self, tag: str) -> None:
        if tag != self.tag:
            assert tag not in self.past
            self.past += [self.tag] if self.tag else []
            self.tag = tag

    def on_the_list(self, parties: list[int], *, others: bool) -> Model:
        """The list with these on it: those who come are members from the next second on."""
        now = (self.clock.at + dt.timedelta(seconds=1)).isoformat()
        kept = {number: since for number, since in self.model.members.items() if others or number in parties}
        return Model(self.model.info, {**dict.fromkeys(parties, now), **kept}, self.model.connections)

    @rule(name=NAMES, description=st.sampled_from(["", "who"]), drawn=CONDITIONS)
    def put(self, name: str, description: str, drawn: str) -> None:
        after = Model((name, description), dict(self.model.members), dict(self.model.connections))
        self.write(drawn, "PUT", "", {"name": name, "description": description}, after)

    @rule(drawn=CONDITIONS)
    def delete(self, drawn: str) -> None:
        done = 204 if self.model.info is None else 200
        if self.model.info is None and not drawn.startswith("match"):
            drawn = ""
        self.write(drawn, "DELETE", "", None, Model(), done)

    @rule(parties=PARTIES, drawn=CONDITIONS)
    def add(self, parties: list[int], drawn: str) -> None:
        self.change_members("POST", parties, drawn, self.on_the_list(parties, others=True))

    @rule(parties=PARTIES, drawn=CONDITIONS)
    def replace(self, parties: list[int], drawn: str) -> None:
        self.change_members("PUT", parties, drawn, self.on_the_list(parties, others=False))

    @rule(parties=PARTIES, drawn=CONDITIONS)
    def remove(self, parties: list[int], drawn: str) -> None:
        left = {number: at for number, at in self.model.members.items() if number not in parties}
        self.change_members("DELETE", parties, drawn, Model(self.model.info, left, self.model.connections))

    def change_members(self, method: str, parties: list[int], drawn: str, after: Model) -> None:
        if self.model.info is None:
            assert self.call(method, "/members", members(*parties), **self.conditions(drawn)[0]).status_code == 404
        else:
            self.write(drawn, method, "/members", members(*parties), after)

    @rule(resource=RESOURCES, actions=ACTIONS, drawn=CONDITIONS)
    def connect(self, resource: str, actions: list[str], drawn: str) -> None:
        path, body = f"/resource-connections/{resource}", {"actionFilters": actions}
        if self.model.info is None:
            assert self.call("PUT", path, body).status_code == 404
            return
        connections = {**self.model.connections, resource: tuple(sorted(set(actions)))}
        self.write(drawn, "PUT", path, body, Model(self.model.info, self.model.members, connections))

    @rule(resource=RESOURCES, drawn=CONDITIONS)
    def disconnect(self, resource: str, drawn: str) -> None:
        path = f"/resource-connections/{resource}"
        if self.model.info is None:
            assert self.call("DELETE", path).status_code == 404
            return
        connections = {name: actions for name, actions in self.model.connections.items() if name != resource}
        done = 200 if resource in self.model.connections else 204
        self.write(drawn, "DELETE", path, None, Model(self.model.info, self.model.members, connections), done)

    @rule(drawn=CONDITIONS)
    def read(self, drawn: str) -> None:
        headers, holds = self.conditions(drawn)
        for part in ("", "/members", "/resource-connections"):
            answer = self.call("GET", part, None, **headers)
            refused = 304 if drawn.startswith("none") else 412
            expected = 404 if self.model.info is None else 200 if holds else refused
            assert answer.status_code == expected

    @invariant()
    def is_what_the_model_says(self) -> None:
        if self.model.info is None:
            assert self.call("GET").status_code == 404
            return
        info, on_it, connected = (self.call("GET", part) for part in ("", "/members", "/resource-connections"))
        assert {answer.headers["etag"] for answer in (info, on_it, connected)} == {self.tag}
        assert (info.json()["name"], info.json()["description"]) == self.model.info
        assert {each["id"]: each["since"] for each in on_it.json()["data"]} == {
            f"urn:altinn:party:uuid:{organisation(number).party_uuid}": since
            for number, since in self.model.members.items()
        }
        assert {
            each["resourceIdentifier"]: tuple(each.get("actionFilters", ())) for each in connected.json()["data"]
        } == self.model.connections


def test_a_list_is_what_a_dict_says(database_url: str) -> None:
    class Machine(ListMachine):
        url = database_url

    run_state_machine_as_test(Machine, settings=settings(max_examples=40, stateful_step_count=30, deadline=None))
