"""An organisation looks after its suppliers by the newer interface."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from fullmakt.infra.database import Database
from tests.support.access_management import Scene

CONSUMER, SUPPLIER = "910753614", "810418672"
SUPPLIERS = "/api/v1/enduser/maskinportensuppliers"
CONSUMERS = "/api/v1/enduser/maskinportenconsumers"
API = "skd-api"
SUPPLIER_ROLE = "961f6ebb-ecf7-4fc6-ab5a-ca0841db4931"


class Suppliers(Scene):
    """A consumer and a supplier, each with somebody who may manage its API delegations."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.consumer = self.parties.organisation(CONSUMER, "Forbruker AS")
        self.supplier = self.parties.organisation(SUPPLIER, "Leverandør AS")
        self.kari = self.parties.person("05895199925")
        self.ola = self.parties.person("05898000178", "Ola Nordmann")
        self.resources.add(API, "test:scope")
        self.administrator("kari", self.kari, self.consumer)
        self.administrator("ola", self.ola, self.supplier)
        self.authority.permit(self.kari, API, self.consumer, "ScopeAccess")
        self.mine = {"party": str(self.consumer.party_uuid)}
        self.both = {**self.mine, "supplier": SUPPLIER}
        self.one = {**self.both, "resource": API}


@pytest.fixture
async def scene(database: Database) -> AsyncIterator[Suppliers]:
    async with Suppliers(database) as scene:
        yield scene


async def test_a_supplier_is_added_once(scene: Suppliers) -> None:
    answer = await scene.post("kari", SUPPLIERS, **scene.both)
    assert answer.status_code == 200
    first = answer.json()
    assert first == {
        "id": first["id"],
        "roleId": SUPPLIER_ROLE,
        "fromId": str(scene.consumer.party_uuid),
        "toId": str(scene.supplier.party_uuid),
    }
    assert (await scene.post("kari", SUPPLIERS, **scene.both)).json() == first
    (listed,) = (await scene.get("kari", SUPPLIERS, **scene.mine)).json()
    assert (listed["party"]["organizationIdentifier"], listed["party"]["name"]) == (SUPPLIER, "Leverandør AS")
    assert [role["code"] for role in listed["roles"]] == ["supplier"]
    assert listed.keys() == {"party", "roles", "packages", "resources", "instances", "connections"}
    theirs = {"party": str(scene.supplier.party_uuid)}
    (listed,) = (await scene.get("ola", CONSUMERS, **theirs)).json()
    assert listed["party"]["organizationIdentifier"] == CONSUMER
    assert len((await scene.get("ola", CONSUMERS, **theirs, consumer=CONSUMER)).json()) == 1
    assert (await scene.get("kari", SUPPLIERS, **scene.mine, supplier=CONSUMER)).json() == []


async def test_an_api_is_delegated_to_a_supplier_and_taken_back(scene: Suppliers) -> None:
    await scene.post("kari", SUPPLIERS, **scene.both)
    for _ in range(2):
        answer = await scene.post("kari", f"{SUPPLIERS}/resources", **scene.one)
        assert (answer.status_code, answer.json()) == (200, True)
    (entry,) = (await scene.get("kari", f"{SUPPLIERS}/resources", **scene.mine)).json()
    assert (entry["resource"]["refId"], entry["resource"]["name"]) == (API, f"Tittel {API}")
    (permission,) = entry["permissions"]
    assert permission["from"]["organizationIdentifier"] == CONSUMER
    assert permission["to"]["organizationIdentifier"] == SUPPLIER
    theirs = {"party": str(scene.supplier.party_uuid), "consumer": CONSUMER, "resource": API}
    assert len((await scene.get("ola", f"{CONSUMERS}/resources", **theirs)).json()) == 1
    assert len(await scene.service.api_delegations(consumer=scene.consumer.orgno)) == 1
    answer = await scene.delete("kari", f"{SUPPLIERS}/resources", **scene.one)
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await scene.get("kari", f"{SUPPLIERS}/resources", **scene.both)).json() == []
    assert (await scene.delete("kari", f"{SUPPLIERS}/resources", **scene.one)).status_code == 204


async def test_the_supplier_gives_an_api_back_and_leaves(scene: Suppliers) -> None:
    await scene.post("kari", SUPPLIERS, **scene.both)
    await scene.post("kari", f"{SUPPLIERS}/resources", **scene.one)
    theirs = {"party": str(scene.supplier.party_uuid), "consumer": CONSUMER}
    answer = await scene.delete("ola", CONSUMERS, **theirs)
    assert answer.status_code == 400
    assert answer.json()["validationErrors"][0]["code"] == "AM.VLD-00031"
    assert (await scene.delete("ola", f"{CONSUMERS}/resources", **theirs, resource=API)).status_code == 204
    assert (await scene.delete("ola", CONSUMERS, **theirs)).status_code == 204
    assert (await scene.get("kari", SUPPLIERS, **scene.mine)).json() == []


async def test_a_supplier_goes_with_its_delegations_only_when_told(scene: Suppliers) -> None:
    await scene.post("kari", SUPPLIERS, **scene.both)
    await scene.post("kari", f"{SUPPLIERS}/resources", **scene.one)
    answer = await scene.delete("kari", SUPPLIERS, **scene.both)
    assert (answer.status_code, answer.json()["code"]) == (400, "STD-00000")
    assert answer.json()["validationErrors"][0]["paths"] == ["/$QUERY/cascade"]
    assert (await scene.delete("kari", SUPPLIERS, **scene.both, cascade="maybe")).status_code == 400
    assert (await scene.delete("kari", SUPPLIERS, **scene.both, cascade="true")).status_code == 204
    assert await scene.service.api_delegations(consumer=scene.consumer.orgno) == ()
    assert (await scene.delete("kari", SUPPLIERS, **scene.both)).status_code == 204


async def test_refusals_have_their_codes(scene: Suppliers) -> None:
    scene.resources.add("skjema", resource_type="GenericAccessResource")
    scene.resources.add("closed", delegable=False)
    scene.resources.add("foreign")
    scene.authority.permit(scene.kari, "closed", scene.consumer, "ScopeAccess")
    path = f"{SUPPLIERS}/resources"
    for change, code in (
        ({"supplier": "999999999"}, "AM-00023"),
        ({"supplier": "abc"}, "AM-00023"),
        ({"resource": "none"}, "AM-00027"),
        ({"resource": "a\x00"}, "AM-00027"),
        ({"resource": "closed"}, "AM-00042"),
        ({"resource": "foreign"}, "AM-00028"),
        ({}, "AM-00022"),
    ):
        answer = await scene.post("kari", path, **{**scene.one, **change})
        assert (answer.status_code, answer.json()["code"]) == (400, code)
        assert answer.headers["content-type"] == "application/problem+json"
    for change, code in (
        ({"supplier": CONSUMER}, "AM.VLD-00009"),
        ({"resource": "skjema"}, "AM.VLD-00032"),
    ):
        answer = await scene.post("kari", path, **{**scene.one, **change})
        assert (answer.status_code, answer.json()["validationErrors"][0]["code"]) == (400, code)
    assert await scene.service.stored() == ()


async def test_a_check_tells_whether_and_why(scene: Suppliers) -> None:
    path = f"{SUPPLIERS}/resources/delegationcheck"
    answer = await scene.get("kari", path, **scene.mine, resource=API)
    assert answer.status_code == 200
    assert answer.json()["resource"]["refId"] == API
    assert answer.json()["rights"] == [
        {
            "right": {
                "key": f"{API}:ScopeAccess",
                "name": "ScopeAccess",
                "resource": [{"type": "urn:altinn:resource", "value": API}],
                "action": {"type": "urn:oasis:names:tc:xacml:1.0:action:action-id", "value": "ScopeAccess"},
            },
            "result": True,
            "reasonCodes": ["RoleAccess"],
        }
    ]
    scene.resources.change(API, delegable=False)
    (right,) = (await scene.get("kari", path, **scene.mine, resource=API)).json()["rights"]
    assert (right["result"], right["reasonCodes"]) == (False, ["RoleAccess", "ResourceNotDelegable"])
    assert (await scene.get("kari", path, **scene.mine, resource="none")).json()["code"] == "AM-00027"


@pytest.mark.parametrize("method", ["get", "post", "delete"])
@pytest.mark.parametrize("rest", ["", "/resources"])
async def test_scope_and_authority_are_both_asked_for(scene: Suppliers, method: str, rest: str) -> None:
    call = getattr(scene, method)
    action = "read" if method == "get" else "write"
    right_scope = f"altinn:accessmanagement/enduser:maskinportensuppliers.{action}"
    scene.callers.person("scoped", scene.kari, right_scope)
    scene.callers.person("other", scene.kari, f"altinn:accessmanagement/enduser:maskinportenconsumers.{action}")
    assert (await call("other", f"{SUPPLIERS}{rest}", **scene.one)).status_code == 403
    assert (await call("ola", f"{SUPPLIERS}{rest}", **scene.one)).status_code == 403
    assert (await call("scoped", f"{SUPPLIERS}{rest}", **scene.one)).status_code != 403
    assert (await call("nobody", f"{SUPPLIERS}{rest}", **scene.one)).status_code == 401


async def test_a_query_that_is_wrong_is_told_where(scene: Suppliers) -> None:
    for query, field in (({}, "party"), ({"party": "x"}, "party"), ({"party": ""}, "party"), (scene.mine, "supplier")):
        answer = await scene.post("kari", SUPPLIERS, **query)
        assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])


async def test_a_person_has_no_suppliers(scene: Suppliers) -> None:
    scene.administrator("kari", scene.kari, scene.kari)
    query = {"party": str(scene.kari.party_uuid)}
    assert (await scene.get("kari", SUPPLIERS, **query)).json()["code"] == "AM-00023"
    answer = await scene.post("kari", SUPPLIERS, **query, supplier=SUPPLIER)
    assert answer.json()["validationErrors"][0]["code"] == "AM.VLD-00008"
