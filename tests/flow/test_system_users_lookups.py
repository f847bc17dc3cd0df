"""What Maskinporten is answered, and why nothing (altinn-authentication.md §12, maskinporten.md §5.2)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from sqlalchemy import event, text

from fullmakt.altinn.systemusers.users import lookups
from fullmakt.altinn.systemusers.users import store as users
from fullmakt.infra.database import Database
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.parties import PartyIdentity
from fullmakt.wire.altinn.systemusers import (
    Cause,
    NoSystemUser,
    SystemUserQuestion,
    SystemUserRecord,
    VirksysAnswer,
    VirksysQuestion,
)
from tests.support.asking_systems import (
    ACCOUNTANT,
    CLIENT,
    CLIENT_ORG,
    CUSTOMER,
    PUBLIC,
    REQUEST,
    USERS,
    SystemUsersWorld,
)
from tests.support.plans import most_rows_read
from tests.support.systemusers import SYSTEM, VENDOR, right

QUESTION = SystemUserQuestion(CLIENT, VENDOR, CUSTOMER)
VIRKSYS = VirksysQuestion(CLIENT, VENDOR, CUSTOMER.iso6523, ("skd:krav",))


@pytest.fixture
async def world(narrow_database: Database) -> AsyncIterator[SystemUsersWorld]:
    world = SystemUsersWorld(narrow_database)
    await world.registered()
    world.scopes.known = {"skd:krav": ["krav"], "skd:annet": ["annet"], "skd:begge": ["krav", "melding"]}
    yield world
    await world.close()


async def cause_of(world: SystemUsersWorld, question: SystemUserQuestion = QUESTION) -> Cause:
    assert await world.service.find([question]) == {}
    return (await world.service.why_none(question)).cause


def permit(world: SystemUsersWorld, user: object, resource: str, party: PartyIdentity) -> None:
    """Let the decision point permit a system user something."""
    world.authority.rules.add((Attribute(ids.SYSTEM_USER, str(user)), "read", resource, party.party_uuid))
    world.authority.actions[resource] = tuple({*world.authority.actions.get(resource, ()), "read"})


# -- byExternalId -----------------------------------------------------------------------------------------------------


async def test_a_system_user_is_found_by_client_vendor_owner_and_reference(world: SystemUsersWorld) -> None:
    user = await world.approved()
    other = await world.approved(externalRef="regnskap 2")
    found = await world.look_up()
    assert (found.status_code, found.headers["cache-control"]) == (200, "no-store")
    document = found.json()
    assert (document["id"], document["productName"], document["userType"]) == (str(user), SYSTEM, "standard")
    assert SystemUserRecord.read(document).system_id == SYSTEM
    assert (await world.look_up(externalRef="")).json()["id"] == str(user)
    assert (await world.look_up(externalRef="regnskap 2")).json()["id"] == str(other)
    assert (await world.look_up(clientId=CLIENT.upper())).json()["id"] == str(user)


async def test_an_agents_owner_finds_its_agent(world: SystemUsersWorld) -> None:
    agent = await world.approved(agent=True)
    found = (await world.look_up(systemUserOwnerOrgNo=ACCOUNTANT)).json()
    assert (found["id"], found["userType"]) == (str(agent), "agent")


@pytest.mark.parametrize("name", ["clientId", "systemProviderOrgNo", "systemUserOwnerOrgNo"])
async def test_what_must_be_asked_must_be_asked(world: SystemUsersWorld, name: str) -> None:
    answer = await world.look_up(**{name: ""})
    assert answer.status_code == 400
    assert answer.json()["errors"][name]


async def test_nobody_but_maskinporten_is_answered(world: SystemUsersWorld) -> None:
    refused = await world.look_up("vendor")
    assert (refused.status_code, refused.content) == (403, b"")
    refused = await world.send("vendor", "POST", "/api/v1/virksys/lookup", json=VIRKSYS.document())
    assert refused.status_code == 403
    assert await world.told("system-user:look-up") == [("system-user:look-up", "deny", "missing_scope")] * 2


async def test_a_no_tells_its_cause(world: SystemUsersWorld) -> None:
    answer = await world.look_up()
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert (answer.json()["cause"], answer.headers["cache-control"]) == ("no_system_user", "no-store")


async def test_clients_of_no_system_and_of_others(world: SystemUsersWorld) -> None:
    await world.approved()
    for client_id in ("unknown", "nul\x00"):
        assert await cause_of(world, replace(QUESTION, client_id=client_id)) is Cause.CLIENT_UNKNOWN
    assert await cause_of(world, replace(QUESTION, vendor="310000002")) is Cause.OTHER_VENDOR
    await world.send("vendor", "DELETE", f"/api/v1/systemregister/vendor/{SYSTEM}")
    assert await cause_of(world) is Cause.CLIENT_UNKNOWN


@pytest.mark.parametrize("owner", ["310000999", "x", ""])
async def test_owners_that_are_no_organisations(world: SystemUsersWorld, owner: str) -> None:
    assert await cause_of(world, replace(QUESTION, owner=owner)) is Cause.UNKNOWN_ORGANISATION


async def test_organisations_that_have_not_said_yes(world: SystemUsersWorld) -> None:
    assert await cause_of(world) is Cause.NO_SYSTEM_USER
    request_id = await world.requested()
    assert await cause_of(world) is Cause.NOT_APPROVED
    assert await cause_of(world, replace(QUESTION, external_ref="other")) is Cause.NOT_APPROVED
    await world.answer("kari", "reject", request_id)
    assert await cause_of(world) is Cause.NOT_APPROVED
    await world.send("vendor", "DELETE", f"{REQUEST}/vendor/{request_id}")
    assert await cause_of(world) is Cause.NO_SYSTEM_USER


async def test_references_that_are_others(world: SystemUsersWorld) -> None:
    await world.approved(externalRef="mine")
    assert await cause_of(world) is Cause.OTHER_REFERENCE
    await world.requested()
    assert await cause_of(world) is Cause.NOT_APPROVED


async def test_system_users_that_are_gone(world: SystemUsersWorld) -> None:
    user = await world.approved()
    await world.send("kari", "DELETE", f"{USERS}/{world.customer.party_id}/{user}")
    assert await cause_of(world) is Cause.DELETED
    assert await cause_of(world, replace(QUESTION, external_ref="other")) is Cause.DELETED
    await world.requested()
    assert await cause_of(world) is Cause.NOT_APPROVED


async def test_clients_of_an_agents_owner(world: SystemUsersWorld) -> None:
    agent = await world.approved(agent=True)
    question = replace(QUESTION, owner=CLIENT_ORG)
    assert await cause_of(world, question) is Cause.NO_SYSTEM_USER
    await world.send("rita", "POST", f"{PUBLIC}/clients", params=_pair(agent, world.client))
    assert await cause_of(world, question) is Cause.CLIENT_OF_AGENT
    world.hold(world.accountant, world.client)
    assert await cause_of(world, question) is Cause.NO_SYSTEM_USER


async def test_many_questions_are_answered_at_once(world: SystemUsersWorld) -> None:
    user = await world.approved()
    wrong = replace(QUESTION, vendor="310000002")
    answers = await world.service.find([QUESTION, wrong, QUESTION])
    assert {question: found.id for question, found in answers.items()} == {QUESTION: user}
    assert await world.service.find([]) == {}


async def test_a_no_is_not_waited_for_by_those_who_are_told_yes(world: SystemUsersWorld) -> None:
    """What ``find`` reads is one statement, however many of its questions have no answer."""
    user = await world.approved()
    without = [replace(QUESTION, external_ref=f"no {number}") for number in range(50)]
    statements: list[str] = []
    engine = world.database._engine.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *told: statements.append(told[2]))
    found = await world.service.find([QUESTION, *without])
    assert ([*found], found[QUESTION].id) == ([QUESTION], user)
    assert len(statements) == 1


async def test_agents_are_found_by_their_clients_and_not_among_all_system_users(world: SystemUsersWorld) -> None:
    agent = await world.approved(agent=True)
    await world.send("rita", "POST", f"{PUBLIC}/clients", params=_pair(agent, world.client))
    async with world.database.transaction() as connection:
        await connection.execute(
            text(
                "INSERT INTO systemusers.system_user (system_user_id, kind, system, owner, owner_party_id, orgno,"
                " external_ref, integration_title, packages, created, changed) SELECT gen_random_uuid(), 'standard',"
                " system, gen_random_uuid(), n, orgno, 'ref ' || n, 'x', '{}', created, changed"
                " FROM systemusers.system_user, generate_series(1, 1000) n WHERE kind = 'agent'"
            )
        )
        await connection.execute(text("ANALYZE systemusers.system_user"))
        asked = {"system_id": SYSTEM, "system_user_ids": [agent], "limit": 100}
        assert await most_rows_read(connection, users._AGENTS, asked) == 1
    assert await cause_of(world, replace(QUESTION, owner=CLIENT_ORG)) is Cause.CLIENT_OF_AGENT


async def test_no_more_than_a_hundred_system_users_are_asked_about(world: SystemUsersWorld) -> None:
    await world.approved()
    async with world.database.transaction() as connection:
        await connection.execute(
            text(
                "INSERT INTO systemusers.system_user (system_user_id, kind, system, owner, owner_party_id, orgno,"
                " external_ref, integration_title, packages, deleted, created, changed)"
                " SELECT gen_random_uuid(), kind, system, owner, owner_party_id, orgno, 'ref ' || n, 'x', '{}',"
                " n % 2 = 0, created, changed FROM systemusers.system_user, generate_series(1, 300) n"
            )
        )
        found = await users.own(connection, SYSTEM, CUSTOMER, lookups.MOST_ACTING)
    assert (len(found), any(one.deleted for one in found)) == (100, False)
    assert await answered(world) is Cause.NOTHING_PERMITTED
    acting = await world.service.of_client(CLIENT, world.customer.party_uuid)
    assert acting is not None
    assert len(acting.system_users) == 100


# -- virksys ----------------------------------------------------------------------------------------------------------


def _pair(agent: object, client: PartyIdentity) -> dict[str, str]:
    return {"agent": str(agent), "client": str(client.party_uuid)}


async def answered(world: SystemUsersWorld, **changes: Any) -> VirksysAnswer | Cause:
    answer = await world.service.virksys(replace(VIRKSYS, **changes))
    return answer.cause if isinstance(answer, NoSystemUser) else answer


async def test_a_partys_own_system_user_answers_without_a_helper(world: SystemUsersWorld) -> None:
    user = await world.approved()
    assert await answered(world) is Cause.NOTHING_PERMITTED
    permit(world, user, "krav", world.customer)
    assert await answered(world) == VirksysAnswer(CUSTOMER.iso6523, None, ("krav",))
    sent = await world.send("maskinporten", "POST", "/api/v1/virksys/lookup", json=VIRKSYS.document())
    assert (sent.status_code, sent.headers["cache-control"]) == (200, "no-store")
    assert sent.json() == {"part": CUSTOMER.iso6523, "rettigheit": ["krav"]}


async def test_an_agent_answers_with_its_owner_as_helper(world: SystemUsersWorld) -> None:
    agent = await world.approved(agent=True)
    permit(world, agent, "krav", world.client)
    part = CLIENT_ORG.iso6523
    assert await answered(world, part=part) is Cause.NOBODY_ACTS
    await world.send("rita", "POST", f"{PUBLIC}/clients", params=_pair(agent, world.client))
    expected = VirksysAnswer(part, ACCOUNTANT.iso6523, ("krav",))
    assert await answered(world, part=part) == expected
    assert await answered(world, part=part, hjelper=ACCOUNTANT.iso6523) == expected
    assert await answered(world, part=part, hjelper=CUSTOMER.iso6523) is Cause.OTHER_HELPER
    assert await answered(world, part=part, hjelper="rubbish") is Cause.OTHER_HELPER
    world.hold(world.accountant, world.client)
    assert await answered(world, part=part) is Cause.NOBODY_ACTS


async def test_every_scope_has_a_resource_that_is_permitted(world: SystemUsersWorld) -> None:
    user = await world.approved()
    permit(world, user, "krav", world.customer)
    assert await answered(world, scopes=("skd:krav", "skd:none")) is Cause.SCOPE_WITHOUT_RESOURCE
    assert await answered(world, scopes=("skd:krav", "skd:annet")) is Cause.NOTHING_PERMITTED
    permit(world, user, "melding", world.customer)
    assert await answered(world, scopes=("skd:begge",)) == VirksysAnswer(CUSTOMER.iso6523, None, ("krav", "melding"))


async def test_rights_that_are_named_must_all_be_permitted(world: SystemUsersWorld) -> None:
    user = await world.approved()
    permit(world, user, "krav", world.customer)
    both = {"scopes": ("skd:begge",)}
    assert await answered(world, **both, rettigheit=("krav",)) == VirksysAnswer(CUSTOMER.iso6523, None, ("krav",))
    for other in ("melding", "unknown"):
        question = replace(VIRKSYS, scopes=("skd:begge",), rettigheit=("krav", other))
        assert await world.service.virksys(question) == NoSystemUser(Cause.RIGHT_MISSING, (other,))
        refused = await world.send("maskinporten", "POST", "/api/v1/virksys/lookup", json=question.document())
        assert (refused.status_code, refused.json()["cause"], refused.json()["missing"]) == (
            404,
            "right_missing",
            [other],
        )
    assert await answered(world, **both, rettigheit=()) is Cause.NOTHING_PERMITTED


async def test_why_an_enterprise_system_has_no_rights(world: SystemUsersWorld) -> None:
    assert await answered(world, client_id="unknown") is Cause.CLIENT_UNKNOWN
    assert await answered(world, vendor="310000002") is Cause.OTHER_VENDOR
    for part in ("0192:310000999", "9908:310000101", "rubbish", ""):
        assert await answered(world, part=part) is Cause.UNKNOWN_ORGANISATION
    assert await answered(world) is Cause.NOBODY_ACTS
    await world.requested()
    assert await answered(world) is Cause.NOT_APPROVED
    refused = await world.send("maskinporten", "POST", "/api/v1/virksys/lookup", json=VIRKSYS.document())
    assert (refused.status_code, refused.json()["cause"]) == (404, "request_not_approved")


async def test_a_system_user_with_any_reference_will_do(world: SystemUsersWorld) -> None:
    user = await world.approved(externalRef="any")
    permit(world, user, "krav", world.customer)
    assert isinstance(await answered(world), VirksysAnswer)
    await world.send("kari", "DELETE", f"{USERS}/{world.customer.party_id}/{user}")
    assert await answered(world) is Cause.DELETED


@pytest.mark.parametrize(
    "changes",
    [{"scopes": None}, {"scopes": []}, {"scopes": "skd:krav"}, {"scopes": [1]}, {"scopes": [""]}, {"clientId": None},
     {"part": None}, {"systemProviderOrgNo": ""}, {"rettigheit": "krav"}, {"hjelper": 1}, {"part": "a\x00"}],
    ids=str,
)  # fmt: skip
async def test_a_question_that_is_none_is_refused(world: SystemUsersWorld, changes: dict[str, Any]) -> None:
    body = {**VIRKSYS.document(), **changes}
    answer: httpx2.Response = await world.send("maskinporten", "POST", "/api/v1/virksys/lookup", json=body)
    assert answer.status_code == 400
    assert answer.json()["errors"]


# -- thin tokens ------------------------------------------------------------------------------------------------------


async def test_which_system_users_act_for_a_party_is_told(world: SystemUsersWorld) -> None:
    agent, user = await world.approved(agent=True), await world.approved()
    second = await world.approved(externalRef="second")
    acting = await world.service.of_client(CLIENT, world.customer.party_uuid)
    assert acting is not None
    assert (acting.system_id, acting.vendor, acting.system_users) == (SYSTEM, VENDOR, (user, second))
    of_client = await world.service.of_client(CLIENT, world.client.party_uuid)
    assert of_client is not None
    assert of_client.system_users == ()
    await world.send("rita", "POST", f"{PUBLIC}/clients", params=_pair(agent, world.client))
    of_client = await world.service.of_client(CLIENT, world.client.party_uuid)
    assert of_client is not None
    assert of_client.system_users == (agent,)
    assert await world.service.of_client("unknown", world.customer.party_uuid) is None
    await world.send("vendor", "DELETE", f"/api/v1/systemregister/vendor/{SYSTEM}")
    assert await world.service.of_client(CLIENT, world.customer.party_uuid) is None


async def test_a_change_of_the_systems_clients_changes_what_is_found(world: SystemUsersWorld) -> None:
    user = await world.approved()
    await world.redefined(clientId=["another"], rights=[right("krav"), right("melding")])
    assert (await world.look_up()).json()["cause"] == "client_not_in_any_system"
    assert (await world.look_up(clientId="another")).json()["id"] == str(user)
