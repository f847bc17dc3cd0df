"""Thin tokens: what a client's system may do is what its system users may, and it is known again at once."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

import orjson
import pytest

from fullmakt.altinn.decisions.config import DecisionsConfig
from fullmakt.altinn.decisions.model import Outcome, Reason
from fullmakt.altinn.decisions.searching import Page, part_of
from fullmakt.altinn.decisions.service import DecisionPoint
from fullmakt.altinn.decisions.thin import MOST_ACTING
from fullmakt.kernel.clock import FixedClock
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.systemusers import ActingSystem
from fullmakt.wire.altinn.xacml_json import DecisionRequest, Part, RequestAttribute, RequestCategory
from tests.support.decision_tables import FOLDER, read_facts, uuid_of
from tests.support.decisions import NOW, MemoryJournal, TableNeighbours

ACME, ROBOT, IDLE = uuid_of("acme"), uuid_of("robot"), uuid_of("idle")
OWNER = Attribute(ids.ORGANISATION, "889640782")
CLIENT = Attribute(ids.ENTERPRISE_SYSTEM, "Client-1")


@dataclass(frozen=True)
class Standing:
    """Whether a system user still is one."""

    system_id: str
    live: bool


class Systems:
    """One system of ``OWNER``'s, with a client; ``acting`` are its system users at Acme's. Counts its questions."""

    def __init__(self) -> None:
        self.acting: tuple[UUID, ...] = (IDLE, ROBOT)
        self.live = True
        self.asked = 0
        self.asked_of_users = 0

    async def of_client(self, client_id: str, party: UUID) -> ActingSystem | None:
        self.asked += 1
        if client_id != "client-1":
            return None
        return ActingSystem("889640782_accounts", OWNER.value, self.acting if party == ACME else ())

    async def standings(self, system_users: Collection[UUID]) -> dict[UUID, Standing]:
        self.asked_of_users += 1
        return {one: Standing("889640782_accounts", self.live) for one in system_users if one in self.acting}


@pytest.fixture
def systems() -> Systems:
    return Systems()


@pytest.fixture
def journal() -> MemoryJournal:
    return MemoryJournal()


@pytest.fixture
def point(systems: Systems, journal: MemoryJournal) -> DecisionPoint:
    neighbours = TableNeighbours(read_facts(tomllib.loads((FOLDER / "delegations.toml").read_text())))
    return DecisionPoint(
        DecisionsConfig(),
        parties=neighbours, resources=neighbours, policy_index=neighbours, access_lists=neighbours,
        delegations=neighbours, system_users=systems, feed=lambda: journal, journal=journal, clock=FixedClock(NOW),
    )  # fmt: skip


@pytest.mark.parametrize("beside", [(), (OWNER,)], ids=["alone", "with its organisation"])
async def test_a_client_may_do_what_one_of_its_systems_users_may(
    point: DecisionPoint, journal: MemoryJournal, beside: tuple[Attribute, ...]
) -> None:
    decision = await point.may([CLIENT, *beside], "write", "api", ACME)
    assert decision.permitted
    assert decision.facts["subject"] == ROBOT
    assert decision.facts["subject_kind"] == "systemuser"
    assert (decision.facts["client_id"], decision.facts["system"]) == ("Client-1", "889640782_accounts")
    told = orjson.loads(journal.entries[-1].events[0])
    assert (told["outcome"], told["facts"]["client_id"]) == ("permit", "Client-1")
    assert not await point.may([CLIENT, *beside], "read", "api", ACME)


async def test_a_package_given_to_its_system_user_counts(point: DecisionPoint) -> None:
    assert await point.may([CLIENT], "read", "packaged", ACME)


@pytest.mark.parametrize(
    ("subject", "party", "cause"),
    [
        ([Attribute(ids.ENTERPRISE_SYSTEM, "another")], "acme", "client_not_in_any_system"),
        ([CLIENT, Attribute(ids.ORGANISATION, "991825827")], "acme", "system_of_another_vendor"),
        ([CLIENT, Attribute(ids.ORGANISATION_OLD, "991825827")], "acme", "system_of_another_vendor"),
        ([CLIENT, OWNER], "partner", "no_system_user"),
    ],
    ids=["no system", "another vendor's", "another vendor's by the old name", "no system user"],
)
@pytest.mark.parametrize("action", ["read", "write"])
async def test_who_has_no_system_user_is_nobody_whoever_its_organisation_is(
    point: DecisionPoint, subject: list[Attribute], party: str, cause: str, action: str
) -> None:
    # The organisations have rights at Acme's themselves; a thin token is not shown for these.
    assert await point.may([Attribute(ids.ORGANISATION, "991825827")], "read", "api", ACME)
    decision = await point.may(subject, action, "api", uuid_of(party))
    assert (decision.outcome, decision.reason) == (Outcome.NOT_APPLICABLE, Reason.NO_RIGHT)
    assert decision.facts["cause"] == cause


async def test_a_question_of_no_party_is_about_nobody(point: DecisionPoint) -> None:
    decision = (await point.decide_each([part_of([CLIENT], "write", "api", None)]))[0]
    assert (decision.outcome, decision.facts["cause"]) == (Outcome.NOT_APPLICABLE, "client_not_in_any_system")


@pytest.mark.parametrize(
    "beside",
    [
        [Attribute(ids.ENTERPRISE_SYSTEM, "another")],
        [OWNER, Attribute(ids.ORGANISATION, "991825827")],
        [Attribute(ids.SYSTEM_USER, str(ROBOT))],
        [Attribute(ids.USER_ID, "20001")],
        [Attribute("urn:altinn:org", "skd")],
    ],
    ids=["another client", "two organisations", "a system user", "a person", "a service owner"],
)
async def test_beside_a_client_stands_its_organisation_and_nothing_else(
    point: DecisionPoint, beside: list[Attribute]
) -> None:
    decision = await point.may([CLIENT, *beside], "write", "api", ACME)
    assert (decision.outcome, decision.reason) == (Outcome.INDETERMINATE, Reason.INVALID_SUBJECT)


@pytest.mark.parametrize("resource", ["nothing", "nothing\0"])
async def test_an_unknown_resource_is_told_as_ever(point: DecisionPoint, resource: str) -> None:
    decision = await point.may([CLIENT], "write", resource, ACME)
    assert (decision.outcome, decision.reason) == (Outcome.INDETERMINATE, Reason.UNKNOWN_RESOURCE)


@pytest.mark.parametrize("changed", ["client:CLIENT-1", f"from:{ACME}", f"party:{ACME}"])
async def test_system_users_are_asked_for_once_until_something_of_theirs_changes(
    point: DecisionPoint, systems: Systems, journal: MemoryJournal, changed: str
) -> None:
    assert await point.may([CLIENT], "write", "api", ACME)
    assert await point.may([Attribute(ids.ENTERPRISE_SYSTEM, "CLIENT-1")], "write", "api", ACME)
    assert systems.asked == 1
    systems.acting = (IDLE,)
    journal.change(changed)
    assert not await point.may([CLIENT], "write", "api", ACME)
    assert systems.asked == 2


async def test_what_one_question_costs_is_bounded(
    point: DecisionPoint, systems: Systems, journal: MemoryJournal
) -> None:
    idle = tuple(uuid_of(f"idle {number}") for number in range(MOST_ACTING))
    for acting, may in (((*idle[1:], ROBOT), True), ((*idle, ROBOT), False)):
        systems.acting = acting
        journal.change("client:client-1")
        assert (await point.may([CLIENT], "write", "api", ACME)).permitted is may


async def test_the_caller_gets_its_own_subject_back(point: DecisionPoint) -> None:
    subject = RequestCategory(
        ids.SUBJECT_CATEGORY, (RequestAttribute(CLIENT.id, CLIENT.value, include=True), RequestAttribute(*OWNER))
    )
    _, *others = part_of([], "write", "api", ACME)
    [decision] = await point.decide(DecisionRequest((subject, *others)))
    assert decision.permitted
    assert [(one.id, one.value) for category in decision.echo for one in category.attributes] == [CLIENT]


async def test_it_is_explained_by_the_system_user_that_may(point: DecisionPoint) -> None:
    [explained] = await point.explain(DecisionRequest(part_of([CLIENT, OWNER], "write", "api", ACME)))
    assert explained["decision"] == Outcome.PERMIT
    assert explained["facts"]["system"] == "889640782_accounts"
    assert any(one["counts"] for one in explained["delegations"])


@pytest.mark.parametrize(("client", "found"), [("Client-1", {"api"}), ("another", set())])
async def test_a_search_finds_what_a_decision_permits(point: DecisionPoint, client: str, found: set[str]) -> None:
    subject = [Attribute(ids.ENTERPRISE_SYSTEM, client), OWNER]

    def asking(resource: str) -> Part:
        return part_of(subject, "write", resource, ACME)

    named = [RequestAttribute(*one) for one in subject]
    answer = await point.resources_for(named, "write", ACME, asking, Page())
    assert answer.permitted.keys() == found


ROBOTS_NAME = [Attribute(ids.SYSTEM_USER, str(ROBOT))]


@pytest.mark.parametrize("changed", [f"systemuser:{ROBOT}", "system:889640782_accounts"], ids=["itself", "its system"])
async def test_a_system_user_that_has_ended_may_nothing_whatever_it_was_given(
    point: DecisionPoint, systems: Systems, journal: MemoryJournal, changed: str
) -> None:
    assert await point.may(ROBOTS_NAME, "write", "api", ACME)
    systems.live = False
    journal.change(changed)
    decision = await point.may(ROBOTS_NAME, "write", "api", ACME)
    assert (decision.outcome, decision.reason) == (Outcome.NOT_APPLICABLE, Reason.SYSTEM_USER_ENDED)
    assert decision.facts["subject"] == ROBOT
    (explained,) = await point.explain(DecisionRequest(part_of(ROBOTS_NAME, "write", "api", ACME)))
    assert explained["reason"] == Reason.SYSTEM_USER_ENDED


async def test_whether_a_system_user_has_ended_is_asked_once(point: DecisionPoint, systems: Systems) -> None:
    for _ in range(2):
        assert await point.may([CLIENT], "write", "api", ACME)
        assert await point.may(ROBOTS_NAME, "write", "api", ACME)
    assert systems.asked_of_users == 1  # of both that act for the client


async def test_a_system_user_that_no_register_knows_may_what_it_was_given(
    point: DecisionPoint, systems: Systems
) -> None:
    systems.acting, systems.live = (), False
    assert await point.may(ROBOTS_NAME, "write", "api", ACME)
