"""Lånekassen among its real neighbours: consent asked for, given, shown, remembered and revoked, in both of Altinn's
forms (seed 003; consent.md §6, run time)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest

from fullmakt.altinn.consents.keys.model import ApiKeyDeclaration
from fullmakt.altinn.parties.model import Organisation, Person
from fullmakt.altinn.resources.policies import consent_policy
from fullmakt.client import AuthorizationDetailsError, consent
from fullmakt.kernel.clock import FixedClock
from fullmakt.kernel.identifiers import NationalId, OrgNumber
from fullmakt.lanekassen.config import RESOURCE, SERVICE
from fullmakt.provider import EndedConsents
from fullmakt.wire.altinn.resource_registry import ResourceDocument, ServiceOwner
from tests.support.consent_tokens import GIVER
from tests.support.lanekassen import (
    API_KEYS,
    BANK,
    BASE,
    DELEGATION_SOURCE,
    OWNER,
    VENDOR,
    Setting,
    balance,
    refused,
    setting,
)
from tests.support.tokens import NOW, payload_of

ALTINN2 = f"{BASE}/altinn2"
ALTINN3 = f"{BASE}/altinn/accessmanagement/api/v1"
PERSON = f"urn:altinn:person:identifier-no:{GIVER}"
ORG = "urn:altinn:organization:identifier-no"
SCOPES = "altinn:consentrequests.write altinn:consentrequests.read altinn:consenttokens altinn:serviceowner/consents"
TEXTS = dict.fromkeys(("nb", "nn", "en"), "Saldo på studielån")


class House:
    """The whole house: Altinn's registers know Lånekassen's service, and everybody has an API key of Altinn's."""

    def __init__(self, there: Setting) -> None:
        self.there = there
        self.altinns_keys: dict[OrgNumber, str] = {}

    async def fill(self) -> None:
        registers = self.there.assembly.rights
        await registers.parties.declare_person(Person(NationalId(GIVER), "Gabrielle Grønseth"))
        await registers.parties.declare_organisation(Organisation(OWNER, "Lånekassen"))
        await registers.resources.declare_service_owner("lanekassen", ServiceOwner(orgnr=OWNER))
        document = ResourceDocument.model_validate(
            {
                "identifier": RESOURCE, "title": TEXTS, "description": TEXTS, "rightDescription": TEXTS,
                "hasCompetentAuthority": {"organization": OWNER, "orgcode": "lanekassen"}, "resourceType": "Consent",
                "consentTemplate": "default", "consentText": TEXTS, "consentMetadata": {"Navn": {"optional": False}},
            }
        )  # fmt: skip
        await registers.resources.declare_resource(document, consent_policy(RESOURCE, roles=["priv"], min_level=3))
        for organisation in (BANK, VENDOR, OWNER):
            declared = ApiKeyDeclaration(f"key-{organisation}", organisation, (), organisation == OWNER)
            made = await self.there.assembly.altinn.consents.keys.declare(declared)
            assert made.secret is not None
            self.altinns_keys[organisation] = made.secret

    async def altinn(
        self, method: str, url: str, who: OrgNumber = BANK, supplier: OrgNumber | None = None, **more: Any
    ) -> httpx2.Response:
        """A call to Altinn, by ``who``, with its supplier's API key where it has one."""
        asked = {"env": "local", "orgNo": who, "scopes": SCOPES}
        asked |= {} if supplier is None else {"supplierOrgNo": supplier}
        token = (await self.there.http.get(f"{BASE}/altinn/testtools/api/GetEnterpriseToken", params=asked)).text
        headers = {"ApiKey": self.altinns_keys[supplier or who], "Authorization": f"Bearer {token}"}
        answer = await self.there.http.request(method, url, headers=headers, **more)
        assert answer.is_success, answer.text
        return answer

    async def person(self, path: str) -> None:
        """What the giver does in Altinn's pages."""
        asked = {"env": "local", "pid": GIVER, "scopes": "altinn:portal/enduser", "authLvl": "4"}
        token = (await self.there.http.get(f"{BASE}/altinn/testtools/api/GetPersonalToken", params=asked)).text
        headers = {"Authorization": f"Bearer {token}"}
        answer = await self.there.http.post(f"{ALTINN3}/bff/{path}", headers=headers, json={"language": "nb"})
        assert answer.status_code == 200, answer.text

    async def code(self, **more: Any) -> str:
        """The authorization code of a consent of Altinn 2's form that the giver has given."""
        body = {
            "CoveredBy": BANK, "OfferedBy": GIVER, "OfferedByName": "Grønseth", "ValidTo": "2027-05-01T10:00:00Z",
            "RedirectUrl": "https://bank.example/retur", "RequestMessage": {},
            "RequestResources": [{"ServiceCode": "5498", "ServiceEditionCode": 1, "Metadata": {"Navn": "Banken AS"}}],
            **more,
        }  # fmt: skip
        answer = await self.altinn("POST", f"{ALTINN2}/api/consentRequests", json=body, supplier=more.get("HandledBy"))
        code = str(answer.json()["AuthorizationCode"])
        await self.person(f"consentrequests/{code}/accept")
        return code

    async def consent_token(self, code: str, supplier: OrgNumber | None = None) -> str:
        """As Altinn hands it out: a JSON string."""
        url = f"{ALTINN2}/api/authorization/token/{code}"
        return (await self.altinn("GET", url, supplier=supplier)).text


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
async def house(database_url: str, tmp_path: Path, clock: FixedClock) -> AsyncIterator[House]:
    async with setting(database_url, tmp_path, clock, altinn2_url=None, burst=1_000) as there:
        house = House(there)
        await house.fill()
        yield house


async def test_altinn_2_from_the_request_to_the_balance_and_no_further_once_it_is_revoked(house: House) -> None:
    there, code = house.there, await house.code()
    quoted = await house.consent_token(code)
    await refused(there, await there.ask(Consent__ID=quoted), 403, 8, "consent_quoted")
    assert await balance(await there.ask(Consent__ID=quoted.strip('"'))) == ["Lån", "Gebyr", "Omkostninger"]
    assert await balance(await there.ask())
    await house.person(f"consents/{code}/revoke")
    await refused(there, await there.ask(), 403, 7, "consent_ended")
    await refused(there, await there.ask(), 403, 7, "consent_missing")
    told = [(event["action"], event["outcome"]) for event in await there.trail()]
    assert told.count(("consent:forget", "done")) == 1


async def test_altinn_2_what_is_revoked_between_code_and_call_is_not_remembered(house: House) -> None:
    there, code = house.there, await house.code()
    token = (await house.consent_token(code)).strip('"')
    await house.person(f"consents/{code}/revoke")
    assert await balance(await there.ask(Consent__ID=token))  # nobody asks Altinn: it lives for thirty seconds
    await refused(there, await there.ask(), 403, 7, "consent_ended")


async def test_altinn_2_a_token_at_second_thirty_one_is_too_old_and_the_next_one_good(
    house: House, clock: FixedClock
) -> None:
    there, code = house.there, await house.code()
    token = (await house.consent_token(code)).strip('"')
    clock.advance(seconds=31)
    await refused(there, await there.ask(Consent__ID=token), 403, 8, "consent_token_expired")
    assert await balance(await there.ask(Consent__ID=(await house.consent_token(code)).strip('"')))


async def test_altinn_2_a_supplier_with_everything_delegated(house: House) -> None:
    there, code = house.there, await house.code(HandledBy=VENDOR)
    token = (await house.consent_token(code, supplier=VENDOR)).strip('"')
    assert payload_of(token)["HandledBy"] == VENDOR
    access = await there.token(VENDOR, consumer_org=BANK)
    assert payload_of(access)["delegation_source"] == DELEGATION_SOURCE
    assert await balance(await there.ask(access, ApiKey=API_KEYS[VENDOR], Consent__ID=token))
    await refused(there, await there.ask(Consent__ID=token), 403, 13, "consent_other_supplier")


async def test_altinn_2_the_owners_list_tells_the_sdk_of_what_has_ended(house: House) -> None:
    there, code = house.there, await house.code()
    await there.ask(Consent__ID=(await house.consent_token(code)).strip('"'))

    async def owners_token() -> str:
        asked = {"env": "local", "orgNo": OWNER, "scopes": SCOPES}
        return (await there.http.get(f"{BASE}/altinn/testtools/api/GetEnterpriseToken", params=asked)).text

    key = house.altinns_keys[OWNER]
    ended = EndedConsents(ALTINN2, SERVICE, api_key=key, auth=owners_token, http=there.http)
    assert await ended.tell(there.consents) == 0
    await house.person(f"consents/{code}/revoke")
    assert await ended.tell(there.consents) == 1
    assert await ended.tell(there.consents) == 0
    await refused(there, await there.ask(), 403, 7, "consent_missing")


async def test_altinn_3_from_the_request_to_the_balance_and_no_token_once_it_is_revoked(house: House) -> None:
    there, chosen = house.there, str(UUID(int=0x77ED8698E61940669EB45C1EB3F165A1))
    right = {"action": ["consent"], "resource": [{"type": "urn:altinn:resource", "value": RESOURCE}]}
    body = {
        "id": chosen, "from": PERSON, "to": f"{ORG}:{BANK}", "validTo": "2027-05-01T10:00:00Z",
        "consentRights": [{**right, "metadata": {"navn": "Banken AS"}}], "redirectUrl": "https://bank.example/retur",
    }  # fmt: skip
    await house.altinn("POST", f"{ALTINN3}/enterprise/consentrequests", json=body)
    element = consent(chosen, GIVER)
    with pytest.raises(AuthorizationDetailsError):
        await there.token(authorization_details=element)  # not answered yet
    await house.person(f"consentrequests/{chosen}/accept")
    token = await there.token(authorization_details=element)
    assert await balance(await there.ask(token)) == ["Lån", "Gebyr", "Omkostninger"]
    await refused(there, await there.ask(token, PSU_ID="01085301957"), 403, 11, "consent_other_giver")
    supplied = await there.token(VENDOR, consumer_org=BANK, authorization_details=element)
    assert await balance(await there.ask(supplied, ApiKey=API_KEYS[VENDOR]))
    await refused(there, await there.ask(), 403, 7, "consent_missing")
    await house.person(f"consents/{chosen}/revoke")
    with pytest.raises(AuthorizationDetailsError):
        await there.token(authorization_details=element)
