"""A system's tokens in the whole house: registered, approved, asked for with the SDK, and gone with the system user."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
import typer
from typer.testing import CliRunner

from fullmakt.altinn.parties.model import Organisation, Person, Role
from fullmakt.altinn.resources.policies.standard import standard_policy
from fullmakt.cli import context
from fullmakt.cli import inspect as inspect_command
from fullmakt.client import (
    AsyncMaskinportenClient,
    AuthorizationDetailsError,
    Credentials,
    TokenRequest,
    build_grant,
    system_user,
    virksys,
)
from fullmakt.kernel.clock import new_uuid, system_clock
from fullmakt.kernel.identifiers import NationalId, OrgNumber
from fullmakt.provider import VerifiedToken
from fullmakt.serve.assembly import Assembly, assemble
from fullmakt.serve.database import as_world
from fullmakt.serve.settings import Settings
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.resource_registry import ResourceDocument
from fullmakt.wire.altinn.systemusers import Cause
from tests.support.house import whole_house
from tests.support.tokens import RegistryRows, key_number

BASE = "http://localhost:8080"
VENDOR, CUSTOMER, DIRECTOR = OrgNumber("312044005"), OrgNumber("910753614"), NationalId("24907999889")
FORM, SCOPE = "demo-form", "demo:form.write"
SYSTEM, CLIENT = f"{VENDOR}_demo", "0e0f2a54-6a2c-4f59-9c29-9f8a0d1ab001"
SCOPES = "altinn:authentication/systemregister.write altinn:authentication/systemuser.request.write"
TEXTS = dict.fromkeys(("nb", "nn", "en"), "Demo")
FAR_AWAY = 4_000_000_000

app = typer.Typer()
inspect_command.register(app)


class House:
    """The assembled systems, and those who ask them."""

    def __init__(self, assembly: Assembly, http: httpx2.AsyncClient) -> None:
        self.assembly = assembly
        self.credentials = Credentials(assembly.settings.issuer, CLIENT, key_number(1))
        self._http = http

    @property
    def _client(self) -> AsyncMaskinportenClient:
        """One that has no token at hand."""
        return AsyncMaskinportenClient(self.credentials, http=self._http)

    async def fill(self) -> None:
        registers = self.assembly.rights
        for orgno in (VENDOR, CUSTOMER):
            await registers.parties.declare_organisation(Organisation(orgno, f"Org {orgno}"))
        await registers.parties.declare_person(Person(DIRECTOR, "Kari"))
        await registers.parties.grant_role(Role(DIRECTOR, "dagl", CUSTOMER))
        await registers.resources.declare_resource(
            _resource(), standard_policy(FORM, roles=["dagl"], actions=["read", "write"])
        )
        rows = RegistryRows(self.assembly.database)
        await rows.scope(SCOPE, access=[VENDOR])
        await rows.client(
            CLIENT, client_orgno=VENDOR, scopes=[SCOPE], keys=[], integration_type="altinn_virksys", client_name="Demo"
        )
        await rows.key(CLIENT, key_number(1), expires=FAR_AWAY)

    async def send(self, who: OrgNumber | NationalId, method: str, path: str, **more: Any) -> httpx2.Response:
        """A request to Altinn's authentication."""
        asked = {"env": "local", "orgNo": who, "scopes": SCOPES}
        tool = "GetEnterpriseToken"
        if isinstance(who, NationalId):
            tool, asked = "GetPersonalToken", {"env": "local", "pid": who, "scopes": "altinn:portal/enduser"}
        token = (await self._http.get(f"{BASE}/altinn/testtools/api/{tool}", params=asked)).text
        return await self._http.request(
            method, f"{BASE}/altinn/authentication/api/v1/{path}", headers={"Authorization": f"Bearer {token}"}, **more
        )

    async def register(self) -> None:
        """The vendor's system."""
        definition = {
            "id": SYSTEM, "vendor": {"authority": "iso6523-actorid-upis", "ID": VENDOR.iso6523},
            "name": TEXTS, "description": TEXTS, "clientId": [CLIENT], "isVisible": False,
            "rights": [{"resource": [{"id": "urn:altinn:resource", "value": FORM}]}],
        }  # fmt: skip
        answer = await self.send(VENDOR, "POST", "systemregister/vendor/", json=definition)
        assert answer.status_code == 200, answer.text

    async def ask(self) -> str:
        """The id of the vendor's request."""
        rights = [{"resource": [{"id": "urn:altinn:resource", "value": FORM}]}]
        body = {"systemId": SYSTEM, "partyOrgNo": CUSTOMER, "rights": rights}
        answer = await self.send(VENDOR, "POST", "systemuser/request/vendor", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def party_id(self) -> int:
        attribute = Attribute(ids.ORGANISATION, CUSTOMER)
        return (await self.assembly.rights.parties.identify([attribute]))[attribute].party_id

    async def approve(self, request: str) -> None:
        """The customer's yes."""
        path = f"systemuser/request/{await self.party_id()}/{request}/approve"
        answer = await self.send(DIRECTOR, "POST", path)
        assert (answer.status_code, answer.text) == (200, "true"), answer.text

    async def delete(self, user: str) -> None:
        """The customer's no."""
        answer = await self.send(DIRECTOR, "DELETE", f"systemuser/{await self.party_id()}/{user}")
        assert answer.status_code == 202, answer.text

    async def token(self, element: dict[str, Any]) -> VerifiedToken:
        """A token, as an API sees it."""
        token = await self._client.token(SCOPE, authorization_details=element)
        return await self.assembly.verifier.verify(token.value)

    async def causes(self) -> list[Cause | None]:
        """Why there is neither token."""
        causes = []
        for element in (system_user(CUSTOMER), virksys(CUSTOMER)):
            with pytest.raises(AuthorizationDetailsError) as refused:
                await self._client.token(SCOPE, authorization_details=element)
            causes.append(refused.value.cause)
        return causes


def _resource() -> ResourceDocument:
    references = [{"referenceSource": "ExternalPlatform", "reference": SCOPE, "referenceType": "MaskinportenScope"}]
    return ResourceDocument.model_validate(
        {
            "identifier": FORM, "title": TEXTS, "description": TEXTS, "rightDescription": TEXTS, "status": "Active",
            "resourceType": "GenericAccessResource", "delegable": True, "visible": True,
            "hasCompetentAuthority": {"organization": "991825827", "orgcode": "digdir", "name": TEXTS},
            "resourceReferences": references, "contactPoints": [{"category": "x", "email": "x@example.no"}],
        }
    )  # fmt: skip


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    async with whole_house(database_url, tmp_path) as (assembly, http):
        house = House(assembly, http)
        await house.fill()
        yield house


async def test_from_the_register_to_the_token_and_back(house: House) -> None:
    assert await house.causes() == [Cause.CLIENT_UNKNOWN] * 2
    await house.register()
    assert await house.causes() == [Cause.NO_SYSTEM_USER, Cause.NOBODY_ACTS]
    user = await house.ask()
    assert await house.causes() == [Cause.NOT_APPROVED] * 2
    await house.approve(user)
    token = await house.token(system_user(CUSTOMER))
    assert token.system_user is not None
    assert (str(token.system_user.id), token.system_user.organisation) == (user, CUSTOMER)
    assert (token.consumer, token.supplier) == (VENDOR, None)
    token = await house.token(virksys(CUSTOMER))
    assert token.enterprise is not None
    assert (token.enterprise.part, token.enterprise.hjelper) == (CUSTOMER, None)
    assert (token.enterprise.rettigheit, token.claims["client_name"]) == (frozenset({FORM}), "Demo")
    await house.delete(user)
    assert await house.causes() == [Cause.DELETED] * 2


async def test_inspect_looks_a_systems_grant_up(house: House, database_url: str, tmp_path: Path) -> None:
    await house.register()
    user = await house.ask()

    @asynccontextmanager
    async def opener() -> AsyncIterator[context.OpenWorld]:
        assembly = assemble(Settings.model_validate({"state": tmp_path}), database_url)
        try:
            yield as_world(assembly)
        finally:
            await assembly.close()

    issuer = house.assembly.settings.issuer
    context.provide(opener, lambda: context.Place(tmp_path, issuer, BASE))

    async def inspect(code: int, **asked: Any) -> dict[str, Any]:
        request = TokenRequest.of(SCOPE, **asked)
        grant = build_grant(house.credentials, request, audience=issuer, now=system_clock(), jti=new_uuid())
        result = await anyio.to_thread.run_sync(CliRunner().invoke, app, [grant, "--json"])
        assert result.exit_code == code, result.output
        findings = json.loads(result.output)["findings"]
        (finding,) = [one for one in findings if one["check"] == "authorization_details"]
        assert isinstance(finding, dict)
        return finding

    for element in (system_user(CUSTOMER), virksys(CUSTOMER)):
        finding = await inspect(1, authorization_details=element)
        assert (finding["code"], finding["reason"]) == ("MP-303", "request_not_approved")
    await house.approve(user)
    told = await inspect(0, authorization_details=system_user(CUSTOMER))
    assert told["text"] == f"the token would be for system user {user} of organisation {CUSTOMER}, in {SYSTEM}"
    told = await inspect(0, authorization_details=virksys(CUSTOMER))
    assert told["text"].endswith(f"acts for 0192:{CUSTOMER} with the rights {FORM}")
