"""The whole house in one process: a bank asks for consent with the SDK, in both forms, and draws its token."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest

from fullmakt.altinn.consents.keys.model import ApiKeyDeclaration
from fullmakt.altinn.parties.model import Organisation, Person
from fullmakt.altinn.resources.policies import consent_policy
from fullmakt.client import (
    Altinn2ConsentRequest,
    AsyncAltinn2ConsentClient,
    AsyncConsentClient,
    AsyncMaskinportenClient,
    AuthorizationDetailsError,
    ConsentForbiddenError,
    ConsentNotFoundError,
    ConsentRefusedError,
    ConsentRequest,
    ConsentRight,
    ConsentService,
    Credentials,
    consent,
)
from fullmakt.kernel.clock import system_clock
from fullmakt.kernel.identifiers import NationalId, OrgNumber
from fullmakt.serve.assembly import Assembly
from fullmakt.wire.altinn.consents import Cause
from fullmakt.wire.altinn.resource_registry import ServiceOwner
from tests.support.house import whole_house
from tests.support.resources import resource
from tests.support.tokens import RegistryRows, key_number, payload_of

BASE = "http://localhost:8080"
BANK, SOURCE = OrgNumber("313876144"), OrgNumber("960885406")
KARI = NationalId("24907999889")
SERVICE = "lanekassen_5498_1"
SCOPE = "lanekassen:lan/v1/saldoopplysninger"
CONSENT_SCOPES = ("altinn:consentrequests.read", "altinn:consentrequests.write", "altinn:consenttokens.read")
CLIENT = "a-banks-client"
API_KEY = "b2f8a2b1-6a50-4b0e-9a9b-3f4a2f6f7c11"
NEVER = 4_102_444_800


class House:
    """The bank's clients, and Kari's way to answer."""

    def __init__(self, assembly: Assembly, http: httpx2.AsyncClient) -> None:
        self._http = http
        self._assembly = assembly
        tokens = self.tokens()
        self.altinn3 = AsyncConsentClient(tokens, f"{BASE}/altinn/accessmanagement", http=http)
        self.altinn2 = AsyncAltinn2ConsentClient(f"{BASE}/altinn2", API_KEY, tokens, http=http)

    def tokens(self) -> AsyncMaskinportenClient:
        """The bank's tokens, with none at hand."""
        return AsyncMaskinportenClient(Credentials(f"{BASE}/maskinporten/", CLIENT, key_number(1)), http=self._http)

    async def fill(self) -> None:
        """Let all be registered that must be there."""
        altinn, rows = self._assembly.altinn, RegistryRows(self._assembly.database)
        for number, name in ((BANK, "Banken AS"), (SOURCE, "Lånekassen")):
            await altinn.registers.parties.declare_organisation(Organisation(number, name))
        await altinn.registers.parties.declare_person(Person(KARI, "Kari Grønseth"))
        await altinn.registers.resources.declare_service_owner("lanekassen", ServiceOwner(orgnr=SOURCE))
        document = resource(
            SERVICE,
            resourceType="Consent",
            resourceReferences=None,
            consentText={"nb": "Saldo til {navn}", "nn": "Saldo til {navn}", "en": "Balance to {navn}"},
            consentMetadata={"navn": {"optional": False}},
            hasCompetentAuthority={"organization": SOURCE, "orgcode": "lanekassen", "name": {"nb": "Lånekassen"}},
        )
        await altinn.registers.resources.declare_resource(document, consent_policy(SERVICE, roles=["priv"]))
        await altinn.consents.keys.declare(ApiKeyDeclaration("bank", BANK), secret=API_KEY)
        for scope in (*CONSENT_SCOPES, SCOPE):
            await rows.scope(scope, access=[BANK])
        await rows.client(CLIENT, client_orgno=BANK, scopes=[*CONSENT_SCOPES, SCOPE], keys=[])
        await rows.key(CLIENT, key_number(1), expires=NEVER)

    async def kari(self, path: str) -> None:
        """What Kari does in the portal."""
        query = {"env": "local", "pid": KARI, "scopes": "altinn:portal/enduser", "authLvl": "4"}
        token = (await self._http.get(f"{BASE}/altinn/testtools/api/GetPersonalToken", params=query)).text
        url = f"{BASE}/altinn/accessmanagement/api/v1/bff/{path}"
        headers = {"Authorization": f"Bearer {token}"}
        answer = await self._http.post(url, headers=headers, json={"language": "nb"})
        assert answer.is_success, answer.text

    async def drawn(self, given: UUID) -> dict[str, Any]:
        """What the bank's token for the data source says of the consent."""
        token = await self.tokens().token(SCOPE, authorization_details=consent(given, KARI))
        (element,) = payload_of(token.value)["authorization_details"]
        return dict(element)


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    async with whole_house(database_url, tmp_path) as (assembly, http):
        house = House(assembly, http)
        await house.fill()
        yield house


def in_a_year() -> dt.datetime:
    return system_clock() + dt.timedelta(days=365)


def wish(**changes: Any) -> ConsentRequest:
    asked: dict[str, Any] = {
        "giver": KARI,
        "receiver": BANK,
        "rights": [ConsentRight(SERVICE, metadata={"navn": "Banken AS"})],
        "redirect_url": "https://bank.example/back?sak=1",
        "valid_to": in_a_year(),
        "message": {"nb": "Lån"},
    }
    return ConsentRequest(**{**asked, **changes})


async def test_altinn_3_from_the_request_to_the_token_and_from_the_revocation_to_none(house: House) -> None:
    asked = await house.altinn3.create(wish())
    assert asked.is_pending
    assert asked.view_url.endswith(f"/accessmanagement/ui/consent/request?id={asked.id}")
    again = await house.altinn3.create(wish(id=asked.id))
    assert again.id == asked.id
    with pytest.raises(AuthorizationDetailsError) as pending:
        await house.drawn(asked.id)
    assert pending.value.consent_cause is Cause.NOT_ACCEPTED

    await house.kari(f"consentrequests/{asked.id}/accept")
    given = await house.altinn3.read(asked.id)
    assert (given.is_given, given.events) == (True, ("Created", "Accepted"))
    element = await house.drawn(asked.id)
    assert (element["id"], element["to"]["ID"]) == (str(asked.id), f"0192:{BANK}")
    assert element["consentRights"][0]["resource"] == [{"type": "urn:altinn:resource", "value": SERVICE}]
    assert element["consentRights"][0]["metadata"] == {"navn": "Banken AS"}

    await house.kari(f"consents/{asked.id}/revoke")
    with pytest.raises(AuthorizationDetailsError) as revoked:
        await house.drawn(asked.id)
    assert revoked.value.consent_cause is Cause.REVOKED
    assert (await house.altinn3.events(consent=asked.id)).changes == ()  # it tells of nothing before five minutes


async def test_altinn_3_tells_what_is_wrong_with_a_request(house: House) -> None:
    with pytest.raises(ConsentRefusedError) as wrong:
        await house.altinn3.create(wish(rights=[ConsentRight(SERVICE, metadata={"navn": "x", "year": "1"})]))
    assert wrong.value.codes == ("AM-00006",)
    with pytest.raises(ConsentRefusedError) as several:
        await house.altinn3.create(wish(rights=[ConsentRight(SERVICE)], valid_to=system_clock() - dt.timedelta(days=1)))
    assert set(several.value.codes) == {"AM-00008", "AM.VLD-00022"}
    with pytest.raises(ConsentForbiddenError):
        await house.altinn3.create(wish(receiver=SOURCE))
    with pytest.raises(ConsentNotFoundError):
        await house.altinn3.read(UUID(int=1))


def old_wish(**changes: Any) -> Altinn2ConsentRequest:
    asked: dict[str, Any] = {
        "offered_by": KARI,
        "offered_by_name": "GRØNSETH",
        "covered_by": BANK,
        "services": [ConsentService("5498", 1, {"navn": "Banken AS"})],
        "redirect_url": "https://bank.example/back",
        "valid_to": in_a_year(),
        "message": {"nb": "Lån", "nn": "Lån", "en": "Loan"},
    }
    return Altinn2ConsentRequest(**{**asked, **changes})


async def test_altinn_2_from_the_request_to_the_token_and_from_the_revocation_to_none(house: House) -> None:
    asked = await house.altinn2.create(old_wish())
    assert (asked.status, asked.view_url) == ("Unopened", f"{BASE}/altinn2/ui/AccessConsent/request?id={asked.code}")
    with pytest.raises(ConsentForbiddenError):
        await house.altinn2.token(asked.code)
    await house.kari(f"consentrequests/{asked.code}/accept")
    assert (await house.altinn2.read(asked.code)).status == "Accepted"
    claims = payload_of(await house.altinn2.token(asked.code))
    assert (claims["iss"], claims["CoveredBy"], claims["OfferedBy"]) == ("altinn.no", BANK, KARI)
    assert claims["Services"] == ["5498_1", "5498_1_navn=Banken AS"]
    await house.kari(f"consents/{asked.code}/revoke")
    with pytest.raises(ConsentForbiddenError):
        await house.altinn2.token(asked.code)


async def test_altinn_2_tells_nobody_whether_it_is_the_number_or_the_name(house: House) -> None:
    for changes in ({"offered_by_name": "Hansen"}, {"offered_by": "17865599978"}):
        with pytest.raises(ConsentRefusedError) as wrong:
            await house.altinn2.create(old_wish(**changes))
        assert wrong.value.codes == ("40332",)
