"""Whatever is given, passed on, asked for, approved and taken back: every decision is what a plain model says.

Two nodes on one database: one makes the changes, and both are asked after each, decisions and token server alike.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Collection, Coroutine, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, TypeVar
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from fullmakt.altinn.decisions.searching import part_of
from fullmakt.altinn.delegations.errors import DelegationRefusedError
from fullmakt.altinn.delegations.model import OPERATOR, Offer
from fullmakt.altinn.delegations.model import Selection as Withdrawal
from fullmakt.altinn.delegations.requests.asking import Asked, party
from fullmakt.altinn.delegations.service import api_offer
from fullmakt.altinn.parties.model import Organisation, Person, Role
from fullmakt.infra.altinn import ForbiddenError
from fullmakt.kernel.identifiers import NationalId, OrgNumber
from fullmakt.serve.assembly import Assembly, assemble
from fullmakt.serve.neighbours import DelegatedScopes
from fullmakt.serve.settings import Settings
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.parties import PartyIdentity
from fullmakt.wire.altinn.problems import AltinnValidationError
from fullmakt.wire.altinn.resource_registry import ResourceDocument
from tests.support.parties import national_id, orgno
from tests.support.policies import policy_xml

PEOPLE = ("kari", "ola")
ORGANISATIONS = ("acme", "vendor", "other")
GIVERS = ("acme", "vendor")
EVERYBODY = (*PEOPLE, *ORGANISATIONS)
FORM, LISTED, API = "form", "listed", "api"
ACTIONS = {FORM: ("read", "write", "sign"), LISTED: ("read", "write", "sign"), API: ("ScopeAccess",)}
KEY_ROLES = frozenset({"dagl", "lede"})
POLICIES: tuple[dict[str, tuple[str, ...]], ...] = (
    {"read": ("dagl", "medl"), "write": ("dagl",)},
    {"read": ("dagl",)},
    {"read": ("lede",), "write": ("lede",), "sign": ("lede",)},
    {"read": ("medl",), "sign": ("dagl", "lede")},
)
API_POLICIES: tuple[dict[str, tuple[str, ...]], ...] = ({"ScopeAccess": ("dagl",)}, {"ScopeAccess": ("lede",)})

_fresh = itertools.count()
T = TypeVar("T")


class Link(NamedTuple):
    """A delegation: ``giver``'s right on ``resource``, in the hands of the last of ``path``, by way of the others."""

    giver: str
    resource: str
    path: tuple[str, ...]


@dataclass
class Model:
    """What has been said so far, and what follows from it."""

    policies: dict[str, dict[str, tuple[str, ...]]]
    roles: set[tuple[str, str, str]] = field(default_factory=set)
    links: dict[Link, set[str]] = field(default_factory=dict)
    members: frozenset[str] = frozenset()
    filter: frozenset[str] = frozenset()
    connected: set[tuple[str, str]] = field(default_factory=set)
    requests: dict[tuple[str, str], UUID] = field(default_factory=dict)

    def decision(self, who: str, action: str, resource: str, giver: str) -> str:
        """Rules, then delegations, then access lists."""
        if action not in self.policies[resource]:
            return "NotApplicable"
        if not self.by_rule(who, action, resource, giver) and not self.by_delegation(who, action, resource, giver):
            return "NotApplicable"
        if resource == LISTED and not (giver in self.members and (not self.filter or action in self.filter)):
            return "Deny"
        return "Permit"

    def by_rule(self, who: str, action: str, resource: str, giver: str) -> bool:
        return any((who, code, giver) in self.roles for code in self.policies[resource].get(action, ()))

    def by_delegation(self, who: str, action: str, resource: str, giver: str) -> bool:
        hands = {who} | {place for person, code, place in self.roles if person == who and code in KEY_ROLES}
        return any(
            action in actions
            for link, actions in self.links.items()
            if (link.giver, link.resource) == (giver, resource) and link.path[-1] in hands
        )

    def administers(self, person: str, place: str) -> bool:
        return any((person, code, place) in self.roles for code in KEY_ROLES)

    def knows(self, receiver: str, giver: str) -> bool:
        """May the receiver ask the giver for something?"""
        return (
            any((holder, place) == (receiver, giver) for holder, _, place in self.roles)
            or (giver, receiver) in self.connected
            or any(link.giver == giver and link.path[-1] == receiver for link in self.links)
        )

    def give(self, link: Link, actions: Collection[str]) -> None:
        self.links[link] = self.links.get(link, set()) | set(actions)

    def take(self, giver: str, receiver: str, resource: str, actions: Collection[str]) -> None:
        """From the receiver, and from all who have it from there."""
        for link in [one for one in self.links if one[:2] == (giver, resource) and one.path[-1] == receiver]:
            taken = self.links.get(link, set()) & set(actions)
            for below in [one for one in self.links if one[:2] == link[:2] and one.path[: len(link.path)] == link.path]:
                self.links[below] -= taken
        self.links = {link: left for link, left in self.links.items() if left}


class House:
    """Two nodes, and the parties and resources of one run among all that others have left in the database."""

    def __init__(self, url: str, state: Path) -> None:
        self.nodes = [assemble(Settings.model_validate({"state": state}), url) for _ in range(2)]
        self.number = next(_fresh)
        self.parties: dict[str, PartyIdentity] = {}

    @property
    def writer(self) -> Assembly:
        return self.nodes[0]

    def resource(self, name: str) -> str:
        return f"{name}-{self.number}"

    @property
    def scope(self) -> str:
        return f"demo:api{self.number}.read"

    async def begin(self, policies: dict[str, dict[str, tuple[str, ...]]]) -> None:
        await self.writer.altinn.start()
        register = self.writer.parties
        named: dict[str, Attribute] = {}
        for place, name in enumerate(EVERYBODY, self.number * len(EVERYBODY)):
            if name in PEOPLE:
                named[name] = Attribute(ids.PERSON, national_id(place))
                await register.declare_person(Person(national_id(place), name))
            else:
                named[name] = Attribute(ids.ORGANISATION, orgno(place))
                await register.declare_organisation(Organisation(orgno(place), name))
        found = await register.identify(list(named.values()))
        self.parties = {name: found[attribute] for name, attribute in named.items()}
        for name, policy in policies.items():
            await self.writer.rights.resources.declare_resource(self._document(name))
            await self.set_policy(name, policy)

    def _document(self, name: str) -> ResourceDocument:
        texts = dict.fromkeys(("nb", "nn", "en"), name)
        scope = {"referenceSource": "Altinn3", "reference": self.scope, "referenceType": "MaskinportenScope"}
        return ResourceDocument.model_validate(
            {
                "identifier": self.resource(name), "title": texts, "description": texts, "rightDescription": texts,
                "status": "Active", "delegable": True, "visible": True,
                "resourceType": "MaskinportenSchema" if name == API else "GenericAccessResource",
                "accessListMode": "Enabled" if name == LISTED else "Disabled",
                "hasCompetentAuthority": {"organization": "991825827", "orgcode": "digdir", "name": texts},
                "resourceReferences": [scope] if name == API else [],
                "contactPoints": [{"category": "x", "email": "x@example.no"}],
            }
        )  # fmt: skip

    async def set_policy(self, name: str, policy: dict[str, tuple[str, ...]]) -> None:
        rules = [
            {"action": [action], "subject": [f"{ids.ROLE_CODE}={code}" for code in codes]}
            for action, codes in policy.items()
        ]
        xml = policy_xml(self.resource(name), {"rules": rules})
        await self.writer.rights.resources.policies.declare(self.resource(name), xml, "operator")

    def uuid(self, name: str) -> UUID:
        return self.parties[name].party_uuid

    def caller(self, person: str) -> Caller:
        who = self.parties[person]
        return Caller(
            frozenset({"altinn:portal/enduser"}),
            user_id=who.user_id,
            party_id=who.party_id,
            party_uuid=who.party_uuid,
            auth_level=4,
        )

    async def links(self) -> dict[Link, tuple[UUID, frozenset[str]]]:
        """The delegations that are stored, in the model's terms."""
        names = {one.party_uuid: name for name, one in self.parties.items()}
        found: dict[Link, tuple[UUID, frozenset[str]]] = {}
        for giver, resource in itertools.product(GIVERS, ACTIONS):
            stored = await self.writer.rights.delegations.stored(
                giver=self.uuid(giver), resource=self.resource(resource)
            )
            by_id = {one.right.delegation_id: one.right for one in stored}
            for right in by_id.values():
                path, above = [names[right.receiver]], right.passed_on_from
                while above is not None:
                    path.insert(0, names[by_id[above].receiver])
                    above = by_id[above].passed_on_from
                found[Link(giver, resource, tuple(path))] = (right.delegation_id, right.actions)
        return found

    async def decisions(self, node: Assembly, questions: list[tuple[str, str, str, str]]) -> list[str]:
        parts = [
            part_of([Attribute(ids.PARTY_UUID, str(self.uuid(who)))], action, self.resource(resource), self.uuid(giver))
            for who, action, resource, giver in questions
        ]
        return [str(one.outcome) for one in await node.altinn.decisions.decide_each(parts)]

    async def scopes(self, node: Assembly) -> dict[tuple[str, str], bool]:
        """Has the consumer let the supplier fetch tokens for it, as the token server sees it?"""
        pairs = {
            (supplier, giver): (str(self.parties[supplier].orgno), str(self.parties[giver].orgno))
            for supplier, giver in itertools.product(ORGANISATIONS, GIVERS)
            if supplier != giver
        }
        port = DelegatedScopes(node.rights.delegations, node.database)
        found = await port.delegated_scopes(list(pairs.values()))
        return {pair: found.get(numbers, frozenset()) == {self.scope} for pair, numbers in pairs.items()}

    async def close(self) -> None:
        for node in self.nodes:
            await node.altinn.stop()
            await node.close()


QUESTIONS = [
    (who, action, resource, giver)
    for who in EVERYBODY
    for resource, actions in ACTIONS.items()
    for action in actions
    for giver in GIVERS
]
RESOURCES = st.sampled_from(list(ACTIONS))
SOME_ACTIONS = st.sets(st.sampled_from(["read", "write", "sign"]), min_size=1)


def actions_on(resource: str, drawn: set[str]) -> frozenset[str]:
    return frozenset({"ScopeAccess"} if resource == API else drawn)


class RightsMachine(RuleBasedStateMachine):
    """The real services, beside the model."""

    url: ClassVar[str]
    state: ClassVar[Path]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.house = House(self.url, self.state)
        self.model = Model({FORM: POLICIES[0], LISTED: POLICIES[0], API: API_POLICIES[0]})
        self.asked: Iterator[Assembly] = itertools.cycle(self.house.nodes)

    def teardown(self) -> None:
        self.run(self.house.close())
        self.runner.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    @initialize()
    def begin(self) -> None:
        """A day at work: both have a director, and one has given the other something."""
        self.run(self.house.begin(self.model.policies))
        for person, place in (("kari", "acme"), ("ola", "vendor")):
            self.change_role(person, "dagl", place, held=True)
        self.delegate("acme", "vendor", FORM, {"read", "write"})
        self.change_list(frozenset({"acme"}), frozenset())

    # -- roles ---------------------------------------------------------------------------------------------------------

    @rule(
        person=st.sampled_from(PEOPLE),
        code=st.sampled_from(["dagl", "lede", "medl"]),
        place=st.sampled_from(ORGANISATIONS),
        held=st.sampled_from([True, True, False]),
    )
    def change_role(self, person: str, code: str, place: str, held: bool) -> None:
        holder, organisation = self.house.parties[person].national_id, self.house.parties[place].orgno
        assert isinstance(holder, NationalId)
        assert isinstance(organisation, OrgNumber)
        role, register = Role(holder, code, organisation), self.house.writer.parties
        if held:
            self.run(register.grant_role(role))
            self.model.roles.add((person, code, place))
        else:
            self.run(register.withdraw_role(role))
            self.model.roles.discard((person, code, place))

    # -- delegations ---------------------------------------------------------------------------------------------------

    @rule(giver=st.sampled_from(GIVERS), receiver=st.sampled_from(EVERYBODY), resource=RESOURCES, drawn=SOME_ACTIONS)
    def delegate(self, giver: str, receiver: str, resource: str, drawn: set[str]) -> None:
        self.offer(Link(giver, resource, (receiver,)), actions_on(resource, drawn), None)

    @precondition(lambda self: self.model.links)
    @rule(data=st.data(), receiver=st.sampled_from(EVERYBODY), drawn=SOME_ACTIONS)
    def pass_on(self, data: st.DataObject, receiver: str, drawn: set[str]) -> None:
        above = data.draw(st.sampled_from(sorted(self.model.links)))
        held = self.model.links[above]
        within = (drawn & held) or held
        actions = data.draw(st.sampled_from([within, within, drawn]))  # mostly what can be passed on
        link = Link(above.giver, above.resource, (*above.path, receiver))
        self.offer(link, actions_on(above.resource, actions), above)

    def offer(self, link: Link, actions: frozenset[str], above: Link | None) -> None:
        receiver = link.path[-1]
        if link.resource == API and receiver in PEOPLE:
            return
        in_a_circle = receiver == link.giver or receiver in link.path[:-1]
        if in_a_circle or (above is not None and not actions <= self.model.links[above]):
            with pytest.raises(DelegationRefusedError):
                self.run(self.give(link, actions, above))
            return
        self.run(self.give(link, actions, above))
        self.model.give(link, actions)
        if link.resource == API:
            self.model.connected.add((link.giver, receiver))

    async def give(self, link: Link, actions: frozenset[str], above: Link | None) -> None:
        house, service = self.house, self.house.writer.rights.delegations
        standing_on = (await house.links())[above][0] if above is not None else None
        giver, receiver, resource = (
            house.parties[link.giver],
            house.parties[link.path[-1]],
            house.resource(link.resource),
        )
        if link.resource == API:
            api = (await house.writer.rights.resources.resources([resource]))[resource]
            offer = api_offer(giver, receiver, api, passed_on_from=standing_on)
            await service.delegate_api([offer], OPERATOR, connect=True)
        else:
            offer = Offer(giver.party_uuid, receiver.party_uuid, resource, actions, passed_on_from=standing_on)
            await service.delegate(offer, OPERATOR)

    @precondition(lambda self: self.model.links)
    @rule(data=st.data(), drawn=st.none() | SOME_ACTIONS)
    def withdraw(self, data: st.DataObject, drawn: set[str] | None) -> None:
        link = data.draw(st.sampled_from(sorted(self.model.links)))
        actions = None if drawn is None else actions_on(link.resource, drawn)
        selection = Withdrawal(
            self.house.uuid(link.giver), self.house.uuid(link.path[-1]), self.house.resource(link.resource), actions
        )
        self.run(self.house.writer.rights.delegations.withdraw(selection, OPERATOR))
        self.model.take(link.giver, link.path[-1], link.resource, actions or ACTIONS[link.resource])

    # -- requests ------------------------------------------------------------------------------------------------------

    @rule(person=st.sampled_from(PEOPLE), resource=st.sampled_from([FORM, LISTED]))
    def ask(self, person: str, resource: str) -> None:
        if self.model.knows(person, "acme"):
            self.model.requests[person, resource] = self.run(self.send(person, person, resource))
        else:
            with pytest.raises(AltinnValidationError):
                self.run(self.send(person, person, resource))

    @rule(person=st.sampled_from(PEOPLE))
    def ask_for_api(self, person: str) -> None:
        if self.model.administers(person, "vendor"):
            self.model.requests["vendor", API] = self.run(self.send(person, "vendor", API))
        else:
            with pytest.raises(ForbiddenError):
                self.run(self.send(person, "vendor", API))

    async def send(self, person: str, receiver: str, resource: str) -> UUID:
        house = self.house
        asked = Asked(
            (party(house.uuid(receiver)), "/$QUERY/party"),
            (party(house.uuid("acme")), "/$QUERY/to"),
            (house.resource(resource),),
        )
        service = house.writer.altinn.requests
        return (await service.ask(asked, house.uuid(receiver), house.caller(person))).request_id

    @precondition(lambda self: self.model.requests)
    @rule(data=st.data(), person=st.sampled_from(PEOPLE))
    def approve(self, data: st.DataObject, person: str) -> None:
        receiver, resource = data.draw(st.sampled_from(sorted(self.model.requests)))
        can = {
            action
            for action in self.model.policies[resource]
            if self.model.decision(person, action, resource, "acme") == "Permit"
        }
        if not all(self.model.by_rule(person, action, resource, "acme") for action in can):
            return  # which of several delegations it is passed on from is not for the model to say
        service, caller = self.house.writer.altinn.requests, self.house.caller(person)
        work = service.approve(self.model.requests[receiver, resource], self.house.uuid("acme"), caller)
        if not self.model.administers(person, "acme") or not can:
            with pytest.raises(ForbiddenError):
                self.run(work)
            return
        self.run(work)
        del self.model.requests[receiver, resource]
        self.model.give(Link("acme", resource, (receiver,)), can)
        self.model.connected.add(("acme", receiver))

    @precondition(lambda self: self.model.requests)
    @rule(data=st.data(), person=st.sampled_from(PEOPLE))
    def reject(self, data: st.DataObject, person: str) -> None:
        key = data.draw(st.sampled_from(sorted(self.model.requests)))
        service, caller = self.house.writer.altinn.requests, self.house.caller(person)
        work = service.reject(self.model.requests[key], self.house.uuid("acme"), caller)
        self.end(key, work, may=self.model.administers(person, "acme"))

    @precondition(lambda self: self.model.requests)
    @rule(data=st.data(), person=st.sampled_from(PEOPLE))
    def take_back(self, data: st.DataObject, person: str) -> None:
        key = data.draw(st.sampled_from(sorted(self.model.requests)))
        service, caller = self.house.writer.altinn.requests, self.house.caller(person)
        work = service.withdraw(self.model.requests[key], self.house.uuid(key[0]), caller)
        self.end(key, work, may=person == key[0] or self.model.administers(person, key[0]))

    def end(self, key: tuple[str, str], work: Coroutine[Any, Any, Any], *, may: bool) -> None:
        if may:
            self.run(work)
            del self.model.requests[key]
        else:
            with pytest.raises(ForbiddenError):
                self.run(work)

    # -- what owners say -----------------------------------------------------------------------------------------------

    @rule(
        members=st.frozensets(st.sampled_from(ORGANISATIONS)),
        actions=st.sampled_from([frozenset[str](), frozenset({"read"})]),
    )
    def change_list(self, members: frozenset[str], actions: frozenset[str]) -> None:
        self.run(
            self.house.writer.rights.access_lists.declarations.declare_list(
                "digdir",
                self.house.resource("members"),
                "Members",
                members=[party(self.house.uuid(one)) for one in members],
                connections={self.house.resource(LISTED): sorted(actions)},
            )
        )
        self.model.members, self.model.filter = members, actions

    @rule(resource=st.sampled_from([FORM, LISTED]), policy=st.sampled_from(POLICIES))
    def change_policy(self, resource: str, policy: dict[str, tuple[str, ...]]) -> None:
        self.set_policy(resource, policy)

    @rule(policy=st.sampled_from(API_POLICIES))
    def change_api_policy(self, policy: dict[str, tuple[str, ...]]) -> None:
        self.set_policy(API, policy)

    def set_policy(self, resource: str, policy: dict[str, tuple[str, ...]]) -> None:
        self.run(self.house.set_policy(resource, policy))
        self.model.policies[resource] = policy

    # -- what must hold ------------------------------------------------------------------------------------------------

    @invariant()
    def every_decision_is_the_models(self) -> None:
        if not self.house.parties:
            return
        decided = self.run(self.house.decisions(next(self.asked), QUESTIONS))
        wrong = {
            question: (said, expected)
            for question, said in zip(QUESTIONS, decided, strict=True)
            if said != (expected := self.model.decision(*question))
        }
        assert not wrong, f"decided, expected: {wrong}"

    @invariant()
    def tokens_are_to_be_had_by_whom_the_model_says(self) -> None:
        if not self.house.parties:
            return
        for (supplier, giver), has in self.run(self.house.scopes(next(self.asked))).items():
            delegated = any(one[:2] == (giver, API) and one.path[-1] == supplier for one in self.model.links)
            assert has == delegated, f"{giver} has delegated to {supplier}"

    @invariant()
    def delegations_are_the_models(self) -> None:
        if self.house.parties:
            stored = self.run(self.house.links())
            assert {link: set(actions) for link, (_, actions) in stored.items()} == self.model.links


def test_every_decision_follows_from_what_was_said(database_url: str, tmp_path: Path) -> None:
    machine = type("Machine", (RightsMachine,), {"url": database_url, "state": tmp_path})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=16, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
