"""A vendor asks that a system user be given other rights (altinn-authentication.md §9)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx2
import pytest

from fullmakt.altinn.systemusers import errors
from fullmakt.altinn.systemusers.requests.changing import Changing
from fullmakt.altinn.systemusers.requests.model import Alteration
from fullmakt.infra.database import Database
from fullmakt.wire.altinn.delegations import Given
from fullmakt.wire.altinn.problems import AltinnProblemError
from tests.support.asking_systems import (
    API,
    CHANGE,
    CUSTOMER,
    PAGES,
    USERS,
    SystemUsersWorld,
    problem_of,
    somebody,
)
from tests.support.systemusers import SYSTEM, VENDOR, package, right

MORE = {"requiredRights": [right("melding")], "unwantedAccessPackages": [package("skatt")]}
ID = UUID("11111111-1111-4111-8111-111111111111")


@pytest.fixture
async def world(narrow_database: Database) -> AsyncIterator[SystemUsersWorld]:
    world = SystemUsersWorld(narrow_database)
    await world.registered()
    yield world
    await world.close()


async def ask(
    world: SystemUsersWorld,
    user: UUID,
    body: dict[str, Any] | None = None,
    *,
    by: str = "vendor",
    number: UUID | None = ID,
) -> httpx2.Response:
    query = {"system-user-id": str(user), **({"correlation-id": str(number)} if number else {})}
    return await world.send(by, "POST", f"{CHANGE}/vendor", params=query, json=MORE if body is None else body)


async def answer(world: SystemUsersWorld, token: str, verb: str, number: UUID = ID) -> httpx2.Response:
    return await world.send(token, "POST", f"{CHANGE}/{world.customer.party_id}/{number}/{verb}")


async def test_a_change_is_asked_for_written_out_and_approved(world: SystemUsersWorld) -> None:
    user = await world.approved()
    asked = await ask(world, user, {**MORE, "redirectUrl": "https://smartcloud.example/receipt"})
    assert asked.status_code == 201
    assert asked.json() == {
        "id": str(ID),
        "systemUserId": str(user),
        "systemId": SYSTEM,
        "partyOrgNo": CUSTOMER,
        "externalRef": CUSTOMER,
        "requiredRights": [right("melding")],
        "unwantedRights": [],
        "requiredAccessPackages": [],
        "unwantedAccessPackages": [package("skatt")],
        "status": "New",
        "redirectUrl": "https://smartcloud.example/receipt",
        "confirmUrl": f"{PAGES}/accessmanagement/ui/systemuser/changerequest?id={ID}&DONTCHOOSEREPORTEE=true",
        "created": "2026-01-05T10:11:12.345000Z",
    }
    assert await world.given(user) == [("package", "skatt", True), ("resource", "krav", True)]
    assert (await answer(world, "kari", "approve")).text == "true"
    assert await world.given(user) == [("resource", "krav", True), ("resource", "melding", True)]
    assert (await world.send("vendor", "GET", f"{CHANGE}/vendor/{ID}")).json()["status"] == "Accepted"
    assert f"systemuser:{user}" in (await world.announced())[-4:]
    assert (await world.told("system-user:change")) == [("system-user:change", "done", "")]


async def test_the_same_id_again_is_the_same_request_until_it_is_answered(world: SystemUsersWorld) -> None:
    user = await world.approved()
    first, again = await ask(world, user), await ask(world, user, {})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    other = await world.approved(externalRef="other")
    assert problem_of(await ask(world, other)) == (409, "61")
    await answer(world, "kari", "reject")
    assert problem_of(await ask(world, user)) == (409, "61")


async def test_many_who_ask_at_once_have_asked_once(world: SystemUsersWorld) -> None:
    user = await world.approved()
    answers = await asyncio.gather(*(ask(world, user) for _ in range(4)))
    assert sorted(one.status_code for one in answers) == [200, 200, 200, 201]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"requiredRights": [], "unwantedRights": []},
        {"requiredRights": [right("krav")], "requiredAccessPackages": [package("skatt")]},
        {"unwantedRights": [right("melding")], "unwantedAccessPackages": [package("moms")]},
    ],
    ids=["empty", "wenche", "there already", "not there anyway"],
)
async def test_what_would_change_nothing_is_not_kept(world: SystemUsersWorld, body: dict[str, Any]) -> None:
    user = await world.approved()
    asked = await ask(world, user, body)
    assert asked.status_code == 200
    assert (asked.json()["status"], asked.json()["confirmUrl"]) == ("NoChangeNeeded", "")
    assert problem_of(await world.send("vendor", "GET", f"{CHANGE}/vendor/{ID}")) == (404, "10")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"requiredRights": [right("annet")]}, 400, "01"),
        ({"requiredAccessPackages": [package("moms")]}, 400, "63"),
        ({"requiredAccessPackages": [package("for-kunder")]}, 400, "64"),
        ({**MORE, "redirectUrl": "https://elsewhere.example/"}, 400, "21"),
    ],
    ids=["right", "package", "not assignable", "redirect"],
)
async def test_what_is_wrong_with_a_change_is_told(
    world: SystemUsersWorld, body: dict[str, Any], status: int, code: str
) -> None:
    user = await world.approved()
    assert problem_of(await ask(world, user, body)) == (status, code)
    assert ("system-user-change:create", "deny", f"AUTH-000{code}") in await world.told()


async def test_ids_are_asked_for_and_not_the_same(world: SystemUsersWorld) -> None:
    user = await world.approved()
    missing = await ask(world, user, number=None)
    assert (missing.status_code, missing.headers["content-type"]) == (400, "text/plain; charset=utf-8")
    same = await ask(world, user, number=user)
    assert (same.status_code, same.headers["content-type"]) == (400, "text/plain; charset=utf-8")
    for query in (
        {"correlation-id": "x"},
        {"correlation-id": str(ID)},
        {"correlation-id": str(ID), "system-user-id": ""},
    ):
        answer = await world.send("vendor", "POST", f"{CHANGE}/vendor", params=query, json={})
        assert (answer.status_code, bool(answer.json()["errors"])) == (400, True)


async def test_changes_are_for_standard_system_users_of_ones_own(world: SystemUsersWorld) -> None:
    assert problem_of(await ask(world, somebody())) == (404, "15")
    agent = await world.approved(agent=True)
    assert problem_of(await ask(world, agent)) == (400, "36")
    user = await world.approved()
    assert problem_of(await ask(world, user, by="rival")) == (404, "11")
    await world.send("kari", "DELETE", f"{USERS}/{world.customer.party_id}/{user}")
    assert problem_of(await ask(world, user)) == (404, "15")


async def test_a_vendor_finds_and_takes_back_its_own_changes(world: SystemUsersWorld) -> None:
    user = await world.approved()
    await ask(world, user)
    path = f"{CHANGE}/vendor/byexternalref/{SYSTEM}/{CUSTOMER}"
    assert (await world.send("vendor", "GET", f"{path}/{CUSTOMER}")).json()["id"] == str(ID)
    assert problem_of(await world.send("vendor", "GET", f"{path}/other")) == (404, "10")
    listed = (await world.send("vendor", "GET", f"{CHANGE}/vendor/bysystem/{SYSTEM}")).json()
    assert (listed["links"], [one["id"] for one in listed["data"]]) == ({}, [str(ID)])
    for method, rest in (("GET", f"/{ID}"), ("DELETE", f"/{ID}"), ("GET", f"/bysystem/{SYSTEM}")):
        assert problem_of(await world.send("rival", method, f"{CHANGE}/vendor{rest}")) == (404, "11")
    assert (await world.send("vendor", "DELETE", f"{CHANGE}/vendor/{ID}")).status_code == 202
    assert problem_of(await world.send("vendor", "DELETE", f"{CHANGE}/vendor/{ID}")) == (404, "10")
    assert problem_of(await answer(world, "kari", "approve")) == (404, "10")
    assert problem_of(await ask(world, user)) == (409, "61")


async def test_changes_come_in_pages(world: SystemUsersWorld) -> None:
    user = await world.approved()
    for place in range(51):
        assert (await ask(world, user, number=UUID(int=place + 1))).status_code == 201
    first = (await world.send("vendor", "GET", f"{CHANGE}/vendor/bysystem/{SYSTEM}")).json()
    second = (await world.send("vendor", "GET", first["links"]["next"].removeprefix(API))).json()
    assert [one["id"] for one in first["data"] + second["data"]] == [str(UUID(int=n + 1)) for n in range(51)]


async def test_of_two_answers_the_first_stands(world: SystemUsersWorld) -> None:
    user = await world.approved()
    await ask(world, user)
    answers = await asyncio.gather(*(answer(world, "kari", verb) for verb in ("approve", "reject", "approve")))
    assert sorted(one.status_code for one in answers) == [200, 409, 409]
    assert {problem_of(one) for one in answers if one.status_code != 200} == {(409, "13")}


async def test_those_who_are_asked_answer_for_their_own(world: SystemUsersWorld) -> None:
    user = await world.approved()
    await ask(world, user)
    seen = await world.send("ola", "GET", f"{CHANGE}/{ID}")
    assert seen.json() == (await world.send("ola", "GET", f"{CHANGE}/{world.customer.party_id}/{ID}")).json()
    assert seen.json()["partyUuid"] == str(world.customer.party_uuid)
    assert problem_of(await answer(world, "ola", "approve")) == (403, "44")
    for method, rest in (("GET", ""), ("POST", "/approve"), ("POST", "/reject")):
        refused = await world.send("rita", method, f"{CHANGE}/{world.accountant.party_id}/{ID}{rest}")
        assert problem_of(refused) == (403, "41")
    assert problem_of(await world.send("rita", "GET", f"{CHANGE}/{ID}")) == (403, "44")
    assert problem_of(await answer(world, "kari", "approve", somebody())) == (404, "10")


async def test_a_change_is_approved_as_the_system_is_then(world: SystemUsersWorld) -> None:
    user = await world.approved()
    await ask(world, user)
    await world.redefined(rights=[right("krav")])
    assert problem_of(await answer(world, "kari", "approve")) == (400, "01")
    await world.redefined()
    world.authority.rules = {rule for rule in world.authority.rules if rule[2] != "melding"}
    assert problem_of(await answer(world, "kari", "approve")) == (403, "16")
    assert await world.given(user) == [("package", "skatt", True), ("resource", "krav", True)]
    await world.send("kari", "DELETE", f"{USERS}/{world.customer.party_id}/{user}")
    assert (await answer(world, "kari", "approve")).status_code in {403, 404}


async def test_a_change_of_a_system_user_that_is_gone_is_not_approved(world: SystemUsersWorld) -> None:
    user = await world.approved()
    await ask(world, user)
    await world.send("kari", "DELETE", f"{USERS}/{world.customer.party_id}/{user}")
    for verb in ("approve", "reject"):
        assert problem_of(await answer(world, "kari", verb)) == (404, "15")
    assert await world.given(user) == []


async def test_a_change_that_nobody_answered_in_time_is_not_approved(world: SystemUsersWorld) -> None:
    user = await world.approved()
    await ask(world, user)
    world.clock.advance(days=181)
    assert problem_of(await answer(world, "kari", "approve")) == (409, "13")
    assert (await world.send("kari", "GET", f"{CHANGE}/{ID}")).json()["status"] == "Timedout"
    assert problem_of(await ask(world, user)) == (409, "61")


async def test_what_is_required_and_unwanted_at_once_stays(world: SystemUsersWorld) -> None:
    user = await world.approved()
    both = {"requiredRights": [right("krav"), right("melding")], "unwantedRights": [right("krav")]}
    assert (await ask(world, user, both)).status_code == 201
    assert (await answer(world, "kari", "approve")).status_code == 200
    assert ("resource", "krav", True) in await world.given(user)


class TakenBackMeanwhile:
    """Access management that is asked while the owner takes the system user back."""

    def __init__(self, world: SystemUsersWorld, user: UUID) -> None:
        self._world, self._user = world, user

    def __getattr__(self, name: str) -> Any:
        return getattr(self._world.rights, name)

    async def given(self, system_user: UUID, **more: Any) -> tuple[Given, ...]:
        found = await self._world.rights.given(system_user, **more)
        await self._world.send("kari", "DELETE", f"{USERS}/{self._world.customer.party_id}/{self._user}")
        return found


async def test_nothing_is_asked_of_a_system_user_that_is_taken_back_meanwhile(world: SystemUsersWorld) -> None:
    user = await world.approved()
    changing = Changing(world.service.work, replace(world.neighbours, rights=TakenBackMeanwhile(world, user)))
    with pytest.raises(AltinnProblemError) as refused:
        await changing.ask(ID, user, Alteration(unwanted_packages=("skatt",)), "", VENDOR, "vendor")
    assert refused.value.kind is errors.SYSTEM_USER_NOT_FOUND
    assert await world.rows("SELECT 1 FROM systemusers.change_request") == []


async def test_a_change_does_not_wait_for_the_owner_of_a_system_user_that_is_gone(world: SystemUsersWorld) -> None:
    user = await world.approved()
    await ask(world, user)
    await world.send("kari", "DELETE", f"{USERS}/{world.customer.party_id}/{user}")
    one = await world.send("vendor", "GET", f"{CHANGE}/vendor/{ID}")
    (listed,) = (await world.send("vendor", "GET", f"{CHANGE}/vendor/bysystem/{SYSTEM}")).json()["data"]
    assert (one.json()["status"], listed["status"]) == ("Rejected", "Rejected")


@pytest.mark.parametrize("member", ["requiredRights", "unwantedRights"])
async def test_a_right_names_its_resource_as_a_resource(world: SystemUsersWorld, member: str) -> None:
    user = await world.approved()
    odd = {"resource": [{"id": "urn:altinn:org", "value": "krav"}]}
    assert problem_of(await ask(world, user, {member: [odd]})) == (400, "01")
