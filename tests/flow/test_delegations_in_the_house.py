"""Access management as it is served: what the settings say, tokens of the house, real neighbours."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from fullmakt.altinn.parties.model import Organisation
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.serve.app import create
from fullmakt.serve.assembly import assemble
from fullmakt.serve.settings import ConfigError, Settings

BASE = "http://localhost:8080"
ALTINN2 = "http://altinn2.localhost:8080"
OWNER, OTHER = OrgNumber("974760673"), OrgNumber("889640782")
GIVER, RECEIVER = OrgNumber("910753614"), OrgNumber("991825827")
PACKAGES = f"{BASE}/altinn/accessmanagement/api/v1/serviceowner/connections/accesspackages"
WRITE = "altinn:serviceowner/delegations:accesspackage.write"


class House:
    """The whole, and a way to ask it with a token of its own."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self._http = http

    async def post(self, orgno: OrgNumber, scope: str, url: str, body: Any) -> httpx2.Response:
        """As ``orgno``, with one scope."""
        query = {"env": "local", "orgNo": str(orgno), "scopes": scope}
        token = (await self._http.get(f"{BASE}/altinn/testtools/api/GetEnterpriseToken", params=query)).text
        return await self._http.post(url, json=body, headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    delegations = {"altinn2_url": ALTINN2, "package_owners": {str(OWNER): ["Skatt-naering"]}}
    assembly = assemble(Settings.model_validate({"state": tmp_path, "delegations": delegations}), database_url)
    try:
        await assembly.start()
        for number in (GIVER, RECEIVER):
            await assembly.altinn.registers.parties.declare_organisation(Organisation(number, "Org", "AS"))
        transport = httpx2.ASGITransport(app=create(assembly), client=("127.0.0.1", 50_000))
        async with httpx2.AsyncClient(transport=transport) as http:
            yield House(http)
    finally:
        await assembly.stop()


def _package(name: str) -> dict[str, str]:
    return {
        "from": f"urn:altinn:organization:identifier-no:{GIVER}",
        "to": f"urn:altinn:organization:identifier-no:{RECEIVER}",
        "packageUrn": f"urn:altinn:accesspackage:{name}",
    }


@pytest.mark.parametrize(
    ("owner", "package", "status"),
    [(OWNER, "skatt-naering", 200), (OWNER, "lonn", 403), (OTHER, "skatt-naering", 403)],
)
async def test_a_service_owner_gives_the_packages_that_the_settings_let_it(
    house: House, owner: OrgNumber, package: str, status: int
) -> None:
    answer = await house.post(owner, WRITE, PACKAGES, _package(package))
    assert answer.status_code == status
    assert answer.json().get("code") == (None if status == 200 else "AM-00034")


def test_an_owner_of_packages_is_named_by_an_organisation_number(tmp_path: Path) -> None:
    for number in ("97476067", "skd"):
        with pytest.raises(ConfigError, match="package_owners"):
            Settings.model_validate({"state": tmp_path, "delegations": {"package_owners": {number: ["lonn"]}}})


async def test_delegation_schemes_are_served_on_altinn_2s_host(house: House) -> None:
    scheme = {"owner_org": str(OWNER), "scopes": ["altinn:test.read"], "title": [{"code": "nb_NO", "value": "Test"}]}
    scope = "altinn:maskinporten/delegationschemes.write"
    for place, status in ((f"{ALTINN2}/maskinporten-api", 400), (f"{BASE}/altinn/maskinporten-api", 404)):
        answer = await house.post(OWNER, scope, f"{place}/delegationSchemes", {**scheme, "scopes": []})
        assert answer.status_code == status
    # A helper's token names no prefixes, and so no scope is its holder's.
    answer = await house.post(OWNER, scope, f"{ALTINN2}/maskinporten-api/delegationSchemes", scheme)
    assert answer.status_code == 403
