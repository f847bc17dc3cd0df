"""Whom one can act for, what a service owner gives, what a decision point asks, and delegation schemes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx2
import pytest

from fullmakt.altinn.delegations.http.schemes import schemes_app
from fullmakt.altinn.delegations.model import OPERATOR, Offer
from fullmakt.infra.database import Database
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.parties import HeldRights
from tests.support.access_management import Scene
from tests.support.parties import national_id

OWNER = "/api/v1/resourceowner/authorizedparties"
SYSTEM_USER = UUID("a545ca29-7fb8-4810-a2f2-0be171cb2a26")
SKATT = Attribute(ids.ACCESS_PACKAGE, "skatt-naering")
INSTANCE = "urn:altinn:instance-id:50001/6b9d8d2e-5a49-4a2e-9d0a-0d1e1f2a3b4c"


class Acting(Scene):
    """Kari manages an organisation with a unit, which has been given rights by a third."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.main = self.parties.organisation("910753614", "Hoved AS")
        self.unit = self.parties.organisation("810418672", "Avdeling", parent=self.main)
        self.third = self.parties.organisation("991825827", "Tredje AS")
        self.kari = self.parties.person(national_id(1))
        roles = frozenset({Attribute(ids.ROLE_CCR, "daglig-leder"), Attribute(ids.ROLE_CODE, "dagl")})
        self.parties.hold(self.kari, self.main, HeldRights(roles, frozenset({SKATT})), key_role=True)
        self.parties.hold(self.kari, self.unit, HeldRights(roles))
        self.parties.hold(self.kari, self.kari, HeldRights(frozenset({Attribute(ids.ROLE, "privatperson")})))
        self.resources.add("skjema", resource_type="GenericAccessResource")
        self.resources.add("api", "test:scope")
        self.packages.add("skatt-naering")
        self.callers.organisation("owner", "974761076", "altinn:accessmanagement/authorizedparties.resourceowner")
        self.callers.person("kari", self.kari, "altinn:portal/enduser")
        self.callers.known["system"] = Caller(
            frozenset({"altinn:accessmanagement/authorizedparties"}), system_user=SYSTEM_USER
        )

    async def delegate(self, giver: Any, receiver: UUID, resource: str, instance: str | None = None) -> None:
        await self.service.delegate(
            Offer(giver.party_uuid, receiver, resource, frozenset({"read"}), instance), OPERATOR
        )

    async def of(self, number: str, *, kind: str = ids.PERSON, **query: str) -> Any:
        answer = await self.post("owner", OWNER, {"type": kind, "value": number}, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
async def scene(database: Database) -> AsyncIterator[Acting]:
    async with Acting(database) as scene:
        yield scene


async def test_a_person_acts_for_itself_and_by_roles_and_delegations(scene: Acting) -> None:
    await scene.delegate(scene.third, scene.main.party_uuid, "skjema")
    await scene.delegate(scene.third, scene.kari.party_uuid, "skjema", INSTANCE)
    await scene.delegate(scene.third, scene.main.party_uuid, "api")
    found = {one["name"]: one for one in await scene.of(str(scene.kari.national_id), includeAccessPackages="true")}
    assert found.keys() == {"Hoved AS", "Tredje AS", "Kari Nordmann"}
    (unit,) = found["Hoved AS"].pop("subunits")
    assert (unit["name"], unit["parentId"]) == ("Avdeling", str(scene.main.party_uuid))
    assert found["Hoved AS"] == {
        "partyUuid": str(scene.main.party_uuid),
        "name": "Hoved AS",
        "organizationNumber": "910753614",
        "parentId": None,
        "personId": None,
        "dateOfBirth": None,
        "partyId": scene.main.party_id,
        "emailId": None,
        "type": "Organization",
        "unitType": "AS",
        "isDeleted": False,
        "onlyHierarchyElementWithNoAccess": False,
        "authorizedAccessPackages": ["skatt-naering"],
        "authorizedResources": [],
        "authorizedRoles": ["DAGL"],
        "authorizedInstances": [],
    }
    third = found["Tredje AS"]
    assert (third["authorizedResources"], third["authorizedRoles"]) == (["skjema"], [])
    assert third["authorizedInstances"] == [
        {
            "resourceId": "skjema",
            "instanceId": INSTANCE.removeprefix("urn:altinn:instance-id:"),
            "instanceRef": INSTANCE,
        }
    ]
    assert (found["Kari Nordmann"]["type"], found["Kari Nordmann"]["personId"]) == ("Person", scene.kari.national_id)


async def test_what_is_told_can_be_narrowed(scene: Acting) -> None:
    await scene.delegate(scene.third, scene.main.party_uuid, "skjema")
    await scene.service.give_package(scene.third.party_uuid, scene.main.party_uuid, "skatt-naering", OPERATOR)
    kari = str(scene.kari.national_id)
    off = {"includeRoles": "false", "includeResources": "False", "includeInstances": "false"}
    assert all(not one["authorizedRoles"] + one["authorizedResources"] for one in await scene.of(kari, **off))
    assert all(not one["authorizedAccessPackages"] for one in await scene.of(kari))
    alone = await scene.of(kari, includePartiesViaKeyRoles="false", includeSubParties="false")
    assert {one["name"] for one in alone} == {"Hoved AS", "Kari Nordmann"}
    assert all(one["subunits"] == [] for one in alone)
    (one,) = await scene.of(kari, anyOfResourceIds="skjema")
    assert one["name"] == "Tredje AS"
    scene.authority.permit(scene.kari, "other", scene.main, "read")
    assert {one["name"] for one in await scene.of(kari, anyOfResourceIds="other")} == {"Hoved AS"}
    assert {one["name"] for one in await scene.of(kari, orgCode="nav") if one["authorizedResources"]} == set()
    assert {one["name"] for one in await scene.of(kari, orgCode="SKD") if one["authorizedResources"]} == {"Tredje AS"}


async def test_only_the_parties_of_a_filter_are_told_of(scene: Acting) -> None:
    body = {
        "type": ids.PERSON,
        "value": scene.kari.national_id,
        "partyFilter": [{"type": ids.ORGANISATION, "value": "810418672"}, {"type": ids.ORGANISATION, "value": "\x00"}],
    }
    (main,) = (await scene.post("owner", OWNER, body)).json()
    assert (main["name"], main["onlyHierarchyElementWithNoAccess"], main["authorizedRoles"]) == ("Hoved AS", True, [])
    assert [unit["name"] for unit in main["subunits"]] == ["Avdeling"]


@pytest.mark.parametrize("path", [OWNER, "/api/v1/serviceowner/authorizedparties"])
async def test_a_party_can_be_named_in_many_ways(scene: Acting, path: str) -> None:
    for kind, value in (
        (ids.USER_ID, str(scene.kari.user_id)),
        (ids.PARTY_ID, str(scene.kari.party_id)),
        (ids.PARTY_UUID, str(scene.kari.party_uuid)),
    ):
        answer = await scene.post("owner", path, {"type": kind, "value": value})
        assert {one["name"] for one in answer.json()} == {"Hoved AS", "Kari Nordmann"}
    assert await scene.of("910753614", kind=ids.ORGANISATION) == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"value": "1"}, "type"),
        ({"type": ids.PERSON}, "value"),
        ({"type": "urn:altinn:org", "value": "skd"}, "type"),
        ({"type": ids.PERSON, "value": "12345678901"}, "value"),
        ({"type": ids.PARTY_ID, "value": "1"}, "value"),
        ({"type": ids.PARTY_UUID, "value": "x"}, "value"),
        ({"type": ids.PERSON, "value": 1}, "$.value"),
        ({"type": ids.PARTY_ID, "value": "1", "partyFilter": "x"}, "value"),
    ],
)
async def test_a_subject_that_is_none_is_told_so(scene: Acting, body: dict[str, Any], field: str) -> None:
    answer = await scene.post("owner", OWNER, body)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])
    assert "12345678901" not in answer.text


async def test_a_flag_that_is_none_is_told_so(scene: Acting) -> None:
    for name in ("includeRoles", "includeSubParties", "includeInactiveParties"):
        answer = await scene.post("owner", OWNER, {"type": ids.ORGANISATION, "value": "910753614"}, **{name: "perhaps"})
        assert (answer.status_code, list(answer.json()["errors"])) == (400, [name])


async def test_end_users_and_system_users_see_their_own(scene: Acting) -> None:
    await scene.delegate(scene.third, SYSTEM_USER, "skjema")
    answer = (await scene.get("kari", "/api/v1/enduser/authorizedparties")).json()
    assert (answer["links"], {one["name"] for one in answer["data"]}) == ({}, {"Hoved AS", "Kari Nordmann"})
    answer = (await scene.get("system", "/api/v1/enduser/authorizedparties")).json()
    assert [one["name"] for one in answer["data"]] == ["Tredje AS"]
    assert {one["name"] for one in (await scene.get("kari", "/api/v1/authorizedparties")).json()} == {
        "Hoved AS",
        "Kari Nordmann",
    }
    one = await scene.get("kari", f"/api/v1/authorizedparty/{scene.main.party_id}")
    assert one.json()["name"] == "Hoved AS"
    for party_id in (scene.third.party_id, "x"):
        assert (await scene.get("kari", f"/api/v1/authorizedparty/{party_id}")).status_code == 400
    scene.callers.organisation("machine", "910753614", "altinn:portal/enduser")
    for token, status in (("machine", 403), ("owner", 403), ("nobody", 401)):
        assert (await scene.get(token, "/api/v1/enduser/authorizedparties")).status_code == status
        assert (await scene.get(token, "/api/v1/authorizedparties")).status_code == status
    assert (await scene.post("kari", OWNER, {"type": ids.ORGANISATION, "value": "910753614"})).status_code == 403


PACKAGES = "/api/v1/serviceowner/connections/accesspackages"


def _package(giver: str = "910753614", to: str = "991825827", name: str = "skatt-naering") -> dict[str, str]:
    return {
        "from": f"urn:altinn:organization:identifier-no:{giver}",
        "to": f"urn:altinn:organization:identifier-no:{to}",
        "packageUrn": f"urn:altinn:accesspackage:{name}",
    }


async def test_a_service_owner_gives_the_packages_it_may(scene: Acting) -> None:
    scene.callers.organisation("skd", "974761076", "altinn:serviceowner/delegations:accesspackage.write")
    scene.callers.organisation("nav", "889640782", "altinn:serviceowner/delegations:accesspackage.write")
    scene.package_owners[OrgNumber("974761076")] = frozenset({"Skatt-naering", "unknown"})
    for token, body, status, code in (
        ("nav", _package(), 403, "AM-00034"),
        ("skd", _package(name="annen"), 403, "AM-00034"),
        ("skd", _package(to="999999999"), 400, "AM-00021"),
        ("skd", _package(name="unknown"), 400, "AM-00035"),
    ):
        answer = await scene.post(token, PACKAGES, body)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (await scene.post("skd", PACKAGES, _package(to="910753614"))).status_code == 400
    for change in ({"from": "910753614"}, {"to": ""}, {"packageUrn": "skatt-naering"}, {"from": 1}):
        assert "errors" in (await scene.post("skd", PACKAGES, {**_package(), **change})).json()
    assert (await scene.post("owner", PACKAGES, _package())).status_code == 403
    assert await scene.service.delegated_packages() == ()
    answer = await scene.post("skd", PACKAGES, _package())
    assert (answer.status_code, answer.json().keys()) == (200, {"id", "assignmentId", "packageId"})
    assert (await scene.post("skd", PACKAGES, _package())).json() == answer.json()
    (found,) = await scene.service.packages([scene.third.party_uuid], scene.main.party_uuid)
    assert found == SKATT
    for _ in range(2):
        assert (await scene.post("skd", f"{PACKAGES}/revoke", _package())).status_code == 204
    assert await scene.service.packages([scene.third.party_uuid], scene.main.party_uuid) == frozenset()


async def test_a_decision_point_learns_what_was_delegated(scene: Acting) -> None:
    scene.callers.organisation("pdp", "991825827", "altinn:authorization/authorize")
    await scene.delegate(scene.third, scene.main.party_uuid, "skjema")
    await scene.delegate(scene.third, scene.kari.party_uuid, "skjema", INSTANCE)
    await scene.delegate(scene.third, SYSTEM_USER, "skjema")
    path = "/api/v1/policyinformation/getdelegationchanges"
    body = {
        "subject": {"id": ids.USER_ID, "value": str(scene.kari.user_id)},
        "party": {"id": ids.PARTY_ID, "value": str(scene.third.party_id)},
        "resource": [{"id": ids.RESOURCE, "value": "skjema"}],
    }
    found = (await scene.post("pdp", path, body)).json()
    changes = sorted(found, key=lambda one: one["instanceid"] or "")  # all three were given at the same moment
    assert [(one["touuidtype"], one["instanceid"]) for one in changes] == [
        (ids.ORGANISATION_UUID, None),
        (ids.PERSON_UUID, INSTANCE),
    ]
    first = changes[0]
    assert first == {
        "delegationchangeid": 0,
        "resourceregistrydelegationchangeid": first["resourceregistrydelegationchangeid"],
        "delegationchangetype": 1,
        "resourceid": "skjema",
        "resourcetype": "GenericAccessResource",
        "instanceid": None,
        "offeredbypartyid": scene.third.party_id,
        "fromuuid": str(scene.third.party_uuid),
        "fromuuidtype": ids.ORGANISATION_UUID,
        "coveredbypartyid": scene.main.party_id,
        "coveredbyuserid": None,
        "touuid": str(scene.main.party_uuid),
        "touuidtype": ids.ORGANISATION_UUID,
        "performedbyuserid": None,
        "performedbypartyid": scene.third.party_id,
        "performedbyuuid": str(scene.third.party_uuid),
        "performedbyuuidtype": ids.ORGANISATION_UUID,
        "blobstoragepolicypath": "",
        "blobstorageversionid": "",
        "created": "2026-05-04T10:00:00Z",
    }
    system = {**body, "subject": {"id": ids.SYSTEM_USER, "value": str(SYSTEM_USER)}}
    (told,) = (await scene.post("pdp", path, system)).json()
    assert (told["touuid"], told["touuidtype"]) == (str(SYSTEM_USER), ids.SYSTEM_USER)
    for subject in ({"id": ids.SYSTEM_USER, "value": "x"}, {"id": ids.USER_ID, "value": "1"}):
        assert (await scene.post("pdp", path, {**body, "subject": subject})).json() == []
    wrong: list[dict[str, Any]] = [
        {"subject": None},
        {"party": {"id": ids.PARTY_ID, "value": "1"}},
        {"resource": []},
        {"party": 1},
    ]
    for change in wrong:
        assert (await scene.post("pdp", path, {**body, **change})).status_code == 400
    assert (await scene.post("kari", path, body)).status_code == 403


async def test_a_decision_point_learns_of_roles_and_packages(scene: Acting) -> None:
    scene.callers.organisation("pdp", "991825827", "altinn:authorization/authorize.admin")
    await scene.service.give_package(scene.third.party_uuid, scene.main.party_uuid, "skatt-naering", OPERATOR)
    base = "/api/v1/policyinformation"
    to = {"to": str(scene.kari.party_uuid)}
    answer = await scene.get("pdp", f"{base}/accesspackages", **to, **{"from": str(scene.third.party_uuid)})
    assert answer.json() == ["urn:altinn:accesspackage:skatt-naering"]
    answer = await scene.get("pdp", f"{base}/roles-and-accesspackages", **to, **{"from": str(scene.main.party_uuid)})
    assert answer.json() == {
        "roles": ["urn:altinn:external-role:ccr:daglig-leder", "urn:altinn:rolecode:dagl"],
        "accessPackages": ["urn:altinn:accesspackage:skatt-naering"],
    }
    assert (await scene.get("pdp", f"{base}/accesspackages", **to)).status_code == 400
    assert (await scene.get("kari", f"{base}/accesspackages", **to)).status_code == 403


SCHEME: dict[str, Any] = {
    "owner_org": "974760673",
    "scopes": ["altinn:test.read"],
    "title": [{"code": "nb_NO", "value": "Prøve"}, {"code": "en", "value": "Trial"}],
    "description": [{"code": "nb_NO", "value": "En prøve"}],
    "default_language": "nb_NO",
    "delegation_source_config": {"required_security_level": 3},
}


@pytest.fixture
async def schemes(scene: Acting) -> AsyncIterator[httpx2.AsyncClient]:
    every = [f"altinn:maskinporten/delegationschemes.{action}" for action in ("read", "write", "edit", "delete")]
    scene.callers.organisation("owner", "974760673", *every, prefixes=("altinn", "brreg"))
    scene.callers.organisation("other", "889640782", *every)
    scene.callers.organisation("reader", "974760673", every[0])
    transport = httpx2.ASGITransport(app=schemes_app(scene.system))
    async with httpx2.AsyncClient(transport=transport, base_url="http://altinn.test") as client:
        yield client


def _as(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def test_a_scheme_is_made_changed_and_removed(scene: Acting, schemes: httpx2.AsyncClient) -> None:
    answer = await schemes.post("/delegationSchemes", json=SCHEME, headers=_as("owner"))
    scheme_id = answer.json()
    assert (answer.status_code, str(UUID(scheme_id))) == (200, scheme_id)
    path = f"/delegationSchemes/{scheme_id}"
    assert (await schemes.get(path, headers=_as("reader"))).json() == {"id": scheme_id, **SCHEME}
    assert (await schemes.get("/delegationSchemes", headers=_as("other"))).json() == []
    for method in ("GET", "DELETE"):
        assert (await schemes.request(method, path, headers=_as("other"))).status_code == 404
    changed = {**SCHEME, "scopes": ["altinn:test.write"]}
    for _ in range(2):
        assert (await schemes.put(path, json=changed, headers=_as("owner"))).status_code == 204
    (listed,) = (await schemes.get("/delegationSchemes", headers=_as("owner"))).json()
    assert listed["scopes"] == ["altinn:test.write"]
    scene.resources.change("api", delegation_scheme_id=scheme_id.upper(), owner_orgno=OrgNumber("974760673"))
    await scene.declared.declare_api_delegation(OrgNumber("910753614"), OrgNumber("991825827"), "api")
    assert (await schemes.delete(path, headers=_as("owner"))).status_code == 400
    assert len(await scene.service.api_delegations(consumer=OrgNumber("910753614"))) == 1
    answer = await schemes.delete(path, params={"deleteDelegations": "true"}, headers=_as("owner"))
    assert answer.status_code == 204
    assert await scene.service.api_delegations(consumer=OrgNumber("910753614")) == ()
    assert (await schemes.get(path, headers=_as("owner"))).status_code == 404


async def test_an_owner_takes_no_delegations_of_another_s_resource_away(
    scene: Acting, schemes: httpx2.AsyncClient
) -> None:
    scheme_id = (await schemes.post("/delegationSchemes", json=SCHEME, headers=_as("owner"))).json()
    scene.resources.change("api", delegation_scheme_id=scheme_id)
    await scene.declared.declare_api_delegation(OrgNumber("910753614"), OrgNumber("991825827"), "api")
    answer = await schemes.delete(f"/delegationSchemes/{scheme_id}?deleteDelegations=true", headers=_as("owner"))
    assert answer.status_code == 204
    assert len(await scene.service.api_delegations(consumer=OrgNumber("910753614"))) == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"owner_org": None}, "owner_org"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["noprefix"]}, "scopes[0]"),
        ({"scopes": [1]}, "scopes[0]"),
        ({"scopes": "altinn:x"}, "$.scopes"),
        ({"title": None}, "title"),
        ({"title": ["x"]}, "$.title[0]"),
        ({"title": [{"code": "de", "value": "x"}]}, "title[0].code"),
        ({"title": [{"code": "en", "value": "a\x00b"}]}, "title[0].value"),
        ({"default_language": 1}, "default_language"),
        ({"delegation_source_config": {"required_security_level": 5}}, None),
        ({"delegation_source_config": {"required_security_level": "3"}}, None),
        ({"delegation_source_config": "x"}, "$.delegation_source_config"),
    ],
)
async def test_a_scheme_that_is_none_is_refused(
    schemes: httpx2.AsyncClient, change: dict[str, Any], field: str | None
) -> None:
    answer = await schemes.post("/delegationSchemes", json={**SCHEME, **change}, headers=_as("owner"))
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field or "delegation_source_config.required_security_level"]
    assert (await schemes.get("/delegationSchemes", headers=_as("owner"))).json() == []


async def test_a_scheme_is_of_scopes_with_a_prefix_of_its_owners(schemes: httpx2.AsyncClient, scene: Acting) -> None:
    for scopes, status in (
        (["altinn:test", "brreg:test"], 200),
        (["altinn:test", "skd:test"], 403),
        (["altinnx:test"], 403),
    ):
        body = {**SCHEME, "scopes": scopes}
        assert (await schemes.post("/delegationSchemes", json=body, headers=_as("owner"))).status_code == status
    (made,) = (await schemes.get("/delegationSchemes", headers=_as("owner"))).json()
    body = {**SCHEME, "scopes": ["skd:test"]}
    answer = await schemes.put(f"/delegationSchemes/{made['id']}", json=body, headers=_as("owner"))
    assert answer.status_code == 403
    every = "altinn:maskinporten/delegationschemes.write"
    scene.callers.organisation("bare", "974760673", every)
    assert (await schemes.post("/delegationSchemes", json=SCHEME, headers=_as("bare"))).status_code == 403


async def test_schemes_are_for_their_owners(schemes: httpx2.AsyncClient) -> None:
    for token, status in (("other", 403), ("reader", 403), ("nobody", 401)):
        assert (await schemes.post("/delegationSchemes", json=SCHEME, headers=_as(token))).status_code == status
    assert (await schemes.get("/delegationSchemes/x", headers=_as("owner"))).status_code == 400
