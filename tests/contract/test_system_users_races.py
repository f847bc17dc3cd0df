"""Several at once, and what breaks off in the middle: nothing is half made, and nobody waits for ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.infra.database import Database
from fullmakt.wire.altinn.delegations import Giving, GivingRefusedError
from tests.support.asking_systems import (
    CHANGE,
    PUBLIC,
    REQUEST,
    USERS,
    SystemUsersWorld,
    problem_of,
)
from tests.support.systemusers import SYSTEM, package, right

REGISTERED = f"/api/v1/systemregister/vendor/{SYSTEM}"


@pytest.fixture
async def world(database: Database) -> AsyncIterator[SystemUsersWorld]:
    world = SystemUsersWorld(database)
    await world.registered()
    yield world
    await world.close()


async def test_an_approval_and_a_deletion_of_the_system_come_one_after_the_other(world: SystemUsersWorld) -> None:
    request_id = await world.requested()
    approved, deleted = await asyncio.gather(
        world.answer("kari", "approve", request_id), world.send("vendor", "DELETE", REGISTERED)
    )
    assert deleted.status_code == 200
    made = len(await world.rows("SELECT 1 FROM systemusers.system_user"))
    given = len(await world.given(UUID(request_id)))
    assert (approved.status_code, made, given) in {(200, 1, 2), (404, 0, 0)}


async def test_an_approval_and_a_change_of_the_system_come_one_after_the_other(world: SystemUsersWorld) -> None:
    request_id = await world.requested()
    approved, _ = await asyncio.gather(
        world.answer("kari", "approve", request_id), world.redefined(rights=[right("melding")])
    )
    given = len(await world.given(UUID(request_id)))
    assert (approved.status_code, given) in {(200, 2), (400, 0)}


async def test_the_same_key_by_two_doors_makes_one_system_user(world: SystemUsersWorld) -> None:
    await world.redefined(isVisible=True, accessPackages=[package("skatt")])
    request_id = await world.requested()
    path = f"{USERS}/{world.customer.party_id}/create"
    answers = await asyncio.gather(
        world.answer("kari", "approve", request_id),
        *(world.send("kari", "POST", path, json={"systemId": SYSTEM}) for _ in range(3)),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]
    assert {problem_of(answer) for answer in answers if answer.status_code == 400} == {(400, "04")}
    assert len(await world.rows("SELECT 1 FROM systemusers.system_user")) == 1


async def test_a_change_and_a_deletion_come_one_after_the_other(world: SystemUsersWorld) -> None:
    user, change = await world.approved(), UUID(int=1)
    query = {"correlation-id": str(change), "system-user-id": str(user)}
    asked = await world.send(
        "vendor", "POST", f"{CHANGE}/vendor", params=query, json={"requiredRights": [right("melding")]}
    )
    assert asked.status_code == 201
    party = world.customer.party_id
    approved, deleted = await asyncio.gather(
        world.send("kari", "POST", f"{CHANGE}/{party}/{change}/approve"),
        world.send("kari", "DELETE", f"{USERS}/{party}/{user}"),
    )
    assert deleted.status_code == 202
    assert approved.status_code in {200, 404}
    assert await world.given(user) == []


async def test_clients_are_given_and_taken_by_many_at_once(world: SystemUsersWorld) -> None:
    agent = await world.approved(agent=True)
    both = {"agent": str(agent), "client": str(world.client.party_uuid)}
    methods = ["POST", "DELETE"] * 4
    answers = await asyncio.gather(*(world.send("rita", one, f"{PUBLIC}/clients", params=both) for one in methods))
    assert {answer.status_code for answer in answers} == {200}
    told = [action for action, _, _ in await world.told("agent-client")]
    assert told == ["agent-client:give", "agent-client:take"] * (len(told) // 2) + told[len(told) // 2 * 2 :]
    assert len(await world.given(agent)) == len(told) % 2


async def test_a_renewed_request_is_made_once(world: SystemUsersWorld) -> None:
    old = await world.requested()
    world.clock.advance(days=200)
    answers = await asyncio.gather(*(world.ask() for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    (new,) = {answer.json()["id"] for answer in answers}
    assert new != old


class Refusing:
    """Access management that gives, and then finds that it can not."""

    def __init__(self, rights: Any) -> None:
        self._rights = rights

    def __getattr__(self, name: str) -> Any:
        return getattr(self._rights, name)

    async def change(self, connection: AsyncConnection, *ends: UUID, give: Collection[Giving], **more: Any) -> int:
        await self._rights.change(connection, *ends, give=give, **more)
        raise GivingRefusedError("fallen", "what it stands on has fallen")


async def test_what_can_not_be_given_after_all_leaves_nothing(world: SystemUsersWorld) -> None:
    request_id = await world.requested()
    before = await world.announced()
    rights = world.service.answering._neighbours.rights
    object.__setattr__(world.neighbours, "rights", Refusing(rights))
    refused = await world.answer("kari", "approve", request_id)
    assert (problem_of(refused), refused.json()["reason"]) == ((400, "02"), "fallen")
    object.__setattr__(world.neighbours, "rights", rights)
    assert await world.rows("SELECT 1 FROM systemusers.system_user") == []
    assert await world.given(UUID(request_id)) == []
    assert (await world.status_of(request_id), await world.announced()) == ("New", before)
    assert (await world.told())[-1] == ("system-user-request:approve", "deny", "AUTH-00002")
    assert (await world.answer("kari", "approve", request_id)).status_code == 200


async def test_the_stream_is_in_the_order_of_commits(world: SystemUsersWorld) -> None:
    requests = [await world.requested(externalRef=str(number)) for number in range(6)]
    await asyncio.gather(*(world.answer("kari", "approve", one) for one in requests))
    page = await world.service.users.stream(0)
    numbers = [user.sequence_no for user in page.users]
    assert numbers == sorted(set(numbers))
    assert (len(numbers), page.sequence_max) == (6, numbers[-1])
    keys = await world.rows(
        "SELECT key FROM feed.change WHERE topic = 'altinn.systemusers' AND key LIKE 'systemuser:%' ORDER BY version"
    )
    assert [key for (key,) in keys] == [f"systemuser:{user.system_user_id}" for user in page.users]


async def test_a_vendor_that_takes_a_request_back_races_with_the_answer(world: SystemUsersWorld) -> None:
    for number in range(3):
        request_id = await world.requested(externalRef=str(number))
        approved, deleted = await asyncio.gather(
            world.answer("kari", "approve", request_id),
            world.send("vendor", "DELETE", f"{REQUEST}/vendor/{request_id}"),
        )
        assert deleted.status_code == 202
        assert approved.status_code in {200, 404}
        users = await world.rows(
            "SELECT 1 FROM systemusers.system_user WHERE system_user_id = :request_id", request_id=request_id
        )
        assert len(users) == (approved.status_code == 200)
