"""The token server's two ways to ask for system users, in our own database and over HTTP, give the same tokens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from fullmakt.infra.database import Database
from fullmakt.maskinporten.tokens.distant_system_users import DistantSystemUsers
from fullmakt.maskinporten.tokens.ports import SystemUsers
from fullmakt.serve.look_ups import SystemUserLookUps
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.parties import PartyIdentity
from tests.support.asking_systems import ACCOUNTANT, CLIENT, CUSTOMER, PUBLIC, USERS, SystemUsersWorld
from tests.support.systemusers import SYSTEM, VENDOR
from tests.support.token_nodes import Node, body_of, events, node
from tests.support.tokens import RegistryRows, claims_of, payload_of, sign

SCOPE = "skd:krav"


@pytest.fixture
async def world(database: Database) -> AsyncIterator[SystemUsersWorld]:
    world = SystemUsersWorld(database)
    await world.registered()
    world.scopes.known = {SCOPE: ["krav"]}
    yield world
    await world.close()


@pytest.fixture(params=["in our database", "over HTTP"])
def altinn(request: pytest.FixtureRequest, world: SystemUsersWorld) -> SystemUsers:
    async def token() -> str:
        return "maskinporten"

    if request.param == "over HTTP":
        return DistantSystemUsers(str(world.http.base_url), world.http, token, token)
    return SystemUserLookUps(lambda: world.service, world.database)


@pytest.fixture
async def server(database_url: str, database: Database, altinn: SystemUsers) -> AsyncIterator[Node]:
    rows = RegistryRows(database)
    await rows.scope(SCOPE, access=[VENDOR])
    await rows.client(
        CLIENT, client_orgno=VENDOR, scopes=[SCOPE], integration_type="altinn_virksys", client_name="Smart Sky"
    )
    async with node(database_url, system_users=altinn, virksys=True) as server:
        yield server


def grant(owner: str = CUSTOMER, **members: object) -> str:
    organisation = {"authority": "iso6523-actorid-upis", "ID": f"0192:{owner}"}
    details = [{"type": "urn:altinn:systemuser", "systemuser_org": organisation, **members}]
    return sign(claims_of(iss=CLIENT, scope=SCOPE, authorization_details=details))


def virksys(part: str = CUSTOMER, **members: object) -> str:
    details = [{"type": "urn:altinn:virksys", "part": f"0192:{part}", **members}]
    return sign(claims_of(iss=CLIENT, scope=SCOPE, authorization_details=details))


async def reason(server: Node, assertion: str) -> str:
    """``token``, or why not."""
    answer = await server.post(assertion)
    if answer.status_code == 200:
        return "token"
    (event,) = await events(server.database, answer.headers["traceparent"].split("-")[1])
    return str(event["reason"])


async def element(server: Node, assertion: str) -> dict[str, object]:
    answer = await server.post(assertion)
    assert answer.status_code == 200, answer.text
    (element,) = payload_of(body_of(answer)["access_token"])["authorization_details"]
    assert isinstance(element, dict)
    return element


def permit(world: SystemUsersWorld, user: UUID, party: PartyIdentity) -> None:
    """Let the decision point permit a system user to read the resource behind the scope."""
    world.authority.rules.add((Attribute(ids.SYSTEM_USER, str(user)), "read", "krav", party.party_uuid))


async def test_from_the_request_to_the_token_and_from_the_deletion_to_none(
    world: SystemUsersWorld, server: Node
) -> None:
    assert await reason(server, grant()) == "no_system_user"
    request = await world.requested(externalRef="bok 1")
    assert await reason(server, grant(externalRef="bok 1")) == "request_not_approved"
    await world.answer("kari", "approve", request)
    assert await reason(server, grant()) == "other_external_ref"
    told = await element(server, grant(externalRef="bok 1"))
    assert (told["systemuser_id"], told["system_id"]) == ([request], SYSTEM)
    assert await reason(server, grant("310000999")) == "unknown_organisation"
    deleted = await world.send("kari", "DELETE", f"{USERS}/{world.customer.party_id}/{request}")
    assert deleted.status_code == 202
    assert await reason(server, grant(externalRef="bok 1")) == "system_user_deleted"


async def test_a_system_that_is_gone_gives_no_token_whatever_was_approved(
    world: SystemUsersWorld, server: Node
) -> None:
    user = await world.approved()
    permit(world, user, world.customer)
    assert [await reason(server, ask()) for ask in (grant, virksys)] == ["token"] * 2
    await world.send("vendor", "DELETE", f"/api/v1/systemregister/vendor/{SYSTEM}")
    assert [await reason(server, ask()) for ask in (grant, virksys)] == ["client_not_in_any_system"] * 2


async def test_a_virksomhetstoken_holds_what_the_decision_point_permits(world: SystemUsersWorld, server: Node) -> None:
    assert await reason(server, virksys()) == "nobody_acts"
    user = await world.approved()
    assert await reason(server, virksys()) == "nothing_permitted"
    permit(world, user, world.customer)
    expected = {"type": "urn:altinn:virksys", "part": f"0192:{CUSTOMER}", "rettigheit": ["krav"]}
    assert await element(server, virksys()) == expected
    assert await element(server, virksys(rettigheit=["krav"])) == expected
    assert await reason(server, virksys(rettigheit=["krav", "melding"])) == "right_missing"
    assert await reason(server, virksys(hjelper=f"0192:{ACCOUNTANT}")) == "other_hjelper"
    world.scopes.known = {}
    assert await reason(server, virksys()) == "scope_without_resource"


async def test_an_agent_acts_for_the_client_that_it_was_given_and_is_named(
    world: SystemUsersWorld, server: Node
) -> None:
    agent = await world.approved(agent=True)
    assert (await element(server, grant(ACCOUNTANT)))["systemuser_id"] == [str(agent)]
    client = str(world.client.orgno)
    assert await reason(server, grant(client)) == "no_system_user"
    await world.send(
        "rita", "POST", f"{PUBLIC}/clients", params={"agent": str(agent), "client": str(world.client.party_uuid)}
    )
    assert await reason(server, grant(client)) == "client_of_an_agent"
    permit(world, agent, world.client)
    told = await element(server, virksys(client))
    assert (told["part"], told["hjelper"]) == (f"0192:{client}", f"0192:{ACCOUNTANT}")
