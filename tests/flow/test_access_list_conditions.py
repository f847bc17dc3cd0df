"""Requests that depend on what a list is (altinn-resource-registry.md §12)."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from fullmakt.infra.database import Database
from fullmakt.kernel.clock import FixedClock
from tests.support.access_lists import LISTS, START, Setting, members

LIST = f"{LISTS}/digdir/senders"
OLD, NOW = 'W/"eyJ2ZXJzaW9uIjoiMSJ9"', 'W/"eyJ2ZXJzaW9uIjoiMyJ9"'
STRONG = NOW.removeprefix("W/")
BEFORE, AT, AFTER = (f"Mon, 05 Jan 2026 10:11:{second} GMT" for second in ("11", "12", "13"))
READS = ["", "/members", "/resource-connections"]
WRITES: list[tuple[str, str, Any]] = [
    ("PUT", "", {"name": "Others"}),
    ("PUT", "", {"name": "Senders"}),
    ("DELETE", "", None),
    ("PUT", "/members", members(2)),
    ("POST", "/members", members(2)),
    ("POST", "/members", members(1)),
    ("DELETE", "/members", members(1)),
    ("PUT", "/resource-connections/api-002", {}),
    ("DELETE", "/resource-connections/api-001", None),
    ("DELETE", "/resource-connections/api-009", None),
]


@pytest.fixture
async def setting(database: Database) -> Setting:
    setting = Setting(database, FixedClock(START))
    client = setting.client()
    await client.put(LIST, json={"name": "Senders"})
    await client.post(f"{LIST}/members", json=members(1))
    made = await client.put(f"{LIST}/resource-connections/api-001", json={})
    assert made.headers["etag"] == NOW
    return setting


async def _whole(client: httpx2.AsyncClient) -> list[tuple[Any, str]]:
    answers = [await client.get(f"{LIST}{part}") for part in READS]
    return [(answer.json(), answer.headers["etag"]) for answer in answers]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"If-None-Match": NOW}, 304),
        ({"If-None-Match": f"{OLD}, {NOW}"}, 304),
        ({"If-None-Match": OLD}, 200),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": STRONG}, 200),
        ({"If-Match": NOW}, 200),
        ({"If-Match": "*"}, 200),
        ({"If-Match": OLD}, 412),
        ({"If-Match": STRONG}, 412),
        ({"If-Match": OLD, "If-None-Match": NOW}, 412),
        ({"If-Modified-Since": BEFORE}, 200),
        ({"If-Modified-Since": AT}, 304),
        ({"If-Modified-Since": AFTER}, 304),
        ({"If-Unmodified-Since": BEFORE}, 412),
        ({"If-Unmodified-Since": AT}, 200),
        ({"If-Modified-Since": "some day"}, 200),
        ({"If-None-Match": OLD, "If-Modified-Since": AFTER}, 200),
        ({"If-Match": NOW, "If-Unmodified-Since": BEFORE}, 200),
        ({"If-Match": "x"}, 400),
        ({"If-None-Match": f"{NOW} {NOW}"}, 400),
        ({"If-None-Match": 'W/"x"'}, 400),
    ],
)
async def test_a_read_with_conditions(setting: Setting, headers: dict[str, str], status: int) -> None:
    client = setting.client("reader")
    for part in READS:
        answer = await client.get(f"{LIST}{part}", headers=headers)
        assert answer.status_code == status
        if status in {200, 304}:
            assert (answer.headers["etag"], answer.headers["last-modified"]) == (NOW, AT)
        if status == 304:
            assert answer.content == b""
        if status in {400, 412}:
            assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "headers",
    [
        {"If-Match": OLD},
        {"If-Match": STRONG},
        {"If-None-Match": "*"},
        {"If-None-Match": NOW},
        {"If-Unmodified-Since": BEFORE},
        {"If-Modified-Since": AT},
        {"If-Match": NOW, "If-None-Match": NOW},
    ],
)
async def test_a_write_whose_condition_fails_changes_nothing(setting: Setting, headers: dict[str, str]) -> None:
    client = setting.client()
    before = await _whole(client)
    for method, part, body in WRITES:
        refused = await client.request(method, f"{LIST}{part}", json=body, headers=headers)
        assert refused.status_code == 412, (method, part)
    assert await _whole(client) == before


@pytest.mark.parametrize(
    "headers",
    [
        {"If-Match": NOW},
        {"If-Match": f"{OLD},{NOW}"},
        {"If-Match": "*"},
        {"If-None-Match": OLD},
        {"If-Unmodified-Since": AT},
        {"If-Modified-Since": BEFORE},
    ],
)
@pytest.mark.parametrize(("method", "part", "body"), WRITES)
async def test_a_write_whose_condition_holds_is_carried_out(
    setting: Setting, method: str, part: str, body: Any, headers: dict[str, str]
) -> None:
    answer = await setting.client().request(method, f"{LIST}{part}", json=body, headers=headers)
    assert answer.status_code == (204 if part.endswith("api-009") else 200)


async def test_a_header_that_can_not_be_read_is_a_bad_request_of_a_write_too(setting: Setting) -> None:
    client = setting.client()
    before = await _whole(client)
    for method, part, body in WRITES:
        refused = await client.request(method, f"{LIST}{part}", json=body, headers={"If-Match": "x"})
        assert (refused.status_code, list(refused.json()["errors"])) == (400, ["conditions"])
    assert await _whole(client) == before


async def test_a_list_is_made_only_where_there_is_none(setting: Setting) -> None:
    client, other = setting.client(), f"{LISTS}/digdir/other"
    for headers in ({"If-Match": "*"}, {"If-Match": NOW}, {"If-Modified-Since": BEFORE}):
        assert (await client.put(other, json={"name": "x"}, headers=headers)).status_code == 412
        assert (await client.delete(other, headers=headers)).status_code == 412
    assert (await client.get(other)).status_code == 404
    assert (await client.put(other, json={"name": "x"}, headers={"If-None-Match": "*"})).status_code == 200
    assert (await client.put(other, json={"name": "y"}, headers={"If-None-Match": "*"})).status_code == 412
    assert (await client.get(other)).json()["name"] == "x"
    await client.delete(other)
    assert (await client.delete(other, headers={"If-None-Match": "*"})).status_code == 204
    assert (await client.put(other, json={"name": "z"}, headers={"If-Match": "*"})).status_code == 412
    assert (await client.put(other, json={"name": "z"}, headers={"If-None-Match": "*"})).status_code == 200


async def test_of_a_list_that_is_not_there_a_condition_says_nothing_about_its_parts(setting: Setting) -> None:
    """RFC 9110 §13.2.1: a precondition is for what would succeed without it."""
    client = setting.client()
    for part in READS:
        assert (await client.get(f"{LISTS}/digdir/none{part}", headers={"If-Match": "*"})).status_code == 404
    refused = await client.post(f"{LISTS}/digdir/none/members", json=members(1), headers={"If-Match": "*"})
    assert refused.status_code == 404


async def test_every_part_has_the_one_version_of_the_list(setting: Setting) -> None:
    client = setting.client()
    for method, part, body in WRITES[3:4] + WRITES[7:9] + WRITES[:1]:
        written = await client.request(method, f"{LIST}{part}", json=body)
        tags = {tag for _, tag in await _whole(client)}
        assert tags == {written.headers["etag"]}
