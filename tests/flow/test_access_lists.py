"""An owner's lists over HTTP, from the first to the last (altinn-resource-registry.md §8, §9, §16)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import httpx2
import pytest
from sqlalchemy import text

from fullmakt.infra.database import Database
from fullmakt.kernel.clock import FixedClock
from tests.support.access_lists import LISTS, START, URL, Setting, members

MADE = {
    "urn": "urn:altinn:access-list:digdir:eformidling-dpv",
    "identifier": "eformidling-dpv",
    "name": "Approved senders",
    "description": "",
    "createdAt": "2026-01-05T10:11:12.123456+00:00",
    "updatedAt": "2026-01-05T10:11:12.123456+00:00",
}
ONE = f"{LISTS}/digdir/eformidling-dpv"
VERSION_1 = 'W/"eyJ2ZXJzaW9uIjoiMSJ9"'


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(START)


@pytest.fixture
def setting(database: Database, clock: FixedClock) -> Setting:
    return Setting(database, clock)


async def _make(client: httpx2.AsyncClient, identifier: str = "eformidling-dpv") -> httpx2.Response:
    return await client.put(f"{LISTS}/digdir/{identifier}", json={"name": "Approved senders"})


async def test_a_list_is_made_read_changed_and_deleted(setting: Setting, clock: FixedClock) -> None:
    client = setting.client()
    made = await _make(client)
    assert (made.status_code, made.json()) == (200, MADE)
    assert made.headers["content-type"] == "application/json"
    assert made.text.startswith('{\n  "urn"')
    assert made.headers["etag"] == VERSION_1
    assert made.headers["last-modified"] == "Mon, 05 Jan 2026 10:11:12 GMT"
    read = await client.get(ONE)
    assert (read.status_code, read.json(), read.headers["etag"]) == (200, MADE, VERSION_1)

    clock.advance(seconds=90)
    changed = await client.put(ONE, json={"Name": "Senders", "DESCRIPTION": "Who may send"})
    after = {**MADE, "name": "Senders", "description": "Who may send", "updatedAt": "2026-01-05T10:12:42.123456+00:00"}
    assert (changed.status_code, changed.json()) == (200, after)
    assert changed.headers["etag"] == 'W/"eyJ2ZXJzaW9uIjoiMiJ9"'
    assert changed.headers["last-modified"] == "Mon, 05 Jan 2026 10:12:42 GMT"

    deleted = await client.delete(ONE)
    assert (deleted.status_code, deleted.json()["name"]) == (200, "Senders")
    assert (await client.delete(ONE)).status_code == 204
    gone = await client.get(ONE)
    assert (gone.status_code, gone.headers["content-type"]) == (404, "application/problem+json")


async def test_a_put_that_changes_nothing_keeps_version_and_time(setting: Setting, clock: FixedClock) -> None:
    client = setting.client()
    await _make(client)
    clock.advance(days=1)
    again = await client.put(ONE, json={"name": "Approved senders", "description": None})
    assert (again.status_code, again.json(), again.headers["etag"]) == (200, MADE, VERSION_1)


async def test_a_list_that_is_made_again_is_not_the_old_one(setting: Setting, clock: FixedClock) -> None:
    client = setting.client()
    await _make(client)
    await client.post(f"{ONE}/members", json=members(1))
    await client.put(f"{ONE}/resource-connections/api-001", json={})
    await client.delete(ONE)
    clock.advance(days=1)
    made = await _make(client)
    assert made.json() == {**MADE, **dict.fromkeys(("createdAt", "updatedAt"), "2026-01-06T10:11:12.123456+00:00")}
    assert made.headers["etag"] != VERSION_1
    for part in ("members", "resource-connections"):
        assert (await client.get(f"{ONE}/{part}")).json() == {"links": {}, "data": []}
    assert (await client.put(ONE, json={"name": "x"}, headers={"If-Match": VERSION_1})).status_code == 412


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["Name"]),
        ({"name": None}, ["Name"]),
        ({"name": " "}, ["Name"]),
        ({"name": 5}, ["$.name"]),
        ({"name": "x" * 501}, ["Name"]),
        ({"name": "x\x00"}, ["Name"]),
        ({"name": "", "description": "\x00"}, ["Name", "Description"]),
        ({"name": "x", "description": ["y"]}, ["$.description"]),
        ([], ["$"]),
        ("x", ["$"]),
    ],
)
async def test_what_a_list_can_not_be_is_a_bad_request(setting: Setting, body: Any, fields: list[str]) -> None:
    refused = await setting.client().put(ONE, json=body)
    assert refused.status_code == 400
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["title"] == "One or more validation errors occurred."
    assert list(refused.json()["errors"]) == fields
    assert (await setting.client().get(ONE)).status_code == 404


@pytest.mark.parametrize(
    "body", [b"{", b'{"name": "a", "name": "b"}', b'{"name": "\\ud800"}', b"\xff", b"[" * 9_000, b'{"name": NaN}']
)
async def test_what_is_not_json_is_a_bad_request(setting: Setting, body: bytes) -> None:
    refused = await setting.client().put(ONE, content=body)
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["$"])


async def test_a_body_that_is_not_there_is_asked_for(setting: Setting) -> None:
    refused = await setting.client().put(ONE, content=b"")
    assert (refused.status_code, refused.json()["errors"]) == (400, {"": ["A non-empty request body is required."]})


async def test_a_body_that_says_one_thing_twice_is_a_bad_request(setting: Setting) -> None:
    refused = await setting.client().put(ONE, content=b'{"name": "a", "Name": "b"}')
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["$"])
    assert (await setting.client().get(ONE)).status_code == 404


async def test_a_body_of_another_kind_is_not_taken(setting: Setting) -> None:
    refused = await setting.client().put(ONE, content=b"name=x", headers={"Content-Type": "text/plain"})
    assert refused.status_code == 415


async def test_an_identifier_may_be_any_printable_text_and_stays_what_it_is(setting: Setting) -> None:
    client = setting.client()
    for identifier in ("godkjente banker", "Æ:1", "memberships", "%25"):
        made = await client.put(f"{LISTS}/digdir/{identifier}", json={"name": "x"})
        assert made.status_code == 200, identifier
    assert (await client.get(f"{LISTS}/digdir/æ:1")).status_code == 404
    identifiers = [each["identifier"] for each in (await client.get(f"{LISTS}/digdir")).json()["data"]]
    assert identifiers == ["%", "godkjente banker", "memberships", "Æ:1"]


@pytest.mark.parametrize("identifier", ["%00", "a%0Ab", "x" * 256, "%20"])
async def test_an_identifier_that_no_list_can_have_is_refused_and_never_found(
    setting: Setting, identifier: str
) -> None:
    client, path = setting.client(), f"{LISTS}/digdir/{identifier}"
    refused = await client.put(path, json={"name": "x"})
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["identifier"])
    assert (await client.get(path)).status_code == 404
    assert (await client.delete(path)).status_code == 204
    for part in ("members", "resource-connections"):
        assert (await client.get(f"{path}/{part}")).status_code == 404
    assert (await client.post(f"{path}/members", json=members(1))).status_code == 404
    assert (await client.put(f"{path}/resource-connections/api-001", json={})).status_code == 404


async def test_lists_come_twenty_at_a_time_by_identifier(setting: Setting) -> None:
    client = setting.client()
    wanted = [f"list-{number:02}" for number in range(45)]
    for identifier in reversed(wanted):
        await _make(client, identifier)
    await setting.client("admin").put(f"{LISTS}/skd/list-00", json={"name": "skd's"})
    found: list[str] = []
    sizes: list[int] = []
    following: str | None = f"{URL}{LISTS}/digdir"
    while following is not None:
        page = (await client.get(following.removeprefix(URL))).json()
        found += [each["identifier"] for each in page["data"]]
        sizes.append(len(page["data"]))
        following = page["links"].get("next")
        assert following is None or following.startswith(f"{URL}{LISTS}/digdir?token=")
    assert (found, sizes) == (wanted, [20, 20, 5])


async def test_lists_that_go_and_come_while_they_are_paged_break_nothing(setting: Setting) -> None:
    client = setting.client()
    for number in range(25):
        await _make(client, f"list-{number:02}")
    page = (await client.get(f"{LISTS}/digdir")).json()
    await client.delete(f"{LISTS}/digdir/list-20")
    await _make(client, "list-21b")
    rest = (await client.get(page["links"]["next"].removeprefix(URL))).json()
    assert [each["identifier"] for each in rest["data"]] == ["list-21", "list-21b", "list-22", "list-23", "list-24"]


@pytest.mark.parametrize(
    ("include", "connection"),
    [
        ("resources", {"resourceIdentifier": "api-001"}),
        ("resource-actions", {"resourceIdentifier": "api-001", "actionFilters": ["read", "write"]}),
        ("resources,resource-actions", {"resourceIdentifier": "api-001", "actionFilters": ["read", "write"]}),
    ],
)
async def test_lists_come_with_their_connection_to_the_resource_that_is_asked_about(
    setting: Setting, include: str, connection: dict[str, Any]
) -> None:
    client = setting.client()
    await _make(client, "other")
    await _make(client)
    for resource in ("api-001", "api-002"):
        await client.put(f"{ONE}/resource-connections/{resource}", json={"actionFilters": ["write", "read"]})
    times = dict.fromkeys(("createdAt", "updatedAt"), "2026-01-05T10:11:12.123456+00:00")
    found = (await client.get(f"{LISTS}/digdir?include={include}&resource=api-001")).json()["data"]
    assert found[0] == {**MADE, "resourceConnections": [{**connection, **times}]}
    assert found[1]["resourceConnections"] == []
    repeated = "&".join(f"include={each}" for each in include.split(","))
    assert (await client.get(f"{LISTS}/digdir?{repeated}&resource=api-001")).json()["data"] == found
    alone = (await client.get(f"{ONE}?include={include}")).json()
    assert [each["resourceIdentifier"] for each in alone["resourceConnections"]] == ["api-001", "api-002"]
    assert ("actionFilters" in alone["resourceConnections"][0]) == ("actionFilters" in connection)
    assert "resourceConnections" not in (await client.get(f"{LISTS}/digdir?resource=api-001")).json()["data"][0]


async def test_what_is_included_is_included_on_the_next_page_too(setting: Setting) -> None:
    client = setting.client()
    for number in range(21):
        await _make(client, f"list-{number:02}")
    await client.put(f"{LISTS}/digdir/list-20/resource-connections/api-001", json={})
    page = (await client.get(f"{LISTS}/digdir?include=resources&resource=api-001")).json()
    rest = (await client.get(page["links"]["next"].removeprefix(URL))).json()
    assert rest["data"][0]["resourceConnections"][0]["resourceIdentifier"] == "api-001"


async def test_including_members_is_not_implemented(setting: Setting) -> None:
    refused = await setting.client().get(f"{LISTS}/digdir?include=resources,members&resource=api-001")
    assert refused.status_code == 501
    assert refused.headers["content-type"] == "application/problem+json"
    body = refused.json()
    assert body.pop("traceId").startswith("00-")
    told = "Members are not supported yet as an include option for this endpoint."
    assert body == {
        "type": "urn:altinn:error:RR-00000", "title": told, "status": 501, "detail": told, "code": "RR-00000",
    }  # fmt: skip


@pytest.mark.parametrize(
    "query", ["include=resources", "include=resource-actions&resource=", "include=resources&resource=%20"]
)
async def test_including_connections_takes_a_resource(setting: Setting, query: str) -> None:
    refused = await setting.client().get(f"{LISTS}/digdir?{query}")
    assert refused.status_code == 400
    body = refused.json()
    body.pop("traceId")
    assert body == {
        "type": "https://tools.ietf.org/html/rfc9110#section-15.5.1",
        "title": "Bad Request",
        "status": 400,
        "detail": "One or more validation errors occurred.",
        "code": "STD-00000",
        "validationErrors": [
            {
                "code": "RR.VLD-00002",
                "detail": "Resource identifier is required when including resource connections.",
                "paths": ["/$QUERY/include", "/$QUERY/resource"],
            }
        ],
    }


@pytest.mark.parametrize("token", ["x", "!", "e30", "WzFd", "MQ", "bnVsbA", "IlxkODAwIg", "IlwwIg", "9" * 5_000])
async def test_a_token_that_is_none_of_ours_is_a_bad_request(setting: Setting, token: str) -> None:
    client = setting.client()
    await _make(client)
    for path in (f"{LISTS}/digdir", f"{ONE}/members", f"{ONE}/resource-connections"):
        refused = await client.get(f"{path}?token={token}")
        assert (refused.status_code, list(refused.json()["errors"])) == (400, ["token"])


@pytest.mark.parametrize("query", ["include=x", "include=Resources&resource=a", "include=resources&resource=%00"])
async def test_a_query_that_means_nothing_is_a_bad_request(setting: Setting, query: str) -> None:
    refused = await setting.client().get(f"{LISTS}/digdir?{query}")
    assert refused.status_code == 400
    assert len(refused.json()["errors"]) == 1


async def test_a_patch_is_not_implemented_and_other_methods_are_told_what_there_is(setting: Setting) -> None:
    client = setting.client()
    assert (await client.patch(ONE, json=[])).status_code == 501
    assert (await setting.client("reader").patch(ONE, json=[])).status_code == 403
    for path, methods in {
        ONE: {"GET", "HEAD", "PUT", "DELETE", "PATCH"},
        f"{ONE}/members": {"GET", "HEAD", "PUT", "POST", "DELETE"},
        f"{ONE}/resource-connections": {"GET", "HEAD"},
        f"{ONE}/resource-connections/api-001": {"PUT", "DELETE"},
    }.items():
        refused = await client.request("TRACE", path)
        assert refused.status_code == 405
        assert set(refused.headers["allow"].split(", ")) == methods


async def test_head_has_the_validators_of_get(setting: Setting) -> None:
    client = setting.client()
    await _make(client)
    told = await client.head(ONE)
    assert (told.status_code, told.headers["etag"], told.content) == (200, VERSION_1, b"")


READS = [("GET", ""), ("GET", "/x"), ("GET", "/x/members"), ("GET", "/x/resource-connections")]
WRITES = [
    ("PUT", "/x"), ("DELETE", "/x"), ("PATCH", "/x"), ("PUT", "/x/members"), ("POST", "/x/members"),
    ("DELETE", "/x/members"), ("PUT", "/x/resource-connections/api-001"), ("DELETE", "/x/resource-connections/api-001"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("who", "reads", "writes"),
    [
        (None, 401, 401),
        ("stranger", 401, 401),
        ("nobody", 403, 403),
        ("other", 403, 403),
        ("reader", 0, 403),
        ("pdp", 0, 403),
        ("pdp_writer", 0, 403),
        ("writer", 0, 0),
        ("by_code", 0, 0),
        ("admin", 0, 0),
    ],
)
async def test_who_may_read_and_who_may_write(setting: Setting, who: str | None, reads: int, writes: int) -> None:
    client = setting.client(who)
    for refusal, calls in ((reads, READS), (writes, WRITES)):
        for method, path in calls:
            answer = await client.request(method, f"{LISTS}/DigDir{path}")
            if refusal:
                assert (answer.status_code, answer.content) == (refusal, b""), (method, path)
            else:
                assert answer.status_code not in {401, 403, 500}, (method, path)


async def test_refusals_are_in_the_audit_trail_with_their_reason(setting: Setting, database: Database) -> None:
    await setting.client("other").delete(ONE)
    await setting.client("reader").post(f"{ONE}/members", json=members(1))
    await setting.client("nobody").get(f"{LISTS}/digdir")
    async with database.transaction() as connection:
        found = await connection.execute(
            text("SELECT actor, action, outcome, subject, reason FROM audit.event ORDER BY id")
        )
        assert [tuple(row) for row in found] == [
            ("974761076", "access-list:write", "deny", "access-list:digdir:eformidling-dpv", "other_owner"),
            ("991825827", "access-list:write", "deny", "access-list:digdir:eformidling-dpv", "missing_scope"),
            ("991825827", "access-list:read", "deny", "access-list:digdir", "missing_scope"),
        ]


@pytest.mark.parametrize("owner", ["nosuch", "991825827", "%00"])
@pytest.mark.parametrize("who", ["writer", "admin"])
async def test_an_owner_is_a_registered_org_code(setting: Setting, owner: str, who: str) -> None:
    client = setting.client(who)
    for method, path in (*READS, *WRITES):
        refused = await client.request(method, f"{LISTS}/{owner}{path}")
        assert refused.status_code == 400
        assert refused.json()["validationErrors"] == [
            {
                "code": "RR.VLD-00010",
                "detail": "Access list owner must be a valid and registered org-code.",
                "paths": ["/$PATH/owner"],
            }
        ]


async def test_letter_case_matters_in_an_identifier_and_not_in_an_owner(setting: Setting) -> None:
    client = setting.client()
    await _make(client)
    read = await client.get(f"{LISTS}/DIGDIR/eformidling-dpv")
    assert (read.status_code, read.json()["urn"]) == (200, MADE["urn"])
    assert (await client.get(f"{LISTS}/digdir/Eformidling-DPV")).status_code == 404


async def test_paths_and_parameters_are_taken_in_any_letters(setting: Setting) -> None:
    client = setting.client()
    await _make(client)
    whole = await client.get("/API/v1/Access-Lists/digdir/eformidling-dpv/Members/")
    assert (whole.status_code, whole.json()) == (200, {"links": {}, "data": []})
    assert (await client.get(f"{LISTS}/digdir/?Include=resources&RESOURCE=api-001")).json()["data"][0][
        "resourceConnections"
    ] == []
    assert (await client.get(f"{LISTS}/digdir?Token=x")).status_code == 400


async def test_what_is_larger_than_a_megabyte_is_not_read(setting: Setting) -> None:
    assert (await setting.client().put(ONE, json={"name": "x" * 1_100_000})).status_code == 413


async def test_without_a_database_lists_are_unavailable() -> None:
    down = Setting(Database("postgresql://nobody@127.0.0.1:9/none"))
    answer = await down.client().get(ONE)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


async def test_times_do_not_depend_on_where_the_database_is(setting: Setting, database: Database) -> None:
    client = setting.client()
    await _make(client)
    async with database.transaction() as connection:
        await connection.execute(text(f"ALTER DATABASE {connection.engine.url.database} SET timezone = 'Europe/Oslo'"))
    await database.close()
    assert (await client.get(ONE)).json()["createdAt"] == START.astimezone(dt.UTC).isoformat()
