"""Thin tokens in the whole house (seed 001): an API asks the decision point with the client of an ordinary token."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import text

from fullmakt.altinn.parties.model import Organisation, Person, Role
from fullmakt.altinn.resources.policies.standard import standard_policy
from fullmakt.kernel.identifiers import NationalId, OrgNumber
from fullmakt.provider import DecisionClient, DecisionReason, RemoteKeys, TokenVerifier, VerifiedToken, thin_subject
from fullmakt.serve.assembly import Assembly
from fullmakt.wire.altinn.resource_registry import ResourceDocument
from tests.support.house import whole_house
from tests.support.resources import register_owners

ALTINN = "http://localhost:8080/altinn"
AUTHENTICATION = f"{ALTINN}/authentication/api/v1"
VENDOR, OTHER_VENDOR = OrgNumber("312044005"), OrgNumber("991825827")
CUSTOMER, NEIGHBOUR = OrgNumber("910753614"), OrgNumber("310943223")
DIRECTOR = NationalId("24907999889")
CLIENT, FORM = "0e0f2a54-6a2c-4f59-9c29-9f8a0d1ab001", "demo-form"
SYSTEM = f"{VENDOR}_accounts"
VENDORS_SCOPES = (
    "altinn:authentication/systemregister.write,altinn:authentication/systemuser.request.read,"
    "altinn:authentication/systemuser.request.write"
)


class House:
    """The assembled systems, and an API of a third party's."""

    def __init__(self, assembly: Assembly, http: httpx2.AsyncClient) -> None:
        self.assembly = assembly
        self._http = http
        issuer = f"{AUTHENTICATION}/openid/"
        self._verifier = TokenVerifier(issuer, keys=RemoteKeys(issuer, http=http))

    async def fill(self) -> None:
        """A customer and its director, vendors, and a form that the director may fill in."""
        registers = self.assembly.altinn.registers
        for orgno in (VENDOR, OTHER_VENDOR, CUSTOMER, NEIGHBOUR):
            await registers.parties.declare_organisation(Organisation(orgno, f"Org {orgno}"))
        await registers.parties.declare_person(Person(DIRECTOR, "Per Baker"))
        await registers.parties.grant_role(Role(DIRECTOR, "dagl", CUSTOMER))
        await register_owners(registers.resources)
        texts = dict.fromkeys(("nb", "nn", "en"), FORM)
        document = {
            "identifier": FORM, "title": texts, "description": texts, "rightDescription": texts, "status": "Active",
            "resourceType": "GenericAccessResource", "delegable": True, "visible": True,
            "hasCompetentAuthority": {"organization": OTHER_VENDOR, "orgcode": "digdir", "name": texts},
            "contactPoints": [{"category": "x", "email": "x@example.no"}],
        }  # fmt: skip
        await registers.resources.declare_resource(
            ResourceDocument.model_validate(document), standard_policy(FORM, roles=["dagl"], actions=["read", "write"])
        )

    async def token(self, kind: str, **query: str) -> str:
        """A token from the test tools."""
        answer = await self._http.get(f"{ALTINN}/testtools/api/Get{kind}Token", params={"env": "local", **query})
        assert answer.status_code == 200, answer.text
        return answer.text

    async def call(self, token: str, method: str, path: str, body: Any = None) -> Any:
        """What Altinn's authentication answers."""
        answer = await self._http.request(
            method, f"{AUTHENTICATION}/{path}", json=body, headers={"Authorization": f"Bearer {token}"}
        )
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def thin(self, orgno: OrgNumber = VENDOR) -> VerifiedToken:
        """An ordinary token of the client, as the API gets it."""
        token = await self.token("Enterprise", scopes="skatteetaten:mva", orgNo=orgno, clientId=CLIENT)
        return await self._verifier.verify(token, scopes=["skatteetaten:mva"])

    async def may(self, token: VerifiedToken, action: str = "read", party: OrgNumber = CUSTOMER) -> bool:
        """What the API is told when it asks, as itself."""

        async def own_token() -> str:
            return await self.token("Enterprise", scopes="altinn:authorization/authorize", orgNo=OTHER_VENDOR)

        async with DecisionClient(f"{ALTINN}/authorization", auth=own_token, http=self._http) as decisions:
            result = await decisions.authorize(thin_subject(token), action, FORM, party)
        assert result or result.reason is DecisionReason.NO_RIGHT
        return result.permitted


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    async with whole_house(database_url, tmp_path) as (assembly, http):
        house = House(assembly, http)
        await house.fill()
        yield house


async def test_an_api_asks_with_the_client_and_hears_of_a_withdrawal_at_once(house: House) -> None:
    thin = await house.thin()
    assert not await house.may(thin)
    vendor = await house.token("Enterprise", scopes=VENDORS_SCOPES, orgNo=VENDOR)
    rights = [{"resource": [{"id": "urn:altinn:resource", "value": FORM}]}]
    name = dict.fromkeys(("nb", "nn", "en"), "Accounts")
    owner = {"authority": "iso6523-actorid-upis", "ID": f"0192:{VENDOR}"}
    system = {"id": SYSTEM, "vendor": owner, "name": name, "description": name, "rights": rights, "clientId": [CLIENT]}
    await house.call(vendor, "POST", "systemregister/vendor", system)
    assert not await house.may(thin)

    wanted = {"systemId": SYSTEM, "partyOrgNo": CUSTOMER, "rights": rights}
    request = (await house.call(vendor, "POST", "systemuser/request/vendor", wanted))["id"]
    assert not await house.may(thin)
    director = await house.token("Personal", pid=DIRECTOR, scopes="altinn:portal/enduser")
    party = (await house.call(director, "GET", f"systemuser/request/{request}"))["partyId"]
    await house.call(director, "POST", f"systemuser/request/{party}/{request}/approve")

    assert await house.may(thin)
    assert await house.may(thin, "write")
    assert not await house.may(thin, party=NEIGHBOUR)
    assert not await house.may(await house.thin(OTHER_VENDOR))  # the client, said to be another organisation's

    await house.call(director, "DELETE", f"systemuser/{party}/{request}")
    assert not await house.may(thin)
    assert (await _trail(house))[-1] == ("deny", CLIENT, "no_system_user")
    await house.call(vendor, "DELETE", f"systemregister/vendor/{SYSTEM}")
    assert not await house.may(thin)
    assert (await _trail(house))[-1] == ("deny", CLIENT, "client_not_in_any_system")


async def _trail(house: House) -> list[tuple[str, str, str | None]]:
    """What is kept of decisions about the client."""
    statement = text(
        "SELECT outcome, facts->>'client_id', facts->>'cause' FROM audit.event"
        " WHERE action = 'decision:make' AND facts ? 'client_id' ORDER BY id"
    )
    async with house.assembly.database.transaction() as connection:
        return [tuple(row) for row in await connection.execute(statement)]
