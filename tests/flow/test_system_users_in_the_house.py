"""The whole house in one process: a vendor's system, an organisation that lets it act, and what the decision point says
of that; an accountant's agent, for as long as the register says that it keeps the books."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import text

from fullmakt.altinn.parties.model import Organisation, Person, Role
from fullmakt.altinn.resources.policies.standard import standard_policy
from fullmakt.kernel.identifiers import NationalId, OrgNumber
from fullmakt.serve.app import create
from fullmakt.serve.assembly import Assembly, assemble
from fullmakt.serve.settings import Settings
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.resource_registry import ResourceDocument
from fullmakt.wire.altinn.systemusers import (
    Cause,
    NoSystemUser,
    SystemUserQuestion,
    SystemUserRecord,
    VirksysAnswer,
    VirksysQuestion,
)

BASE = "http://localhost:8080"
AUTHENTICATION = f"{BASE}/altinn/authentication/api/v1"
TOOLS = f"{BASE}/altinn/testtools/api"
VENDOR, CUSTOMER, ACCOUNTANT, CLIENT = (
    OrgNumber("312044005"), OrgNumber("910753614"), OrgNumber("313267008"), OrgNumber("310293107"),
)  # fmt: skip
DIRECTOR, ACCOUNTANTS_DIRECTOR = NationalId("24907999889"), NationalId("17865599978")
FORM, BOOKS, SCOPE = "demo-form", "demo-books", "demo:form.write"
SYSTEM, CLIENT_ID = f"{VENDOR}_demo", "0e0f2a54-6a2c-4f59-9c29-9f8a0d1ab001"
BOOKKEEPING = "regnskapsforer-lonn"
VENDORS_SCOPES = (
    "altinn:authentication/systemregister.write altinn:authentication/systemuser.request.write"
    " altinn:authentication/systemuser.request.read"
)
CLIENT_SCOPES = "altinn:portal/enduser altinn:clientdelegations.read altinn:clientdelegations.write"
QUESTION = SystemUserQuestion(CLIENT_ID, VENDOR, CUSTOMER)


def resource(identifier: str) -> ResourceDocument:
    texts = dict.fromkeys(("nb", "nn", "en"), identifier)
    references = [{"referenceSource": "ExternalPlatform", "reference": SCOPE, "referenceType": "MaskinportenScope"}]
    return ResourceDocument.model_validate(
        {
            "identifier": identifier, "title": texts, "description": texts, "rightDescription": texts,
            "status": "Active", "resourceType": "GenericAccessResource", "delegable": True, "visible": True,
            "hasCompetentAuthority": {"organization": "991825827", "orgcode": "digdir", "name": texts},
            "resourceReferences": references, "contactPoints": [{"category": "x", "email": "x@example.no"}],
        }
    )  # fmt: skip


class House:
    """The assembled systems, a line to them, and the people."""

    def __init__(self, assembly: Assembly, http: httpx2.AsyncClient) -> None:
        self.altinn = assembly.altinn
        self.database = assembly.database
        self.token_server = assembly.look_ups
        self._http = http

    async def fill(self) -> None:
        registers = self.altinn.registers
        for orgno in (VENDOR, CUSTOMER, ACCOUNTANT, CLIENT):
            await registers.parties.declare_organisation(Organisation(orgno, f"Org {orgno}"))
        for number in (DIRECTOR, ACCOUNTANTS_DIRECTOR):
            await registers.parties.declare_person(Person(number, f"Person {number[:6]}"))
        for holder, organisation in ((DIRECTOR, CUSTOMER), (ACCOUNTANTS_DIRECTOR, ACCOUNTANT)):
            await registers.parties.grant_role(Role(holder, "dagl", organisation))
        await registers.parties.grant_role(Role(ACCOUNTANT, "regn", CLIENT))
        await registers.resources.declare_resource(
            resource(FORM), standard_policy(FORM, roles=["dagl"], actions=["read", "write"])
        )
        await registers.resources.declare_resource(
            resource(BOOKS), standard_policy(BOOKS, roles=[], packages=[BOOKKEEPING], actions=["read"])
        )

    async def party(self, number: OrgNumber) -> tuple[int, UUID]:
        attribute = Attribute(ids.ORGANISATION, number)
        found = (await self.altinn.registers.parties.identify([attribute]))[attribute]
        return found.party_id, found.party_uuid

    async def send(self, who: OrgNumber | NationalId, method: str, path: str, **more: Any) -> httpx2.Response:
        if isinstance(who, OrgNumber):
            tool, query = "GetEnterpriseToken", {"env": "local", "orgNo": who, "scopes": VENDORS_SCOPES}
        else:
            tool, query = "GetPersonalToken", {"env": "local", "pid": who, "scopes": CLIENT_SCOPES, "authLvl": "4"}
        token = (await self._http.get(f"{TOOLS}/{tool}", params=query)).text
        headers = {"Authorization": f"Bearer {token}"}
        return await self._http.request(method, f"{AUTHENTICATION}/{path}", headers=headers, **more)

    async def registered(self) -> None:
        texts = dict.fromkeys(("nb", "nn", "en"), "Demo")
        body = {
            "id": SYSTEM,
            "vendor": {"authority": "iso6523-actorid-upis", "ID": VENDOR.iso6523},
            "name": texts,
            "description": texts,
            "rights": [{"resource": [{"id": "urn:altinn:resource", "value": FORM}]}],
            "accessPackages": [{"urn": f"urn:altinn:accesspackage:{BOOKKEEPING}"}],
            "clientId": [CLIENT_ID],
            "isVisible": False,
        }
        answer = await self.send(VENDOR, "POST", "systemregister/vendor/", json=body)
        assert answer.status_code == 200, answer.text

    async def approved(self, who: NationalId, orgno: OrgNumber, part: str, **asked: Any) -> UUID:
        body = {"systemId": SYSTEM, "partyOrgNo": orgno, **asked}
        made = await self.send(VENDOR, "POST", f"systemuser/request/vendor{part}", json=body)
        assert made.status_code == 201, made.text
        assert made.json()["confirmUrl"].startswith(f"{BASE}/accessmanagement/ui/systemuser/")
        party_id, _ = await self.party(orgno)
        path = f"systemuser/request{part}/{party_id}/{made.json()['id']}/approve"
        answer = await self.send(who, "POST", path)
        assert (answer.status_code, answer.text) == (200, "true"), answer.text
        return UUID(made.json()["id"])

    async def may(self, system_user: UUID, resource: str, orgno: OrgNumber) -> bool:
        subject = [Attribute(ids.SYSTEM_USER, str(system_user))]
        return (await self.altinn.decisions.may(subject, "read", resource, (await self.party(orgno))[1])).permitted

    async def api_is_told(self, system_user: UUID, resource: str, orgno: OrgNumber) -> str:
        """What the decision point answers an API that was shown the system user's token, over HTTP."""

        def category(*values: tuple[str, str]) -> list[dict[str, Any]]:
            return [{"Attribute": [{"AttributeId": name, "Value": value} for name, value in values]}]

        query = {"env": "local", "orgNo": VENDOR, "scopes": "altinn:authorization/authorize"}
        token = (await self._http.get(f"{TOOLS}/GetEnterpriseToken", params=query)).text
        asked = {
            "AccessSubject": category((ids.SYSTEM_USER, str(system_user))),
            "Action": category((ids.ACTION, "read")),
            "Resource": category((ids.RESOURCE, resource), (ids.ORGANISATION, str(orgno))),
        }
        answer = await self._http.post(
            f"{BASE}/altinn/authorization/api/v1/authorize",
            headers={"Authorization": f"Bearer {token}"},
            json={"Request": asked},
        )
        assert answer.status_code == 200, answer.text
        return str(answer.json()["response"][0]["decision"])

    async def refusals(self) -> list[str]:
        """Why decisions were not permits, in the audit trail."""
        statement = text(
            "SELECT reason FROM audit.event WHERE action = 'decision:make' AND outcome = 'deny' ORDER BY id"
        )
        async with self.database.transaction() as connection:
            return [reason for (reason,) in await connection.execute(statement)]

    async def may_thin(self, orgno: OrgNumber, resource: str) -> bool:
        subject = [Attribute(ids.ENTERPRISE_SYSTEM, CLIENT_ID)]
        return (await self.altinn.decisions.may(subject, "read", resource, (await self.party(orgno))[1])).permitted


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    assembly = assemble(Settings.model_validate({"state": tmp_path}), database_url)
    try:
        await assembly.start()
        transport = httpx2.ASGITransport(app=create(assembly), client=("127.0.0.1", 50_000))
        async with httpx2.AsyncClient(transport=transport) as http:
            house = House(assembly, http)
            await house.fill()
            await house.registered()
            yield house
    finally:
        await assembly.stop()


RIGHTS = {"rights": [{"resource": [{"id": "urn:altinn:resource", "value": FORM}]}]}
PACKAGES = {"accessPackages": [{"urn": f"urn:altinn:accesspackage:{BOOKKEEPING}"}]}


async def test_a_system_acts_for_the_customer_until_it_is_taken_away(house: House) -> None:
    assert house.token_server is not None
    assert await house.token_server.system_users([QUESTION]) == {}
    assert await house.token_server.why_none(QUESTION) == NoSystemUser(Cause.NO_SYSTEM_USER)
    user = await house.approved(DIRECTOR, CUSTOMER, "", **RIGHTS)
    found = (await house.token_server.system_users([QUESTION]))[QUESTION]
    assert isinstance(found, SystemUserRecord)
    assert (found.id, found.system_id) == (user, SYSTEM)
    assert await house.may(user, FORM, CUSTOMER)
    assert await house.may_thin(CUSTOMER, FORM)
    assert not await house.may(user, FORM, ACCOUNTANT)
    virksys = await house.token_server.virksys(VirksysQuestion(CLIENT_ID, VENDOR, CUSTOMER.iso6523, (SCOPE,)))
    assert virksys == VirksysAnswer(CUSTOMER.iso6523, None, (FORM,))
    party_id, _ = await house.party(CUSTOMER)
    before = await house.token_server.changes_since(0)
    deleted = await house.send(DIRECTOR, "DELETE", f"systemuser/{party_id}/{user}")
    assert (deleted.status_code, deleted.text) == (202, "1")
    assert f"client:{CLIENT_ID}" in (await house.token_server.changes_since(before.version)).keys
    assert not await house.may(user, FORM, CUSTOMER)
    assert not await house.may_thin(CUSTOMER, FORM)
    assert await house.token_server.system_users([QUESTION]) == {}
    assert await house.token_server.why_none(QUESTION) == NoSystemUser(Cause.DELETED)


async def test_a_deleted_system_takes_its_system_users_tokens_along(house: House) -> None:
    user = await house.approved(DIRECTOR, CUSTOMER, "", **RIGHTS)
    agent = await house.approved(ACCOUNTANTS_DIRECTOR, ACCOUNTANT, "/agent", **PACKAGES)
    _, client = await house.party(CLIENT)
    both = {"agent": str(agent), "client": str(client)}
    assert (
        await house.send(ACCOUNTANTS_DIRECTOR, "POST", "enduser/systemuser/clients", params=both)
    ).status_code == 200
    asked = [(user, FORM, CUSTOMER), (agent, BOOKS, CLIENT)]
    assert [await house.api_is_told(*one) for one in asked] == ["Permit", "Permit"]
    deleted = await house.send(VENDOR, "DELETE", f"systemregister/vendor/{SYSTEM}")
    assert deleted.status_code == 200, deleted.text
    assert [await house.api_is_told(*one) for one in asked] == ["NotApplicable", "NotApplicable"]
    assert await house.refusals() == ["system_user_ended", "system_user_ended"]


async def test_an_accountants_agent_acts_for_a_client_until_the_register_ends_it(house: House) -> None:
    assert house.token_server is not None
    agent = await house.approved(ACCOUNTANTS_DIRECTOR, ACCOUNTANT, "/agent", **PACKAGES)
    _, client = await house.party(CLIENT)
    available = await house.send(
        ACCOUNTANTS_DIRECTOR, "GET", "enduser/systemuser/clients/available", params={"agent": str(agent)}
    )
    assert [one["clientOrganizationNumber"] for one in available.json()["data"]] == [CLIENT], available.text
    both = {"agent": str(agent), "client": str(client)}
    given = await house.send(ACCOUNTANTS_DIRECTOR, "POST", "enduser/systemuser/clients", params=both)
    assert given.status_code == 200, given.text
    assert await house.may(agent, BOOKS, CLIENT)
    question = VirksysQuestion(CLIENT_ID, VENDOR, CLIENT.iso6523, (SCOPE,))
    answer = VirksysAnswer(CLIENT.iso6523, ACCOUNTANT.iso6523, (BOOKS,))
    assert await house.token_server.virksys(question) == answer
    version = await house.token_server.virksys_version()
    asked = replace(QUESTION, owner=CLIENT)
    assert await house.token_server.why_none(asked) == NoSystemUser(Cause.CLIENT_OF_AGENT)
    await house.altinn.registers.parties.withdraw_role(Role(ACCOUNTANT, "regn", CLIENT))
    assert await house.token_server.virksys_version() > version
    assert not await house.may(agent, BOOKS, CLIENT)
    assert await house.token_server.virksys(question) == NoSystemUser(Cause.NOBODY_ACTS)


async def test_the_exchange_goes_on_beside_it(house: House) -> None:
    metadata = await house.send(DIRECTOR, "GET", "openid/.well-known/openid-configuration")
    assert metadata.status_code == 200
    nothing = await house.send(DIRECTOR, "GET", "systemuser/nothing/of/the/kind")
    assert nothing.status_code == 404
