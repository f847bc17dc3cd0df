"""An organisation delegates an API by the older interface."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text

from fullmakt.altinn.delegations.model import OPERATOR, Offer, Selection
from fullmakt.infra.database import Database
from tests.support.access_management import Scene

CONSUMER, SUPPLIER = "910753614", "810418672"
API = "scope-access-schema"
ORGANISATION = "urn:altinn:organizationnumber"
BY_NUMBER = {"Altinn-Party-OrganizationNumber": CONSUMER}
PATH = "/api/v1/organization/maskinportenschema"


class Delegating(Scene):
    """A consumer with an administrator, and a supplier with another."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.consumer = self.parties.organisation(CONSUMER, "Forbruker AS")
        self.supplier = self.parties.organisation(SUPPLIER, "Leverandør AS")
        self.kari = self.parties.person("05895199925")
        self.ola = self.parties.person("05898000178", "Ola Nordmann")
        self.resources.add(API, "test:scope")
        self.administrator("kari", self.kari, self.consumer)
        self.administrator("ola", self.ola, self.supplier)
        self.callers.person("stranger", self.ola)
        self.authority.permit(self.kari, API, self.consumer, "ScopeAccess")


def _body(to: str = SUPPLIER, resource: str = API, *, way: str = "to") -> dict[str, Any]:
    return {
        way: [{"id": ORGANISATION, "value": to}],
        "rights": [{"resource": [{"id": "urn:altinn:resource", "value": resource}]}],
    }


@pytest.fixture
async def scene(database: Database) -> AsyncIterator[Delegating]:
    async with Delegating(database) as scene:
        yield scene


async def test_an_api_is_delegated_listed_and_taken_back(scene: Delegating) -> None:
    answer = await scene.post("kari", f"{PATH}/offered", _body(), headers=BY_NUMBER)
    assert answer.status_code == 201
    assert answer.json() == {
        "to": [{"id": ORGANISATION, "value": SUPPLIER}],
        "rightDelegationResults": [
            {
                "rightKey": f"{API}:ScopeAccess",
                "resource": [{"id": "urn:altinn:resource", "value": API}],
                "action": "ScopeAccess",
                "status": "Delegated",
            }
        ],
    }
    item = {
        "offeredByPartyId": scene.consumer.party_id,
        "offeredByName": "Forbruker AS",
        "offeredByOrganizationNumber": CONSUMER,
        "coveredByPartyId": scene.supplier.party_id,
        "coveredByName": "Leverandør AS",
        "coveredByOrganizationNumber": SUPPLIER,
        "performedByUserId": scene.kari.user_id,
        "created": "2026-05-04T10:00:00Z",
        "resourceId": API,
    }
    offered = await scene.client.get(f"{PATH}/offered", headers={**BY_NUMBER, "Authorization": "Bearer kari"})
    assert (offered.status_code, offered.json()) == (200, [item])
    received = await scene.get("ola", f"/api/v1/{scene.supplier.party_id}/maskinportenschema/received")
    assert (received.status_code, received.json()) == (200, [item])
    assert (await scene.get("ola", f"/api/v1/{scene.supplier.party_id}/maskinportenschema/offered")).json() == []
    revoked = await scene.post("kari", f"{PATH}/offered/revoke", _body(), headers=BY_NUMBER)
    assert (revoked.status_code, revoked.content) == (204, b"")
    assert (await scene.get("ola", f"/api/v1/{scene.supplier.party_id}/maskinportenschema/received")).json() == []
    assert (await scene.post("kari", f"{PATH}/offered/revoke", _body(), headers=BY_NUMBER)).status_code == 204


async def test_the_supplier_gives_it_back(scene: Delegating) -> None:
    await scene.post("kari", f"{PATH}/offered", _body(), headers=BY_NUMBER)
    path = f"/api/v1/{scene.supplier.party_id}/maskinportenschema/received/revoke"
    assert (await scene.post("ola", path, _body(CONSUMER, way="from"))).status_code == 204
    assert await scene.service.api_delegations(supplier=scene.supplier.orgno) == ()


async def test_a_check_tells_what_may_be_delegated(scene: Delegating) -> None:
    body = {"resource": [{"id": "urn:altinn:resource", "value": API}]}
    path = f"/api/v1/{scene.consumer.party_id}/maskinportenschema/delegationcheck"
    answer = await scene.post("kari", path, body)
    (entry,) = answer.json()
    assert answer.status_code == 200
    assert (entry["rightKey"], entry["action"], entry["status"]) == (f"{API}:ScopeAccess", "ScopeAccess", "Delegable")
    assert entry["resource"] == [{"id": "urn:altinn:resource", "value": API}]
    assert [detail["code"] for detail in entry["details"]] == ["RoleAccess"]


@pytest.mark.parametrize(
    ("refusal", "codes"),
    [
        ("no_right", ["MissingRoleAccess", "MissingDelegationAccess"]),
        ("not_on_access_list", ["AccessListValidationFail"]),
        ("broken_policy", ["Unknown"]),
    ],
)
async def test_a_check_tells_what_is_missing(scene: Delegating, refusal: str, codes: list[str]) -> None:
    scene.authority.rules = {rule for rule in scene.authority.rules if rule[2] != API}
    scene.authority.refusals[API] = refusal
    body = {"resource": [{"id": "urn:altinn:resource", "value": API}]}
    (entry,) = (await scene.post("kari", f"{PATH}/delegationcheck", body, headers=BY_NUMBER)).json()
    assert (entry["status"], [detail["code"] for detail in entry["details"]]) == ("NotDelegable", codes)
    answer = await scene.post("kari", f"{PATH}/offered", _body(), headers=BY_NUMBER)
    assert answer.status_code == 400
    assert answer.json()["errors"] == {
        "right[0].Resource": [f"Authenticated user does not have any delegable rights for the resource: {API}"]
    }


async def test_too_low_a_level_is_no_right(scene: Delegating) -> None:
    scene.authority.levels[API] = 3
    scene.callers.person("kari", scene.kari, "altinn:portal/enduser", level=2)
    body = {"resource": [{"id": "urn:altinn:resource", "value": API}]}
    (entry,) = (await scene.post("kari", f"{PATH}/delegationcheck", body, headers=BY_NUMBER)).json()
    assert entry["status"] == "NotDelegable"
    assert entry["details"] == [
        {
            "code": "InsufficientAuthenticationLevel",
            "description": "Authenticated user does not meet the required security level for resource."
            " Minimum authentication level is 3",
            "parameters": {
                "MinimumAuthenticationLevel": [{"id": "urn:altinn:minimum-authenticationlevel", "value": "3"}]
            },
        }
    ]
    answer = await scene.post("kari", f"{PATH}/offered", _body(), headers=BY_NUMBER)
    assert "security level" in answer.json()["errors"]["right[0].Resource"][0]


async def test_what_was_given_on_falls_with_what_it_stands_on(scene: Delegating) -> None:
    offer = Offer(scene.consumer.party_uuid, scene.kari.party_uuid, API, frozenset({"ScopeAccess"}))
    await scene.service.delegate(offer, OPERATOR)
    (stored,) = await scene.service.stored(giver=scene.consumer.party_uuid)
    scene.authority.delegated[API, "ScopeAccess"] = stored.right.delegation_id
    body = {"resource": [{"id": "urn:altinn:resource", "value": API}]}
    (entry,) = (await scene.post("kari", f"{PATH}/delegationcheck", body, headers=BY_NUMBER)).json()
    assert [detail["code"] for detail in entry["details"]] == ["DelegationAccess"]
    assert (await scene.post("kari", f"{PATH}/offered", _body(), headers=BY_NUMBER)).status_code == 201
    assert len(await scene.service.api_delegations(consumer=scene.consumer.orgno)) == 1
    revoke = _body("", way="to")
    revoke["to"] = [{"id": "urn:altinn:partyid", "value": str(scene.kari.party_id)}]
    from_other = await scene.post("kari", f"{PATH}/offered/revoke", revoke, headers=BY_NUMBER)
    assert (from_other.status_code, list(from_other.json()["errors"])) == (400, ["To"])
    await scene.service.withdraw(Selection(scene.consumer.party_uuid, scene.kari.party_uuid, API), OPERATOR)
    assert await scene.service.api_delegations(consumer=scene.consumer.orgno) == ()


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"rights": []}, "Rights", "single right"),
        ({"rights": _body()["rights"] * 2}, "Rights", "single right"),
        ({"rights": None}, "Rights", "single right"),
        ({"rights": [{"resource": []}]}, "right[0].Resource", "urn:altinn:resource attribute id"),
        ({"rights": [{}]}, "right[0].Resource", "urn:altinn:resource attribute id"),
        (
            {"rights": [{"resource": [{"id": "urn:altinn:org", "value": "ttd"}]}]},
            "right[0].Resource",
            "urn:altinn:resource attribute id",
        ),
        (_body(resource="none"), "right[0].Resource", "The resource: none, does not exist"),
        (_body(resource="a\x00b"), "right[0].Resource", "does not exist or is not available"),
        (_body(resource="closed"), "right[0].Resource", "The resource: closed, does not exist or is not available"),
        (_body(resource="skjema"), "right[0].Resource", "Maskinporten schema resources. Invalid resource: skjema"),
        (_body(CONSUMER), "To", "can not have the same party in the From and To Attributes: 910753614"),
        (_body("999999999"), "To", "valid organization"),
        (_body("abc"), "To", "valid organization"),
        ({"to": []}, "To", "valid organization"),
        ({"to": [{"id": "urn:altinn:person:identifier-no", "value": "05895199925"}]}, "To", "valid organization"),
    ],
)
async def test_a_body_that_is_wrong_is_told_where(
    scene: Delegating, change: dict[str, Any], field: str, message: str
) -> None:
    scene.resources.add("closed", delegable=False)
    scene.resources.add("skjema", resource_type="GenericAccessResource")
    answer = await scene.post("kari", f"{PATH}/offered", {**_body(), **change}, headers=BY_NUMBER)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    (told,) = answer.json()["errors"][field]
    assert message in told
    assert "05895199925" not in answer.text
    assert await scene.service.stored() == ()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"x"',
        b"\xff",
        b'{"to": 1}',
        b'{"to": [1]}',
        b'{"to": [{"id": 1, "value": 2}]}',
        b'{"rights": [1]}',
    ],
)
async def test_a_body_that_is_none_is_told_so(scene: Delegating, body: bytes) -> None:
    answer = await scene.post("kari", f"{PATH}/offered", body, headers=BY_NUMBER)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (PATH, {}),
        (PATH, {"Altinn-Party-OrganizationNumber": SUPPLIER}),
        (PATH, {"Altinn-Party-OrganizationNumber": "garbage"}),
        ("/api/v1/person/maskinportenschema", {"Altinn-Party-SocialSecurityNumber": "05895199925"}),
        ("/api/v1/1/maskinportenschema", {}),
        ("/api/v1/99999999999999/maskinportenschema", {}),
        ("/api/v1/abc/maskinportenschema", {}),
    ],
)
async def test_nobody_delegates_for_another(scene: Delegating, path: str, headers: dict[str, str]) -> None:
    for rest in ("offered", "offered/revoke", "received/revoke", "delegationcheck"):
        answer = await scene.post("kari", f"{path}/{rest}", _body(), headers=headers)
        assert (answer.status_code, answer.content) == (403, b"")


async def test_who_may_read_may_not_write_and_refusals_are_audited(scene: Delegating) -> None:
    scene.callers.person("reader", scene.ola)
    scene.authority.permit(scene.ola, "altinn_maskinporten_scope_delegation", scene.consumer, "read")
    path = f"/api/v1/{scene.consumer.party_id}/maskinportenschema"
    assert (await scene.get("reader", f"{path}/offered")).status_code == 200
    assert (await scene.post("reader", f"{path}/offered", _body())).status_code == 403
    assert (await scene.get("nobody", f"{path}/offered")).status_code == 401
    scene.callers.organisation("machine", CONSUMER, "altinn:portal/enduser")
    assert (await scene.get("machine", f"{path}/offered")).status_code == 403
    async with scene.database.transaction() as connection:
        rows = await connection.execute(
            text("SELECT actor, reason FROM audit.event WHERE outcome = 'deny' ORDER BY id")
        )
        assert [tuple(row) for row in rows] == [
            (f"party:{scene.ola.party_uuid}", "not_permitted"),
            (CONSUMER, "nobody_in_particular"),
        ]


async def test_persons_neither_give_nor_receive_apis(scene: Delegating) -> None:
    scene.administrator("kari", scene.kari, scene.kari)
    path = f"/api/v1/{scene.kari.party_id}/maskinportenschema"
    answer = await scene.post("kari", f"{path}/offered", _body())
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["From"])
    assert (await scene.get("kari", f"{path}/offered")).status_code == 400
    assert (await scene.get("kari", f"{path}/received")).status_code == 400
    body = {"resource": [{"id": "urn:altinn:resource", "value": API}]}
    answer = await scene.post("kari", f"{path}/delegationcheck", body)
    assert answer.json()["errors"] == {
        "From": ["Delegation of MaskinportenSchema can only be performed by organizations."]
    }
    answer = await scene.post("kari", f"{path}/received/revoke", _body(CONSUMER, way="from"))
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["To"])


@pytest.mark.parametrize(
    ("resource", "message"),
    [
        ([], "The specified resource is not recognized."),
        ([{"id": "urn:altinn:app", "value": "x"}], "The specified resource is not recognized."),
        ([{"id": "urn:altinn:resource", "value": "none"}], "The resource does not exist"),
        ([{"id": "urn:altinn:resource", "value": "skjema"}], "only supports MaskinportenSchema resources."),
    ],
)
async def test_a_check_of_what_is_no_api_is_refused(scene: Delegating, resource: list[Any], message: str) -> None:
    scene.resources.add("skjema", resource_type="GenericAccessResource")
    answer = await scene.post("kari", f"{PATH}/delegationcheck", {"resource": resource}, headers=BY_NUMBER)
    assert answer.status_code == 400
    assert message in answer.json()["errors"]["right[0].Resource"][0]
