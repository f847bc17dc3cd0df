"""The whole house in one process, from people's tokens to policies and decisions: one asks, and another gives."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from fullmakt.altinn.parties.model import Organisation, Person, Role
from fullmakt.altinn.resources.policies.standard import standard_policy
from fullmakt.kernel.identifiers import NationalId, OrgNumber
from fullmakt.serve.app import create
from fullmakt.serve.assembly import Assembly, assemble
from fullmakt.serve.settings import Settings
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.resource_registry import ResourceDocument

BASE = "http://localhost:8080"
AM = f"{BASE}/altinn/accessmanagement/api/v1"
CONSUMER, SUPPLIER, OWNER = OrgNumber("910753614"), OrgNumber("312044005"), OrgNumber("991825827")
DIRECTOR, VENDORS_DIRECTOR, CLERK = NationalId("24907999889"), NationalId("17865599978"), NationalId("05895199925")
API, FORM = "demo-scope-schema", "demo-form"


def resource(identifier: str, kind: str, references: list[dict[str, str]]) -> ResourceDocument:
    texts = dict.fromkeys(("nb", "nn", "en"), identifier)
    return ResourceDocument.model_validate(
        {
            "identifier": identifier, "title": texts, "description": texts, "rightDescription": texts,
            "status": "Active", "resourceType": kind, "delegable": True, "visible": True,
            "hasCompetentAuthority": {"organization": OWNER, "orgcode": "digdir", "name": texts},
            "resourceReferences": references, "contactPoints": [{"category": "x", "email": "x@example.no"}],
        }
    )  # fmt: skip


class House:
    """The assembled systems, a line to them, and the people."""

    def __init__(self, assembly: Assembly, http: httpx2.AsyncClient) -> None:
        self._registers = assembly.altinn.registers
        self._http = http

    async def fill(self) -> None:
        parties, resources = self._registers.parties, self._registers.resources
        for orgno in (CONSUMER, SUPPLIER, OWNER):
            await parties.declare_organisation(Organisation(orgno, f"Org {orgno}"))
        for number in (DIRECTOR, VENDORS_DIRECTOR, CLERK):
            await parties.declare_person(Person(number, f"Person {number[:6]}"))
        await parties.grant_role(Role(DIRECTOR, "dagl", CONSUMER))
        await parties.grant_role(Role(VENDORS_DIRECTOR, "dagl", SUPPLIER))
        await parties.grant_role(Role(CLERK, "medl", CONSUMER))
        scope = {"referenceSource": "Altinn3", "reference": "demo:api.read", "referenceType": "MaskinportenScope"}
        await resources.declare_resource(
            resource(API, "MaskinportenSchema", [scope]), standard_policy(API, roles=["dagl"], actions=["ScopeAccess"])
        )
        await resources.declare_resource(
            resource(FORM, "GenericAccessResource", []),
            standard_policy(FORM, roles=["dagl"], actions=["read", "write"]),
        )

    async def uuid(self, number: OrgNumber | NationalId) -> str:
        attribute = Attribute(ids.ORGANISATION if isinstance(number, OrgNumber) else ids.PERSON, number)
        return str((await self._registers.parties.identify([attribute]))[attribute].party_uuid)

    async def token(self, number: NationalId) -> str:
        query = {"env": "local", "pid": number, "scopes": "altinn:portal/enduser", "authLvl": "4"}
        return (await self._http.get(f"{BASE}/altinn/testtools/api/GetPersonalToken", params=query)).text

    async def send(self, who: NationalId, method: str, path: str, **query: Any) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {await self.token(who)}"}
        return await self._http.request(method, f"{AM}/enduser/request{path}", params=query, headers=headers)

    async def api_delegations(self) -> list[str]:
        found = await self._registers.delegations.api_delegations(supplier=SUPPLIER, scope="demo:api.read")
        return [one.consumer for one in found]

    async def rights_on(self, resource: str) -> list[frozenset[str]]:
        return [one.right.actions for one in await self._registers.delegations.stored(resource=resource)]


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    assembly = assemble(Settings.model_validate({"state": tmp_path}), database_url)
    try:
        await assembly.start()
        transport = httpx2.ASGITransport(app=create(assembly), client=("127.0.0.1", 50_000))
        async with httpx2.AsyncClient(transport=transport) as http:
            house = House(assembly, http)
            await house.fill()
            yield house
    finally:
        await assembly.stop()


async def test_a_suppliers_director_asks_and_the_consumers_director_gives(house: House) -> None:
    supplier, consumer = await house.uuid(SUPPLIER), await house.uuid(CONSUMER)
    asked = await house.send(VENDORS_DIRECTOR, "POST", "/resource", party=supplier, to=consumer, resource=API)
    assert asked.status_code == 200, asked.text
    request_id = asked.json()["id"]
    for who, status in ((CLERK, 403), (VENDORS_DIRECTOR, 403)):
        answer = await house.send(who, "PUT", "/received/approve", party=consumer, id=request_id)
        assert answer.status_code == status
    assert await house.api_delegations() == []
    approved = await house.send(DIRECTOR, "PUT", "/received/approve", party=consumer, id=request_id)
    assert (approved.status_code, approved.json()["status"]) == (200, "Approved")
    assert await house.api_delegations() == [CONSUMER]


async def test_a_clerk_asks_for_a_form_and_may_use_it_when_the_director_has_said_yes(house: House) -> None:
    clerk, consumer = await house.uuid(CLERK), await house.uuid(CONSUMER)
    asked = await house.send(CLERK, "POST", "/resource", party=clerk, to=consumer, resource=FORM)
    assert asked.status_code == 200, asked.text
    listed = await house.send(DIRECTOR, "GET", "/received", party=consumer, status="Pending")
    assert [one["id"] for one in listed.json()["data"]] == [asked.json()["id"]]
    approved = await house.send(DIRECTOR, "PUT", "/received/approve", party=consumer, id=asked.json()["id"])
    assert approved.status_code == 200, approved.text
    rights = await house.rights_on(FORM)
    assert rights == [frozenset({"read", "write"})]
