"""A list's connections to resources over HTTP (altinn-resource-registry.md §11)."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from fullmakt.infra.database import Database
from fullmakt.kernel.clock import FixedClock
from tests.support.access_lists import LISTS, START, URL, Setting, members

LIST = f"{LISTS}/digdir/senders"
ALL = f"{LIST}/resource-connections"
ONE = f"{ALL}/api-001"
TIMES = dict.fromkeys(("createdAt", "updatedAt"), "2026-01-05T10:11:12.123456+00:00")


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(START)


@pytest.fixture
async def setting(database: Database, clock: FixedClock) -> Setting:
    setting = Setting(database, clock)
    await setting.client().put(LIST, json={"name": "Senders"})
    return setting


async def test_a_list_is_connected_filtered_and_disconnected(setting: Setting, clock: FixedClock) -> None:
    client = setting.client()
    made = await client.put(ONE, json={"actionFilters": ["write", "read", "write"]})
    assert made.status_code == 200
    assert made.json() == {"resourceIdentifier": "api-001", "actionFilters": ["read", "write"], **TIMES}
    assert made.headers["etag"] == 'W/"eyJ2ZXJzaW9uIjoiMiJ9"'

    clock.advance(minutes=1)
    changed = await client.put(ONE, json={"actionFilters": ["read"]})
    assert changed.json() == {
        "resourceIdentifier": "api-001",
        "actionFilters": ["read"],
        "createdAt": TIMES["createdAt"],
        "updatedAt": "2026-01-05T10:12:12.123456+00:00",
    }
    assert changed.headers["last-modified"] == "Mon, 05 Jan 2026 10:12:12 GMT"
    found = await client.get(ALL)
    assert found.json() == {"links": {}, "data": [changed.json()]}
    assert found.headers["etag"] == changed.headers["etag"]

    removed = await client.delete(ONE)
    assert (removed.status_code, removed.json()) == (200, changed.json())
    assert removed.headers["etag"] != changed.headers["etag"]
    assert (await client.delete(ONE)).status_code == 204
    assert (await client.get(ALL)).json() == {"links": {}, "data": []}


@pytest.mark.parametrize("body", [{}, {"actionFilters": None}, {"actionFilters": []}])
async def test_no_filter_means_every_action_and_is_left_out(setting: Setting, body: dict[str, Any]) -> None:
    client = setting.client()
    await client.put(ONE, json={"actionFilters": ["read"]})
    answer = await client.put(ONE, json=body)
    assert answer.json() == {"resourceIdentifier": "api-001", **TIMES}
    assert (await client.get(ALL)).json()["data"] == [answer.json()]


async def test_a_connection_that_is_so_already_keeps_the_etag(setting: Setting, clock: FixedClock) -> None:
    client = setting.client()
    made = await client.put(ONE, json={"actionFilters": ["read", "write"]})
    clock.advance(minutes=1)
    again = await client.put(ONE, json={"ActionFilters": ["write", "read"]})
    assert (again.json(), again.headers["etag"]) == (made.json(), made.headers["etag"])


@pytest.mark.parametrize(
    "actions", ["read", {"read": True}, [1], [None], [""], ["a\x00"], ["x" * 256], ["read"] * 101, [["read"]]]
)
async def test_a_filter_that_is_none_is_a_bad_request(setting: Setting, actions: Any) -> None:
    refused = await setting.client().put(ONE, json={"actionFilters": actions})
    assert refused.status_code == 400
    assert len(refused.json()["errors"]) == 1
    assert (await setting.client().get(ALL)).json()["data"] == []


@pytest.mark.parametrize("who", ["writer", "admin"])
@pytest.mark.parametrize("resource", ["nosuch", "API-001", "%00", "a%0Ab"])
async def test_a_resource_that_is_not_there_is_a_bad_request(setting: Setting, who: str, resource: str) -> None:
    refused = await setting.client(who).put(f"{ALL}/{resource}", json={})
    assert refused.status_code == 400
    assert refused.json()["code"] == "RR-00002"
    assert refused.json()["title"] == refused.json()["detail"] == "One or more resource references not found."
    assert (await setting.client(who).delete(f"{ALL}/{resource}")).status_code == 204


async def test_another_owners_resource_is_for_administrators_alone(setting: Setting, database: Database) -> None:
    refused = await setting.client().put(f"{ALL}/skatt-api", json={})
    assert refused.status_code == 403
    assert refused.json()["code"] == "RR-00004"
    assert refused.json()["detail"] == (
        "Cannot create a access-list connection to a resource not owned by the same service-owner as the access-list."
    )
    assert (await setting.client().get(ALL)).json()["data"] == []
    async with database.transaction() as connection:
        found = await connection.execute(
            text(
                "SELECT actor, subject, facts->>'resource' FROM audit.event WHERE outcome = 'deny' AND reason = :reason"
            ),
            {"reason": "others_resource"},
        )
        assert [tuple(row) for row in found] == [("991825827", "access-list:digdir:senders", "skatt-api")]
    assert (await setting.client("admin").put(f"{ALL}/skatt-api", json={})).status_code == 200


async def test_a_list_that_is_not_there_has_no_connections(setting: Setting) -> None:
    client, elsewhere = setting.client(), f"{LISTS}/digdir/nosuch/resource-connections"
    assert (await client.get(elsewhere)).status_code == 404
    assert (await client.put(f"{elsewhere}/api-001", json={})).status_code == 404
    assert (await client.delete(f"{elsewhere}/api-001")).status_code == 404


async def test_connections_come_a_hundred_at_a_time_by_resource(setting: Setting) -> None:
    client = setting.client()
    for number in range(120):
        await client.put(f"{ALL}/api-{number:03}", json={})
    first = await client.get(ALL)
    following = first.json()["links"]["next"]
    assert following.startswith(f"{URL}{ALL}?token=")
    second = await client.get(following.removeprefix(URL))
    found = [each["resourceIdentifier"] for page in (first, second) for each in page.json()["data"]]
    assert found == [f"api-{number:03}" for number in range(120)]
    assert len(first.json()["data"]) == 100
    assert second.json()["links"] == {}
    await client.post(f"{LIST}/members", json=members(1))
    assert (await client.get(following.removeprefix(URL))).status_code == 412
