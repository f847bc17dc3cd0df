"""A search finds what a decision permits, no less and no more, in whatever world."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fullmakt.altinn.decisions.searching import Found, Page
from fullmakt.altinn.decisions.service import DecisionPoint
from fullmakt.altinn.resources.rules.rights import permits_unnamed
from fullmakt.wire import authzen
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.parties import PartyKind
from fullmakt.wire.altinn.policy import parse_policy
from tests.support.decision_tables import TableFacts, read_facts, uuid_of
from tests.support.decisions import TableNeighbours, decision_point
from tests.support.parties import national_id

PEOPLE = {name: str(national_id(number)) for number, name in enumerate(("kari", "ola", "per", "stranger"))}
ORGANISATIONS = {"acme": "910753614", "vendor": "991825827", "books": "889640782", "nobody": "974760673"}
ROBOTS = ["robot", "agent"]
RELATED = ["kari", "ola", "per", "acme", "vendor", "books"]
"""Those who may have something to do with somebody."""
STRANGERS = {"stranger", "nobody"}
ROLES = [f"{ids.ROLE_CODE}:dagl", f"{ids.ROLE_CODE}:regn"]
PACKAGES = ["skatt", "lonn"]
RESOURCES = ["thing", "other", "app_ttd_tax"]
ACTIONS = ["read", "write"]

PATTERN = {"attribute": ids.ROLE_CODE, "value": "d.*", "function": "string-regexp-match"}
ANY_CASE = {"attribute": ids.ROLE_CODE, "value": "DAGL", "function": "string-equal-ignore-case"}
SUBJECTS = [
    f"{ids.ROLE_CODE}=dagl",
    f"{ids.ROLE_CODE}=regn",
    f"{ids.ACCESS_PACKAGE}=skatt",
    f"{ids.ACCESS_PACKAGE}=lonn",
    f"{ids.ORGANISATION}={ORGANISATIONS['vendor']}",
    f"{ids.ORGANISATION_OLD}={ORGANISATIONS['books']}",
    f"{ids.USER_ID}=20001",
    f"{ids.PARTY_UUID}={uuid_of('ola')}",
    f"{ids.SYSTEM_USER}={uuid_of('robot')}",
    f"{ids.SERVICE_OWNER}=ttd",
    PATTERN,
    ANY_CASE,
    [f"{ids.ROLE_CODE}=dagl", f"{ids.ACCESS_PACKAGE}=skatt"],
]
INSTANCE = "urn:altinn:dialog-id:1"


def _several(values: Iterable[Any], most: int = 2) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(list(values)), max_size=most, unique_by=str)


rules = st.fixed_dictionaries(
    {"effect": st.sampled_from(["Permit", "Permit", "Permit", "Deny"])},
    optional={
        "subject": _several(SUBJECTS),
        "action": st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=2, unique=True),
        "environment": st.just(["urn:test:time=now"]),
    },
)
policies = st.fixed_dictionaries(
    {
        "rules": st.lists(rules, min_size=1, max_size=3),
        "combining": st.sampled_from(
            ["deny-overrides", "deny-overrides", "permit-overrides", "first-applicable", "permit-unless-deny"]
        ),
        "access_list_enabled": st.sampled_from([False, False, False, True]),
    }
)
holdings = st.fixed_dictionaries(
    {"holder": st.sampled_from(RELATED), "party": st.sampled_from(RELATED)},
    optional={"roles": _several(ROLES), "packages": _several(f"{ids.ACCESS_PACKAGE}:{one}" for one in PACKAGES)},
)
gifts = st.fixed_dictionaries(
    {
        "giver": st.sampled_from(RELATED),
        "receiver": st.sampled_from([*RELATED, *ROBOTS]),
        "package": st.sampled_from(PACKAGES),
    }
)


@st.composite
def delegations(draw: Any) -> list[dict[str, Any]]:
    """Some, each perhaps passed on from the one before, which perhaps was not its giver's to pass on."""
    found: list[dict[str, Any]] = []
    for number in range(draw(st.integers(0, 4))):
        one: dict[str, Any] = {
            "id": f"d{number}",
            "giver": draw(st.sampled_from(RELATED)),
            "receiver": draw(st.sampled_from([*RELATED, *ROBOTS])),
            "resource": draw(st.sampled_from(RESOURCES)),
            "actions": draw(st.lists(st.sampled_from(ACTIONS), min_size=1, unique=True)),
        }
        if draw(st.booleans()):
            one["instance"] = INSTANCE
        if found and draw(st.booleans()):
            above = found[-1]
            one |= {"giver": above["giver"], "resource": above["resource"], "above": above["id"]}
            one["given_by"] = draw(st.sampled_from([above["receiver"], "kari"]))
        found.append(one)
    return found


@st.composite
def worlds(draw: Any) -> TableFacts:
    held = draw(st.lists(holdings, max_size=6, unique_by=lambda one: (one["holder"], one["party"])))
    for one in held:
        if one["holder"] in ORGANISATIONS:
            one.pop("roles", None)  # they are people's (altinn-authorization.md §6, step 9)
    key_roles: dict[str, list[str]] = {}
    for one in held:
        if one["holder"] in PEOPLE and one["party"] in ORGANISATIONS and ROLES[0] in one.get("roles", ()):
            key_roles.setdefault(one["holder"], []).append(one["party"])
    members = draw(_several(RELATED))
    return read_facts(
        {
            "people": {
                name: {"pid": pid, "user_id": 20001 + number, "party_id": 50101 + number}
                for number, (name, pid) in enumerate(PEOPLE.items())
            },
            "organisations": {
                name: {"orgno": orgno, "party_id": 50001 + number}
                for number, (name, orgno) in enumerate(ORGANISATIONS.items())
            },
            "system_users": ROBOTS,
            "held": held,
            "key_roles": key_roles,
            "resources": {name: draw(policies) for name in RESOURCES},
            "memberships": [{"party": one, "resource": "thing", "list": "l"} for one in members],
            "delegations": draw(delegations()),
            "packages": draw(st.lists(gifts, max_size=3)),
        }
    )


questions = st.fixed_dictionaries(
    {
        "party": st.sampled_from(RELATED),
        "action": st.sampled_from(ACTIONS),
        "properties": st.sampled_from([{}, {}, {ids.RESOURCE_INSTANCE: INSTANCE}]),
        "context": st.sampled_from([{}, {"urn:test:time": "now"}]),
        "limit": st.integers(1, 3),
    }
)


class World:
    """A decision point, and a question with its parts to be left open."""

    def __init__(self, facts: TableFacts, asked: dict[str, Any]) -> None:
        self.facts = facts
        self.point: DecisionPoint = decision_point(TableNeighbours(facts))
        self.party = facts.uuid(asked["party"])
        self.limit: int = asked["limit"]
        self.action: str = asked["action"]
        self.context = asked["context"]
        self.properties = {"party": f"{ids.PARTY_UUID}:{self.party}", **asked["properties"]}

    def document(self, **members: Any) -> dict[str, Any]:
        """The question; of a resource only the id is told."""
        resource = {"type": "resource", "id": "thing", "properties": self.properties} | members.pop("resource", {})
        return {"action": {"name": self.action}, "context": self.context, "resource": resource, **members}

    async def permitted(self, documents: dict[str, dict[str, Any]]) -> set[str]:
        """The names of those questions that are answered by a permit."""
        decisions = await self.point.decide_each([authzen.read_evaluation(one) for one in documents.values()])
        return {name for name, decision in zip(documents, decisions, strict=True) if decision}

    async def every_page(self, search: Callable[[Page], Awaitable[Found]]) -> set[str]:
        """What all pages hold, none of it twice."""
        found: list[str] = []
        page = Page(limit=self.limit)
        while True:
            one = await search(page)
            assert len(one.permitted) <= self.limit <= 3
            found += one.permitted
            if one.last is None:
                assert len(found) == len(set(found))
                return set(found)
            page = Page(one.last, self.limit)

    async def resources(self, subject: dict[str, str]) -> set[str]:
        """search/resource."""
        search = authzen.read_search(self.document(subject=subject), "resource")
        return await self.every_page(
            lambda page: self.point.resources_for(
                list(search.subject.attributes), self.action, self.party, search.part, page
            )
        )

    async def actions(self, subject: dict[str, str], resource: str) -> set[str]:
        """search/action."""
        search = authzen.read_search(self.document(subject=subject, resource={"id": resource}), "action")
        return await self.every_page(
            lambda page: self.point.actions_for(
                list(search.subject.attributes), resource, self.party, search.part, page
            )
        )

    async def subjects(self, kind: str, resource: str) -> set[str]:
        """search/subject."""
        document = self.document(subject={"type": kind}, resource={"id": resource})
        search = authzen.read_search(document, "subject")
        return await self.every_page(
            lambda page: self.point.subjects_for(search.wanted, self.action, resource, self.party, search.part, page)
        )

    def everybody(self) -> dict[str, dict[str, str]]:
        """Everybody there is, by type: id → the name that they have in tables."""
        people = {name: one for name, one in self.facts.parties.items() if one.kind is PartyKind.PERSON}
        organisations = {name: one for name, one in self.facts.parties.items() if name not in people}
        return {
            "user": {str(one.user_id): name for name, one in people.items()},
            "person": {str(one.party_uuid): name for name, one in people.items()},
            "party": {str(one.party_uuid): name for name, one in self.facts.parties.items()},
            "organization": {str(one.orgno): name for name, one in organisations.items()},
            "systemuser": {str(uuid): name for name, uuid in self.facts.system_users.items()},
            "org": {"ttd": "ttd"},
            ids.PARTY_ID: {str(one.party_id): name for name, one in self.facts.parties.items()},
            ids.ORGANISATION_OLD: {str(one.orgno): name for name, one in organisations.items()},
            ids.ORGANISATION_UUID: {str(one.party_uuid): name for name, one in organisations.items()},
        }


@settings(max_examples=200, deadline=None)
@given(worlds(), questions)
def test_every_permitted_resource_is_found(facts: TableFacts, asked: dict[str, Any]) -> None:
    async def check() -> None:
        world = World(facts, asked)
        for kind, names in world.everybody().items():
            for name in names:
                subject = {"type": kind, "id": name}
                every = {one: world.document(subject=subject, resource={"id": one}) for one in RESOURCES}
                assert await world.resources(subject) == await world.permitted(every), subject

    asyncio.run(check())


@settings(max_examples=200, deadline=None)
@given(worlds(), questions)
def test_every_permitted_action_of_the_policy_is_found(facts: TableFacts, asked: dict[str, Any]) -> None:
    async def check() -> None:
        world = World(facts, asked)
        for resource in RESOURCES:
            policy = facts.resources[resource].policy or b""
            named = [action for action in ACTIONS if f">{action}<".encode() in policy]
            for kind in ("user", "organization", "systemuser"):
                for name in world.everybody()[kind]:
                    question = world.document(subject={"type": kind, "id": name}, resource={"id": resource})
                    every = {action: {**question, "action": {"name": action}} for action in named}
                    assert await world.actions(question["subject"], resource) == await world.permitted(every)

    asyncio.run(check())


@settings(max_examples=200, deadline=None)
@given(worlds(), questions)
def test_every_permitted_subject_is_found(facts: TableFacts, asked: dict[str, Any]) -> None:
    """All who have to do with the party or the policy; to whom a policy is open besides is too many to list."""

    async def check() -> None:
        world = World(facts, asked)
        for resource in RESOURCES:
            is_open = permits_unnamed(parse_policy(facts.resources[resource].policy or b""))
            for kind, everybody in world.everybody().items():
                every = {
                    name: world.document(subject={"type": kind, "id": name}, resource={"id": resource})
                    for name in everybody
                }
                found, permitted = await world.subjects(kind, resource), await world.permitted(every)
                if not is_open:
                    assert found == permitted, (resource, kind)
                assert found <= permitted
                assert not {everybody[name] for name in found} & STRANGERS
                if found != permitted and STRANGERS & set(everybody.values()):  # then whoever may is anybody
                    assert {everybody[name] for name in permitted} & STRANGERS, (resource, kind)

    asyncio.run(check())
