"""Two writers at once: the database decides, one of them is told, and nothing is half done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import text

from fullmakt.altinn.systemusers.register import store
from fullmakt.infra.database import Database
from tests.support.systemusers import REGISTER, SYSTEM, VENDOR, RegisterSetting, codes, definition, right

OWN = f"{REGISTER}/vendor/{SYSTEM}"
MANY = 8


@pytest.fixture
async def setting(database: Database) -> RegisterSetting:
    return RegisterSetting(database)


async def answers(*attempts: Awaitable[httpx2.Response]) -> tuple[int, list[list[str]]]:
    """How many succeeded, and the rules that the others were told to have broken."""
    all_of_them = await asyncio.gather(*attempts)
    refused = [answer for answer in all_of_them if answer.status_code != 200]
    return len(all_of_them) - len(refused), [codes(answer) for answer in refused]


async def claims(setting: RegisterSetting, *names: str) -> dict[str, list[str]]:
    """The client ids of each system, in order."""
    found = [await setting.service.system(f"{VENDOR}_{name}") for name in names]
    return {system.id.partition("_")[2]: sorted(system.client_ids) for system in found if system is not None}


async def test_a_client_that_two_new_systems_claim_is_one_of_theirs(setting: RegisterSetting) -> None:
    async with setting.client() as vendor:
        succeeded, refused = await answers(
            *(
                vendor.post(f"{REGISTER}/vendor", json=definition(f"s{number}", clientId=[f"own-{number}", "shared"]))
                for number in range(MANY)
            )
        )
    assert (succeeded, refused) == (1, [["04"]] * (MANY - 1))
    assert len(await setting.service.catalogue()) == 1
    done = [action for action, outcome, *_ in await setting.told() if outcome == "done"]
    assert done == ["system:create"]
    assert {version for version, _ in await setting.announced()} == {1}


async def test_an_id_that_is_asked_for_at_once_is_given_out_once(setting: RegisterSetting) -> None:
    async with setting.client() as vendor:
        succeeded, refused = await answers(
            *(
                vendor.post(f"{REGISTER}/vendor", json=definition(clientId=[f"client-{number}"]))
                for number in range(MANY)
            )
        )
    assert (succeeded, refused) == (1, [["02"]] * (MANY - 1))


async def test_a_client_that_two_old_systems_claim_is_one_of_theirs(setting: RegisterSetting) -> None:
    names = [f"s{number}" for number in range(MANY)]
    for name in names:
        await setting.register(name)
    async with setting.client() as vendor:
        succeeded, refused = await answers(
            *(
                vendor.put(f"{REGISTER}/vendor/{VENDOR}_{name}", json=definition(name, clientId=["shared"]))
                for name in names
            )
        )
    assert (succeeded, refused) == (1, [["04"]] * (MANY - 1))
    held = list((await claims(setting, *names)).values())
    assert held.count(["shared"]) == 1
    assert len(held) == MANY


async def test_a_new_system_and_an_old_one_that_claim_a_client_do_not_both_get_it(setting: RegisterSetting) -> None:
    await setting.register()
    async with setting.client() as vendor:
        succeeded, refused = await answers(
            vendor.put(OWN, json=definition(clientId=["b", "a"])),
            vendor.post(f"{REGISTER}/vendor", json=definition("new", clientId=["a", "b"])),
        )
    assert (succeeded, refused) == (1, [["04"]])


async def test_systems_that_exchange_clients_do_not_wait_for_each_other_for_ever(setting: RegisterSetting) -> None:
    first, second = [await setting.register(name, clientId=[name]) for name in ("a", "b")]

    async def take(system: UUID, *client_ids: str) -> bool:
        async with setting.database.transaction() as connection:
            return await store.reclaim(connection, system, client_ids)

    for _ in range(10):
        taken = await asyncio.gather(take(first, "b"), take(second, "a"))
        assert sorted(taken) == [False, True]  # whoever is first finds the other's client taken, and lets its own go
        for system, client_ids in ((first, ()), (second, ()), (first, ("a",)), (second, ("b",))):
            assert await take(system, *client_ids)


async def test_of_writers_with_one_version_one_succeeds(setting: RegisterSetting) -> None:
    await setting.register()
    calls: list[tuple[str, str, Any]] = [
        ("PUT", OWN, definition(isVisible=False)),
        ("PUT", f"{OWN}/rights", [right("melding")]),
        ("PUT", f"{OWN}/accesspackages", []),
        ("DELETE", OWN, None),
    ]
    async with setting.client() as vendor:
        found = await asyncio.gather(
            *(vendor.request(method, path, json=body, headers={"If-Match": '"1"'}) for method, path, body in calls * 2)
        )
    statuses = sorted(answer.status_code for answer in found)
    assert statuses[0] == 200
    assert 200 not in statuses[1:]
    assert set(statuses[1:]) <= {400, 412}  # 400 for who comes after the deletion


async def test_rights_and_packages_that_are_replaced_at_once_are_both_kept(setting: RegisterSetting) -> None:
    await setting.register()
    async with setting.client() as vendor:
        succeeded, _ = await answers(
            *(vendor.put(f"{OWN}/{path}", json=[]) for path in ("rights", "accesspackages") * MANY)
        )
        read = await vendor.get(OWN)
    assert succeeded == 2 * MANY
    assert (read.json()["rights"], read.json()["accessPackages"]) == ([], [])
    assert read.headers["etag"] == f'"{1 + 2 * MANY}"'


async def test_the_clients_of_a_system_that_is_being_deleted_are_free_or_not(setting: RegisterSetting) -> None:
    await setting.register()
    async with setting.client() as vendor:
        succeeded, refused = await answers(
            vendor.delete(OWN),
            vendor.post(f"{REGISTER}/vendor", json=definition("heir", clientId=["client-of-smartcloud"])),
        )
    assert (succeeded, refused) in [(2, []), (1, [["04"]])]
    live = await setting.service.systems_of_client("client-of-smartcloud")
    assert [system.id for system in live] == ([f"{VENDOR}_heir"] if succeeded == 2 else [])


async def waits(database: Database) -> None:
    """Until a statement waits for another transaction."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    for _ in range(5_000):
        async with database.transaction() as connection:
            if (await connection.execute(waiting)).scalar_one() == 1:
                return
    raise AssertionError("nobody waits")


async def test_a_system_that_is_held_is_not_deleted_meanwhile(setting: RegisterSetting) -> None:
    await setting.register()
    async with setting.client() as vendor:
        async with setting.database.transaction() as connection, setting.database.transaction() as beside:
            held = await store.hold(connection, SYSTEM)
            assert held is not None
            assert not held.deleted
            deletion = asyncio.ensure_future(vendor.delete(OWN))
            await waits(setting.database)
            assert await store.find(beside, SYSTEM) == held
            assert not deletion.done()
        assert (await deletion).status_code == 200
    async with setting.database.transaction() as connection:
        found = await store.hold(connection, SYSTEM)
    assert found is not None
    assert found.deleted


async def test_many_may_hold_a_system_at_once(setting: RegisterSetting) -> None:
    await setting.register()
    async with setting.database.transaction() as connection, setting.database.transaction() as beside:
        assert await store.hold(connection, SYSTEM) == await store.hold(beside, SYSTEM)
