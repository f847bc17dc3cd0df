"""Requests for access in Altinn 2's shape, over the same requests as Altinn 3's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from fullmakt.infra.database import Database
from fullmakt.kernel.identifiers import OrgNumber
from tests.support.requests import ALTINN2, ENDUSER, OLD, RequestsWorld, codes

SERVICE = {"ServiceCode": "5120", "ServiceEditionCode": 1}


@pytest.fixture
async def world(database: Database) -> AsyncIterator[RequestsWorld]:
    world = RequestsWorld(database)
    yield world
    await world.close()


def body(**changes: Any) -> dict[str, Any]:
    return {
        "CoveredBy": "05895199925",
        "OfferedBy": "910753614",
        "RedirectUrl": "https://nav.test/tilbake",
        "KeepSessionAlive": True,
        "RequestMessage": "Jeg trenger tilgang",
        "RequestResources": [SERVICE],
        **changes,
    }


async def create(world: RequestsWorld, **changes: Any) -> httpx2.Response:
    return await world.send("skd", "POST", f"{OLD}?ForceEIAuthentication", json=body(**changes))


async def guid(world: RequestsWorld, **changes: Any) -> str:
    answer = await create(world, **changes)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["Guid"])


async def test_a_request_is_made_and_written_as_altinn_2_writes_it(world: RequestsWorld) -> None:
    answer = await create(world)
    assert answer.status_code == 201
    assert answer.headers["content-type"] == "application/hal+json"
    made = answer.json()["Guid"]
    assert answer.headers["location"] == f"{ALTINN2}{OLD}/{made}"
    assert answer.json() == {
        "Guid": made,
        "RequestStatus": "Created",
        "CoveredBy": "05895199925",
        "OfferedBy": "910753614",
        "RedirectUrl": "https://nav.test/tilbake",
        "RequestMessage": "Jeg trenger tilgang",
        "KeepSessionAlive": True,
        "Created": "2026-11-21T12:00:00.00",
        "LastChanged": "2026-11-21T12:00:00.00",
        "RequestResources": [{"ServiceCode": "5120", "ServiceEditionCode": 1, "Operations": ["Read", "Write"]}],
        "_links": {
            "self": {"href": f"{ALTINN2}/api/serviceowner/delegationrequests/{made}"},
            "sendRequest": {"href": f"{ALTINN2}/ui/DelegationRequest/send/{made}"},
        },
    }
    assert (await world.send("skd", "GET", f"{OLD}/{made}")).json() == answer.json()


async def test_it_is_the_same_request_in_both_generations(world: RequestsWorld) -> None:
    made = await guid(world, RequestResources=[{**SERVICE, "Operations": ["Read"]}])
    statuses = [(await world.send("skd", "GET", f"{OLD}/{made}")).json()["RequestStatus"]]
    for token, what, party in (("kari", "draft/confirm", world.kari), ("boss", "received/approve", world.company)):
        assert (await world.move(token, what, made, party)).status_code == 200
        statuses.append((await world.send("skd", "GET", f"{OLD}/{made}")).json()["RequestStatus"])
    assert statuses == ["Created", "Unopened", "Approved"]
    (right,) = await world.delegations.rights([world.kari.party_uuid], world.company.party_uuid, "se_5120_1")
    assert right.actions == {"read"}


async def test_several_services_are_approved_together_and_shown_to_the_approver(world: RequestsWorld) -> None:
    world.resources.add("se_5121_2", resource_type="Altinn2Service", actions=("read", "write"))
    world.authority.permit(world.boss, "se_5121_2", world.company, "read", "write")
    both = [
        {**SERVICE, "Operations": ["Read"]},
        {"ServiceCode": "5121", "ServiceEditionCode": "2", "Operations": ["Write"]},
    ]
    made = await guid(world, RequestResources=both)
    await world.move("kari", "draft/confirm", made, world.kari)
    query = {"party": world.company.party_uuid, "id": made}
    shown = (await world.send("boss", "GET", ENDUSER, params=query)).json()
    assert [resource["referenceId"] for resource in shown["resources"]] == ["se_5120_1", "se_5121_2"]
    assert (await world.move("boss", "received/approve", made, world.company)).status_code == 200
    stored = await world.delegations.stored(receiver=world.kari.party_uuid)
    assert {(one.right.resource, *one.right.actions) for one in stored} == {
        ("se_5120_1", "read"),
        ("se_5121_2", "write"),
    }


async def test_a_request_is_deleted_by_who_made_it(world: RequestsWorld) -> None:
    made = await guid(world)
    assert (await world.send("nav", "DELETE", f"{OLD}/{made}")).status_code == 403
    deleted = await world.send("skd", "DELETE", f"{OLD}/{made}")
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert (await world.send("skd", "GET", f"{OLD}/{made}")).json()["RequestStatus"] == "Deleted"
    assert codes(await world.send("skd", "DELETE", f"{OLD}/{made}")) == ["AM.VLD-00036"]
    for method in ("GET", "DELETE"):
        assert (await world.send("skd", method, f"{OLD}/{uuid4()}")).status_code == 404
    assert (await world.send("nav", "GET", f"{OLD}/{made}")).status_code == 403


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", 2),
        ("?coveredBy=05895199925", 2),
        ("?coveredBy=24907999889", 0),
        ("?coveredBy=17865599978", 0),
        ("?coveredBy=nobody", 0),
        ("?offeredBy=910753614&status[0]=Created", 1),
        ("?status[0]=Created&status[1]=Unopened", 2),
        ("?RequestStatus=Deleted", 0),
        ("?serviceCode=5120&serviceEditionCode=1", 2),
        ("?serviceCode=5120", 2),
        ("?serviceCode=5120&serviceEditionCode=9", 0),
        ("?serviceCode=x%00", 0),
        ("?$filter=CoveredBy eq '05895199925'", 2),
        ("?$filter=CoveredBy eq '05895199925' and OfferedBy eq '910753614' and RequestStatus eq 'Unopened'", 1),
        ("?$filter=ServiceCode eq '5120' and ServiceEditionCode eq 1", 2),
        ("?$filter=coveredby EQ '24907999889'", 0),
    ],
)
async def test_a_list_is_narrowed_by_members_or_by_an_odata_filter(
    world: RequestsWorld, query: str, found: int
) -> None:
    first = await guid(world, RequestResources=[{**SERVICE, "Operations": ["Read"]}])
    await guid(world)
    await world.move("kari", "draft/confirm", first, world.kari)
    answer = await world.send("skd", "GET", OLD + query)
    assert answer.status_code == 200
    assert len(answer.json()["_embedded"]["delegationRequests"]) == found
    assert answer.json()["_links"]["self"] == {"href": f"{ALTINN2}{OLD}"}


async def test_a_list_holds_no_other_service_owners_requests(world: RequestsWorld) -> None:
    await guid(world)
    listed = (await world.send("nav", "GET", OLD)).json()
    assert listed["_embedded"]["delegationRequests"] == []
    assert listed["continuationtoken"] is None


async def test_who_follows_the_continuation_token_sees_all_once(world: RequestsWorld) -> None:
    made = [await guid(world, RequestResources=[{**SERVICE, "Operations": [f"A{number}"]}]) for number in range(103)]
    seen: list[str] = []
    token: str | None = None
    while True:
        query = {"coveredBy": "05895199925", **({"continuation": token} if token else {})}
        page = (await world.send("skd", "GET", OLD, params=query)).json()
        if not page["_embedded"]["delegationRequests"]:
            break
        seen += [item["Guid"] for item in page["_embedded"]["delegationRequests"]]
        token = page["continuationtoken"]
        assert f"continuation={token}" in page["_links"]["next"]["href"]
    assert sorted(seen) == sorted(made)


@pytest.mark.parametrize("accept", ["application/json", "application/json, application/hal+json"])
async def test_a_client_that_lists_plain_json_gets_it_bare(world: RequestsWorld, accept: str) -> None:
    made = await guid(world)
    one = await world.send("skd", "GET", f"{OLD}/{made}", headers={"Accept": accept})
    assert one.headers["content-type"] == "application/json"
    assert "_links" not in one.json()
    listed = await world.send("skd", "GET", OLD, headers={"Accept": accept})
    assert listed.json() == [one.json()]


@pytest.mark.parametrize(
    "query",
    ["?status[0]=Open", "?$filter=CoveredBy ne 'x'", "?$filter=Name eq 'x'", "?$filter=CoveredBy eq 'x' or 1 eq 1",
     "?$filter=" + "(" * 3000, "?$filter=CoveredBy eq 'x'" + " " * 20_000 + "x",
     "?continuation=x", "?$filter=RequestStatus eq 'Open'"],
)  # fmt: skip
async def test_a_filter_that_can_not_be_read_is_400(world: RequestsWorld, query: str) -> None:
    answer = await world.send("skd", "GET", OLD + query)
    assert (answer.status_code, bool(answer.json()["errors"])) == (400, True)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"CoveredBy": "1"}, "CoveredBy"),
        ({"CoveredBy": None}, "CoveredBy"),
        ({"CoveredBy": "٠٥٨٩٥١٩٩٩٢٥"}, "CoveredBy"),
        ({"OfferedBy": 910753614}, "$.OfferedBy"),
        ({"OfferedBy": "91075361\u0000"}, "OfferedBy"),
        ({"RequestResources": None}, "RequestResources"),
        ({"RequestResources": []}, "RequestResources"),
        ({"RequestResources": [7]}, "$.RequestResources[0]"),
        ({"RequestResources": [SERVICE] * 101}, "$.RequestResources"),
        ({"RequestResources": [{"ServiceCode": "5120"}]}, "RequestResources[0]"),
        ({"RequestResources": [{"ServiceCode": "5_1", "ServiceEditionCode": 1}]}, "RequestResources[0]"),
        ({"RequestResources": [{**SERVICE, "Operations": [7]}]}, "Operations[0]"),
        ({"RequestResources": [{**SERVICE, "Operations": ["\u0000"]}]}, "Operations[0]"),
        ({"RedirectUrl": "javascript:alert(1)"}, "RedirectUrl"),
        ({"RedirectUrl": "https://[x"}, "RedirectUrl"),
        ({"RedirectUrl": "https://a b"}, "RedirectUrl"),
        ({"RequestMessage": "a\u0000"}, "RequestMessage"),
        ({"RequestMessage": "x" * 5000}, "RequestMessage"),
        ({"KeepSessionAlive": "yes"}, "$.KeepSessionAlive"),
    ],
)
async def test_a_body_that_can_not_be_taken_is_400_and_says_which_member(
    world: RequestsWorld, changes: dict[str, Any], field: str
) -> None:
    answer = await create(world, **changes)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"RequestResources": [{"ServiceCode": "9999", "ServiceEditionCode": 1}]}, "AMSO.VLD-00003"),
        ({"RequestResources": [SERVICE, {"ServiceCode": "4000", "ServiceEditionCode": 1}]}, "AMSO.VLD-00006"),
        ({"CoveredBy": "03817299813"}, "AMSO.VLD-00002"),
        ({"OfferedBy": "310943223"}, "AMSO.VLD-00002"),
    ],
)
async def test_what_can_not_be_asked_for_has_altinn_3s_codes(
    world: RequestsWorld, changes: dict[str, Any], code: str
) -> None:
    world.resources.add("se_4000_1", resource_type="Altinn2Service")
    world.resources.change("se_4000_1", owner_orgno=OrgNumber("889640782"), owner_code="nav")
    assert codes(await create(world, **changes)) == [code]


@pytest.mark.parametrize(("method", "path"), [("POST", OLD), ("GET", OLD), ("GET", f"{OLD}/x"), ("DELETE", f"{OLD}/x")])
async def test_the_scopes_are_those_of_service_owners(world: RequestsWorld, method: str, path: str) -> None:
    assert (await world.send(None, method, path)).status_code == 401
    assert (await world.send("kari", method, path)).status_code == 403
    if path.endswith("x"):
        assert (await world.send("skd", method, path)).status_code == 400


async def test_paths_are_taken_in_any_case(world: RequestsWorld) -> None:
    assert (await world.old_http.get("/api/ServiceOwner/delegationRequests/")).status_code == 401
