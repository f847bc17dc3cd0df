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
from fullmakt.jose.compact import b64url_decode
from fullmakt.jose.keys import PublicKey
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

USER = {"env": "tt02", "orgNo": "910753614", "partyId": "50001", "userId": "20001", "userName": "regnskap"}
CONSENT = {"env": "tt02", "serviceCodes": "5252_1.5616_2", "offeredBy": "05895199925", "coveredBy": "910753614"}


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

    async def identify(self, token: str) -> Caller:
        return await self._callers.identify(token)

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
        ("GetEnterpriseUserToken", {**USER, "orgNo": ""}, "orgNo"),
        ("GetEnterpriseUserToken", {**USER, "partyId": ""}, "partyId"),
        ("GetEnterpriseUserToken", {**USER, "userId": "x"}, "userId"),
        ("GetEnterpriseUserToken", {**USER, "userName": ""}, "userName"),
        ("GetSelfIdentifiedUserToken", {"env": "tt02", "partyId": "9" * 10}, "partyId"),
        ("GetSelfIdentifiedUserToken", {"env": "tt02", "partyuuid": "x"}, "partyuuid"),
        ("GetSelfRegisteredEmailUserToken", {"env": "tt02"}, "email"),
        ("GetSelfRegisteredEmailUserToken", {"env": "tt02", "email": "a b@c"}, "email"),
        ("GetPlatformToken", {"env": "tt02"}, "app"),
        ("GetConsentToken", {**CONSENT, "serviceCodes": ""}, "serviceCodes"),
        ("GetConsentToken", {**CONSENT, "serviceCodes": "5252_1,x"}, "serviceCodes"),
        ("GetConsentToken", {**CONSENT, "offeredBy": ""}, "offeredBy"),
        ("GetConsentToken", {**CONSENT, "coveredBy": "12345678"}, "coveredBy"),
        ("GetConsentToken", {**CONSENT, "handledBy": "x"}, "handledBy"),
        ("GetConsentToken", {**CONSENT, "authorizationCode": "x"}, "authorizationCode"),
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


async def test_an_enterprises_user_is_of_it_and_somebody(tools: Tools) -> None:
    claims, caller = await tools.token("GetEnterpriseUserToken", **USER)
    assert (claims["urn:altinn:authenticatemethod"], claims["urn:altinn:authlevel"]) == ("virksomhetsbruker", 3)
    assert claims["urn:altinn:username"] == "regnskap"
    assert (caller.consumer, caller.party_id, caller.user_id) == ("910753614", 50001, 20001)


async def test_somebody_without_a_number_is_known_by_a_name_or_an_address(tools: Tools) -> None:
    claims, caller = await tools.token("GetSelfIdentifiedUserToken", env="tt02", username="huldra", userId="7")
    assert (claims["urn:altinn:username"], claims["urn:altinn:authlevel"]) == ("huldra", "0")
    assert "pid" not in claims
    assert (caller.user_id, caller.auth_level) == (7, 0)
    assert caller.scopes == {"altinn:portal/enduser"}
    first, second = [await tools.token("GetSelfIdentifiedUserToken", env="tt02") for _ in range(2)]
    assert first[1].party_uuid != second[1].party_uuid
    assert first[0]["urn:altinn:username"].startswith("SIUser")
    claims, caller = await tools.token("GetSelfRegisteredEmailUserToken", env="tt02", email="a@b.no", partyId="9")
    assert (claims["email"], claims["acr"], caller.party_id) == ("a@b.no", "selfregistered-email", 9)


async def test_a_platform_token_is_no_components_access_token(tools: Tools) -> None:
    answer = await tools.get("GetPlatformToken", env="tt02", app="ttd-app")
    claims = payload_of(answer.text)
    assert (answer.status_code, claims["urn:altinn:app"]) == (200, "ttd-app")
    assert claims["iss"] == "https://platform.test/authentication/api/v1/openid/"
    with pytest.raises(InvalidCallerError):
        await tools.platform.issuer_of(answer.text)


async def test_a_consent_token_tells_services_and_parties(tools: Tools) -> None:
    answer = await tools.get("GetConsentToken", **CONSENT, **{"5252_1_year": "2025"})
    claims = payload_of(answer.text)
    assert claims["Services"] == ["5252_1", "5252_1_year=2025", "5616_2"]
    assert (claims["OfferedBy"], claims["CoveredBy"], claims["iss"]) == ("05895199925", "910753614", "altinn.no")
    assert "HandledBy" not in claims
    assert claims["ValidToDate"] == claims["exp"] == claims["nbf"] + 30
    assert claims["DelegatedDate"] == claims["nbf"] - 10
    one = {**CONSENT, "serviceCodes": "5252_1", "handledBy": "991825827"}
    claims = payload_of((await tools.get("GetConsentToken", **one)).text)
    assert (claims["Services"], claims["HandledBy"]) == ("5252_1", "991825827")


async def test_in_no_environment_the_helper_is_its_own_issuer(tools: Tools) -> None:
    metadata = (await tools.http.get("/api/.well-known/oauth-authorization-server")).json()
    (key,) = (await tools.http.get(metadata["jwks_uri"])).json()["keys"]
    assert (key["kty"], key["crv"], key["alg"], "d" in key) == ("EC", "P-256", "ES256", False)
    token = (await tools.get("GetEnterpriseToken", **{**ENTERPRISE, "env": "none"})).text
    claims = payload_of(token)
    assert (claims["iss"], claims["exp"] - claims["iat"]) == (metadata["issuer"], 1800)
    signed, _, signature = token.rpartition(".")
    assert PublicKey.from_jwk(key).verify("ES256", signed.encode(), b64url_decode(signature.encode()))
    with pytest.raises(InvalidCallerError):
        await tools.identify(token)
