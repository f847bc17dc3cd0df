"""Altinn 2's form of consent in the whole house: real tokens and certificates, real decisions, and a data source."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from fullmakt.altinn.consents.keys.model import ApiKeyDeclaration
from fullmakt.altinn.consents.srr.model import ServiceDeclaration, ServiceKey
from fullmakt.altinn.parties.model import Organisation, Person
from fullmakt.altinn.resources.policies import consent_policy
from fullmakt.jose.keys import PublicKey
from fullmakt.kernel.clock import FixedClock, system_clock
from fullmakt.kernel.identifiers import NationalId, OrgNumber
from fullmakt.provider import ConsentTokenVerifier, NoConsentError, VerifiedToken, require_consent
from fullmakt.serve.assembly import Assembly
from fullmakt.wire.altinn.consents2 import TOKEN_REFUSED
from fullmakt.wire.altinn.resource_registry import ResourceDocument, ServiceOwner
from tests.support.consents_altinn2 import ALL_SCOPES, body, service
from tests.support.house import whole_house

BASE = "http://localhost:8080"
ALTINN2 = f"{BASE}/altinn2"
BFF = f"{BASE}/altinn/accessmanagement/api/v1/bff"
BANK, SUPPLIER, OWNER = OrgNumber("313876144"), OrgNumber("310149942"), OrgNumber("960885406")
KARI, OLA = NationalId("08027202285"), NationalId("30918899991")
LOAN = ServiceKey("5498", 1)
HEADER = "X-Client-Certificate"
TEXTS = dict.fromkeys(("nb", "nn", "en"), "Lån")


class House:
    """The assembled systems, and those who call them."""

    def __init__(self, assembly: Assembly, http: httpx2.AsyncClient) -> None:
        self.assembly, self.http = assembly, http
        self.keys: dict[str, str] = {}

    async def fill(self) -> None:
        registers = self.assembly.rights
        for number, name in ((BANK, "Banken AS"), (SUPPLIER, "Leverandør AS"), (OWNER, "Statens lånekasse")):
            await registers.parties.declare_organisation(Organisation(number, name))
            declaration = ApiKeyDeclaration(f"key-{number}", number, (), number == OWNER)
            made = await self.assembly.altinn.consents.keys.declare(declaration)
            assert made.secret is not None
            self.keys[number] = made.secret
        for person, name in ((KARI, "Kari Grønseth"), (OLA, "Ola Låntaker")):
            await registers.parties.declare_person(Person(person, name))
        await registers.resources.declare_service_owner("lanekassen", ServiceOwner(orgnr=OWNER))
        document = ResourceDocument.model_validate(
            {
                "identifier": "lanekassen_5498_1", "title": TEXTS, "description": TEXTS, "rightDescription": TEXTS,
                "hasCompetentAuthority": {"organization": OWNER, "orgcode": "lanekassen"}, "resourceType": "Consent",
                "consentTemplate": "default", "consentText": TEXTS, "consentMetadata": {"Navn": {"optional": False}},
            }
        )  # fmt: skip
        policy = consent_policy("lanekassen_5498_1", roles=["priv"], min_level=3)
        await registers.resources.declare_resource(document, policy)

    async def token(self, number: OrgNumber, supplier: OrgNumber | None = None) -> str:
        asked = {"env": "local", "orgNo": number, "scopes": " ".join(ALL_SCOPES)}
        more = {"supplierOrgNo": supplier} if supplier else {}
        answer = await self.http.get(f"{BASE}/altinn/testtools/api/GetEnterpriseToken", params={**asked, **more})
        return answer.text

    async def call(
        self, method: str, path: str, *, who: OrgNumber = BANK, token: str = "", **more: Any
    ) -> httpx2.Response:
        headers = {"ApiKey": self.keys[who], **more.pop("headers", {})}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return await self.http.request(method, f"{ALTINN2}{path}", headers=headers, **more)

    async def answer(self, person: NationalId, code: str, verb: str, what: str = "consentrequests") -> httpx2.Response:
        asked = {"env": "local", "pid": person, "scopes": "altinn:portal/enduser", "authLvl": "4"}
        token = (await self.http.get(f"{BASE}/altinn/testtools/api/GetPersonalToken", params=asked)).text
        return await self.http.post(f"{BFF}/{what}/{code}/{verb}", headers={"Authorization": f"Bearer {token}"})

    async def ask(self, **changes: Any) -> str:
        """The code of a request of the bank's own."""
        made = await self.call("POST", "/api/consentRequests", token=await self.token(BANK), json=body(**changes))
        assert made.status_code == 200, made.text
        return str(made.json()["AuthorizationCode"])

    async def find(self, kid: str) -> PublicKey | None:
        """Altinn's key, as it is published: a ``KeySource``."""
        keys = (await self.http.get(f"{ALTINN2}/api/metadata/jwk")).json()["keys"]
        found = next((key for key in keys if key["kid"] == kid), None)
        return None if found is None else PublicKey.from_jwk(found)


def of_maskinporten(consumer: OrgNumber) -> VerifiedToken:
    """The other token that a data source is shown, verified."""
    now = system_clock()
    return VerifiedToken(
        issuer="https://maskinporten.test/", consumer=consumer, supplier=None, delegation_source=None, client_id="x",
        client_amr=None, scopes=frozenset(), audience=(), pid=None, jti="x", issued_at=now, expires_at=now,
        authorization_details=(), claims={},
    )  # fmt: skip


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    settings: dict[str, Any] = {
        "insecure": {"demo_world": False},
        "consents": {"client_certificate_header": HEADER, "mask_numbers": False},
        "maskinporten": {"revocation": False},  # nobody can fetch a list from inside a test
    }
    async with whole_house(database_url, tmp_path, **settings) as (assembly, http):
        house = House(assembly, http)
        await house.fill()
        yield house


async def test_from_the_request_to_the_data_source_and_back(house: House) -> None:
    """Seed 002 and 003: the request, the answer, the token, what the source makes of it, its use, and its end."""
    code = await house.ask(RequiredDelegator=KARI, RequiredDelegatorName="Grønseth")
    assert (await house.answer(OLA, code, "accept")).status_code == 403
    accepted = await house.answer(KARI, code, "accept")
    assert accepted.status_code == 200, accepted.text
    token = (await house.call("GET", f"/api/authorization/token/{code}")).text
    consent = await ConsentTokenVerifier(ALTINN2, keys=house).verify(token)
    right = require_consent(
        consent, of_maskinporten(BANK), KARI, services={"5498_1"}, now=system_clock(), metadata={"navn": "Banken AS"}
    )
    assert right.resource == "5498_1"
    assert str(consent.id) == code
    use = {"ServiceCode": "5498", "ServiceEditionCode": 1, "UsageDateTime": "2026-05-04T10:00:00"}
    used = await house.call(
        "POST", f"/api/authorization/token/{code}/loguse", who=OWNER, token=await house.token(OWNER), json=use
    )
    assert used.status_code == 204
    listed = await house.call(
        "GET", "/api/serviceowner/consents?serviceCode=5498&serviceEditionCode=1", who=OWNER,
        token=await house.token(OWNER),
    )  # fmt: skip
    [one] = listed.json()["_embedded"]["consents"]
    assert (one["AuthorizationCode"], one["Status"]) == (code, "active")
    assert (await house.answer(KARI, code, "revoke", "consents")).status_code == 200
    gone = await house.call("GET", f"/api/authorization/token/{code}")
    assert (gone.status_code, gone.text) == (403, TOKEN_REFUSED)


async def test_a_token_that_is_replayed_at_second_31_is_refused_by_the_source(house: House) -> None:
    code = await house.ask()
    await house.answer(KARI, code, "accept")
    token = (await house.call("GET", f"/api/authorization/token/{code}")).text
    issued = system_clock().replace(microsecond=0)
    clock = FixedClock(issued)
    source = ConsentTokenVerifier(ALTINN2, keys=house, clock=clock, leeway=1)
    assert str((await source.verify(token)).id) == code
    assert str((await source.verify(token.strip('"'))).id) == code
    clock.at = issued + dt.timedelta(seconds=28)
    assert str((await source.verify(token)).id) == code
    clock.at = issued + dt.timedelta(seconds=31)
    with pytest.raises(NoConsentError) as refused:
        await source.verify(token)
    assert refused.value.cause == "consent_token_expired"
    fresh = await house.call("GET", f"/api/authorization/token/{code}")
    assert fresh.status_code == 200  # the consent stands


async def test_a_redirect_that_is_lost_after_the_answer_loses_nothing(house: House) -> None:
    code = await house.ask()
    assert (await house.answer(KARI, code, "accept")).status_code == 200  # and the browser is closed
    status = await house.call("GET", f"/api/consentRequests/{code}", token=await house.token(BANK))
    assert status.json()["RequestStatus"] == "Accepted"
    assert (await house.answer(KARI, code, "accept")).status_code == 200
    assert (await house.answer(KARI, code, "reject")).status_code == 400
    assert (await house.call("GET", f"/api/authorization/token?authcode={code}")).status_code == 200


async def test_srr_gates_the_answer_in_the_bff_too(house: House) -> None:
    code = await house.ask()
    await house.assembly.altinn.consents.services.declare(ServiceDeclaration("lanekassen_5498_1", LOAN, uses_srr=True))
    assert (await house.answer(KARI, code, "accept")).status_code == 403
    read = await house.call("GET", f"/api/consentRequests/{code}", token=await house.token(BANK))
    assert read.json()["RequestStatus"] == "Unopened"


async def test_numbers_are_shown_in_clear_where_the_settings_say_so(house: House) -> None:
    read = await house.call("GET", f"/api/consentRequests/{await house.ask()}", token=await house.token(BANK))
    assert read.json()["OfferedBy"] == KARI


async def test_a_supplier_token_of_the_real_issuer_acts_for_the_receiver(house: House) -> None:
    token = await house.token(BANK, SUPPLIER)
    made = await house.call("POST", "/api/consentRequests", who=SUPPLIER, token=token, json=body(HandledBy=SUPPLIER))
    assert made.status_code == 200, made.text
    code = made.json()["AuthorizationCode"]
    assert (await house.answer(KARI, code, "accept")).status_code == 200
    drawn = await house.call("GET", f"/api/authorization/token/{code}", who=SUPPLIER, token=token)
    consent = await ConsentTokenVerifier(ALTINN2, keys=house).verify(drawn.text)
    assert (consent.receiver, consent.handled_by) == (BANK, SUPPLIER)


async def test_an_enterprise_certificate_that_a_proxy_hands_on_is_held_to_the_rules_of_certificates(
    house: House,
) -> None:
    pki = house.assembly.pki
    assert pki is not None

    async def ask(organisation: OrgNumber, *, expired: bool = False, wrong_environment: bool = False) -> int:
        issued = await pki.issue(organisation, "Banken AS", expired=expired, wrong_environment=wrong_environment)
        leaf = issued.chain[0].public_bytes(Encoding.PEM).decode()
        answer = await house.call(
            "POST", "/api/consentRequests?ForceEIAuthentication", headers={HEADER: quote(leaf, safe="")}, json=body()
        )
        return answer.status_code

    assert await ask(BANK) == 200
    assert await ask(SUPPLIER) == 403
    assert await ask(BANK, expired=True) == 401
    assert await ask(BANK, wrong_environment=True) == 401


async def test_requests_for_access_still_lie_at_the_same_url(house: House) -> None:
    answer = await house.http.get(f"{ALTINN2}/api/serviceowner/delegationRequests")
    assert answer.status_code == 401
    assert (await house.http.get(f"{ALTINN2}/api/ingenting")).status_code == 404


async def test_any_services_name_in_a_request_is_the_registrys(house: House) -> None:
    other = body(RequestResources=[service(ServiceKey("9999", 1))])
    answer = await house.call("POST", "/api/consentRequests", token=await house.token(BANK), json=other)
    assert [error["ErrorCode"] for error in answer.json()] == ["90002"]


async def test_a_test_token_for_a_consent_is_one_that_data_sources_take(house: House) -> None:
    asked = {"env": "local", "serviceCodes": "5498_1", "offeredBy": KARI, "coveredBy": BANK, "5498_1_Navn": "Banken AS"}
    token = (await house.http.get(f"{BASE}/altinn/testtools/api/GetConsentToken", params=asked)).text
    assert (await ConsentTokenVerifier(ALTINN2, keys=house).verify(token)).receiver == BANK
