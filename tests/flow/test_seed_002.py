"""Seed 002: the four processes of a consent service's life, each by its number, and what the seed says about them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fullmakt.client import MaskinportenError
from fullmakt.lanekassen.config import SCOPE
from tests.support.consent_tokens import GIVER
from tests.support.lanekassen import BANK, DELEGATION_SOURCE, VENDOR, balance
from tests.support.onboarding import (
    API,
    CONSENT_PACKAGE,
    CONSENT_SCOPES,
    DIRECTOR,
    REGISTRY,
    SERVICE,
    VENDORS_DIRECTOR,
    WRITE,
    Client,
    Onboarding,
    onboarding,
)
from tests.support.tokens import payload_of


@pytest.fixture
async def there(database_url: str, tmp_path: Path) -> AsyncIterator[Onboarding]:
    async with onboarding(database_url, tmp_path) as there:
        yield there


async def refused(there: Onboarding, client: Client, *scopes: str, **asked: str) -> tuple[int | None, str | None]:
    """How Maskinporten refuses a token: status and code."""
    with pytest.raises(MaskinportenError) as error:
        await there.token(client, *scopes, **asked)
    return error.value.status, error.value.code


async def test_process_1_creation_of_the_api_in_maskinporten_a_scope_tied_to_a_delegable_api_resource(
    there: Onboarding,
) -> None:
    assert (await there.create_api(BANK)).status_code == 403  # the prefix is the data source's alone
    made = await there.create_api()
    assert made.is_success, made.text
    assert (made.json()["name"], made.json()["delegation_source"]) == (SCOPE, DELEGATION_SOURCE)
    await there.let_in_maskinporten()
    vendor = await there.client(VENDOR, SCOPE)
    await there.delegate()
    about = {"party": await there.party(BANK), "supplier": VENDOR, "resource": API}
    alone = await there.person(DIRECTOR, "POST", "enduser/maskinportensuppliers/resources", params=about)
    assert alone.status_code == 400, alone.text  # a scope alone can not be delegated
    assert await refused(there, vendor, SCOPE, consumer_org=BANK) == (403, "MP-251")
    await there.tie_api()
    await there.delegate(API)
    assert await there.token(vendor, SCOPE, consumer_org=BANK)


async def test_process_2_creation_of_the_consent_service_in_altinn_whose_texts_and_terms_are_its_owners(
    there: Onboarding,
) -> None:
    bank = await there.client(BANK, WRITE)
    unknown = await there.ask(bank)
    assert [one["ErrorCode"] for one in unknown.json()] == ["90002"]  # there is no such service yet
    await there.create_service()
    found = (await there.there.http.get(f"{REGISTRY}/{SERVICE}")).json()
    assert (found["resourceType"], found["consentTemplate"]) == ("Consent", "default")
    asked = await there.ask(bank)
    assert asked.status_code == 200, asked.text
    shown = await there.person(GIVER, "GET", f"bff/consentrequests/{asked.json()['AuthorizationCode']}")
    assert (shown.json()["templateId"], shown.json()["consentRights"][0]["metadata"]) == (
        "default",
        {"navn": "Banken AS"},
    )


async def test_process_3_onboarding_of_a_consumer_in_maskinporten_and_in_srr(there: Onboarding) -> None:
    """Each list holds for itself: Maskinporten's lets it fetch data, SRR's lets it ask people."""
    await there.create_api()
    await there.create_service()
    consents, balances = await there.client(BANK, *CONSENT_SCOPES), await there.client(BANK, SCOPE)
    assert (await there.ask(consents)).status_code == 200  # without SRR anybody asks, and gets no data for it
    assert await refused(there, balances, SCOPE) == (403, "MP-250")

    await there.list_in_srr(VENDOR)  # from now on the service uses SRR
    assert [one["ErrorCode"] for one in (await there.ask(consents)).json()] == ["90007"]
    assert await refused(there, balances, SCOPE) == (403, "MP-250")

    await there.let_in_maskinporten()
    assert payload_of(await there.token(balances, SCOPE))["consumer"]["ID"] == f"0192:{BANK}"
    assert [one["ErrorCode"] for one in (await there.ask(consents)).json()] == ["90007"]

    await there.list_in_srr(BANK)
    assert (await there.ask(consents)).status_code == 200
    away = await there.ask(consents, RedirectUrl="https://elsewhere.example/")
    assert [one["ErrorCode"] for one in away.json()] == ["90006"]


async def test_process_4_provisioning_of_clients_2a_the_consumer_itself_each_client_with_as_little_as_possible(
    there: Onboarding,
) -> None:
    await there.create_api()
    await there.create_service()
    await there.let_in_maskinporten()
    await there.list_in_srr(BANK)
    consents, balances = await there.client(BANK, *CONSENT_SCOPES), await there.client(BANK, SCOPE)
    assert payload_of(await there.token(consents, WRITE))["scope"] == WRITE  # a token has no more than is asked for
    assert await refused(there, consents, SCOPE) == (400, "MP-200")
    assert await refused(there, balances, WRITE) == (400, "MP-200")

    code = (await there.ask(consents)).json()["AuthorizationCode"]
    assert (await there.person(GIVER, "POST", f"bff/consentrequests/{code}/accept")).status_code == 200
    consent = await there.consent_token(consents, code)
    assert payload_of(consent)["CoveredBy"] == BANK
    assert await balance(await there.balance(balances, consent)) == ["Lån", "Gebyr", "Omkostninger"]


async def test_process_4_provisioning_of_clients_2b_a_supplier_to_whom_both_packages_are_delegated(
    there: Onboarding,
) -> None:
    await there.create_api()
    await there.tie_api()
    for service in (SERVICE, "lanekassen_4629_2"):
        await there.create_service(service)
    await there.let_in_maskinporten()
    await there.list_in_srr(BANK)  # the consumer alone is on the lists
    consents, balances = await there.client(VENDOR, *CONSENT_SCOPES), await there.client(VENDOR, SCOPE)
    for client, scope in ((consents, WRITE), (balances, SCOPE)):
        assert await refused(there, client, scope) == (403, "MP-250")
        assert await refused(there, client, scope, consumer_org=BANK) == (403, "MP-251")
    await there.delegate(CONSENT_PACKAGE)  # for every consent service of the consumer's (4)
    for code, edition in (("5498", 1), ("4629", 2)):
        wanted = {"ServiceCode": code, "ServiceEditionCode": edition, "Metadata": {"Navn": "Banken AS"}}
        assert (await there.ask(consents, consumer=BANK, RequestResources=[wanted])).status_code == 200
    assert await refused(there, balances, SCOPE, consumer_org=BANK) == (403, "MP-251")
    await there.delegate(API)

    claims = payload_of(await there.token(balances, SCOPE, consumer_org=BANK))
    assert (claims["consumer"]["ID"], claims["supplier"]["ID"]) == (f"0192:{BANK}", f"0192:{VENDOR}")
    code = (await there.ask(consents, consumer=BANK)).json()["AuthorizationCode"]
    assert (await there.person(GIVER, "POST", f"bff/consentrequests/{code}/accept")).status_code == 200
    consent = await there.consent_token(consents, code, consumer=BANK)
    assert (payload_of(consent)["CoveredBy"], payload_of(consent)["HandledBy"]) == (BANK, VENDOR)
    assert await balance(await there.balance(balances, consent, consumer=BANK))


async def test_process_4_note_3_the_supplier_asks_the_consumer_for_the_access_that_it_needs(
    there: Onboarding,
) -> None:
    """«Be om tilgang»: the consumer need not begin."""
    await there.create_api()
    await there.tie_api()
    await there.let_in_maskinporten()
    client = await there.client(VENDOR, SCOPE)
    about = {"party": await there.party(VENDOR), "to": await there.party(BANK), "resource": API}
    asked = await there.person(VENDORS_DIRECTOR, "POST", "enduser/request/resource", params=about)
    assert asked.status_code == 200, asked.text
    assert await refused(there, client, SCOPE, consumer_org=BANK) == (403, "MP-251")
    answer = {"party": about["to"], "id": asked.json()["id"]}
    assert (await there.person(DIRECTOR, "PUT", "enduser/request/received/approve", params=answer)).status_code == 200
    assert await there.token(client, SCOPE, consumer_org=BANK)
