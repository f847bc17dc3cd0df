"""A party looks after whom it has given what, and who has given it something."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text

from fullmakt.altinn.delegations.model import OPERATOR, Offer, Selection
from fullmakt.infra.database import Database
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.parties import HeldRights
from tests.support.access_management import Scene
from tests.support.parties import national_id

BASE = "/api/v1/enduser/connections"
RESOURCE = "skjema"
DAGL = Attribute(ids.ROLE_CCR, "daglig-leder")
SKATT = Attribute(ids.ACCESS_PACKAGE, "skatt-naering")
RIGHTHOLDER_ROLE = "42cae370-2dc1-4fdc-9c67-c2f4b0f0f829"
INSTANCE = "urn:altinn:instance-id:50001/6b9d8d2e-5a49-4a2e-9d0a-0d1e1f2a3b4c"


class Connections(Scene):
    """An organisation with a managing director, another organisation, and a person who has nothing yet."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.giver = self.parties.organisation("910753614", "Giver AS")
        self.other = self.parties.organisation("810418672", "Mottaker AS")
        self.kari = self.parties.person(national_id(1), "Kari van Dyk")
        self.ola = self.parties.person(national_id(2), "Ola Nordmann")
        held = HeldRights(frozenset({DAGL, Attribute(ids.ROLE_CODE, "dagl")}), frozenset({SKATT}))
        self.parties.hold(self.kari, self.giver, held, key_role=True)
        self.resources.add(RESOURCE, resource_type="GenericAccessResource")
        self.resources.add("api", "test:scope")
        self.packages.add("skatt-naering")
        self.packages.add("hemmelig", assignable=False)
        self.packages.add("annen")
        self.administrator("kari", self.kari, self.giver)
        self.administrator("ola", self.ola, self.other)
        self.authority.permit(self.kari, RESOURCE, self.giver, "read", "write")
        self.mine = {"party": str(self.giver.party_uuid)}
        self.to = {**self.mine, "to": str(self.other.party_uuid)}
        self.both = {**self.to, "from": str(self.giver.party_uuid)}
        self.theirs = {**self.both, "party": str(self.other.party_uuid)}

    async def connect(self) -> None:
        assert (await self.post("kari", BASE, **self.to)).status_code == 200

    async def rights(self) -> list[set[str]]:
        found = await self.service.stored(giver=self.giver.party_uuid)
        return [set(one.right.actions) for one in found]


@pytest.fixture
async def scene(database: Database) -> AsyncIterator[Connections]:
    async with Connections(database) as scene:
        yield scene


def _keys(*actions: str) -> dict[str, Any]:
    return {"directRightKeys": [f"{RESOURCE}:{action}" for action in actions]}


async def test_an_organisation_is_taken_up_and_let_go(scene: Connections) -> None:
    answer = await scene.post("kari", BASE, **scene.to)
    assert answer.json() == {
        "id": answer.json()["id"],
        "roleId": RIGHTHOLDER_ROLE,
        "fromId": str(scene.giver.party_uuid),
        "toId": str(scene.other.party_uuid),
    }
    listed = (await scene.get("kari", BASE, **scene.mine, **{"from": scene.mine["party"]})).json()
    assert listed["links"] == {}
    roles = {entry["party"]["name"]: [role["code"] for role in entry["roles"]] for entry in listed["data"]}
    assert roles == {"Kari van Dyk": ["daglig-leder"], "Mottaker AS": ["rettighetshaver"]}
    theirs = {"party": str(scene.other.party_uuid), "to": str(scene.other.party_uuid)}
    (entry,) = (await scene.get("ola", BASE, **theirs)).json()["data"]
    assert entry["party"]["organizationIdentifier"] == "910753614"
    answer = await scene.delete("kari", BASE, **scene.both)
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await scene.get("ola", BASE, **theirs)).json()["data"] == []
    assert (await scene.delete("kari", BASE, **scene.both)).status_code == 204


async def test_rights_are_given_replaced_listed_and_taken(scene: Connections) -> None:
    await scene.connect()
    path = f"{BASE}/resources/rights"
    query = {**scene.to, "resource": RESOURCE}
    answer = await scene.post("kari", path, _keys("read"), **query)
    assert (answer.status_code, answer.content) == (201, b"")
    assert await scene.rights() == [{"read"}]
    assert (await scene.post("kari", path, _keys("write"), **query)).status_code == 201
    assert await scene.rights() == [{"read", "write"}]
    assert (await scene.put("kari", path, _keys("write"), **query)).status_code == 200
    assert await scene.rights() == [{"write"}]
    (entry,) = (await scene.get("kari", f"{BASE}/resources", **scene.both)).json()["data"]
    assert entry["resource"]["refId"] == RESOURCE
    assert [one["to"]["name"] for one in entry["permissions"]] == ["Mottaker AS"]
    listed = (await scene.get("ola", path, **scene.theirs, resource=RESOURCE)).json()
    assert [one["right"]["key"] for one in listed["directRights"]] == [f"{RESOURCE}:write"]
    assert listed["indirectRights"] == []
    (connection,) = (await scene.get("ola", BASE, **scene.theirs, includeResources="true")).json()["data"]
    assert [one["refId"] for one in connection["resources"]] == [RESOURCE]
    refused = await scene.delete("kari", BASE, **scene.both)
    assert refused.json()["validationErrors"][0]["code"] == "AM.VLD-00010"
    assert (await scene.delete("ola", f"{BASE}/resources", **scene.theirs, resource=RESOURCE)).status_code == 204
    assert await scene.rights() == []
    assert (await scene.delete("kari", BASE, **scene.both)).status_code == 204


async def test_rights_on_an_instance_are_a_thing_apart(scene: Connections) -> None:
    await scene.connect()
    path = f"{BASE}/resources/instances"
    query = {**scene.to, "resource": RESOURCE, "instance": INSTANCE}
    assert (await scene.post("kari", f"{path}/rights", _keys("read"), **query)).status_code == 201
    assert (await scene.get("kari", f"{BASE}/resources", **scene.both)).json()["data"] == []
    for spelling in (path, path.replace("resources/instances", "Resources/Instances/")):
        (entry,) = (await scene.get("kari", spelling, **scene.both)).json()["data"]
        assert entry["instance"] == {"refId": INSTANCE}
    (connection,) = (await scene.get("ola", BASE, **scene.theirs, includeInstances="true")).json()["data"]
    assert [one["instance"] for one in connection["instances"]] == [{"refId": INSTANCE}]
    listed = await scene.get("kari", f"{path}/rights", **scene.both, resource=RESOURCE, instance=INSTANCE)
    assert [one["right"]["name"] for one in listed.json()["directRights"]] == ["read"]
    assert (await scene.delete("kari", f"{BASE}/resources", **scene.both, resource=RESOURCE)).status_code == 204
    assert await scene.rights() == [{"read"}]
    answer = await scene.delete("kari", path, **scene.both, resource=RESOURCE, instance=INSTANCE)
    assert answer.status_code == 204
    assert await scene.rights() == []
    for instance in ("6b9d8d2e", "urn:altinn:instance-id:\x00"):
        answer = await scene.post("kari", f"{path}/rights", _keys("read"), **{**query, "instance": instance})
        assert answer.json()["validationErrors"][0]["code"] == "AM.VLD-00029"


async def test_what_the_caller_has_by_delegation_is_passed_on_and_falls_with_it(scene: Connections) -> None:
    await scene.connect()
    offer = Offer(scene.giver.party_uuid, scene.ola.party_uuid, RESOURCE, frozenset({"read"}))
    await scene.service.delegate(offer, OPERATOR)
    (root,) = await scene.service.rights([scene.ola.party_uuid], scene.giver.party_uuid, RESOURCE)
    scene.administrator("ola", scene.ola, scene.giver)
    scene.authority.permit(scene.ola, RESOURCE, scene.giver, "read")
    scene.authority.delegated[RESOURCE, "read"] = root.delegation_id
    query = {**scene.to, "resource": RESOURCE}
    assert (await scene.post("ola", f"{BASE}/resources/rights", _keys("read"), **query)).status_code == 201
    listed = (await scene.get("kari", f"{BASE}/resources/rights", **scene.both, resource=RESOURCE)).json()
    assert listed["directRights"] == []
    (right,) = listed["indirectRights"]
    assert right["permissions"][0]["via"]["name"] == "Ola Nordmann"
    await scene.service.withdraw(Selection(scene.giver.party_uuid, scene.ola.party_uuid, RESOURCE), OPERATOR)
    assert await scene.rights() == []


async def test_nobody_gives_on_to_the_one_it_came_from(scene: Connections) -> None:
    await scene.connect()
    offer = Offer(scene.giver.party_uuid, scene.other.party_uuid, RESOURCE, frozenset({"read"}))
    await scene.service.delegate(offer, OPERATOR)
    (root,) = await scene.service.rights([scene.other.party_uuid], scene.giver.party_uuid, RESOURCE)
    scene.authority.delegated[RESOURCE, "read"] = root.delegation_id
    query = {**scene.to, "resource": RESOURCE}
    answer = await scene.post("kari", f"{BASE}/resources/rights", _keys("read"), **query)
    assert (answer.status_code, answer.json()["code"]) == (400, "AM-00028")
    await scene.service.withdraw(Selection(scene.giver.party_uuid, scene.other.party_uuid, RESOURCE), OPERATOR)
    answer = await scene.post("kari", f"{BASE}/resources/rights", _keys("read"), **query)
    assert (answer.status_code, answer.json()["code"]) == (400, "AM-00028")
    assert await scene.rights() == []


async def test_rights_are_refused_with_their_codes(scene: Connections) -> None:
    path = f"{BASE}/resources/rights"
    query = {**scene.to, "resource": RESOURCE}
    scene.resources.add("closed", delegable=False)
    scene.authority.permit(scene.ola, RESOURCE, scene.other, "sign")
    assert (await scene.post("kari", path, _keys("read"), **query)).json()["code"] == "AM-00022"
    await scene.connect()
    answer = await scene.post("kari", path, _keys("read"), **{**query, "resource": "none"})
    assert (answer.json()["code"], answer.json()["resource"]) == ("AM-00027", "none")
    for body, change, code in (
        ({}, {}, "AM-00033"),
        (_keys(), {}, "AM-00033"),
        (_keys("read", "fly"), {}, "AM-00036"),
        (_keys("sign"), {}, "AM-00028"),
        (_keys("read", "sign"), {}, "AM-00028"),
        (_keys("read"), {"resource": "closed"}, "AM-00042"),
        (_keys("read"), {"resource": "api"}, "AM-00042"),
    ):
        for call in (scene.post, scene.put):
            answer = await call("kari", path, body, **{**query, **change})
            assert (answer.status_code, answer.json()["code"]) == (400, code)
    for to, code in ((scene.mine["party"], "AM.VLD-00009"), ("00000000-0000-0000-0000-000000000000", "AM.VLD-00006")):
        answer = await scene.post("kari", path, _keys("read"), **{**query, "to": to})
        assert answer.json()["validationErrors"][0]["code"] == code
    answer = await scene.post("kari", path, {"directRightKeys": [1]}, **query)
    assert list(answer.json()["errors"]) == ["$.directRightKeys[0]"]
    assert await scene.rights() == []


async def test_a_check_tells_what_may_be_given(scene: Connections) -> None:
    path = f"{BASE}/resources/delegationcheck"
    rights = (await scene.get("kari", path, **scene.mine, resource=RESOURCE)).json()["rights"]
    assert [(one["right"]["name"], one["result"]) for one in rights] == [("read", True), ("write", True)]
    scene.authority.permit(scene.kari, "api", scene.giver, "ScopeAccess")
    (right,) = (await scene.get("kari", path, **scene.mine, resource="api")).json()["rights"]
    assert (right["result"], right["reasonCodes"]) == (False, ["RoleAccess", "ResourceIsMaskinPortenSchema"])


async def test_a_person_who_has_nothing_yet_is_named_by_number_and_last_name(scene: Connections) -> None:
    to = {**scene.mine, "to": str(scene.ola.party_uuid)}
    assert (await scene.post("kari", BASE, **to)).json()["code"] == "AM-00024"
    for body, code in (
        ({"personIdentifier": scene.ola.national_id, "lastName": "Hansen"}, "AM-00023"),
        ({"personIdentifier": scene.ola.national_id, "lastName": "ann"}, "AM-00023"),
        ({"personIdentifier": str(national_id(3)), "lastName": "Nordmann"}, "AM-00023"),
        ({"personIdentifier": "abc", "lastName": "Nordmann"}, "AM-00023"),
    ):
        answer = await scene.post("kari", BASE, body, **scene.mine)
        assert (answer.status_code, answer.json()["code"]) == (400, code)
        assert str(scene.ola.national_id) not in answer.text
    body = {"personIdentifier": scene.ola.national_id, "lastName": "nordmann"}
    answer = await scene.post("kari", BASE, body, **scene.mine)
    assert (answer.status_code, answer.json()["toId"]) == (200, str(scene.ola.party_uuid))
    assert (await scene.post("kari", BASE, **to)).status_code == 200
    users = (await scene.get("kari", f"{BASE}/users", **scene.mine)).json()["data"]
    assert {one["party"]["name"] for one in users} == {"Kari van Dyk", "Ola Nordmann"}
    assert str(scene.ola.national_id) not in str(users)


async def test_a_last_name_may_be_several_words(scene: Connections) -> None:
    body = {"personIdentifier": scene.kari.national_id, "lastName": "Van  Dyk"}
    assert (await scene.post("kari", BASE, body, **scene.mine)).status_code == 200


@pytest.mark.parametrize(
    "body", [b"[]", b"{", b'{"personIdentifier": 1, "lastName": "x"}', b'{"personIdentifier": "05895199925"}']
)
async def test_a_body_that_is_wrong_is_told_so(scene: Connections, body: bytes) -> None:
    answer = await scene.post("kari", BASE, body, **scene.mine)
    assert (answer.status_code, "errors" in answer.json()) == (400, True)


async def test_packages_are_given_listed_and_taken(scene: Connections) -> None:
    path = f"{BASE}/accesspackages"
    answer = await scene.post("kari", path, **scene.to, package="urn:altinn:accesspackage:skatt-naering")
    assert answer.status_code == 200
    assert answer.json().keys() == {"id", "assignmentId", "packageId"}
    again = await scene.post("kari", path, **scene.to, packageId=answer.json()["packageId"])
    assert again.json() == answer.json()
    (entry,) = (await scene.get("ola", path, **scene.theirs)).json()["data"]
    assert entry["package"]["urn"] == "urn:altinn:accesspackage:skatt-naering"
    assert [one["from"]["name"] for one in entry["permissions"]] == ["Giver AS"]
    (connection,) = (await scene.get("ola", BASE, **scene.theirs, includeAccessPackages="true")).json()["data"]
    assert [one["urn"] for one in connection["packages"]] == ["urn:altinn:accesspackage:skatt-naering"]
    assert (await scene.delete("kari", BASE, **scene.both)).json()["validationErrors"][0]["code"] == "AM.VLD-00010"
    answer = await scene.delete("ola", path, **scene.theirs, package="skatt-naering")
    assert answer.status_code == 204
    assert (await scene.get("ola", path, **scene.theirs)).json()["data"] == []
    await scene.post("kari", path, **scene.to, package="skatt-naering")
    assert (await scene.delete("kari", BASE, **scene.both, cascade="true")).status_code == 204
    assert await scene.service.delegated_packages(giver=scene.giver.party_uuid) == ()


async def test_packages_are_refused_with_their_codes(scene: Connections) -> None:
    path = f"{BASE}/accesspackages"
    for package, code in (("none", "AM.VLD-00009"), ("hemmelig", "AM.VLD-00033"), ("annen", "AM.VLD-00026")):
        answer = await scene.post("kari", path, **scene.to, package=package)
        assert (answer.status_code, answer.json()["validationErrors"][0]["code"]) == (400, code)
    assert list((await scene.post("kari", path, **scene.to)).json()["errors"]) == ["package"]
    assert await scene.service.delegated_packages() == ()


async def test_the_main_administrator_gives_packages_that_are_not_held(scene: Connections) -> None:
    administrator = HeldRights(frozenset({Attribute(ids.ROLE, "hovedadministrator")}))
    scene.parties.hold(scene.kari, scene.giver, administrator)
    assert (await scene.post("kari", f"{BASE}/accesspackages", **scene.to, package="annen")).status_code == 200


async def test_a_package_that_was_given_is_given_on_as_far_as_it_may(scene: Connections) -> None:
    """By way of an organisation, whose managing director Ola is; what may not be given on stays with it."""
    scene.parties.hold(scene.ola, scene.other, HeldRights(frozenset({DAGL})), key_role=True)
    scene.administrator("ola", scene.ola, scene.giver)
    scene.packages.add("bundet", delegable=False)
    third = scene.parties.organisation("991825827")
    for package in ("annen", "bundet"):
        await scene.service.give_package(scene.giver.party_uuid, scene.other.party_uuid, package, OPERATOR)
    path, to = f"{BASE}/accesspackages", {**scene.mine, "to": str(third.party_uuid)}
    checks = await scene.client.get(
        f"{path}/delegationcheck",
        params={"party": scene.mine["party"], "packages": ["annen", "bundet", "hemmelig"]},
        headers={"Authorization": "Bearer ola"},
    )
    assert [(one["result"], one["reasons"][0]["description"]) for one in checks.json()["data"]] == [
        (True, "PackageAccess"),
        (False, "MissingPackageAccess"),
        (False, "MissingPackageAccess"),
    ]
    assert (await scene.post("ola", path, **to, package="annen")).status_code == 200
    refused = await scene.post("ola", path, **to, package="bundet")
    assert refused.json()["validationErrors"][0]["code"] == "AM.VLD-00026"
    await scene.service.take_packages(scene.giver.party_uuid, scene.other.party_uuid, "annen", OPERATOR)
    await scene.service.take_packages(scene.giver.party_uuid, third.party_uuid, "annen", OPERATOR)
    assert (await scene.post("ola", path, **to, package="annen")).status_code == 400


async def test_a_check_of_packages_tells_which_may_be_given(scene: Connections) -> None:
    path = f"{BASE}/accesspackages/delegationcheck"
    headers = {"Authorization": "Bearer kari"}
    query = {"party": scene.mine["party"], "packages": ["skatt-naering", "annen"]}
    data = (await scene.client.get(path, params=query, headers=headers)).json()["data"]
    assert [(one["result"], one["reasons"][0]["description"]) for one in data] == [
        (True, "PackageAccess"),
        (False, "MissingPackageAccess"),
    ]
    assert (await scene.get("kari", path, **scene.mine, packages="none")).status_code == 400
    assert (await scene.get("kari", path, **scene.mine)).status_code == 400


async def test_roles_of_the_register_are_listed_with_their_holders(scene: Connections) -> None:
    answer = await scene.get("kari", f"{BASE}/roles", **scene.mine, **{"from": scene.mine["party"]})
    (entry,) = answer.json()["data"]
    assert entry["role"]["urn"] == "urn:altinn:external-role:ccr:daglig-leder"
    assert [one["to"]["name"] for one in entry["permissions"]] == ["Kari van Dyk"]


@pytest.mark.parametrize("rest", ["", "/accesspackages", "/roles", "/resources", "/resources/instances"])
async def test_reading_needs_the_scope_of_its_direction(scene: Connections, rest: str) -> None:
    scopes = "altinn:accessmanagement/enduser:connections"
    scene.callers.person("to", scene.kari, f"{scopes}:toothers.read")
    scene.callers.person("from", scene.kari, f"{scopes}:fromothers.read")
    outwards = {**scene.mine, "from": scene.mine["party"]}
    inwards = {**scene.mine, "to": scene.mine["party"]}
    for token, query, status in (
        ("to", outwards, 200),
        ("from", outwards, 403),
        ("from", inwards, 200),
        ("to", inwards, 403),
        ("kari", outwards, 200),
        ("ola", outwards, 403),
        ("nobody", outwards, 401),
    ):
        assert (await scene.get(token, f"{BASE}{rest}", **query)).status_code == status
    answer = await scene.get("kari", f"{BASE}{rest}", **scene.mine, to=str(scene.other.party_uuid))
    assert [one["code"] for one in answer.json()["validationErrors"]] == ["AM.VLD-00009", "AM.VLD-00009"]
    assert (await scene.get("kari", f"{BASE}{rest}")).status_code == 400


async def test_nobody_changes_what_lies_between_two_others(scene: Connections) -> None:
    stranger = scene.parties.organisation("991825827")
    query = {**scene.both, "party": str(stranger.party_uuid)}
    scene.administrator("kari", scene.kari, stranger)
    for path, more in (
        (BASE, {}),
        (f"{BASE}/accesspackages", {"package": "annen"}),
        (f"{BASE}/resources", {"resource": RESOURCE}),
    ):
        assert (await scene.delete("kari", path, **query, **more)).status_code == 400
        assert (await scene.delete("ola", path, **query, **more)).status_code in {400, 403}


async def test_a_check_of_roles_tells_which_the_caller_has(scene: Connections) -> None:
    path = f"{BASE}/roles/delegationcheck"
    (entry,) = (await scene.get("kari", path, **scene.mine)).json()["data"]
    assert (entry["role"]["urn"], entry["result"]) == ("urn:altinn:external-role:ccr:daglig-leder", True)
    (reason,) = entry["reasons"]
    assert (reason["description"], reason["fromName"], reason["toName"]) == ("RoleAccess", "Giver AS", "Kari van Dyk")
    scene.administrator("ola", scene.ola, scene.giver)
    assert (await scene.get("ola", path, **scene.mine)).json()["data"] == []
    scene.callers.person("reader", scene.kari, "altinn:accessmanagement/enduser:connections:toothers.read")
    assert (await scene.get("reader", path, **scene.mine)).status_code == 403


async def test_nobody_takes_a_role_of_the_register_back(scene: Connections) -> None:
    query = {**scene.mine, "to": str(scene.kari.party_uuid), "roleCode": "dagl"}
    assert (await scene.delete("kari", f"{BASE}/roles", **query)).status_code == 404
    assert (await scene.delete("ola", f"{BASE}/roles", **query)).status_code == 403
    assert (await scene.delete("kari", f"{BASE}/roles", **scene.mine)).status_code == 400
    async with scene.database.transaction() as connection:
        told = text("SELECT reason FROM audit.event WHERE action = 'role:take' AND outcome = 'deny'")
        assert (await connection.execute(told)).scalars().all() == ["role_of_the_register"]


async def test_the_users_of_an_instance_are_told_in_few_words(scene: Connections) -> None:
    path = f"{BASE}/resources/instances/users"
    giver, read = scene.giver.party_uuid, frozenset({"read"})
    for receiver, instance in ((scene.ola, INSTANCE), (scene.other, INSTANCE), (scene.kari, None)):
        await scene.service.delegate(Offer(giver, receiver.party_uuid, RESOURCE, read, instance), OPERATOR)
    query = {**scene.mine, "resource": RESOURCE, "instance": INSTANCE}
    answer = (await scene.get("kari", path, **query)).json()
    assert {one["name"]: one["type"] for one in answer["data"]} == {
        "Mottaker AS": "Organisasjon",
        "Ola Nordmann": "Person",
    }
    assert all(
        one.keys() == {"id", "name", "type", "variant", "organizationIdentifier", "isDeleted"} for one in answer["data"]
    )
    assert (await scene.get("kari", path, **{**query, "instance": f"{INSTANCE}0"})).json()["data"] == []
    assert (await scene.get("kari", path, **{**query, "instance": "x"})).status_code == 400
    assert (await scene.get("kari", path, **{**query, "resource": "none"})).json()["code"] == "AM-00027"
    assert (await scene.get("ola", path, **query)).status_code == 403
