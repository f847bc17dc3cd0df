"""Asking for access, as a service owner and as an end user, with every answer there is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from fullmakt.altinn.delegations.model import OPERATOR, ConnectionRole
from fullmakt.infra.database import Database
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.delegations import TOPIC
from fullmakt.wire.altinn.parties import HeldRights
from tests.support.feeds import announced
from tests.support.requests import (
    API,
    ENDUSER,
    OWNERS,
    PACKAGE,
    PAGES,
    RESOURCE,
    SCHEMA,
    RequestsWorld,
    codes,
    organisation,
    person,
)


@pytest.fixture
async def world(database: Database) -> AsyncIterator[RequestsWorld]:
    world = RequestsWorld(database)
    yield world
    await world.close()


async def rights_of_kari(world: RequestsWorld, resource: str = RESOURCE) -> list[frozenset[str]]:
    rights = await world.delegations.rights([world.kari.party_uuid], world.company.party_uuid, resource)
    return [right.actions for right in rights]


# -- the whole way ----------------------------------------------------------------------------------------------------


async def test_a_service_owners_draft_is_confirmed_approved_and_a_right(world: RequestsWorld) -> None:
    request_id = await world.drafted()
    assert (await world.move("kari", "draft/confirm", request_id, world.kari)).json()["status"] == "Pending"
    assert await rights_of_kari(world) == []
    approved = await world.move("boss", "received/approve", request_id, world.company)
    assert (approved.status_code, approved.json()["status"]) == (200, "Approved")
    assert await rights_of_kari(world) == [frozenset({"read", "write"})]
    status = await world.send("skd", "GET", f"{OWNERS}/{request_id}/status")
    assert (status.status_code, status.json()) == (200, "Approved")


async def test_the_draft_is_written_as_altinn_writes_it(world: RequestsWorld) -> None:
    body = {"from": person(world.kari), "to": organisation(world.company), "resource": RESOURCE}
    answer = await world.send("skd", "POST", f"{OWNERS}/resource", json=body)
    assert answer.status_code == 202
    document = answer.json()
    request_id = document["id"]
    assert UUID(document["resource"].pop("id"))
    assert document == {
        "id": request_id,
        "status": "Draft",
        "type": "resource",
        "lastUpdated": "2026-11-21T12:00:00+00:00",
        "lastUpdatedBy": None,
        "resource": {"referenceId": RESOURCE},
        "package": None,
        "links": {
            "detailsLink": f"{PAGES}/accessmanagement/ui/requests/resource?requestId={request_id}",
            "statusLink": f"{API}{OWNERS}/{request_id}/status",
        },
        "from": {"id": str(world.kari.party_uuid), "name": "Kari Nordmann", "type": "Person", "variant": "Person",
                 "organizationIdentifier": None, "personIdentifier": "05895199925"},
        "to": {"id": str(world.company.party_uuid), "name": "Øvre Toten Regnskap", "type": "Organisasjon",
               "variant": "AS", "organizationIdentifier": "910753614", "personIdentifier": None},
        "by": {"id": str(world.skd.party_uuid), "name": "Skatteetaten", "type": "Organisasjon", "variant": "AS",
               "organizationIdentifier": "974761076", "personIdentifier": None},
    }  # fmt: skip


async def test_a_supplier_asks_for_an_api_and_the_consumers_approval_delegates_it(world: RequestsWorld) -> None:
    query = {"party": world.vendor.party_uuid, "to": world.company.party_uuid, "resource": SCHEMA}
    asked = await world.send("vera", "POST", f"{ENDUSER}/resource", params=query)
    assert (asked.status_code, asked.json()["status"]) == (200, "Pending")
    assert await world.delegations.api_delegations(supplier=world.vendor.orgno) == ()
    approved = await world.move("boss", "received/approve", asked.json()["id"], world.company)
    assert approved.json()["status"] == "Approved"
    (delegation,) = await world.delegations.api_delegations(supplier=world.vendor.orgno, scope="skd:innkreving")
    assert (delegation.consumer, delegation.resource) == ("910753614", SCHEMA)
    (connection,) = await world.delegations.connections(giver=world.company.party_uuid)
    assert (connection.receiver, connection.role) == (world.vendor.party_uuid, ConnectionRole.SUPPLIER)


async def test_a_package_is_asked_for_and_given(world: RequestsWorld) -> None:
    query = {"party": world.kari.party_uuid, "to": world.company.party_uuid,
             "package": f"urn:altinn:accesspackage:{PACKAGE}"}  # fmt: skip
    asked = await world.send("kari", "POST", f"{ENDUSER}/package", params=query)
    document = asked.json()
    assert (document["type"], document["resource"]) == ("package", None)
    assert document["package"]["urn"] == f"urn:altinn:accesspackage:{PACKAGE}"
    assert "/requests/package?" in document["links"]["detailsLink"]
    assert (await world.move("boss", "received/approve", document["id"], world.company)).status_code == 200
    held = await world.delegations.packages([world.kari.party_uuid], world.company.party_uuid)
    assert held == {Attribute(ids.ACCESS_PACKAGE, PACKAGE)}


async def test_an_end_user_never_sees_the_others_number(world: RequestsWorld) -> None:
    request_id = await world.asked()
    for token, party in (("kari", world.kari), ("boss", world.company)):
        answer = await world.send(token, "GET", ENDUSER, params={"party": party.party_uuid, "id": request_id})
        assert answer.status_code == 200
        assert "05895199925" not in answer.text


async def test_what_happened_is_told_to_the_audit_trail_and_the_feed(world: RequestsWorld) -> None:
    before = (await announced(world.database, TOPIC)).version
    request_id = await world.drafted()
    await world.move("kari", "draft/confirm", request_id, world.kari)
    await world.move("boss", "received/approve", request_id, world.company)
    kari, boss = (f"party:{who.party_uuid}" for who in (world.kari, world.boss))
    assert await world.audited("request:") == [
        ("request:create", "done", "", "974761076"),
        ("request:confirm", "done", "", kari),
        ("request:approve", "done", "", boss),
    ]
    changes = await announced(world.database, TOPIC, before)
    assert f"request:{request_id}" in changes.keys
    assert f"to:{world.kari.party_uuid}" in changes.keys
    (stored,) = await world.delegations.stored(receiver=world.kari.party_uuid)
    assert (stored.performed_by, stored.performed_by_user) == (boss, world.boss.user_id)


# -- a service owner asks ---------------------------------------------------------------------------------------------


async def test_the_ways_to_name_a_party_are_open_to_all(world: RequestsWorld) -> None:
    answer = await world.send(None, "GET", f"{OWNERS}/_meta/urns/party")
    assert answer.json() == ["urn:altinn:person:identifier-no", "urn:altinn:organization:identifier-no"]


async def test_asking_again_gives_the_request_there_is_until_it_is_answered(world: RequestsWorld) -> None:
    first = await world.drafted()
    assert await world.drafted() == first
    await world.move("kari", "draft/confirm", first, world.kari)
    assert await world.drafted() == first
    await world.move("boss", "received/reject", first, world.company)
    assert await world.drafted() != first


async def test_requests_that_are_made_at_once_are_one(world: RequestsWorld) -> None:
    assert len(set(await asyncio.gather(*(world.drafted() for _ in range(5))))) == 1


@pytest.mark.parametrize("the_other_way", [False, True])
async def test_on_the_base_route_person_and_organisation_may_stand_either_way(
    world: RequestsWorld, the_other_way: bool
) -> None:
    parties = [person(world.kari), organisation(world.company)]
    from_, to = reversed(parties) if the_other_way else parties
    body = {"from": from_, "to": to, "resource": {"referenceId": RESOURCE}, "package": None}
    document = (await world.send("skd", "POST", OWNERS, json=body)).json()
    assert (document["from"]["name"], document["to"]["name"]) == ("Kari Nordmann", "Øvre Toten Regnskap")


async def test_on_the_specific_routes_from_needs_access(world: RequestsWorld) -> None:
    body = {"from": organisation(world.company), "to": person(world.kari), "resource": RESOURCE}
    document = (await world.send("skd", "POST", f"{OWNERS}/resource", json=body)).json()
    assert (document["from"]["name"], document["to"]["name"]) == ("Øvre Toten Regnskap", "Kari Nordmann")


@pytest.mark.parametrize("package", [{"urn": f"urn:altinn:accesspackage:{PACKAGE}"}, {"id": ""}])
async def test_the_base_route_takes_a_package_too(world: RequestsWorld, package: dict[str, str]) -> None:
    if not package.get("urn"):
        package = {"id": str(world.packages.known[PACKAGE].id)}
    body = {"from": person(world.kari), "to": organisation(world.company), "package": package}
    answer = await world.send("skd", "POST", OWNERS, json=body)
    assert (answer.status_code, answer.json()["type"]) == (202, "package")


@pytest.mark.parametrize(
    ("path", "changes", "code"),
    [
        ("/resource", {"from": "urn:altinn:person:identifier-no:1"}, "AMSO.VLD-00001"),
        ("/resource", {"from": "urn:altinn:organization:identifier-no:05895199925"}, "AMSO.VLD-00001"),
        ("/resource", {"to": "urn:altinn:partyid:50001"}, "AMSO.VLD-00001"),
        ("/resource", {"to": "910753614\u0000"}, "AMSO.VLD-00001"),
        ("/resource", {"to": "urn:altinn:organization:identifier-no:310943223"}, "AMSO.VLD-00002"),
        ("/resource", {"resource": "no-such"}, "AMSO.VLD-00003"),
        ("/resource", {"resource": "nul\u0000"}, "AMSO.VLD-00003"),
        ("/package", {"package": "no-such"}, "AMSO.VLD-00004"),
        ("/package", {"package": "nul\u0000"}, "AMSO.VLD-00004"),
        ("/resource", {"resource": "anothers"}, "AMSO.VLD-00006"),
        ("/resource", {"resource": "stays"}, "AM.VLD-00049"),
        ("/resource", {"resource": SCHEMA}, "AM.VLD-00049"),
        ("/package", {"package": "bound"}, "AM.VLD-00048"),
        ("/resource", {"from": "urn:altinn:organization:identifier-no:910753614"}, "AM.VLD-00045"),
        ("", {"resource": {"referenceId": RESOURCE}, "package": {"urn": PACKAGE}}, "AM.VLD-00046"),
        ("", {"resource": None, "package": None}, "AM.VLD-00038"),
        ("", {"resource": {}, "package": {"urn": ""}}, "AM.VLD-00038"),
    ],
)
async def test_what_a_service_owner_can_not_ask_for_has_a_code(
    world: RequestsWorld, path: str, changes: dict[str, Any], code: str
) -> None:
    world.resources.add("anothers", resource_type="GenericAccessResource")
    world.resources.change("anothers", owner_orgno=OrgNumber("889640782"), owner_code="nav")
    world.resources.add("stays", resource_type="GenericAccessResource", delegable=False)
    world.packages.add("bound", assignable=False)
    what = {"/resource": {"resource": RESOURCE}, "/package": {"package": PACKAGE}}.get(path, {})
    body = {"from": person(world.kari), "to": organisation(world.company), **what, **changes}
    assert codes(await world.send("skd", "POST", OWNERS + path, json=body)) == [code]
    assert await world.audited("request:") == []


async def test_a_service_owner_is_known_by_its_code_too(world: RequestsWorld) -> None:
    caller = world.callers.known["nav"]
    world.callers.known["coded"] = replace(caller, org_code="skd")
    body = {"from": person(world.kari), "to": organisation(world.company), "resource": RESOURCE}
    assert (await world.send("coded", "POST", f"{OWNERS}/resource", json=body)).status_code == 202


@pytest.mark.parametrize(
    "content",
    [b"", b"null", b"[]", b"7", b"{", b'{"from":', b'{"a":1,"a":2}', b"\xff", b'{"resource":"\\ud800"}', b"[" * 5000,
     b"{}", b'{"resource": 7}', b'{"resource":"x","from":null,"to":null}',
     b'{"resource":{"referenceId":7},"from":"x","to":"y"}'],
)  # fmt: skip
@pytest.mark.parametrize("path", ["", "/resource", "/package"])
async def test_a_body_that_can_not_be_read_is_400_in_the_frameworks_own_form(
    world: RequestsWorld, path: str, content: bytes
) -> None:
    answer = await world.send("skd", "POST", OWNERS + path, content=content)
    assert answer.status_code == 400
    assert "errors" in answer.json() or codes(answer)


@pytest.mark.parametrize("keys", ["read", [7], [""], ["a\u0000"], ["x" * 2000], ["a"] * 1000])
async def test_right_keys_are_a_list_of_texts(world: RequestsWorld, keys: Any) -> None:
    body = {"from": person(world.kari), "to": organisation(world.company), "resource": RESOURCE, "rightKeys": keys}
    answer = await world.send("skd", "POST", f"{OWNERS}/resource", json=body)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["rightKeys"])


async def test_only_the_creator_reads_and_withdraws(world: RequestsWorld) -> None:
    request_id = await world.drafted()
    for method, path in (("GET", "status"), ("PUT", "withdraw")):
        answer = await world.send("nav", method, f"{OWNERS}/{request_id}/{path}")
        assert (answer.status_code, answer.content) == (403, b"")
        assert codes(await world.send("skd", method, f"{OWNERS}/{uuid4()}/{path}")) == ["AM.VLD-00035"]
        assert (await world.send("skd", method, f"{OWNERS}/no-uuid/{path}")).status_code == 400
    withdrawn = await world.send("skd", "PUT", f"{OWNERS}/{request_id}/withdraw")
    assert (withdrawn.status_code, withdrawn.json()) == (200, "Withdrawn")
    assert codes(await world.send("skd", "PUT", f"{OWNERS}/{request_id}/withdraw")) == ["AM.VLD-00036"]
    assert ("request:withdraw", "deny", "made_by_another", "889640782") in await world.audited("request:")


async def test_a_creator_withdraws_what_is_pending_but_not_what_was_answered(world: RequestsWorld) -> None:
    pending, answered = await world.drafted(), await world.drafted(rightKeys=["read"])
    for request_id in (pending, answered):
        await world.move("kari", "draft/confirm", request_id, world.kari)
    await world.move("boss", "received/reject", answered, world.company)
    assert (await world.send("skd", "PUT", f"{OWNERS}/{pending}/withdraw")).json() == "Withdrawn"
    assert codes(await world.send("skd", "PUT", f"{OWNERS}/{answered}/withdraw")) == ["AM.VLD-00036"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", OWNERS), ("POST", f"{OWNERS}/resource"), ("POST", f"{OWNERS}/package"),
        ("GET", f"{OWNERS}/{UUID(int=1)}/status"), ("PUT", f"{OWNERS}/{UUID(int=1)}/withdraw"),
        ("GET", ENDUSER), ("GET", f"{ENDUSER}/draft"), ("PUT", f"{ENDUSER}/draft/confirm"),
        ("POST", f"{ENDUSER}/resource"), ("POST", f"{ENDUSER}/package"), ("GET", f"{ENDUSER}/sent"),
        ("GET", f"{ENDUSER}/sent/count"), ("PUT", f"{ENDUSER}/sent/withdraw"), ("GET", f"{ENDUSER}/received"),
        ("GET", f"{ENDUSER}/received/count"), ("PUT", f"{ENDUSER}/received/approve"),
        ("PUT", f"{ENDUSER}/received/reject"),
    ],
)  # fmt: skip
async def test_without_a_token_it_is_401_and_without_the_scope_403(
    world: RequestsWorld, method: str, path: str
) -> None:
    world.callers.person("scopeless", world.kari, "altinn:other")
    nobody = await world.send(None, method, path)
    assert (nobody.status_code, nobody.content, nobody.headers["www-authenticate"]) == (401, b"", "Bearer")
    liar = await world.send("liar", method, path)
    assert (liar.status_code, liar.content) == (401, b"")
    scopeless = await world.send("scopeless", method, path)
    assert (scopeless.status_code, scopeless.content) == (403, b"")
    assert [event[:3] for event in await world.audited()] == [("request:call", "deny", "missing_scope")]


async def test_a_person_is_no_service_owner(world: RequestsWorld) -> None:
    world.callers.person("person", world.kari, "altinn:serviceowner/delegationrequests.read")
    assert (await world.send("person", "GET", f"{OWNERS}/{uuid4()}/status")).status_code == 403


# -- an end user asks -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scopes", [("read",), ("write",)])
async def test_the_narrower_scopes_do_as_the_portals(world: RequestsWorld, scopes: tuple[str, ...]) -> None:
    names = [f"altinn:accessmanagement/enduser:requests.{scope}" for scope in scopes]
    world.callers.person("narrow", world.kari, *names)
    query = {"party": world.kari.party_uuid, "to": world.company.party_uuid, "resource": RESOURCE}
    asked = await world.send("narrow", "POST", f"{ENDUSER}/resource", params=query)
    listed = await world.send("narrow", "GET", f"{ENDUSER}/sent", params={"party": world.kari.party_uuid})
    assert (asked.status_code, listed.status_code) == ((403, 200) if scopes == ("read",) else (200, 403))
    assert (await world.send("narrow", "GET", f"{ENDUSER}/draft", params={"id": str(uuid4())})).status_code == 403


@pytest.mark.parametrize(
    ("path", "changes", "code"),
    [
        ("/resource", {}, "AM.VLD-00012"),
        ("/resource", {"resource": ""}, "AM.VLD-00012"),
        ("/resource", {"resource": "no-such"}, "AM.VLD-00012"),
        ("/resource", {"resource": "nul\u0000"}, "AM.VLD-00012"),
        ("/resource", {"resource": "stays"}, "AM.VLD-00049"),
        ("/resource", {"resource": SCHEMA}, "AM.VLD-00049"),
        ("/resource", {"resource": RESOURCE, "to": str(UUID(int=7))}, "AM.VLD-00041"),
        ("/resource", {"resource": RESOURCE, "to": "vendor"}, "AM.VLD-00041"),
        ("/resource", {"resource": RESOURCE, "to": "kari"}, "AM.VLD-00045"),
        ("/package", {}, "AM.VLD-00011"),
        ("/package", {"package": "no-such"}, "AM.VLD-00011"),
        ("/package", {"package": "bound"}, "AM.VLD-00048"),
        ("/package", {"package": PACKAGE, "to": "vendor"}, "AM.VLD-00041"),
    ],
)
async def test_what_an_end_user_can_not_ask_for_has_a_code(
    world: RequestsWorld, path: str, changes: dict[str, Any], code: str
) -> None:
    world.resources.add("stays", resource_type="GenericAccessResource", delegable=False)
    world.packages.add("bound", assignable=False)
    named = {"vendor": str(world.vendor.party_uuid), "kari": str(world.kari.party_uuid)}
    query = {"party": str(world.kari.party_uuid), "to": str(world.company.party_uuid), **changes}
    query["to"] = named.get(query["to"], query["to"])
    assert codes(await world.send("kari", "POST", ENDUSER + path, params=query)) == [code]


async def test_whoever_the_giver_has_taken_up_or_given_something_is_connected(world: RequestsWorld) -> None:
    world.parties.holding.clear()
    query = {"party": world.kari.party_uuid, "to": world.company.party_uuid, "resource": RESOURCE}
    assert codes(await world.send("kari", "POST", f"{ENDUSER}/resource", params=query)) == ["AM.VLD-00041"]
    draft = await world.drafted()
    await world.move("kari", "draft/confirm", draft, world.kari)
    await world.move("boss", "received/approve", draft, world.company)
    assert (await world.send("kari", "POST", f"{ENDUSER}/resource", params=query)).status_code == 200


@pytest.mark.parametrize("query", [{}, {"party": "x", "to": "y"}, {"party": str(UUID(int=1))}, {"party": "\u0000"}])
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("GET", "/draft"), ("POST", "/package"), ("PUT", "/draft/confirm"), ("PUT", "/sent/withdraw"),
     ("PUT", "/received/approve"), ("PUT", "/received/reject")],
)  # fmt: skip
async def test_a_query_that_names_no_party_or_request_is_400(
    world: RequestsWorld, method: str, path: str, query: dict[str, str]
) -> None:
    more = {"package": PACKAGE} if path == "/package" else {}
    answer = await world.send("kari", method, ENDUSER + path, params={**query, **more})
    assert answer.status_code == 400
    assert answer.json()["errors"]


async def test_who_may_not_see_to_a_partys_requests_is_refused_and_remembered(world: RequestsWorld) -> None:
    request_id = await world.asked()
    company, kari = world.company.party_uuid, world.kari.party_uuid
    for method, path, query in (
        ("POST", "/resource", {"party": company, "to": kari, "resource": RESOURCE}),
        ("GET", "", {"party": company, "id": request_id}),
        ("GET", "/sent", {"party": company}),
        ("GET", "/received", {"party": company}),
        ("GET", "/sent/count", {"party": company}),
        ("GET", "/received/count", {"party": company}),
        ("PUT", "/received/approve", {"party": company, "id": request_id}),
        ("PUT", "/received/reject", {"party": company, "id": request_id}),
    ):
        answer = await world.send("kari", method, ENDUSER + path, params=query)
        assert (answer.status_code, answer.content) == (403, b""), path
    assert len([event for event in await world.audited("request:") if event[1] == "deny"]) == 8
    assert await world.status_of(request_id) == "Pending"


async def test_a_request_is_seen_by_its_two_parties_alone(world: RequestsWorld) -> None:
    draft, sent = await world.drafted(), await world.asked()
    vera, vendor = world.vera, world.vendor
    assert vera != vendor
    for token, party, request_id, status in (
        ("kari", world.kari, draft, 200),
        ("kari", world.kari, sent, 200),
        ("boss", world.company, draft, 403),
        ("boss", world.company, sent, 200),
        ("vera", vendor, sent, 403),
        ("kari", world.kari, str(uuid4()), 403),
    ):
        answer = await world.send(token, "GET", ENDUSER, params={"party": party.party_uuid, "id": request_id})
        assert answer.status_code == status


async def test_the_page_reads_a_draft_until_it_is_confirmed(world: RequestsWorld) -> None:
    draft = await world.drafted()
    assert (await world.send("kari", "GET", f"{ENDUSER}/draft", params={"id": draft})).json()["id"] == draft
    assert (await world.send("boss", "GET", f"{ENDUSER}/draft", params={"id": draft})).status_code == 403
    assert codes(await world.send("kari", "GET", f"{ENDUSER}/draft", params={"id": str(uuid4())})) == ["AM.VLD-00035"]
    await world.move("kari", "draft/confirm", draft, world.kari)
    assert codes(await world.send("kari", "GET", f"{ENDUSER}/draft", params={"id": draft})) == ["AM.VLD-00036"]


@pytest.mark.parametrize("what", ["draft/confirm", "sent/withdraw", "received/approve", "received/reject"])
async def test_every_move_has_its_party_and_its_status(world: RequestsWorld, what: str) -> None:
    by_receiver = what in {"draft/confirm", "sent/withdraw"}
    token, party = ("kari", world.kari) if by_receiver else ("boss", world.company)
    wrong_token, wrong_party = ("boss", world.company) if by_receiver else ("kari", world.kari)
    request_id = await (world.drafted() if by_receiver else world.asked())
    assert codes(await world.move(wrong_token, what, request_id, wrong_party)) == ["AM.VLD-00044"]
    assert codes(await world.move(token, what, str(uuid4()), party)) == ["AM.VLD-00035"]
    assert (await world.move(token, what, request_id, party)).status_code == 200
    assert codes(await world.move(token, what, request_id, party)) == ["AM.VLD-00036"]


async def test_a_draft_can_be_withdrawn_and_is_never_seen_by_the_other(world: RequestsWorld) -> None:
    request_id = await world.drafted()
    assert (await world.move("kari", "sent/withdraw", request_id, world.kari)).json()["status"] == "Withdrawn"
    received = await world.send("boss", "GET", f"{ENDUSER}/received", params={"party": world.company.party_uuid})
    assert received.json() == {"links": {}, "data": []}


async def test_a_draft_is_not_approved_before_it_is_confirmed(world: RequestsWorld) -> None:
    request_id = await world.drafted()
    assert codes(await world.move("boss", "received/approve", request_id, world.company)) == ["AM.VLD-00036"]
    assert await rights_of_kari(world) == []


# -- what approving gives ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "chosen", "given"),
    [
        (None, None, {"read", "write"}),
        (["read"], None, {"read"}),
        ([f"{RESOURCE}:write"], None, {"write"}),
        (None, [f"{RESOURCE}:read"], {"read"}),
        (None, [], {"read", "write"}),
    ],
)
async def test_approving_gives_the_rights_that_were_asked_for_and_chosen(
    world: RequestsWorld, asked: list[str] | None, chosen: list[str] | None, given: set[str]
) -> None:
    request_id = await world.drafted(**({"rightKeys": asked} if asked else {}))
    await world.move("kari", "draft/confirm", request_id, world.kari)
    more = {} if chosen is None else {"json": chosen}
    assert (await world.move("boss", "received/approve", request_id, world.company, **more)).status_code == 200
    assert await rights_of_kari(world) == [frozenset(given)]


@pytest.mark.parametrize("chosen", [["other:read"], [f"{RESOURCE}:sign"]])
async def test_who_chooses_nothing_that_can_be_given_is_refused(world: RequestsWorld, chosen: list[str]) -> None:
    request_id = await world.asked()
    answer = await world.move("boss", "received/approve", request_id, world.company, json=chosen)
    assert (answer.status_code, answer.content) == (403, b"")
    assert await world.status_of(request_id) == "Pending"


@pytest.mark.parametrize("content", [b"{}", b"7", b'["', b"[1]", b'["\\u0000"]', b"\xff"])
async def test_a_choice_that_can_not_be_read_changes_nothing(world: RequestsWorld, content: bytes) -> None:
    request_id = await world.asked()
    answer = await world.move("boss", "received/approve", request_id, world.company, content=content)
    assert (answer.status_code, bool(answer.json()["errors"])) == (400, True)
    assert await world.status_of(request_id) == "Pending"


async def test_an_approver_who_can_give_nothing_is_refused(world: RequestsWorld) -> None:
    request_id = await world.asked()
    world.authority.rules = {one for one in world.authority.rules if one[2] != RESOURCE}
    answer = await world.move("boss", "received/approve", request_id, world.company)
    assert (answer.status_code, answer.content) == (403, b"")
    assert await world.status_of(request_id) == "Pending"
    assert (await world.audited("request:approve"))[0][:3] == ("request:approve", "deny", "nothing_delegable")


async def test_an_approver_of_too_low_a_level_is_refused(world: RequestsWorld) -> None:
    request_id = await world.asked()
    world.authority.levels[RESOURCE] = 4
    world.callers.person("boss", world.boss, "altinn:portal/enduser", level=3)
    assert (await world.move("boss", "received/approve", request_id, world.company)).status_code == 403


async def test_a_right_that_the_approver_has_by_delegation_is_passed_on_from_there(world: RequestsWorld) -> None:
    first = await world.asked()
    await world.move("boss", "received/approve", first, world.company)
    (held,) = await world.delegations.rights([world.kari.party_uuid], world.company.party_uuid, RESOURCE)
    world.connect(world.vera, world.company)
    world.authority.permit(world.vera, "altinn_access_management", world.vera, "read", "write")
    query = {"party": world.vera.party_uuid, "to": world.company.party_uuid, "resource": RESOURCE}
    second = (await world.send("vera", "POST", f"{ENDUSER}/resource", params=query)).json()["id"]
    world.authority.permit(world.kari, "altinn_access_management", world.company, "write")
    world.authority.permit(world.kari, RESOURCE, world.company, "read")
    world.authority.delegated[RESOURCE, "read"] = held.delegation_id
    assert (await world.move("kari", "received/approve", second, world.company)).status_code == 200
    links = await world.delegations.rights([world.vera.party_uuid], world.company.party_uuid, RESOURCE)
    given = [right for right in links if right.receiver == world.vera.party_uuid]
    assert [(right.actions, right.given_by, right.passed_on_from) for right in given] == [
        (frozenset({"read"}), world.kari.party_uuid, held.delegation_id)
    ]


@pytest.mark.parametrize(
    ("role", "status"),
    [(None, 403), (Attribute(ids.ROLE, "hovedadministrator"), 200)],
)
async def test_nobody_but_a_main_administrator_grants_their_own_request(
    world: RequestsWorld, role: Attribute | None, status: int
) -> None:
    request_id = await world.asked()
    world.authority.permit(world.kari, "altinn_access_management", world.company, "write")
    world.authority.permit(world.kari, RESOURCE, world.company, "read")
    if role is not None:
        world.parties.hold(world.kari, world.company, HeldRights(roles=frozenset({role})))
    assert (await world.move("kari", "received/approve", request_id, world.company)).status_code == status


async def test_a_package_is_given_by_who_holds_it(world: RequestsWorld) -> None:
    query = {"party": world.kari.party_uuid, "to": world.company.party_uuid, "package": PACKAGE}
    request_id = (await world.send("kari", "POST", f"{ENDUSER}/package", params=query)).json()["id"]
    world.parties.hold(world.boss, world.company, HeldRights())
    assert (await world.move("boss", "received/approve", request_id, world.company)).status_code == 403
    assert await world.delegations.packages([world.kari.party_uuid], world.company.party_uuid) == frozenset()


async def test_a_service_owner_asks_for_rights_that_there_are(world: RequestsWorld) -> None:
    body = {"from": person(world.kari), "to": organisation(world.company), "resource": RESOURCE}
    for keys, status in ((["read"], 202), ([f"{RESOURCE}:write"], 202), (["read", "fly"], 400), (["other:read"], 400)):
        answer = await world.send("skd", "POST", f"{OWNERS}/resource", json={**body, "rightKeys": keys})
        assert (answer.status_code, answer.json().get("code")) == (status, None if status == 202 else "AM-00036")
    world.resources.change(RESOURCE, policy=None)
    answer = await world.send("skd", "POST", f"{OWNERS}/resource", json={**body, "rightKeys": ["read"]})
    assert (answer.status_code, answer.json()["code"]) == (400, "AM-00036")


@pytest.mark.parametrize(("delegable", "status"), [(True, 200), (False, 403)])
async def test_a_package_that_was_given_is_granted_on_as_far_as_it_may(
    world: RequestsWorld, *, delegable: bool, status: int
) -> None:
    world.packages.add(PACKAGE, delegable=delegable)
    world.parties.hold(world.boss, world.company, HeldRights())
    await world.delegations.give_package(world.company.party_uuid, world.boss.party_uuid, PACKAGE, OPERATOR)
    query = {"party": world.kari.party_uuid, "to": world.company.party_uuid, "package": PACKAGE}
    request_id = (await world.send("kari", "POST", f"{ENDUSER}/package", params=query)).json()["id"]
    assert (await world.move("boss", "received/approve", request_id, world.company)).status_code == status
    held = await world.delegations.packages([world.kari.party_uuid], world.company.party_uuid)
    assert bool(held) is (status == 200)
    refusals = [("request:approve", "deny", "package_not_held", f"party:{world.boss.party_uuid}")]
    assert await world.audited("request:approve") == (
        refusals if status == 403 else [("request:approve", "done", "", f"party:{world.boss.party_uuid}")]
    )


async def test_the_main_administrator_grants_a_package_that_is_not_held(world: RequestsWorld) -> None:
    world.parties.hold(world.boss, world.company, HeldRights(frozenset({Attribute(ids.ROLE, "hovedadministrator")})))
    query = {"party": world.kari.party_uuid, "to": world.company.party_uuid, "package": PACKAGE}
    request_id = (await world.send("kari", "POST", f"{ENDUSER}/package", params=query)).json()["id"]
    assert (await world.move("boss", "received/approve", request_id, world.company)).status_code == 200


async def test_what_has_gone_since_it_was_asked_for_is_not_approved(world: RequestsWorld) -> None:
    resource, package = await world.asked(), "regnskap"
    query = {"party": world.kari.party_uuid, "to": world.company.party_uuid, "package": package}
    packaged = (await world.send("kari", "POST", f"{ENDUSER}/package", params=query)).json()["id"]
    approve = "received/approve"
    world.resources.change(RESOURCE, delegable=False)
    assert codes(await world.move("boss", approve, resource, world.company)) == ["AM.VLD-00049"]
    world.packages.add(package, assignable=False)
    assert codes(await world.move("boss", approve, packaged, world.company)) == ["AM.VLD-00048"]
    del world.resources.known[RESOURCE], world.packages.known[package]
    assert codes(await world.move("boss", approve, resource, world.company)) == ["AM.VLD-00012"]
    assert codes(await world.move("boss", approve, packaged, world.company)) == ["AM.VLD-00011"]


# -- lists ------------------------------------------------------------------------------------------------------------


async def test_lists_are_narrowed_by_party_status_and_type(world: RequestsWorld) -> None:
    kari, company = world.kari.party_uuid, world.company.party_uuid
    draft = await world.drafted()
    world.clock.advance(seconds=1)
    pending = await world.asked()
    world.clock.advance(seconds=1)
    query = {"party": kari, "to": company, "package": PACKAGE}
    packaged = (await world.send("kari", "POST", f"{ENDUSER}/package", params=query)).json()["id"]
    await world.move("boss", "received/reject", packaged, world.company)

    async def listed(token: str, path: str, **query: Any) -> list[str]:
        answer = await world.send(token, "GET", f"{ENDUSER}/{path}", params=query)
        assert answer.json()["links"] == {}
        found = [one["id"] for one in answer.json()["data"]]
        count = await world.send(token, "GET", f"{ENDUSER}/{path}/count", params=query)
        assert count.json() == len(found)
        return found

    assert await listed("kari", "sent", party=kari) == [draft, pending, packaged]
    assert await listed("kari", "SENT", party=kari, to=company, status="draft") == [draft]
    assert await listed("kari", "sent", party=kari, status=["Draft", "Rejected"]) == [draft, packaged]
    assert await listed("kari", "sent", party=kari, type="Package") == [packaged]
    assert await listed("kari", "sent", party=kari, to=world.vendor.party_uuid) == []
    assert await listed("boss", "received", party=company) == [pending, packaged]
    assert await listed("boss", "received", party=company, **{"from": kari}, type="resource") == [pending]
    assert await listed("boss", "sent", party=company) == []


@pytest.mark.parametrize(
    "query", [{"status": "Open"}, {"type": "api"}, {"to": "x"}, {"continuationToken": "x"},
              {"continuationToken": "MjAyNi0xMS0yMVQxMjowMDowMCB4"}, {"continuationToken": "æ"}]
)  # fmt: skip
async def test_a_list_that_can_not_be_narrowed_so_is_400(world: RequestsWorld, query: dict[str, str]) -> None:
    answer = await world.send("kari", "GET", f"{ENDUSER}/sent", params={"party": world.kari.party_uuid, **query})
    assert (answer.status_code, bool(answer.json()["errors"])) == (400, True)


async def test_a_long_list_comes_in_pages(world: RequestsWorld) -> None:
    made = [await world.drafted(rightKeys=[f"action-{number}"]) for number in range(205)]
    url: str | None = f"{ENDUSER}/sent?party={world.kari.party_uuid}&status=Draft"
    seen: list[list[str]] = []
    while url:
        answer = await world.send("kari", "GET", url)
        seen.append([one["id"] for one in answer.json()["data"]])
        url = answer.json()["links"].get("next", "").removeprefix(API)
    assert [len(page) for page in seen] == [100, 100, 5]
    assert sorted(one for page in seen for one in page) == sorted(made)


# -- at once ----------------------------------------------------------------------------------------------------------


async def test_of_an_approval_and_a_withdrawal_at_once_one_wins(world: RequestsWorld) -> None:
    for number in range(8):
        request_id = await world.drafted(rightKeys=["read"] if number % 2 else ["write"])
        await world.move("kari", "draft/confirm", request_id, world.kari)
        before = await world.delegations.stored(giver=world.company.party_uuid)
        moves = [
            world.move("boss", "received/approve", request_id, world.company),
            world.move("kari", "sent/withdraw", request_id, world.kari),
        ]
        answers = await asyncio.gather(*(moves if number % 3 else reversed(moves)))
        assert sorted(answer.status_code for answer in answers) == [200, 400]
        after = await world.delegations.stored(giver=world.company.party_uuid)
        if await world.status_of(request_id) == "Withdrawn":
            assert after == before
        else:
            assert await world.status_of(request_id) == "Approved"
            assert len(after) == 1


async def test_approved_by_many_at_once_it_is_one_delegation(world: RequestsWorld) -> None:
    request_id = await world.asked()
    answers = await asyncio.gather(
        *(world.move("boss", "received/approve", request_id, world.company) for _ in range(6))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400, 400, 400]
    assert len(await world.delegations.stored(giver=world.company.party_uuid)) == 1
    assert len(await world.audited("request:approve")) == 1
