"""The whole house in one process: consent at the URLs where it is served, asked for, given, drawn and told of."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from sqlalchemy import text

from fullmakt.altinn.parties.model import Organisation, Person
from fullmakt.altinn.resources.policies import consent_policy
from fullmakt.kernel.identifiers import NationalId, OrgNumber
from fullmakt.serve.app import create
from fullmakt.serve.assembly import Assembly, assemble
from fullmakt.serve.settings import Settings
from fullmakt.wire.altinn.consents import Cause, ConsentQuestion, FoundConsent, NoConsent
from fullmakt.wire.altinn.resource_registry import ResourceDocument

BASE = "http://localhost:8080"
AM = f"{BASE}/altinn/accessmanagement/api/v1"
ALTINN2 = f"{BASE}/altinn2"
TOOLS = f"{BASE}/altinn/testtools/api"
BANK, PERSON = OrgNumber("312044005"), NationalId("24907999889")
GIVER = f"urn:altinn:person:identifier-no:{PERSON}"
RESOURCE = "digdir_5498_1"


class House:
    """The assembled systems, and a line to them."""

    def __init__(self, assembly: Assembly, http: httpx2.AsyncClient) -> None:
        self.assembly = assembly
        self.http = http

    async def fill(self) -> None:
        registers = self.assembly.rights
        await registers.parties.declare_organisation(Organisation(BANK, "Banken AS"))
        await registers.parties.declare_person(Person(PERSON, "Kari Nordmann"))
        texts = dict.fromkeys(("nb", "nn", "en"), "Saldo")
        document = ResourceDocument.model_validate(
            {
                "identifier": RESOURCE, "title": texts, "description": texts, "rightDescription": texts,
                "status": "Active", "resourceType": "Consent", "delegable": False, "consentText": texts,
                "hasCompetentAuthority": {"organization": "991825827", "orgcode": "digdir", "name": texts},
                "contactPoints": [{"category": "x", "email": "x@example.no"}],
            }
        )  # fmt: skip
        await registers.resources.declare_resource(document, consent_policy(RESOURCE, roles=["priv"]))

    async def send(self, who: OrgNumber | NationalId, method: str, url: str, scopes: str, **more: Any) -> Any:
        if isinstance(who, OrgNumber):
            tool, query = "GetEnterpriseToken", {"env": "local", "orgNo": who, "scopes": scopes}
        else:
            tool, query = "GetPersonalToken", {"env": "local", "pid": who, "scopes": scopes, "authLvl": "4"}
        token = (await self.http.get(f"{TOOLS}/{tool}", params=query)).text
        return await self.http.request(method, url, headers={"Authorization": f"Bearer {token}"}, **more)

    async def requested(self, **changes: Any) -> UUID:
        body = {
            "id": str(uuid4()),
            "from": GIVER,
            "to": f"urn:altinn:organization:identifier-no:{BANK}",
            "validTo": (self.assembly.clock() + dt.timedelta(days=1)).isoformat(),
            "consentRights": [
                {"action": ["consent"], "resource": [{"type": "urn:altinn:resource", "value": RESOURCE}]}
            ],
            "redirectUrl": "https://bank.example/",
            **changes,
        }
        url = f"{AM}/enterprise/consentrequests"
        answer = await self.send(BANK, "POST", url, "altinn:consentrequests.write", json=body)
        assert answer.status_code == 201, answer.text
        assert answer.headers["location"] == f"{url}/{body['id']}"
        assert answer.json()["viewUri"] == f"{BASE}/accessmanagement/ui/consent/request?id={body['id']}"
        return UUID(answer.json()["id"])

    async def answer(self, path: str) -> None:
        answer = await self.send(PERSON, "POST", f"{AM}/bff/{path}", "altinn:portal/enduser")
        assert answer.status_code == 200, answer.text

    async def drawn(self, consent_id: UUID) -> FoundConsent | NoConsent:
        """What the token server is told."""
        assert self.assembly.consents is not None
        return await self.assembly.consents.look_up(ConsentQuestion(consent_id, GIVER, BANK))


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    async with housed(database_url, tmp_path) as house:
        yield house


@asynccontextmanager
async def housed(database_url: str, state: Path, **settings: Any) -> AsyncIterator[House]:
    """The house with other settings."""
    assembly = assemble(Settings.model_validate({"state": state, **settings}), database_url)
    try:
        await assembly.start()
        transport = httpx2.ASGITransport(app=create(assembly), client=("127.0.0.1", 50_000))
        async with httpx2.AsyncClient(transport=transport) as http:
            house = House(assembly, http)
            await house.fill()
            yield house
    finally:
        await assembly.stop()


async def test_a_consent_is_asked_for_given_drawn_and_taken_back(house: House) -> None:
    consent_id = await house.requested()
    assert await house.drawn(consent_id) == NoConsent((Cause.NOT_ACCEPTED,))
    assert house.assembly.consents is not None
    before = await house.assembly.consents.version()
    await house.answer(f"consentrequests/{consent_id}/accept")
    found = await house.drawn(consent_id)
    assert isinstance(found, FoundConsent)
    assert (found.giver, found.receiver, found.rights[0].resource) == (GIVER, BANK, RESOURCE)
    await house.answer(f"consents/{consent_id}/revoke")
    assert await house.drawn(consent_id) == NoConsent((Cause.REVOKED,))
    assert await house.assembly.consents.version() == before + 2


async def test_altinn_2_s_form_and_requests_for_access_share_their_url(house: House) -> None:
    keys = await house.http.get(f"{ALTINN2}/api/metadata/jwk")
    assert keys.status_code == 200, keys.text
    for path, status in (
        ("api/consentRequests", 403),
        ("api/serviceowner/srr", 403),
        ("api/serviceowner/consents", 403),
        ("api/serviceowner/delegationRequests", 401),
        ("api/nothing", 404),
    ):
        assert (await house.http.get(f"{ALTINN2}/{path}")).status_code == status, path


async def test_in_strict_mode_there_is_nothing_of_ours(database_url: str, tmp_path: Path) -> None:
    async with housed(database_url, tmp_path, consents={"strict": True}) as house:
        consent_id = await house.requested(notificationUrl="http://localhost:1/")
        url = f"{AM}/ext/consentrequests/{consent_id}"
        answer = await house.send(BANK, "DELETE", url, "altinn:consentrequests.write")
        assert answer.status_code == 404
        await house.answer(f"consentrequests/{consent_id}/accept")
        async with house.assembly.database.transaction() as connection:
            assert (await connection.execute(text("SELECT count(*) FROM consents.notification"))).scalar() == 0
