"""What the decision point and access management ask about a party (altinn-resource-registry.md §14,
altinn-authorization.md §10)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from sqlalchemy import text
from starlette.applications import Starlette

from fullmakt.altinn.resources.access_lists.http import HANDLERS, authorization_route
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import FixedClock
from tests.support.access_lists import LISTS, START, Platform, Setting, members, organisation

MEMBERSHIPS, OF_MEMBER = f"{LISTS}/memberships", f"{LISTS}/get-by-member"
ORGNO = f"urn:altinn:organization:identifier-no:{organisation(1).orgno}"
UUID = f"urn:altinn:party:uuid:{organisation(1).party_uuid}"
ID = f"urn:altinn:party:id:{organisation(1).party_id}"
RESOURCE = "urn:altinn:resource:api-001"


@pytest.fixture
async def setting(database: Database) -> Setting:
    """Organisation 1 is on two lists for ``api-001`` and on one for ``api-002``; organisation 2 is on one."""
    clock = FixedClock(START)
    setting = Setting(database, clock)
    client = setting.client()
    for name, actions in (("all", []), ("some", ["read", "write"]), ("unconnected", None)):
        await client.put(f"{LISTS}/digdir/{name}", json={"name": name})
        clock.advance(hours=1)
        await client.post(f"{LISTS}/digdir/{name}/members", json=members(1))
        if actions is not None:
            await client.put(f"{LISTS}/digdir/{name}/resource-connections/api-001", json={"actionFilters": actions})
    await client.post(f"{LISTS}/digdir/some/members", json=members(2))
    await client.put(f"{LISTS}/digdir/some/resource-connections/api-002", json={})
    return setting


@pytest.mark.parametrize("party", [ORGNO, UUID, ID])
async def test_a_party_in_two_lists_appears_twice(setting: Setting, party: str) -> None:
    answer = await setting.client("admin").get(MEMBERSHIPS, params={"party": party, "resource": RESOURCE})
    assert answer.status_code == 200
    assert answer.json() == {
        "data": [
            {"party": UUID, "resource": RESOURCE, "since": "2026-01-05T11:11:12.123456+00:00"},
            {
                "party": UUID,
                "resource": RESOURCE,
                "since": "2026-01-05T12:11:12.123456+00:00",
                "actionFilters": ["read", "write"],
            },
        ]
    }


async def test_without_a_resource_every_connection_is_told(setting: Setting) -> None:
    answer = await setting.client("admin").get(MEMBERSHIPS, params={"party": UUID})
    assert [each["resource"][-7:] for each in answer.json()["data"]] == ["api-001", "api-001", "api-002"]


async def test_who_is_on_no_list_gets_an_empty_one(setting: Setting) -> None:
    client = setting.client("admin")
    for party, resource in ((organisation(9), "api-001"), (organisation(2), "api-003"), (organisation(2), "nosuch")):
        query = {"party": f"urn:altinn:party:id:{party.party_id}", "resource": f"urn:altinn:resource:{resource}"}
        answer = await client.get(MEMBERSHIPS, params=query)
        assert (answer.status_code, answer.json()) == (200, {"data": []})


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ("", ["03"]),
        (f"party={ORGNO}&party={UUID}", ["06"]),
        (f"party={ORGNO},{UUID}", ["06"]),
        (f"party={UUID},{UUID}", ["06"]),
        ("party=991825827", ["04", "03"]),
        (f"party={UUID},x", ["04"]),
        ("party=", ["04", "03"]),
        ("party=%00", ["04", "03"]),
        (f"party={UUID}&resource=api-001", ["05"]),
        (f"party={UUID}&resource={RESOURCE}&resource=urn:altinn:resource:api-002", ["07"]),
        (f"party={UUID}&resource={RESOURCE},{RESOURCE}", ["07"]),
        (f"party={UUID},{ID}&resource=x,{RESOURCE},{RESOURCE}", ["05", "06", "07"]),
    ],
)
async def test_one_party_and_at_most_one_resource_are_asked_about(
    setting: Setting, query: str, codes: list[str]
) -> None:
    refused = await setting.client("admin").get(f"{MEMBERSHIPS}?{query}")
    assert (refused.status_code, refused.json()["code"]) == (400, "STD-00000")
    faults = refused.json()["validationErrors"]
    assert [fault["code"] for fault in faults] == [f"RR.VLD-000{code}" for code in codes]
    where = {"03": "party", "04": "party", "06": "party", "05": "resource", "07": "resource"}
    assert [fault["paths"] for fault in faults] == [[f"/$QUERY/{where[code]}"] for code in codes]


async def test_a_national_identity_number_is_not_told_back(setting: Setting) -> None:
    refused = await setting.client("admin").get(f"{MEMBERSHIPS}?party=urn:altinn:person:identifier-no:05895199925")
    assert refused.status_code == 400
    assert "05895199925" not in refused.text


async def test_a_party_that_nobody_knows_is_a_bad_request(setting: Setting) -> None:
    query = {"party": "urn:altinn:organization:identifier-no:999888777"}
    refused = await setting.client("admin").get(MEMBERSHIPS, params=query)
    assert (refused.status_code, refused.json()["code"]) == (400, "RR-00001")


@pytest.mark.parametrize(
    ("who", "platform", "memberships", "of_member"),
    [
        (None, None, 401, 401),
        (None, "nonsense", 401, 401),
        ("admin", "nonsense", 401, 401),
        (None, "from-platform", 200, 200),
        (None, "from-skd", 403, 403),
        ("admin", None, 200, 403),
        ("writer", None, 403, 403),
        ("pdp", None, 403, 403),
        ("stranger", None, 401, 401),
    ],
)
async def test_who_may_look_parties_up(
    setting: Setting, who: str | None, platform: str | None, memberships: int, of_member: int
) -> None:
    client = setting.client(who, platform=platform)
    for path, status in ((MEMBERSHIPS, memberships), (OF_MEMBER, of_member)):
        answer = await client.get(path, params={"party": UUID})
        assert answer.status_code == status
        assert status == 200 or answer.content == b""


async def test_who_was_not_let_in_is_in_the_audit_trail(setting: Setting, database: Database) -> None:
    await setting.client("writer").get(MEMBERSHIPS, params={"party": UUID})
    await setting.client(None, platform="from-skd").get(OF_MEMBER, params={"party": UUID})
    async with database.transaction() as connection:
        found = await connection.execute(text("SELECT actor, action, reason FROM audit.event WHERE outcome = 'deny'"))
        assert [tuple(row) for row in found] == [
            ("991825827", "access-list:read", "not_the_platform"),
            ("skd", "access-list:read", "not_the_platform"),
        ]


async def test_the_lists_that_a_party_is_on(setting: Setting) -> None:
    client = setting.client(None, platform="from-platform")
    answer = await client.get(OF_MEMBER, params={"party": UUID})
    assert [each["urn"] for each in answer.json()] == [
        f"urn:altinn:access-list:digdir:{name}" for name in ("all", "some", "unconnected")
    ]
    assert "resourceConnections" not in answer.json()[0]
    assert (await client.get(OF_MEMBER, params={"party": UUID[:-1] + "f"})).json() == []
    for query in ({}, {"party": ORGNO}, {"party": "x"}, {"party": f"{UUID},{UUID}"}):
        assert (await client.get(OF_MEMBER, params=query)).status_code == 400


async def test_a_deleted_list_lets_nobody_in(setting: Setting) -> None:
    await setting.client().delete(f"{LISTS}/digdir/all")
    await setting.client().delete(f"{LISTS}/digdir/some")
    assert (await setting.client("admin").get(MEMBERSHIPS, params={"party": UUID})).json() == {"data": []}
    assert await setting.service.memberships(organisation(1).party_uuid, None) == ()


PATH = "/api/v1/accesslist/accessmanagement/authorization"
ASKED: dict[str, Any] = {
    "subject": {"type": "urn:altinn:organization:identifier-no", "value": organisation(2).orgno},
    "resource": {"type": "urn:altinn:resource", "value": "api-001"},
    "action": {"type": "urn:oasis:names:tc:xacml:1.0:action:action-id", "value": "read"},
}


@pytest.fixture
async def authorization(setting: Setting) -> AsyncIterator[httpx2.AsyncClient]:
    """Access management, at the decision point's door."""
    served = Starlette(routes=[authorization_route(setting.service, Platform())], exception_handlers=dict(HANDLERS))
    transport = httpx2.ASGITransport(app=served)
    headers = {"PlatformAccessToken": "from-platform"}
    async with httpx2.AsyncClient(transport=transport, base_url="http://pdp.test", headers=headers) as client:
        yield client


@pytest.mark.parametrize(
    ("changed", "result"),
    [
        ({}, "Authorized"),
        ({"action": {**ASKED["action"], "value": "delete"}}, "NotAuthorized"),
        (
            {"resource": {**ASKED["resource"], "value": "api-002"}, "action": {**ASKED["action"], "value": "x"}},
            "Authorized",
        ),
        ({"resource": {**ASKED["resource"], "value": "nosuch"}}, "NotAuthorized"),
        ({"subject": {**ASKED["subject"], "value": "999888777"}}, "NotDetermined"),
        ({"subject": {**ASKED["subject"], "value": organisation(3).orgno}}, "NotAuthorized"),
        ({"subject": {"type": "urn:altinn:party:id", "value": str(organisation(2).party_id)}}, "Authorized"),
        ({"subject": {"type": "urn:altinn:party:uuid", "value": str(organisation(2).party_uuid)}}, "Authorized"),
    ],
)
async def test_access_management_is_told_what_lists_allow(
    authorization: httpx2.AsyncClient, changed: dict[str, Any], result: str
) -> None:
    answer = await authorization.post(PATH, json={**ASKED, **changed})
    assert answer.status_code == 200
    assert answer.json() == {**ASKED, **changed, "result": result}


@pytest.mark.parametrize(
    ("changed", "fields"),
    [
        ({"subject": None}, ["subject"]),
        ({"subject": "x"}, ["subject"]),
        ({"subject": {"type": "urn:altinn:organization:identifier-no", "value": "x"}}, ["subject"]),
        ({"resource": {"type": "urn:altinn:app", "value": "x"}}, ["resource"]),
        ({"action": {"type": "x", "value": "read"}}, ["action"]),
        ({"action": {**ASKED["action"], "value": ""}, "resource": {"type": "x", "value": "y"}}, ["resource", "action"]),
    ],
)
async def test_what_is_no_question_is_a_bad_request(
    authorization: httpx2.AsyncClient, changed: dict[str, Any], fields: list[str]
) -> None:
    refused = await authorization.post(PATH, json={**ASKED, **changed})
    assert (refused.status_code, list(refused.json()["errors"])) == (400, fields)


async def test_nobody_but_the_platform_is_told(authorization: httpx2.AsyncClient, database: Database) -> None:
    assert (await authorization.post(PATH, json=ASKED, headers={"PlatformAccessToken": "from-skd"})).status_code == 403
    assert (await authorization.post(PATH, json=ASKED, headers={"PlatformAccessToken": "x"})).status_code == 401
    del authorization.headers["PlatformAccessToken"]
    assert (await authorization.post(PATH, json=ASKED)).status_code == 401
    async with database.transaction() as connection:
        found = await connection.execute(
            text("SELECT actor, action, subject, reason FROM audit.event WHERE outcome = 'deny'")
        )
        assert [tuple(row) for row in found] == [("skd", "access-list:read", "access-list", "not_the_platform")]
