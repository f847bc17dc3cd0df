"""Tokens for whomever one names, as the real service's test helper hands them out."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from fullmakt.altinn.exchange.config import ExchangeConfig
from fullmakt.altinn.exchange.keys import AltinnKeys
from fullmakt.altinn.exchange.service import ExchangeService
from fullmakt.altinn.exchange.test_tools import tools_app
from fullmakt.altinn.exchange.tokens import TokenCallers
from fullmakt.infra.database import Database
from fullmakt.infra.secrets import MasterKey
from fullmakt.kernel.clock import FixedClock, new_uuid
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.provider import TokenVerifier
from fullmakt.provider.keys import StaticKeys
from fullmakt.wire.altinn.callers import Caller, InvalidCallerError
from tests.support.delegations import FakeParties
from tests.support.tokens import payload_of

NOW = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)
SYSTEM_USER = "a545ca29-7fb8-4810-a2f2-0be171cb2a26"
ENTERPRISE = {"env": "tt02", "scopes": "altinn:serviceowner,altinn:consent.read", "orgNo": "910753614"}


class NoServiceOwners:
    async def org_codes(self) -> dict[str, OrgNumber]:
        return {}


class Tools:
    """The helper, and who its tokens speak for."""

    def __init__(self, database: Database) -> None:
        clock = FixedClock(NOW)
        self.parties = FakeParties()
        self.person = self.parties.person("05895199925", "Rar Kum")
        config = ExchangeConfig("https://platform.test/authentication")
        keys = AltinnKeys(database, MasterKey(bytes(32)), clock, config.issuer)
        verifier = TokenVerifier("https://maskinporten.test/", keys=StaticKeys([]), clock=clock)
        service = ExchangeService(config, database, keys, verifier, self.parties, NoServiceOwners(), clock, new_uuid)
        self._callers = TokenCallers(service.tokens, verifier, clock)
        self.platform = service.platform_tokens
        transport = httpx2.ASGITransport(app=tools_app(service, self.parties, clock, new_uuid))
        self.http = httpx2.AsyncClient(transport=transport, base_url="https://tools.test", auth=("any", "body"))

    async def get(self, route: str, **query: Any) -> httpx2.Response:
        return await self.http.get(f"/api/{route}", params=query)

    async def token(self, route: str, **query: Any) -> tuple[dict[str, Any], Caller]:
        answer = await self.get(route, **query)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("text/plain")
        return payload_of(answer.text), await self._callers.identify(answer.text)


@pytest.fixture
async def tools(database: Database) -> AsyncIterator[Tools]:
    tools = Tools(database)
    async with tools.http:
        yield tools


async def test_an_organisation_gets_its_token(tools: Tools) -> None:
    claims, caller = await tools.token(
        "GetEnterpriseToken", **ENTERPRISE, org="ttd", supplierOrgNo="991825827", delegationSource="https://altinn.no/"
    )
    assert claims["actual_iss"] == "altinn-test-tools"
    assert claims["urn:altinn:authlevel"] == 3
    assert len(claims["jti"]) == 43
    assert claims["delegation_source"] == "https://altinn.no/"
    assert (caller.consumer, caller.supplier, caller.org_code) == ("910753614", "991825827", "ttd")
    assert caller.scopes == {"altinn:serviceowner", "altinn:consent.read"}


async def test_a_token_lasts_half_an_hour_or_as_long_as_is_asked(tools: Tools) -> None:
    for query, seconds in (({}, 1800), ({"ttl": "60"}, 60)):
        claims, _ = await tools.token("GetEnterpriseToken", **ENTERPRISE, **query)
        assert claims["exp"] - claims["iat"] == seconds


@pytest.mark.parametrize("by", ["pid", "userId", "partyId", "partyuuid", "PARTYUUID"])
async def test_a_person_is_named_by_any_identifier(tools: Tools, by: str) -> None:
    person = tools.person
    value = {"pid": person.national_id, "userid": person.user_id, "partyid": person.party_id,
             "partyuuid": person.party_uuid}[by.lower()]  # fmt: skip
    claims, caller = await tools.token("GetPersonalToken", env="tt02", **{by: str(value)}, userName="rarkum")
    assert claims["urn:altinn:authlevel"] == "3"
    assert (claims["pid"], claims["urn:altinn:username"]) == (person.national_id, "rarkum")
    assert (caller.user_id, caller.party_id, caller.party_uuid) == (person.user_id, person.party_id, person.party_uuid)
    assert caller.auth_level == 3
    assert caller.scopes == {"altinn:enduser"}


async def test_a_system_users_details_are_an_array_and_no_number_stands_beside_them(tools: Tools) -> None:
    claims, caller = await tools.token(
        "getsystemusertoken", env="at22", systemUserId=SYSTEM_USER, systemUserOrg="910753614", scopes="a:b"
    )
    assert isinstance(claims["authorization_details"], list)
    assert "urn:altinn:orgNumber" not in claims
    assert (str(caller.system_user), caller.system_user_org, caller.consumer) == (
        SYSTEM_USER, "910753614", "991825827",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("route", "query", "field"),
    [
        ("GetEnterpriseToken", {}, "env"),
        ("GetEnterpriseToken", {"env": "tt02\x00"}, "env"),
        ("GetEnterpriseToken", {"env": "tt02"}, "scopes"),
        ("GetEnterpriseToken", {**ENTERPRISE, "orgNo": "1"}, "orgNo"),
        ("GetEnterpriseToken", {**ENTERPRISE, "ttl": "-1"}, "ttl"),
        ("GetEnterpriseToken", {**ENTERPRISE, "ttl": "9" * 5000}, "ttl"),
        ("GetEnterpriseToken", {**ENTERPRISE, "ttl": "0" * 5000}, "ttl"),
        ("GetEnterpriseToken", {**ENTERPRISE, "ttl": "٣"}, "ttl"),
        ("GetPersonalToken", {"env": "tt02"}, "pid"),
        ("GetPersonalToken", {"env": "tt02", "pid": "24907999889"}, "pid"),
        ("GetPersonalToken", {"env": "tt02", "pid": "05895199925", "authLvl": "5"}, "authLvl"),
        ("GetSystemUserToken", {"env": "tt02"}, "systemUserId"),
        ("GetSystemUserToken", {"env": "tt02", "systemUserId": "x"}, "systemUserId"),
    ],
)
async def test_a_parameter_that_is_wrong_is_named(tools: Tools, route: str, query: dict[str, str], field: str) -> None:
    answer = await tools.get(route, **query)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])


async def test_a_component_of_the_platform_is_known_by_its_token(tools: Tools) -> None:
    response = await tools.http.get("/api/GetPlatformAccessToken", params={"env": "tt02", "app": "access-management"})
    assert response.status_code == 200
    assert await tools.platform.issuer_of(response.text) == "platform"
    assert payload_of(response.text)["urn:altinn:app"] == "access-management"


async def test_nobodys_own_token_passes_for_a_components(tools: Tools) -> None:
    enterprise = await tools.http.get("/api/GetEnterpriseToken", params=ENTERPRISE)
    for token in (enterprise.text, "rubbish", enterprise.text[:-4] + "AAAA"):
        with pytest.raises(InvalidCallerError):
            await tools.platform.issuer_of(token)


async def test_a_component_has_an_org_code_and_a_name(tools: Tools) -> None:
    for params in ({"app": "x", "org": "https://platform.test/"}, {"org": "platform"}):
        response = await tools.http.get("/api/GetPlatformAccessToken", params={"env": "tt02", **params})
        assert response.status_code == 400
