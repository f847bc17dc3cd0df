"""Agents and the clients of their owners (altinn-authentication.md §11)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import httpx2
import pytest

from fullmakt.infra.database import Database
from fullmakt.wire.altinn.parties import PartyIdentity
from tests.support.asking_systems import (
    ACCOUNTANT,
    CLIENT,
    CLIENT_ORG,
    PUBLIC,
    USERS,
    SystemUsersWorld,
    problem_of,
    somebody,
)
from tests.support.systemusers import SYSTEM, codes, package


@pytest.fixture
async def world(narrow_database: Database) -> AsyncIterator[SystemUsersWorld]:
    world = SystemUsersWorld(narrow_database)
    await world.registered()
    yield world
    await world.close()


async def public(
    world: SystemUsersWorld, method: str, path: str, agent: object = None, client: object = None, by: str = "rita"
) -> httpx2.Response:
    query = {name: str(value) for name, value in (("agent", agent), ("client", client)) if value is not None}
    return await world.send(by, method, f"{PUBLIC}/{path}", params=query)


def listed(agent: UUID, *clients: PartyIdentity) -> dict[str, object]:
    return {
        "links": {},
        "systemUserInformation": {"systemUserId": str(agent), "systemUserOwnerOrg": ACCOUNTANT},
        "data": [
            {
                "clientId": str(client.party_uuid),
                "clientOrganizationNumber": client.orgno,
                "clientOrganizationName": client.name,
            }
            for client in clients
        ],
    }


async def test_an_agent_is_given_a_client_and_loses_it_again(world: SystemUsersWorld) -> None:
    agent, client = await world.approved(agent=True), world.client.party_uuid
    assert (await public(world, "GET", "clients/available", agent)).json() == listed(agent, world.client)
    assert (await public(world, "GET", "clients", agent)).json() == listed(agent)
    given = await public(world, "POST", "clients", agent, client)
    assert (given.status_code, given.json()) == (200, {"agent": str(agent), "client": str(client)})
    assert await world.given(agent) == [("package", "for-kunder", True)]
    assert f"client:{CLIENT}" in (await world.announced())[-3:]
    assert (await public(world, "GET", "clients", agent)).json() == listed(agent, world.client)
    assert (await public(world, "GET", "clients/available", agent)).json() == listed(agent)
    taken = await public(world, "DELETE", "clients", agent, client)
    assert (taken.status_code, taken.json()) == (200, {"agent": str(agent), "client": str(client)})
    assert await world.given(agent) == []
    assert await world.told("agent-client") == [("agent-client:give", "done", ""), ("agent-client:take", "done", "")]


async def test_giving_and_taking_again_changes_nothing(world: SystemUsersWorld) -> None:
    agent, client = await world.approved(agent=True), world.client.party_uuid
    for method in ("POST", "POST", "DELETE", "DELETE"):
        assert (await public(world, method, "clients", agent, client)).status_code == 200
    assert len(await world.told("agent-client")) == 2


async def test_a_client_that_the_owner_loses_is_lost_to_the_agent_at_once(world: SystemUsersWorld) -> None:
    agent, client = await world.approved(agent=True), world.client.party_uuid
    await public(world, "POST", "clients", agent, client)
    assert {one.receiver for one in await world.delegations.delegated_packages(giver=client)} == {agent}
    world.hold(world.accountant, world.client)
    assert await world.delegations.delegated_packages(giver=client) == ()
    assert (await public(world, "GET", "clients", agent)).json() == listed(agent)
    deleted = await world.send("rita", "DELETE", f"{USERS}/agent/{world.accountant.party_id}/{agent}")
    assert (deleted.status_code, deleted.text) == (202, "1")
    assert await world.given(agent) == []


async def test_an_agent_with_clients_stays(world: SystemUsersWorld) -> None:
    agent, client = await world.approved(agent=True), world.client.party_uuid
    await public(world, "POST", "clients", agent, client)
    path = f"{USERS}/agent/{world.accountant.party_id}/{agent}"
    assert problem_of(await world.send("rita", "DELETE", path)) == (400, "35")
    await public(world, "DELETE", "clients", agent, client)
    assert (await world.send("rita", "DELETE", path)).status_code == 202


async def test_an_agent_is_not_given_a_client_while_it_is_taken_away(world: SystemUsersWorld) -> None:
    agent = await world.approved(agent=True)
    path = f"{USERS}/agent/{world.accountant.party_id}/{agent}"
    deleted, given = await asyncio.gather(
        world.send("rita", "DELETE", path), public(world, "POST", "clients", agent, world.client.party_uuid)
    )
    left = await world.given(agent)
    if deleted.status_code == 202:
        assert (left, given.status_code == 200) == ([], False)
    else:
        assert (problem_of(deleted), given.status_code, len(left)) == ((400, "35"), 200, 1)


async def test_a_client_is_given_with_all_packages_or_not_at_all(world: SystemUsersWorld) -> None:
    packages = [package("for-kunder"), package("skatt")]
    agent = await world.approved(agent=True, accessPackages=packages)
    assert (await public(world, "GET", "clients/available", agent)).json() == listed(agent)
    refused = await public(world, "POST", "clients", agent, world.client.party_uuid)
    assert (problem_of(refused), refused.json()["packages"]) == ((400, "80"), ["urn:altinn:accesspackage:skatt"])
    await world.give_package(world.client, world.accountant, "skatt")
    assert (await public(world, "POST", "clients", agent, world.client.party_uuid)).status_code == 200
    assert sorted(await world.given(agent)) == [("package", "for-kunder", True), ("package", "skatt", True)]


async def test_a_package_that_may_no_longer_be_given_on_is_told(world: SystemUsersWorld) -> None:
    agent = await world.approved(agent=True)
    world.packages.add("for-kunder", delegable=False)
    assert problem_of(await public(world, "POST", "clients", agent, world.client.party_uuid)) == (400, "65")


async def test_who_is_no_client_is_told(world: SystemUsersWorld) -> None:
    agent = await world.approved(agent=True)
    assert problem_of(await public(world, "POST", "clients", agent, somebody())) == (400, "79")
    assert problem_of(await public(world, "POST", "clients", agent, world.customer.party_uuid)) == (400, "80")


async def test_a_person_is_no_client(world: SystemUsersWorld) -> None:
    agent = await world.approved(agent=True)
    world.hold(world.accountant, world.ola, "for-kunder")
    assert problem_of(await public(world, "POST", "clients", agent, world.ola.party_uuid)) == (400, "79")


async def test_an_agent_of_a_deleted_system_is_given_no_more(world: SystemUsersWorld) -> None:
    agent, client = await world.approved(agent=True), world.client.party_uuid
    await public(world, "POST", "clients", agent, client)
    await world.send("vendor", "DELETE", f"/api/v1/systemregister/vendor/{SYSTEM}")
    second = world.parties.organisation("310000104", "Klient 2")
    world.hold(world.accountant, second, "for-kunder")
    assert problem_of(await public(world, "POST", "clients", agent, second.party_uuid)) == (404, "11")
    assert (await public(world, "DELETE", "clients", agent, client)).status_code == 200
    assert await world.given(agent) == []


@pytest.mark.parametrize(("method", "path"), [("GET", "clients"), ("GET", "clients/available"), ("POST", "clients"),
                                              ("DELETE", "clients")])  # fmt: skip
async def test_which_agent_and_client_are_meant_must_be_told(world: SystemUsersWorld, method: str, path: str) -> None:
    client = world.client.party_uuid
    assert codes(await public(world, method, path, None, client)) == ["14"]
    assert codes(await public(world, method, path, "x", client)) == ["14"]
    assert codes(await public(world, method, path, somebody(), client)) == ["14"]
    user = await world.approved()
    assert codes(await public(world, method, path, user, client, by="kari")) == ["15"]
    if method != "GET":
        agent = await world.approved(agent=True)
        assert codes(await public(world, method, path, agent, None)) == ["16"]
        assert codes(await public(world, method, path, agent, "x")) == ["16"]


async def test_clients_are_seen_to_by_the_owners_people_alone(world: SystemUsersWorld) -> None:
    agent, client = await world.approved(agent=True), world.client.party_uuid
    for method, path in (("GET", "clients"), ("GET", "clients/available"), ("POST", "clients"), ("DELETE", "clients")):
        assert problem_of(await public(world, method, path, agent, client, by="kari")) == (403, "44")
    world.callers.person("reader", world.rita, "altinn:clientdelegations.read")
    assert (await public(world, "GET", "clients", agent, by="reader")).status_code == 200
    assert (await public(world, "POST", "clients", agent, client, by="reader")).status_code == 403
    assert await world.given(agent) == []


async def test_an_organisations_agents_are_listed(world: SystemUsersWorld) -> None:
    agent = await world.approved(agent=True)
    path = f"{PUBLIC}/agents"
    found = await world.send("rita", "GET", path, params={"party": ACCOUNTANT})
    assert [one["id"] for one in found.json()] == [str(agent)]
    assert problem_of(await world.send("kari", "GET", path, params={"party": ACCOUNTANT})) == (403, "44")
    assert problem_of(await world.send("rita", "GET", path, params={"party": "310000999"})) == (400, "00")
    assert (await world.send("rita", "GET", path)).status_code == 400


# -- the portal -------------------------------------------------------------------------------------------------------


async def test_the_portal_gives_clients_and_takes_them(world: SystemUsersWorld) -> None:
    agent, client = await world.approved(agent=True), world.client.party_uuid
    party, provider = world.accountant.party_id, world.accountant.party_uuid
    base = f"{USERS}/agent/{party}"
    shown = {"clientId": str(client), "clientOrganizationNumber": CLIENT_ORG, "clientOrganizationName": "Klient",
             "accessPackages": [package("for-kunder")]}  # fmt: skip
    for query, expected in (({}, [shown]), ({"packages": "for-kunder"}, [shown]), ({"packages": "skatt"}, [])):
        found = await world.send("rita", "GET", f"{base}/clients", params={"facilitator": str(provider), **query})
        assert found.json() == expected
    both = {"provider": str(provider), "client": str(client)}
    assert (await world.send("rita", "POST", f"{base}/{agent}", params=both)).status_code == 200
    delegations = await world.send("rita", "GET", f"{base}/{provider}/{agent}/delegations")
    assert delegations.json() == [{"agentSystemUserId": str(agent), **shown}]
    assert (await world.send("rita", "DELETE", f"{base}/{agent}/client", params=both)).json() is True
    assert problem_of(await world.send("rita", "DELETE", f"{base}/{agent}/client", params=both)) == (400, "38")


async def test_the_portal_asks_for_the_right_facilitator(world: SystemUsersWorld) -> None:
    agent, client = await world.approved(agent=True), world.client.party_uuid
    base = f"{USERS}/agent/{world.accountant.party_id}"
    wrong = {"provider": str(world.customer.party_uuid), "client": str(client)}
    assert problem_of(await world.send("rita", "POST", f"{base}/{agent}", params=wrong)) == (400, "31")
    clients = await world.send("rita", "GET", f"{base}/clients", params={"facilitator": wrong["provider"]})
    assert problem_of(clients) == (400, "31")
    other = await world.send("rita", "GET", f"{base}/{world.customer.party_uuid}/{agent}/delegations")
    assert problem_of(other) == (400, "31")
    right_one = {"client": str(client)}
    assert problem_of(await world.send("rita", "POST", f"{base}/{somebody()}", params=right_one)) == (404, "15")
    user = await world.approved()
    standard = f"{USERS}/agent/{world.customer.party_id}/{user}"
    assert problem_of(await world.send("kari", "POST", standard, params=right_one)) == (400, "34")
    assert problem_of(await world.send("kari", "POST", f"{base}/{agent}", params=right_one)) == (403, "44")
    assert (await world.send("rita", "POST", f"{base}/{agent}")).status_code == 400


async def test_a_facilitator_is_a_client_of_its_own(world: SystemUsersWorld) -> None:
    agent = await world.approved(agent=True, accessPackages=[package("skatt")])
    path = f"{USERS}/agent/{world.accountant.party_id}/{agent}/self/"
    query = {"partyUuid": str(world.accountant.party_uuid)}
    assert (await world.send("rita", "GET", path, params=query)).json() == []
    assert (await world.send("rita", "POST", path, params=query)).status_code == 200
    (found,) = (await world.send("rita", "GET", path, params=query)).json()
    assert (found["clientId"], found["accessPackages"]) == (query["partyUuid"], [package("skatt")])
    assert (await world.send("rita", "DELETE", path, params=query)).json() is True
    assert problem_of(await world.send("rita", "DELETE", path, params=query)) == (400, "38")
    other = {"partyUuid": str(world.customer.party_uuid)}
    assert problem_of(await world.send("rita", "POST", path, params=other)) == (400, "31")


async def test_a_package_for_clients_alone_is_not_given_in_ones_own_house(world: SystemUsersWorld) -> None:
    agent = await world.approved(agent=True)
    path = f"{USERS}/agent/{world.accountant.party_id}/{agent}/self"
    assert problem_of(await world.send("rita", "POST", path)) == (400, "53")
    world.hold(world.rita, world.accountant, "for-kunder")
    assert problem_of(await world.send("rita", "POST", path)) == (400, "50")
