"""Requests for consent in Altinn 2's form: made, read, listed and withdrawn (consent.md §2.1 to §2.4, §3.4)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import pytest
from lxml import etree
from sqlalchemy import text

from fullmakt.altinn.consents.altinn2.store import Place, Wanted, page_sql, page_values
from fullmakt.cli.rights.reasons import catalogue
from fullmakt.infra.database import Database
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn.attributes import PERSON, Attribute
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.consents2 import TOKEN_REFUSED
from fullmakt.wire.altinn.parties import PartyIdentity
from fullmakt.wire.altinn.resources import ConsentTerms
from tests.support.consents_altinn2 import (
    ALL_SCOPES,
    BANK,
    CERTIFICATE_HEADER,
    KARI,
    LOAN,
    OLA,
    OTHER_BANK,
    OTHER_SUPPLIER,
    OWNER,
    REQUESTS,
    SHOP,
    SUPPLIER,
    TAX,
    URL,
    Altinn2World,
    body,
    certificate_of,
    codes,
    service,
)

DELEGATED = f"delegated:{SUPPLIER}"
MASKED = "080272*****"


@pytest.fixture
async def world(database: Database) -> AsyncIterator[Altinn2World]:
    world = await Altinn2World(database).begin()
    yield world
    await world.close()


async def test_a_request_is_made_and_written_as_altinn_2_writes_it(world: Altinn2World) -> None:
    answer = await world.ask(RequiredDelegator=KARI, RequiredDelegatorName="grønseth", PortalViewMode="Show")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/hal+json; charset=utf-8"
    code = answer.json()["AuthorizationCode"]
    assert answer.json() == {
        "AuthorizationCode": code,
        "RequestStatus": "Unopened",
        "Created": "2026-05-04T10:00:00",
        "LastChanged": "2026-05-04T10:00:00",
        "CoveredBy": BANK,
        "OfferedBy": MASKED,
        "RequiredDelegator": MASKED,
        "HandledBy": None,
        "ValidTo": "2027-05-01T10:00:00",
        "RedirectUrl": "https://bank.example/samtykke/retur",
        "RequestResources": [{"ServiceCode": "5498", "ServiceEditionCode": 1, "Metadata": {"Navn": "Banken AS"}}],
        "RequestMessage": {},
        "PortalViewMode": "Show",
        "_links": {
            "self": {"href": f"{URL}/api/consentRequest/{code}"},
            "gui": {"href": f"{URL}/ui/AccessConsent/request?id={code}"},
        },
    }
    assert await world.audited() == [("consent:request", "done", "")]
    assert KARI not in await world.trail()


@pytest.mark.parametrize("path", ["/api/consentRequest", "/API/CONSENTREQUESTS", "/api/consentrequests/"])
@pytest.mark.parametrize("query", ["", "?ForceEIAuthentication", "?forceEiAuthentication=true"])
async def test_the_name_of_old_any_case_and_the_flag_with_a_token_are_taken(
    world: Altinn2World, path: str, query: str
) -> None:
    made = await world.send(BANK, "POST", f"{path}{query}", json=body())
    assert made.status_code == 200
    read = await world.send(BANK, "GET", f"{path.rstrip('/')}/{made.json()['AuthorizationCode']}{query}")
    assert read.json() == made.json()


async def test_plain_json_and_xml_are_the_same_without_links(world: Altinn2World) -> None:
    code = await world.code(RequestMessage={"no-nb": "Vi trenger dette <b>nå</b>"})
    hal = (await world.send(BANK, "GET", f"{REQUESTS}/{code}")).json()
    plain = await world.send(BANK, "GET", f"{REQUESTS}/{code}", headers={"Accept": "application/json"})
    assert plain.headers["content-type"].startswith("application/json")
    assert plain.json() == {name: value for name, value in hal.items() if name != "_links"}
    for accept, links in (("application/hal+xml", 2), ("application/xml", 0), ("text/xml;q=0.9", 0)):
        xml = await world.send(BANK, "GET", f"{REQUESTS}/{code}", headers={"Accept": accept})
        root = etree.fromstring(xml.content)
        assert root.tag == "ConsentRequest"
        assert root.findtext("AuthorizationCode") == code
        assert root.findtext("RequestMessage/no-nb") == "Vi trenger dette <b>nå</b>"
        assert root.findtext("RequestResources/RequestResource/Metadata/Navn") == "Banken AS"
        assert len(root.findall("link")) == links


# -- who may call (§2.1) -----------------------------------------------------------------------------------------------


async def test_without_an_api_key_or_with_one_that_is_none_nobody_is_let_in(world: Altinn2World) -> None:
    for key in (None, "not-a-key", str(uuid4())):
        answer = await world.send(BANK, "POST", REQUESTS, key=key, json=body())
        assert answer.status_code == 403
        assert answer.headers["content-type"].startswith("text/plain")
    own = ("ApiKey", world.secrets[BANK])
    for other in (own, ("ApiKey", world.secrets[SHOP])):
        headers = [own, other, ("Authorization", f"Bearer {BANK}")]
        assert (await world.http.post(REQUESTS, headers=headers, json=body())).status_code == 403
    assert await world.audited() == []


async def test_an_api_key_alone_does_not_authenticate_an_enterprise(world: Altinn2World) -> None:
    answer = await world.send(BANK, "POST", REQUESTS, token=None, json=body())
    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("text/plain")


async def test_a_token_that_is_not_to_be_believed_does_not_either(world: Altinn2World) -> None:
    assert (await world.send(BANK, "POST", REQUESTS, token="forged", json=body())).status_code == 401
    basic = await world.send(BANK, "POST", REQUESTS, token=None, headers={"Authorization": "Basic eDp5"}, json=body())
    assert basic.status_code == 401


async def test_who_holds_a_key_and_proves_nothing_is_written_down(world: Altinn2World) -> None:
    world.callers.known["person"] = Caller(frozenset(ALL_SCOPES), party_uuid=world.kari.party_uuid)
    by_certificate = f"{REQUESTS}?ForceEIAuthentication"
    await world.send(BANK, "POST", REQUESTS, token=None, json=body())
    await world.send(BANK, "POST", REQUESTS, token="forged", json=body())
    await world.send(BANK, "POST", REQUESTS, token="person", json=body())
    await world.send(BANK, "POST", REQUESTS, token=None, headers={"Authorization": "Basic eDp5"}, json=body())
    await world.send(BANK, "POST", by_certificate, token=None, json=body())
    await world.send(BANK, "POST", by_certificate, token=None, headers={CERTIFICATE_HEADER: "eDp5"}, json=body())
    assert await world.audited() == [
        ("consent:request", "deny", reason)
        for reason in (
            "no_enterprise_authentication", "invalid_token", "no_organisation", "no_bearer_token", "no_certificate",
            "invalid_certificate",
        )
    ]  # fmt: skip
    trail = await world.trail()
    assert trail.count(f'"actor": "{BANK}"') == 6
    assert trail.count('"problem": "untrusted"') == 1
    assert "eDp5" not in trail
    assert world.secrets[BANK] not in trail


async def test_the_keys_organisation_is_the_one_that_is_authenticated(world: Altinn2World) -> None:
    answer = await world.send(BANK, "POST", REQUESTS, key=world.secrets[OTHER_BANK], json=body())
    assert answer.status_code == 403
    assert await world.audited() == [("consent:request", "deny", "others_api_key")]


@pytest.mark.parametrize(
    ("method", "scope", "allowed"),
    [
        ("POST", "altinn:consentrequests.write", True),
        ("POST", "altinn:enduser/consentrequests.write", True),
        ("POST", "altinn:consentrequests.read", False),
        ("POST", "altinn:serviceowner", False),
        ("GET", "altinn:consentrequests.read", True),
        ("GET", "altinn:consentrequests.write", False),
        ("DELETE", "altinn:consentrequests.read", False),
        ("DELETE", "altinn:consentrequests.write", True),
    ],
)
async def test_each_operation_has_its_scope(world: Altinn2World, method: str, scope: str, allowed: bool) -> None:
    code = await world.code()
    world.callers.organisation("narrow", BANK, scope)
    path, content = (REQUESTS, body()) if method == "POST" else (f"{REQUESTS}/{code}", None)
    answer = await world.send(BANK, method, path, token="narrow", json=content)
    assert answer.is_success is allowed
    if not allowed:
        assert answer.status_code == 403
        assert (await world.audited())[-1][1:] == ("deny", "missing_scope")


async def test_a_certificate_counts_with_the_flag_alone(world: Altinn2World) -> None:
    headers = {CERTIFICATE_HEADER: certificate_of(BANK)}

    async def ask(query: str, **more: str) -> int:
        answer = await world.send(
            BANK, "POST", f"{REQUESTS}{query}", token=None, headers={**headers, **more}, json=body()
        )
        return answer.status_code

    assert await ask("?ForceEIAuthentication") == 200
    assert await ask("?ForceEIAuthentication=true") == 200
    assert await ask("") == 401
    assert await ask("?ForceEIAuthentication=false") == 401
    assert await ask("?ForceEIAuthentication", **{CERTIFICATE_HEADER: "none"}) == 401
    assert await ask("?ForceEIAuthentication", **{CERTIFICATE_HEADER: certificate_of(OTHER_BANK)}) == 403


async def test_a_certificate_header_counts_for_nothing_where_no_proxy_is_told_of(world: Altinn2World) -> None:
    answer = await world.http_without_certificates.post(
        f"{REQUESTS}?ForceEIAuthentication",
        headers={"ApiKey": world.secrets[BANK], CERTIFICATE_HEADER: certificate_of(BANK)},
        json=body(),
    )
    assert answer.status_code == 401


# -- what may be asked (§2.2) ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"OfferedByName": "NORDMANN"},
        {"OfferedBy": OLA},
        {"OfferedBy": "15076500565", "OfferedByName": "GRØNSETH"},
        {"OfferedBy": "08027202286"},
        {"OfferedBy": "99999999999"},
        {"OfferedBy": "999999999"},
        {"OfferedBy": "kari"},
        {"OfferedBy": BANK},
        {"RequiredDelegator": KARI, "RequiredDelegatorName": "NORDMANN"},
        {"RequiredDelegator": KARI},
        {"RequiredDelegator": SHOP, "RequiredDelegatorName": "Butikken AS"},
        {"RequiredDelegator": "15076500565", "RequiredDelegatorName": "GRØNSETH"},
        {"RequiredDelegatorName": "GRØNSETH"},
    ],
)
async def test_a_name_that_does_not_fit_and_a_number_that_is_nobodys_get_the_same_answer(
    world: Altinn2World, changes: dict[str, Any]
) -> None:
    answer = await world.ask(**changes)
    assert codes(answer) == ["40332"]
    known = (await world.ask(OfferedByName="NORDMANN")).json()[0]["ErrorMessage"]
    number = changes.get("RequiredDelegator", "given" if "RequiredDelegatorName" in changes else None)
    asked = number or changes.get("OfferedBy", KARI)
    assert answer.json()[0]["ErrorMessage"].replace(asked, "N") == known.replace(KARI, "N")
    assert KARI not in await world.trail()


async def test_nobody_who_may_not_ask_learns_whether_a_name_fits(world: Altinn2World) -> None:
    await world.uses_srr("lanekassen_5498_1", LOAN)
    right, wrong = await world.ask(), await world.ask(OfferedByName="NORDMANN")
    assert codes(right) == ["90007"]
    assert right.json() == wrong.json()


async def test_an_organisation_is_asked_by_its_whole_name(world: Altinn2World) -> None:
    assert (await world.ask(OfferedBy=SHOP, OfferedByName="butikken as")).json()["OfferedBy"] == SHOP
    assert codes(await world.ask(OfferedBy=SHOP, OfferedByName="Butikken")) == ["40332"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ValidTo": None}, "90001"),
        ({"ValidTo": "2026-05-04T10:00:00Z"}, "90001"),
        ({"ValidTo": "2026-05-04T12:00:00+02:00"}, "90001"),
        ({"ValidTo": "snart"}, "90001"),
        ({"RequestResources": [{"ServiceCode": "1", "ServiceEditionCode": 1}]}, "90002"),
        ({"RequestResources": [{"ServiceCode": "5498", "ServiceEditionCode": 2}]}, "90002"),
        ({"RequestResources": [service()]}, "90003"),
        ({"RequestResources": [service(Navn="")]}, "90003"),
        ({"RequestResources": [service(Navn="x"), service(TAX)]}, "90003"),
        ({"RequestResources": []}, "90000"),
        ({"OfferedByName": None}, "90000"),
        ({"RedirectUrl": "/retur"}, "90006"),
    ],
    ids=str,
)
async def test_each_fault_has_its_code(world: Altinn2World, changes: dict[str, Any], code: str) -> None:
    assert codes(await world.ask(**changes)) == [code]
    [(action, outcome, reason)] = await world.audited()
    assert (action, outcome) == ("consent:request", "deny")
    assert reason in catalogue()["refusals"]


async def test_several_faults_are_told_at_once(world: Altinn2World) -> None:
    answer = await world.ask(
        OfferedByName="X", ValidTo=None, RedirectUrl="x", RequestResources=[service(), service(TAX)]
    )
    assert codes(answer) == ["40332", "90001", "90003", "90003", "90006"]


async def test_unknown_metadata_is_dropped_and_a_parameter_that_may_be_empty_is(world: Altinn2World) -> None:
    made = await world.ask(RequestResources=[service(TAX, INNTEKTSAAR=2025, ukjent="x")])
    assert made.json()["RequestResources"][0]["Metadata"] == {"inntektsaar": "2025", "fritekst": ""}


async def test_all_services_share_a_template(world: Altinn2World) -> None:
    other = {"ServiceCode": "4630", "ServiceEditionCode": 1}
    assert codes(await world.ask(RequestResources=[service(Navn="x"), other])) == ["90004"]


async def test_a_template_with_a_message_of_its_own_takes_none(world: Altinn2World) -> None:
    fixed = [{"ServiceCode": "4630", "ServiceEditionCode": 1}]
    assert codes(await world.ask(RequestResources=fixed, RequestMessage={"en": "Hello"})) == ["90005"]
    for empty in ({}, None, {"no-nb": ""}):
        assert (await world.ask(RequestResources=fixed, RequestMessage=empty)).status_code == 200
    made = await world.ask(RequestMessage={"no-nb": "Hei", "no-nn": "Hei", "en": "Hello"})
    assert made.json()["RequestMessage"] == {"no-nb": "Hei", "no-nn": "Hei", "en": "Hello"}


async def test_a_resource_that_is_no_consent_is_no_service(world: Altinn2World) -> None:
    world.resources.change("lanekassen_5498_1", resource_type="GenericAccessResource")
    assert codes(await world.ask()) == ["90002"]


async def test_whom_the_policy_lets_ask_in_altinn_3_may_ask_here_and_nobody_else(world: Altinn2World) -> None:
    world.authority.rules = {rule for rule in world.authority.rules if rule[1] != "requestconsent"}
    assert codes(await world.ask(), 403) == ["90011"]
    assert await world.audited() == [("consent:request", "deny", "requestconsent_refused")]


async def test_a_receiver_asks_for_itself(world: Altinn2World) -> None:
    assert codes(await world.ask(CoveredBy=OTHER_BANK), 403) == ["90009"]
    assert codes(await world.ask(CoveredBy=KARI), 403) == ["90009"]


# -- where the browser may be sent back to (§2.6) ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JaVaScRiPt://bank.example/%0aalert(1)",
        "data:text/html,x",
        "//evil.example",
        "https://bank.example@evil.example/",
        "https://bank.example:x@evil.example/",
        "https://bank.example%40evil.example/",
        "https://bank.example%2f@evil.example/",
        "https://bank.example%252eevil.example/",
        "https://bank.example\\@evil.example/",
        "https://bank.example:443@evil.example/",
        "https://bаnk.example/",
        "https://bank。example/",
        "https://bank.example./",
        "https://[::1]/",
        "https://bank.example:99999/",
        "https://2130706433/",
        "https://bank.example /",
        "https:bank.example",
        "http:///bank.example",
        "bank.example/retur",
    ],
)
async def test_a_redirect_that_could_be_taken_for_another_is_refused_srr_or_not(world: Altinn2World, url: str) -> None:
    assert codes(await world.ask(RedirectUrl=url)) == ["90006"]


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://lan.bank.example/retur?sak=1", True),
        ("http://lan.bank.example/", True),
        ("https://LAN.BANK.EXAMPLE/", True),
        ("https://www.bank2.example/hvor/som/helst", True),
        ("myapp://consent/x", True),
        ("https://bank.example/", False),
        ("http://www.bank2.example/", False),
        ("https://lan.bank.example:8443/", False),
        ("https://lan.bank.example.evil.example/", False),
        ("https://evil.example/lan.bank.example", False),
        ("https://evil.example/?https://lan.bank.example/", False),
        ("https://evil.example/#lan.bank.example", False),
        ("https://evillan-bank.example/", False),
        ("https://xn--bnk-5cd.example/", False),
        ("https://lan.bank.example%2eevil.example/", False),
        ("https://lan.bank.example@evil.example/", False),
        ("otherapp://consent", False),
    ],
)
async def test_with_srr_the_redirect_stays_on_its_domains(world: Altinn2World, url: str, allowed: bool) -> None:
    domains = ("*.bank.example", "https://www.bank2.example", "myapp://consent")
    await world.list_in_srr(LOAN, domains=domains)
    await world.give_key(BANK, "evil.example")  # SRR's domains replace the key's
    answer = await world.ask(RedirectUrl=url)
    assert answer.status_code == (200 if allowed else 400), answer.text
    if not allowed:
        assert codes(answer) == ["90006"]


async def test_without_srrs_the_keys_domains_hold_and_without_either_any(world: Altinn2World) -> None:
    assert (await world.ask(RedirectUrl="https://hvor.som.helst.example/")).status_code == 200
    await world.give_key(BANK, "bank.example")
    assert (await world.ask()).status_code == 200
    assert codes(await world.ask(RedirectUrl="https://evil.example/")) == ["90006"]


# -- SRR and suppliers (§2.14, §3.4) -----------------------------------------------------------------------------------


async def test_srr_lists_who_may_ask(world: Altinn2World) -> None:
    await world.uses_srr("lanekassen_5498_1", LOAN)
    assert codes(await world.ask()) == ["90007"]
    await world.list_in_srr(LOAN, OTHER_BANK)
    assert codes(await world.ask()) == ["90007"]
    await world.list_in_srr(LOAN, days=30)
    assert (await world.ask()).status_code == 200
    world.clock.advance(days=31)
    assert codes(await world.ask()) == ["90007"]
    assert [event[2] for event in await world.audited("consent:request")] == [
        "not_in_srr", "not_in_srr", "", "srr_expired",
    ]  # fmt: skip


async def test_who_is_taken_off_the_list_while_the_request_is_read_has_asked_for_nothing(world: Altinn2World) -> None:
    entry = await world.list_in_srr(LOAN)
    identify = world.parties.identify

    async def meanwhile(attributes: Collection[Attribute]) -> dict[Attribute, PartyIdentity]:
        if any(one.id == PERSON for one in attributes):
            await world.end_in_srr(entry)
        return await identify(attributes)

    world.parties.identify = meanwhile  # type: ignore[method-assign]
    assert codes(await world.ask()) == ["90007"]
    assert await listed(world, BANK) == []


async def test_the_receiver_is_listed_for_every_service_of_the_request(world: Altinn2World) -> None:
    await world.list_in_srr(LOAN)
    await world.uses_srr("lanekassen_4629_2", TAX)
    both = [service(Navn="x"), service(TAX, inntektsaar="2025")]
    assert codes(await world.ask(RequestResources=both)) == ["90007"]
    await world.list_in_srr(TAX)
    assert (await world.ask(RequestResources=both)).status_code == 200


async def test_a_supplier_that_has_been_delegated_to_needs_no_entry_of_its_own(world: Altinn2World) -> None:
    await world.list_in_srr(LOAN)
    answer = await world.ask(SUPPLIER, token=DELEGATED, HandledBy=SUPPLIER)
    assert answer.status_code == 200
    assert answer.json()["HandledBy"] == SUPPLIER
    consent = await world.consent(answer.json()["AuthorizationCode"])
    assert consent.created_by == world.organisations[SUPPLIER].party_uuid


async def test_a_supplier_with_its_certificate_alone_is_in_srr_for_every_service(world: Altinn2World) -> None:
    headers = {CERTIFICATE_HEADER: certificate_of(SUPPLIER)}

    async def ask(**changes: Any) -> Any:
        return await world.send(
            SUPPLIER, "POST", f"{REQUESTS}?ForceEIAuthentication", token=None, headers=headers,
            json=body(HandledBy=SUPPLIER, **changes),
        )  # fmt: skip

    assert codes(await ask(), 403) == ["90008"]  # the service does not even use SRR
    listed = await world.list_in_srr(LOAN)
    assert codes(await ask(), 403) == ["90008"]
    await world.end_in_srr(listed)
    await world.list_in_srr(LOAN, handled_by=SUPPLIER)
    assert (await ask()).status_code == 200
    both = [service(Navn="x"), service(TAX, inntektsaar="2025")]
    assert codes(await ask(RequestResources=both), 403) == ["90008"]


async def test_a_supplier_with_a_token_of_its_own_stands_where_one_with_a_certificate_does(world: Altinn2World) -> None:
    assert codes(await world.ask(SUPPLIER, HandledBy=SUPPLIER), 403) == ["90008"]
    await world.list_in_srr(LOAN, handled_by=SUPPLIER)
    assert (await world.ask(SUPPLIER, HandledBy=SUPPLIER)).status_code == 200


@pytest.mark.parametrize(
    ("who", "token", "changes", "code"),
    [
        (SUPPLIER, DELEGATED, {}, "90009"),
        (SUPPLIER, DELEGATED, {"HandledBy": OTHER_SUPPLIER}, "90008"),
        (SUPPLIER, DELEGATED, {"HandledBy": SUPPLIER, "CoveredBy": OTHER_BANK}, "90008"),
        (SUPPLIER, SUPPLIER, {}, "90009"),
        (BANK, BANK, {"HandledBy": SUPPLIER}, "90008"),
        (BANK, BANK, {"HandledBy": BANK}, "90008"),
    ],
)
async def test_nobody_acts_for_another_than_it_says_and_has_been_delegated_by(
    world: Altinn2World, who: str, token: str, changes: dict[str, Any], code: str
) -> None:
    assert codes(await world.ask(who, token=token, **changes), 403) == [code]


async def test_a_supplier_uses_its_own_api_key(world: Altinn2World) -> None:
    answer = await world.send(
        SUPPLIER, "POST", REQUESTS, token=DELEGATED, key=world.secrets[BANK], json=body(HandledBy=SUPPLIER)
    )
    assert answer.status_code == 403


# -- reading, withdrawing, status (§2.3, §2.4) -------------------------------------------------------------------------


async def test_the_status_follows_the_person_and_stays_after_the_answer(world: Altinn2World) -> None:
    code = await world.code()

    async def status() -> tuple[str, str]:
        read = (await world.send(BANK, "GET", f"{REQUESTS}/{code}")).json()
        return read["RequestStatus"], read["LastChanged"]

    assert await status() == ("Unopened", "2026-05-04T10:00:00")
    world.clock.advance(minutes=1)
    await world.consents.answering.open((await world.consent(code)).id, world.caller(world.kari))
    assert await status() == ("Opened", "2026-05-04T10:01:00")
    world.clock.advance(minutes=1)
    await world.accept(code)
    assert await status() == ("Accepted", "2026-05-04T10:02:00")
    world.clock.advance(minutes=1)
    await world.revoke(code)
    assert await status() == ("Accepted", "2026-05-04T10:02:00")
    rejected = await world.code()
    await world.reject(rejected)
    assert (await world.send(BANK, "GET", f"{REQUESTS}/{rejected}")).json()["RequestStatus"] == "Rejected"


async def test_only_the_required_delegator_can_answer(world: Altinn2World) -> None:
    code = await world.code(RequiredDelegator=KARI, RequiredDelegatorName="GRØNSETH")
    world.authority.permit(world.ola, "lanekassen_5498_1", world.kari, "consent")
    world.authority.permit(world.ola, "altinn_access_management", world.kari, "read", "write")
    with pytest.raises(Exception, match="not_the_required_delegator"):
        await world.accept(code, world.ola)
    assert (await world.accept(code)).answered_by == world.kari.party_uuid


async def test_an_unknown_request_and_anothers_are_both_not_found(world: Altinn2World) -> None:
    code = await world.code()
    for who, path in ((BANK, str(uuid4())), (OTHER_BANK, code), (SUPPLIER, code), (BANK, "x"), (BANK, "x" * 3_000)):
        for method in ("GET", "DELETE"):
            answer = await world.send(who, method, f"{REQUESTS}/{path}")
            assert (answer.status_code, answer.text) == (404, "There is no such request.")
    assert (await world.send(OWNER, "GET", f"{REQUESTS}/{code}")).status_code == 404
    assert ("consent:read", "deny", "consent_not_found") in await world.audited()


async def test_a_request_is_withdrawn_as_long_as_nobody_has_answered(world: Altinn2World) -> None:
    code = await world.code()
    assert (await world.send(BANK, "DELETE", f"{REQUESTS}/{code}")).status_code == 204
    assert (await world.send(BANK, "GET", f"{REQUESTS}/{code}")).status_code == 404
    with pytest.raises(Exception, match="consent_already_answered"):
        await world.accept(code)
    for answer in (world.accept, world.reject):
        answered = await world.code()
        await answer(answered)
        assert codes(await world.send(BANK, "DELETE", f"{REQUESTS}/{answered}")) == ["90010"]
        assert (await world.send(BANK, "GET", f"{REQUESTS}/{answered}")).status_code == 200


async def test_whoever_is_asked_sees_the_request_and_can_not_withdraw_it(world: Altinn2World) -> None:
    code = await world.code(OfferedBy=SHOP, OfferedByName="Butikken AS")
    assert (await world.send(SHOP, "GET", f"{REQUESTS}/{code}")).status_code == 200
    assert (await world.send(SHOP, "DELETE", f"{REQUESTS}/{code}")).status_code == 404


async def test_of_a_yes_and_a_withdrawal_at_once_one_stands(world: Altinn2World) -> None:
    for _ in range(5):
        code = await world.code()
        withdrawn, accepted = await asyncio.gather(
            world.send(BANK, "DELETE", f"{REQUESTS}/{code}"), world.accept(code), return_exceptions=True
        )
        assert not isinstance(withdrawn, BaseException)
        stands = withdrawn.status_code == 204
        assert stands is isinstance(accepted, BaseException)
        assert (await world.send(BANK, "GET", f"{REQUESTS}/{code}")).status_code == (404 if stands else 200)


async def test_a_request_can_not_be_answered_twice_whoever_is_faster(world: Altinn2World) -> None:
    for _ in range(5):
        code = await world.code()
        answers = await asyncio.gather(
            world.accept(code), world.reject(code), world.accept(code), return_exceptions=True
        )
        statuses = {one.status for one in answers if not isinstance(one, BaseException)}
        assert len(statuses) == 1
        kept = await world.consents.using.find((await world.consent(code)).id)
        assert kept is not None
        assert [event.type for event in kept.events].count(kept.events[-1].type) == 1
        assert len(kept.events) == 2


# -- lists (§2.3) ------------------------------------------------------------------------------------------------------


async def listed(world: Altinn2World, who: str, query: str = "", **more: Any) -> list[str]:
    answer = await world.send(who, "GET", f"{REQUESTS}{query}", **more)
    assert answer.status_code == 200, answer.text
    return [one["AuthorizationCode"] for one in answer.json()["_embedded"]["consentRequests"]]


async def test_a_list_holds_what_was_sent_and_what_was_received(world: Altinn2World) -> None:
    own = await world.code()
    asked = await world.code(SHOP, CoveredBy=SHOP, OfferedBy=BANK, OfferedByName="Banken AS")
    await world.code(OTHER_BANK, CoveredBy=OTHER_BANK)
    by_supplier = await world.code(SUPPLIER, token=DELEGATED, HandledBy=SUPPLIER)
    assert set(await listed(world, BANK)) == {own, asked, by_supplier}
    assert set(await listed(world, BANK, "?direction=Sent")) == {own, by_supplier}
    assert await listed(world, BANK, "?direction=received") == [asked]
    assert await listed(world, SUPPLIER) == [by_supplier]


async def test_a_supplier_lists_what_it_has_asked_for_and_nothing_of_another_supplier(world: Altinn2World) -> None:
    await world.code()
    own = await world.code(SUPPLIER, token=DELEGATED, HandledBy=SUPPLIER)
    others = await world.code(OTHER_SUPPLIER, token=f"delegated:{OTHER_SUPPLIER}", HandledBy=OTHER_SUPPLIER)
    assert await listed(world, SUPPLIER, token=DELEGATED) == [own]
    assert await listed(world, SUPPLIER, "?direction=Received", token=DELEGATED) == []
    for method in ("GET", "DELETE"):
        assert (await world.send(SUPPLIER, method, f"{REQUESTS}/{others}", token=DELEGATED)).status_code == 404
    assert (await world.send(SUPPLIER, "GET", f"{REQUESTS}/{own}", token=DELEGATED)).status_code == 200


async def test_a_supplier_of_two_lists_for_each_what_it_has_asked_for_that_one(world: Altinn2World) -> None:
    world.callers.known["for-the-other"] = Caller(
        frozenset(ALL_SCOPES), consumer=OrgNumber(OTHER_BANK), supplier=OrgNumber(SUPPLIER)
    )
    one = await world.code(SUPPLIER, token=DELEGATED, HandledBy=SUPPLIER)
    asked = {"CoveredBy": OTHER_BANK, "HandledBy": SUPPLIER}
    other = await world.code(SUPPLIER, token="for-the-other", **asked)
    assert await listed(world, SUPPLIER, token=DELEGATED) == [one]
    assert await listed(world, SUPPLIER, token="for-the-other") == [other]


async def test_a_list_is_narrowed_by_service_and_status(world: Altinn2World) -> None:
    loan = await world.given()
    tax = await world.code(RequestResources=[service(TAX, inntektsaar="2025")])
    assert await listed(world, BANK, "?serviceCode=4629&serviceEditionCode=2") == [tax]
    assert await listed(world, BANK, "?status[0]=Accepted&status[1]=Rejected") == [loan]
    assert await listed(world, BANK, "?status=unopened") == [tax]
    await world.consents.answering.open((await world.consent(tax)).id, world.caller(world.kari))
    assert await listed(world, BANK, "?status=Opened") == [tax]
    await world.revoke(loan)
    assert await listed(world, BANK, "?status=Accepted") == [loan]
    assert await listed(world, BANK, "?serviceCode=1&serviceEditionCode=1") == []
    await world.send(BANK, "DELETE", f"{REQUESTS}/{tax}")
    assert await listed(world, BANK) == [loan]


@pytest.mark.parametrize(
    "query",
    [
        "?direction=Up",
        "?status=None",
        "?status[0]=Gone",
        "?serviceCode=5498",
        "?continuation=x",
        "?serviceEditionCode=1",
    ],
)
async def test_a_list_that_can_not_be_understood_is_refused_in_the_array(world: Altinn2World, query: str) -> None:
    assert codes(await world.send(BANK, "GET", f"{REQUESTS}{query}")) == ["90000"]


async def test_pages_go_on_where_the_last_one_ended(world: Altinn2World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fullmakt.altinn.consents.altinn2.service.MAX_REQUESTS", 2)
    made = [await world.code() for _ in range(3)]  # all in the same moment
    world.clock.advance(seconds=1)
    made.append(await world.code())
    seen: list[str] = []
    path: str | None = f"{REQUESTS}?direction=Sent"
    while path is not None:
        page = (await world.send(BANK, "GET", path)).json()
        seen += [one["AuthorizationCode"] for one in page["_embedded"]["consentRequests"]]
        link = page["_links"].get("next", {}).get("href")
        if link is not None:
            assert ("direction", "Sent") in parse_qsl(urlsplit(link).query)
            assert dict(parse_qsl(urlsplit(link).query))["continuation"] == page["continuationtoken"]
        path = link and link.removeprefix(URL)
    assert sorted(seen) == sorted(made)
    assert seen[-1] == made[-1]


@pytest.mark.parametrize("states", [None, ("Rejected",), ("Created", "Opened")], ids=["all", "one", "two"])
@pytest.mark.parametrize(
    ("side", "index"),
    [("receiver", "receiver"), ("handler", "handled_by"), ("supplier", "handled_by"), ("giver", "giver")],
)
async def test_each_side_of_the_list_is_read_by_an_index_in_the_order_of_the_list(
    world: Altinn2World, side: str, index: str, states: tuple[str, ...] | None
) -> None:
    """What a page costs is told by what PostgreSQL reads for it."""
    party = world.organisations[BANK].party_uuid
    wanted = Wanted(party, (side,), consumer=party, states=states)
    async with world.database.transaction() as connection:
        for method in ("seqscan", "bitmapscan", "sort"):
            await connection.execute(text(f"SET LOCAL enable_{method} = off"))
        plan = await connection.execute(text(f"EXPLAIN {page_sql(wanted)}"), page_values(wanted, Place(), 100))
        lines = [row[0] for row in plan]
    name = f"consent_altinn2_{index}" if states is None else f"consent_altinn2_{index}_state"
    scans = [number for number, line in enumerate(lines) if f" {name} " in line]
    assert len(scans) == len(states or [""]), "\n".join(lines)
    for scan in scans:
        assert "Limit" in lines[scan - 1], "\n".join(lines)
        assert "last_changed" in lines[scan + 1], "\n".join(lines)
        assert states is None or "CASE" in lines[scan + 1], "\n".join(lines)


async def test_a_service_without_terms_uses_the_default_template(world: Altinn2World) -> None:
    world.resources.change("lanekassen_5498_1", consent=ConsentTerms())
    made = await world.ask(RequestResources=[service(noe="x")])
    assert made.json()["RequestResources"][0]["Metadata"] == {}
    assert (await world.consent(made.json()["AuthorizationCode"])).template_id == "default"


async def test_an_organisation_that_is_not_registered_is_told_so(world: Altinn2World) -> None:
    code = await world.code()
    await world.give_key("999888777")
    world.callers.organisation("999888777", "999888777", *ALL_SCOPES)
    for path in (f"{REQUESTS}/{code}", REQUESTS):
        assert (await world.send("999888777", "GET", path)).status_code == 403
    assert ("consent:read", "deny", "unknown_organisation") in await world.audited()
    assert (await world.draw(code, "999888777")).text == TOKEN_REFUSED
    assert codes(await world.ask("999888777", CoveredBy="999888777")) == ["40332"]
