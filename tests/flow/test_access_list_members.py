"""A list's members over HTTP (altinn-resource-registry.md §10, §12, §13)."""

from __future__ import annotations

import re
from typing import Any

import httpx2
import pytest

from fullmakt.infra.database import Database
from fullmakt.kernel.clock import FixedClock
from tests.support.access_lists import LISTS, PERSON, START, URL, Setting, members, organisation

LIST = f"{LISTS}/digdir/senders"
ONE = f"{LIST}/members"
WRITES = ["PUT", "POST", "DELETE"]


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(START)


@pytest.fixture
async def setting(database: Database, clock: FixedClock) -> Setting:
    setting = Setting(database, clock)
    await setting.client().put(LIST, json={"name": "Senders"})
    return setting


def _numbers(answer: httpx2.Response) -> list[int]:
    assert answer.status_code == 200, answer.text
    return [int(each["id"][-12:], 16) for each in answer.json()["data"]]


async def test_members_are_told_by_every_name_they_have(setting: Setting) -> None:
    party = organisation(5)
    answer = await setting.client().post(ONE, json=members(5))
    assert answer.status_code == 200
    assert answer.headers["etag"] == 'W/"eyJ2ZXJzaW9uIjoiMiJ9"'
    assert answer.headers["last-modified"] == "Mon, 05 Jan 2026 10:11:12 GMT"
    assert answer.json() == {
        "links": {},
        "data": [
            {
                "id": f"urn:altinn:party:uuid:{party.party_uuid}",
                "since": "2026-01-05T10:11:12.123456+00:00",
                "identifiers": {
                    "urn:altinn:party:uuid": str(party.party_uuid),
                    "urn:altinn:party:id": "50000005",
                    "urn:altinn:organization:identifier-no": "310000005",
                },
            }
        ],
    }
    read = await setting.client("reader").get(ONE)
    assert (read.json(), read.headers["etag"]) == (answer.json(), answer.headers["etag"])


async def test_the_three_forms_of_a_party_may_be_mixed(setting: Setting) -> None:
    data = [
        f"urn:altinn:organization:identifier-no:{organisation(1).orgno}",
        f"urn:altinn:party:uuid:{organisation(2).party_uuid}",
        f"urn:altinn:party:id:{organisation(3).party_id}",
        f"urn:altinn:party:id:{organisation(1).party_id}",
    ]
    assert _numbers(await setting.client().post(ONE, json={"data": data})) == [1, 2, 3]


async def test_a_person_has_no_organisation_number(setting: Setting) -> None:
    answer = await setting.client().post(ONE, json={"data": [f"urn:altinn:party:uuid:{PERSON.party_uuid}"]})
    assert set(answer.json()["data"][0]["identifiers"]) == {"urn:altinn:party:uuid", "urn:altinn:party:id"}


async def test_a_member_that_the_register_has_lost_is_still_told_by_its_uuid(setting: Setting) -> None:
    await setting.client().post(ONE, json=members(1))
    setting.register.forget(organisation(1))
    member = (await setting.client().get(ONE)).json()["data"][0]
    assert member["identifiers"] == {"urn:altinn:party:uuid": str(organisation(1).party_uuid)}


async def test_members_come_go_and_are_replaced(setting: Setting, clock: FixedClock) -> None:
    client = setting.client()
    assert _numbers(await client.post(ONE, json=members(1, 2))) == [1, 2]
    clock.advance(hours=1)
    assert _numbers(await client.post(ONE, json=members(2, 3))) == [1, 2, 3]
    assert _numbers(await client.request("DELETE", ONE, json=members(1, 9))) == [2, 3]
    clock.advance(hours=1)
    replaced = await client.put(ONE, json=members(4, 2))
    assert _numbers(replaced) == [2, 4]
    assert [each["since"][11:13] for each in replaced.json()["data"]] == ["10", "12"]
    assert _numbers(await client.put(ONE, json={"data": []})) == []
    assert (await client.get(LIST)).json()["updatedAt"].startswith("2026-01-05T12:11")


async def test_a_write_that_changes_nothing_keeps_the_etag(setting: Setting, clock: FixedClock) -> None:
    client = setting.client()
    before = await client.post(ONE, json=members(1, 2))
    clock.advance(hours=1)
    for method, body in [
        ("POST", members(1)), ("DELETE", members(9)), ("PUT", members(2, 1, 1)), ("POST", {"data": []}),
    ]:  # fmt: skip
        again = await client.request(method, ONE, json=body)
        assert (again.status_code, again.json()) == (200, before.json())
        assert again.headers["etag"] == before.headers["etag"]
        assert again.headers["last-modified"] == before.headers["last-modified"]


@pytest.mark.parametrize(
    ("method", "code", "told"),
    [
        ("PUT", "RR.VLD-00000", "Cannot replace more than 100 members at a time. Use POST and DELETE methods instead."),
        ("POST", "RR.VLD-00001", "Cannot add or remove more than 100 members at a time."),
        ("DELETE", "RR.VLD-00001", "Cannot add or remove more than 100 members at a time."),
    ],
)
async def test_a_hundred_members_at_a_time_and_no_more(setting: Setting, method: str, code: str, told: str) -> None:
    client = setting.client()
    assert (await client.request(method, ONE, json=members(*range(100)))).status_code == 200
    before = await client.get(ONE)
    for body in (members(*range(101)), members(*[1] * 101)):
        refused = await client.request(method, ONE, json=body)
        assert refused.status_code == 400
        assert refused.json()["code"] == "STD-00000"
        assert refused.json()["validationErrors"] == [{"code": code, "detail": told, "paths": ["/data"]}]
    assert (await client.get(ONE)).text == before.text


@pytest.mark.parametrize("method", WRITES)
async def test_a_party_that_nobody_knows_is_a_bad_request_and_nothing_changes(setting: Setting, method: str) -> None:
    client = setting.client()
    before = await client.post(ONE, json=members(1, 2))
    stranger = "urn:altinn:organization:identifier-no:999888777"
    refused = await client.request(method, ONE, json={"data": [*members(3)["data"], stranger]})
    body = refused.json()
    body.pop("traceId")
    told = "One or more party references not found."
    assert (refused.status_code, refused.headers["content-type"]) == (400, "application/problem+json")
    assert body == {
        "type": "urn:altinn:error:RR-00001", "title": told, "status": 400, "detail": told, "code": "RR-00001",
    }  # fmt: skip
    after = await client.get(ONE)
    assert (after.json(), after.headers["etag"]) == (before.json(), before.headers["etag"])


@pytest.mark.parametrize("method", WRITES)
async def test_a_list_that_is_not_there_has_no_members(setting: Setting, method: str) -> None:
    client, elsewhere = setting.client(), f"{LISTS}/digdir/nosuch/members"
    assert (await client.get(elsewhere)).status_code == 404
    for body in (members(1), {"data": ["urn:altinn:party:id:1"]}):
        assert (await client.request(method, elsewhere, json=body)).status_code == 404


@pytest.mark.parametrize("method", WRITES)
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"data": None},
        {"data": "urn:altinn:party:id:1"},
        {"data": {}},
        {"data": [None]},
        {"data": [["urn:altinn:party:id:1"]]},
        {"data": ["991825827"]},
        {"data": ["urn:altinn:organization:identifier-no:99182582"]},
        {"data": ["urn:altinn:person:identifier-no:05895199925"]},
        {"data": ["urn:altinn:party:uuid:x\x00"]},
        [],
        None,
    ],
)
async def test_a_body_that_names_no_parties_is_a_bad_request(setting: Setting, method: str, body: Any) -> None:
    refused = await setting.client().request(method, ONE, json=body)
    assert refused.status_code == 400
    assert refused.headers["content-type"] == "application/problem+json"
    assert len(refused.json()["errors"]) == 1
    assert "05895199925" not in refused.text


async def _fill(setting: Setting, count: int) -> None:
    for first in range(0, count, 100):
        await setting.client().post(ONE, json=members(*range(first, min(first + 100, count))))


async def test_members_come_a_hundred_at_a_time_by_uuid(setting: Setting) -> None:
    await _fill(setting, 250)
    client = setting.client("reader")
    found: list[int] = []
    sizes: list[int] = []
    following: str | None = f"{URL}{ONE}"
    tags = set()
    while following is not None:
        page = await client.get(following.removeprefix(URL))
        found += _numbers(page)
        sizes.append(len(page.json()["data"]))
        tags.add(page.headers["etag"])
        following = page.json()["links"].get("next")
        assert following is None or re.fullmatch(rf"{URL}{ONE}\?token=[A-Za-z0-9_-]+", following)
    assert (found, sizes) == (list(range(250)), [100, 100, 50])
    assert len(tags) == 1


async def test_a_write_answers_with_the_first_page(setting: Setting) -> None:
    await _fill(setting, 120)
    answer = await setting.client().post(ONE, json=members(200))
    assert _numbers(answer) == list(range(100))
    rest = await setting.client().get(answer.json()["links"]["next"].removeprefix(URL))
    assert _numbers(rest) == [*range(100, 120), 200]


async def test_who_pages_while_the_list_changes_starts_again(setting: Setting) -> None:
    await _fill(setting, 250)
    client = setting.client()
    first = (await client.get(ONE)).json()["links"]["next"].removeprefix(URL)
    second = await client.get(first)
    assert _numbers(second) == list(range(100, 200))
    await client.request("DELETE", ONE, json=members(150))
    third = await client.get(second.json()["links"]["next"].removeprefix(URL))
    assert (third.status_code, third.headers["content-type"]) == (412, "application/problem+json")
    assert (await client.get(first)).status_code == 412
    again = await client.get(ONE)
    assert _numbers(await client.get(again.json()["links"]["next"].removeprefix(URL)))[:51] == [*range(100, 150), 151]


async def test_a_page_that_was_not_followed_up_in_time_is_unmodified_for_who_has_it(setting: Setting) -> None:
    await _fill(setting, 101)
    client = setting.client()
    first = await client.get(ONE)
    following = first.json()["links"]["next"].removeprefix(URL)
    second = await client.get(following, headers={"If-None-Match": first.headers["etag"]})
    assert second.status_code == 304


async def test_a_proxy_that_asks_again_is_told_that_nothing_changed(setting: Setting) -> None:
    """The DPV flow (§16, step 5)."""
    proxy, customer = setting.client("reader"), setting.client()
    seen = await customer.post(ONE, json=members(1))
    for _ in range(3):
        again = await proxy.get(ONE, headers={"If-None-Match": seen.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == seen.headers["etag"]
        assert again.headers["last-modified"] == seen.headers["last-modified"]
    await customer.request("DELETE", ONE, json=members(1))
    after = await proxy.get(ONE, headers={"If-None-Match": seen.headers["etag"]})
    assert (after.status_code, after.json()) == (200, {"links": {}, "data": []})
