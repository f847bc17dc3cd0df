"""System users as their owners, their vendors and the platform see them, and how one is taken away
(altinn-authentication.md §10)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from fullmakt.infra.database import Database
from tests.support.asking_systems import (
    ACCOUNTANT,
    API,
    CLIENT,
    CUSTOMER,
    USERS,
    SystemUsersWorld,
    problem_of,
    somebody,
)
from tests.support.systemusers import SYSTEM, VENDOR, package, right

STREAM = f"{USERS}/internal/systemusers/stream"


@pytest.fixture
async def world(narrow_database: Database) -> AsyncIterator[SystemUsersWorld]:
    world = SystemUsersWorld(narrow_database)
    await world.registered()
    yield world
    await world.close()


def dto(user: UUID) -> dict[str, object]:
    return {
        "id": str(user),
        "integrationTitle": "SmartSky",
        "systemId": SYSTEM,
        "productName": "",
        "reporteeOrgNo": CUSTOMER,
        "created": "2026-01-05T10:11:12.345000Z",
        "isDeleted": False,
        "supplierName": "",
        "supplierOrgno": VENDOR,
        "externalRef": CUSTOMER,
        "userType": "standard",
    }


# -- looking ----------------------------------------------------------------------------------------------------------


async def test_an_owner_sees_its_system_users_and_what_they_may(world: SystemUsersWorld) -> None:
    user, agent = await world.approved(), await world.approved(agent=True)
    customer, accountant = world.customer.party_id, world.accountant.party_id
    mine = {**dto(user), "partyId": str(customer)}
    assert (await world.send("ola", "GET", f"{USERS}/{customer}")).json() == [mine]
    rights = {"rights": [right("krav")], "accessPackages": [package("skatt")]}
    assert (await world.send("ola", "GET", f"{USERS}/{customer}/{user}")).json() == {**mine, **rights}
    assert (await world.send("ola", "GET", f"{USERS}/{customer}/{user}/delegations")).json() == rights
    assert (await world.send("rita", "GET", f"{USERS}/{accountant}")).json() == []
    (found,) = (await world.send("rita", "GET", f"{USERS}/agent/{accountant}")).json()
    assert (found["id"], found["userType"], found["reporteeOrgNo"]) == (str(agent), "agent", ACCOUNTANT)
    one = (await world.send("rita", "GET", f"{USERS}/{accountant}/{agent}")).json()
    assert (one["rights"], one["accessPackages"]) == ([], [package("for-kunder")])


async def test_nobody_sees_the_system_users_of_others(world: SystemUsersWorld) -> None:
    user = await world.approved()
    for rest in ("", f"/{user}", f"/{user}/delegations"):
        assert problem_of(await world.send("rita", "GET", f"{USERS}/{world.customer.party_id}{rest}")) == (403, "44")
    theirs = await world.send("rita", "GET", f"{USERS}/{world.accountant.party_id}/{user}")
    assert problem_of(theirs) == (404, "15")
    assert problem_of(await world.send("rita", "DELETE", f"{USERS}/{world.customer.party_id}/{user}")) == (403, "44")
    assert (await world.send("vendor", "GET", f"{USERS}/{world.customer.party_id}")).status_code == 403
    assert (await world.send("kari", "GET", f"{USERS}/{world.customer.party_id}/x")).status_code == 400


async def test_a_browser_looks_by_its_cookie_and_changes_nothing_by_it(world: SystemUsersWorld) -> None:
    user = await world.approved()
    path, cookie = f"{USERS}/{world.customer.party_id}/{user}", {"Cookie": "AltinnStudioRuntime=kari"}
    assert (await world.send(None, "GET", path, headers=cookie)).json()["id"] == str(user)
    assert (await world.send(None, "DELETE", path, headers=cookie)).status_code == 401
    assert (await world.send("kari", "GET", path)).status_code == 200


async def test_a_vendor_finds_a_system_user_by_its_key(world: SystemUsersWorld) -> None:
    user = await world.approved()
    path = f"{USERS}/vendor/byquery"
    query = {"system-id": SYSTEM, "orgno": CUSTOMER}
    assert (await world.send("vendor", "GET", path, params=query)).json() == dto(user)
    shouted = {"SYSTEM-ID": SYSTEM, "OrgNo": CUSTOMER, "External-Ref": CUSTOMER}
    assert (await world.send("vendor", "GET", path, params=shouted)).json() == dto(user)
    other = await world.send("vendor", "GET", path, params={**query, "external-ref": "x"})
    assert problem_of(other) == (404, "15")
    assert problem_of(await world.send("rival", "GET", path, params=query)) == (404, "11")
    refused = [reason for action, outcome, reason in await world.told("system-user:read") if outcome == "deny"]
    assert refused == ["AUTH-00015", "AUTH-00011"]
    assert (await world.send("vendor", "GET", path, params={"orgno": CUSTOMER})).status_code == 400
    assert (await world.send("vendor", "GET", path, params={**query, "orgno": "x"})).status_code == 400


async def test_a_vendor_reads_a_systems_users_in_pages(world: SystemUsersWorld) -> None:
    made = [str(await world.approved(externalRef=f"ref-{number}")) for number in range(51)]
    path = f"{USERS}/vendor/bysystem/{SYSTEM}"
    first = (await world.send("vendor", "GET", path)).json()
    second = (await world.send("vendor", "GET", first["links"]["next"].removeprefix(API))).json()
    assert [one["id"] for one in first["data"] + second["data"]] == made
    assert (first["data"][0]["productName"], second["links"]) == ("", {})
    assert problem_of(await world.send("rival", "GET", path)) == (404, "11")


async def test_the_platform_follows_every_change(world: SystemUsersWorld) -> None:
    first, second = await world.approved(), await world.approved(externalRef="second")
    world.clock.advance(minutes=1)
    await world.send("kari", "DELETE", f"{USERS}/{world.customer.party_id}/{first}")
    page = (await world.send("admin", "GET", STREAM)).json()
    assert [(one["id"], one["isDeleted"]) for one in page["data"]] == [(str(second), False), (str(first), True)]
    numbers = [one["sequenceNo"] for one in page["data"]]
    assert page["stats"] == {"pageStart": numbers[0], "pageEnd": numbers[1], "sequenceMax": numbers[1]}
    assert page["links"] == {}
    assert page["data"][1] == {
        "id": str(first),
        "partyOrgNo": CUSTOMER,
        "partyId": world.customer.party_id,
        "integrationTitle": "SmartSky",
        "isDeleted": True,
        "lastChanged": "2026-01-05T10:12:12.345000Z",
        "created": "2026-01-05T10:11:12.345000Z",
        "sequenceNo": numbers[1],
        "systemUserType": "standard",
    }


async def test_the_stream_comes_in_pages_of_a_hundred(world: SystemUsersWorld) -> None:
    made = [str(await world.approved(externalRef=f"ref-{number}")) for number in range(101)]
    first = (await world.send("admin", "GET", STREAM)).json()
    second = (await world.send("admin", "GET", first["links"]["next"].removeprefix(API))).json()
    assert [one["id"] for one in first["data"] + second["data"]] == made
    assert (len(first["data"]), second["links"]) == (100, {})


async def test_the_platforms_own_components_and_administrators_read_the_stream(world: SystemUsersWorld) -> None:
    user = await world.approved()
    one = f"{USERS}/internal/systemusers/{user}"
    for path in (STREAM, one):
        trusted = await world.send(None, "GET", path, headers={"PlatformAccessToken": "platform"})
        assert trusted.status_code == 200
        owner = await world.send(None, "GET", path, headers={"PlatformAccessToken": "ttd"})
        assert (owner.status_code, owner.content) == (403, b"")
        forged = await world.send("admin", "GET", path, headers={"PlatformAccessToken": "forged"})
        assert forged.status_code == 401
        assert (await world.send("vendor", "GET", path)).status_code == 403
        assert (await world.send(None, "GET", path)).status_code == 401
    await world.send("kari", "DELETE", f"{USERS}/{world.customer.party_id}/{user}")
    assert (await world.send("admin", "GET", one)).status_code == 410
    assert (await world.send("admin", "GET", f"{USERS}/internal/systemusers/{somebody()}")).status_code == 410


# -- making one oneself -----------------------------------------------------------------------------------------------


async def test_a_visible_system_is_taken_into_use_without_being_asked(world: SystemUsersWorld) -> None:
    await world.redefined(isVisible=True, accessPackages=[package("skatt")])
    path = f"{USERS}/{world.customer.party_id}/create"
    made = await world.send("kari", "POST", path, json={"integrationTitle": "Mitt", "systemId": SYSTEM})
    assert made.status_code == 200
    user = UUID(made.json()["id"])
    assert (made.json()["integrationTitle"], made.json()["externalRef"]) == ("Mitt", CUSTOMER)
    assert await world.given(user) == [
        ("package", "skatt", True), ("resource", "krav", True), ("resource", "melding", True),
    ]  # fmt: skip
    assert (await world.look_up()).json()["id"] == str(user)
    again = await world.send("kari", "POST", path, json={"systemId": SYSTEM})
    assert problem_of(again) == (400, "04")
    assert problem_of(await world.send("ola", "POST", path, json={"systemId": SYSTEM})) == (403, "44")


async def test_what_can_not_be_taken_into_use_is_told(world: SystemUsersWorld) -> None:
    path = f"{USERS}/{world.customer.party_id}/create"
    body = {"systemId": SYSTEM}
    assert problem_of(await world.send("kari", "POST", path, json=body)) == (404, "11")
    await world.redefined(isVisible=True, accessPackages=[package("skatt"), package("moms")])
    world.hold(world.kari, world.customer, "skatt")
    assert problem_of(await world.send("kari", "POST", path, json=body)) == (400, "53")
    await world.redefined(isVisible=True, accessPackages=None, rights=None)
    assert problem_of(await world.send("kari", "POST", path, json=body)) == (400, "59")
    assert (await world.send("kari", "POST", path, json={})).status_code == 400
    world.authority.permit(world.kari, "altinn_access_management", world.kari, "write")
    herself = f"{USERS}/{world.kari.party_id}/create"
    assert problem_of(await world.send("kari", "POST", herself, json=body)) == (400, "00")
    assert await world.rows("SELECT 1 FROM systemusers.system_user") == []


# -- taking one away --------------------------------------------------------------------------------------------------


async def test_a_system_user_goes_with_all_that_it_may(world: SystemUsersWorld) -> None:
    user = await world.approved()
    path = f"{USERS}/{world.customer.party_id}/{user}"
    assert problem_of(await world.send("ola", "DELETE", path)) == (403, "44")
    deleted = await world.send("kari", "DELETE", path)
    assert (deleted.status_code, deleted.text) == (202, "1")
    assert await world.given(user) == []
    assert f"client:{CLIENT}" in (await world.announced())[-3:]
    assert (await world.send("kari", "GET", path)).status_code == 404
    again = await world.send("kari", "DELETE", path)
    assert (again.status_code, again.text) == (404, "0")
    unknown = await world.send("kari", "DELETE", f"{USERS}/{world.customer.party_id}/{somebody()}")
    assert (unknown.status_code, unknown.text) == (404, "0")
    assert (await world.told("system-user:delete"))[-1] == ("system-user:delete", "done", "")


async def test_a_system_with_very_many_clients_concerns_everybody(world: SystemUsersWorld) -> None:
    await world.redefined(clientId=[f"client-{number}" for number in range(1_001)])
    await world.approved()
    last = await world.rows(
        "SELECT key FROM feed.change WHERE topic = 'altinn.systemusers' AND version = "
        "(SELECT max(version) FROM feed.change WHERE topic = 'altinn.systemusers') ORDER BY key"
    )
    assert [key.partition(":")[0] for (key,) in last] == ["*", "request", "systemuser"]
    assert (await world.look_up(clientId="client-1000")).status_code == 200


async def test_a_client_id_in_capitals_is_announced_in_both_forms(world: SystemUsersWorld) -> None:
    await world.redefined(clientId=["Client-A"])
    await world.approved()
    assert {"client:Client-A", "client:client-a"} <= set((await world.announced())[-5:])


async def test_of_many_who_take_it_away_at_once_one_does(world: SystemUsersWorld) -> None:
    user = await world.approved()
    path = f"{USERS}/{world.customer.party_id}/{user}"
    answers = await asyncio.gather(*(world.send("kari", "DELETE", path) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [202, 404, 404, 404]


async def test_agents_are_taken_away_by_their_own_door(world: SystemUsersWorld) -> None:
    agent = await world.approved(agent=True)
    party = world.accountant.party_id
    assert problem_of(await world.send("rita", "DELETE", f"{USERS}/{party}/{agent}")) == (400, "36")
    path = f"{USERS}/agent/{party}/{agent}"
    wrong = await world.send("rita", "DELETE", path, params={"facilitatorId": str(world.customer.party_uuid)})
    assert problem_of(wrong) == (400, "31")
    right_one = await world.send("rita", "DELETE", path, params={"facilitatorId": str(world.accountant.party_uuid)})
    assert (right_one.status_code, right_one.text) == (202, "1")
    again = await world.send("rita", "DELETE", path)
    assert (again.status_code, again.text) == (404, "0")
    user = await world.approved()
    standard = await world.send("kari", "DELETE", f"{USERS}/agent/{world.customer.party_id}/{user}")
    assert problem_of(standard) == (400, "34")


async def test_the_system_users_of_a_deleted_system_are_not_shown(world: SystemUsersWorld) -> None:
    user = await world.approved()
    await world.send("vendor", "DELETE", f"/api/v1/systemregister/vendor/{SYSTEM}")
    assert (await world.send("kari", "GET", f"{USERS}/{world.customer.party_id}")).json() == []
    assert (await world.look_up()).status_code == 404
    assert (await world.send("kari", "DELETE", f"{USERS}/{world.customer.party_id}/{user}")).status_code == 202
    assert await world.given(user) == []
