"""Two writers of one list: one order or the other, and nothing lost."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import text

from fullmakt.infra.database import Database
from tests.support.access_lists import LISTS, URL, Setting, members

LIST = f"{LISTS}/digdir/senders"
MANY = 12


@pytest.fixture
async def setting(database: Database) -> Setting:
    return Setting(database)


async def _statuses(*attempts: Awaitable[httpx2.Response]) -> Counter[int]:
    return Counter(answer.status_code for answer in await asyncio.gather(*attempts))


async def _members(client: httpx2.AsyncClient) -> set[int]:
    found: set[int] = set()
    following: str | None = f"{LIST}/members"
    while following is not None:
        page = (await client.get(following.removeprefix(URL))).json()
        found |= {UUID(each["identifiers"]["urn:altinn:party:uuid"]).int & 0xFFFF for each in page["data"]}
        following = page["links"].get("next")
    return found


async def _version(database: Database) -> int:
    async with database.transaction() as connection:
        return int((await connection.execute(text("SELECT version FROM resources.access_list"))).scalar_one())


Write = Callable[[httpx2.AsyncClient, int, dict[str, str]], Awaitable[httpx2.Response]]

WRITES: dict[str, Write] = {
    "rename": lambda client, number, headers: client.put(LIST, json={"name": f"n{number}"}, headers=headers),
    "add": lambda client, number, headers: client.post(f"{LIST}/members", json=members(number), headers=headers),
    "replace": lambda client, number, headers: client.put(f"{LIST}/members", json=members(number), headers=headers),
    "connect": lambda client, number, headers: client.put(
        f"{LIST}/resource-connections/api-{number:03}", json={}, headers=headers
    ),
    "filter": lambda client, number, headers: client.put(
        f"{LIST}/resource-connections/api-000", json={"actionFilters": [f"a{number}"]}, headers=headers
    ),
    "delete": lambda client, _number, headers: client.delete(LIST, headers=headers),
}


@pytest.mark.parametrize("name", WRITES)
async def test_of_writers_who_saw_the_same_version_exactly_one_wins(setting: Setting, name: str) -> None:
    client = setting.client()
    seen = {"If-Match": (await client.put(LIST, json={"name": "Senders"})).headers["etag"]}
    statuses = await _statuses(*(WRITES[name](client, number, seen) for number in range(MANY)))
    assert statuses == {200: 1, 412: MANY - 1}
    assert await _version(setting.database) == 2


async def test_of_different_writers_who_saw_the_same_version_exactly_one_wins(setting: Setting) -> None:
    client = setting.client()
    seen = {"If-Match": (await client.put(LIST, json={"name": "Senders"})).headers["etag"]}
    statuses = await _statuses(*(write(client, 1, seen) for name, write in WRITES.items() if name != "delete"))
    assert statuses == {200: 1, 412: len(WRITES) - 2}


async def test_who_lost_and_tries_again_on_what_there_is_loses_nothing(setting: Setting) -> None:
    client = setting.client()
    await client.put(LIST, json={"name": "Senders"})
    lost = 0

    async def add_for_sure(number: int) -> None:
        nonlocal lost
        while True:
            tag = (await client.get(LIST)).headers["etag"]
            answer = await client.post(f"{LIST}/members", json=members(number), headers={"If-Match": tag})
            if answer.status_code == 200:
                return
            assert answer.status_code == 412
            lost += 1

    await asyncio.gather(*(add_for_sure(number) for number in range(MANY)))
    assert await _members(client) == set(range(MANY))
    assert await _version(setting.database) == MANY + 1
    assert lost > 0


async def test_writers_without_a_condition_are_all_heard(setting: Setting) -> None:
    client = setting.client()
    await client.put(LIST, json={"name": "Senders"})
    await client.post(f"{LIST}/members", json=members(*range(100, 100 + MANY)))
    attempts = []
    for number in range(MANY):
        attempts.append(client.post(f"{LIST}/members", json=members(number)))
        attempts.append(client.request("DELETE", f"{LIST}/members", json=members(100 + number)))
        attempts.append(client.put(f"{LIST}/resource-connections/api-{number:03}", json={}))
    assert await _statuses(*attempts) == {200: 3 * MANY}
    assert await _members(client) == set(range(MANY))
    assert len((await client.get(f"{LIST}/resource-connections")).json()["data"]) == MANY
    assert await _version(setting.database) == 2 + 3 * MANY


async def test_replacements_at_once_end_as_one_of_them(setting: Setting) -> None:
    client = setting.client()
    await client.put(LIST, json={"name": "Senders"})
    sets = [set(range(number, 3 * number + 1)) for number in range(1, MANY)]
    attempts = [client.put(f"{LIST}/members", json=members(*each)) for each in sets]
    assert await _statuses(*attempts) == {200: MANY - 1}
    assert await _members(client) in sets


async def test_a_list_is_made_once_by_those_who_would_make_it(setting: Setting) -> None:
    client = setting.client()
    only = {"If-None-Match": "*"}
    attempts = [client.put(LIST, json={"name": f"n{number}"}, headers=only) for number in range(MANY)]
    assert await _statuses(*attempts) == {200: 1, 412: MANY - 1}
    assert await _version(setting.database) == 1


async def test_a_list_that_all_make_without_a_condition_is_there_and_the_last_ones(setting: Setting) -> None:
    client = setting.client()
    attempts = [client.put(LIST, json={"name": f"n{number}"}) for number in range(MANY)]
    assert await _statuses(*attempts) == {200: MANY}
    assert await _version(setting.database) == MANY


async def test_making_and_deleting_at_once_is_one_after_the_other(setting: Setting) -> None:
    client = setting.client()
    attempts = []
    for number in range(MANY):
        attempts.append(client.put(LIST, json={"name": f"n{number}"}))
        attempts.append(client.delete(LIST))
        attempts.append(client.post(f"{LIST}/members", json=members(number)))
    statuses = await _statuses(*attempts)
    assert set(statuses) <= {200, 204, 404}
    await client.delete(LIST)
    async with setting.database.transaction() as connection:
        left = await connection.execute(text("SELECT count(*) FROM resources.access_list_member"))
        assert left.scalar_one() == 0


async def test_a_page_is_of_one_version_however_busy_the_writers_are(setting: Setting) -> None:
    """Writers swap a whole set of members for another; no page ever shows some of both."""
    client = setting.client()
    await client.put(LIST, json={"name": "Senders"})
    await client.put(f"{LIST}/members", json=members(*range(50)))
    by_tag: dict[str, set[tuple[str, ...]]] = {}
    writing = True

    async def read() -> None:
        while writing:
            page = await client.get(f"{LIST}/members")
            ids = tuple(each["id"] for each in page.json()["data"])
            assert len(ids) == 50
            by_tag.setdefault(page.headers["etag"], set()).add(ids)

    async def write() -> None:
        nonlocal writing
        for turn in range(20):
            first = 50 if turn % 2 == 0 else 0
            await client.put(f"{LIST}/members", json=members(*range(first, first + 50)))
        writing = False

    await asyncio.gather(write(), read(), read())
    assert len(by_tag) > 1
    assert all(len(seen) == 1 for seen in by_tag.values())
