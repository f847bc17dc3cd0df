"""Consent tokens of Altinn 2's form, and the end of consents (consent.md §2.8 to §2.10, §3.4)."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import hashlib
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx2
import pytest
from cryptography import x509
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from fullmakt.altinn.consents.model import ConsentRight, Status
from fullmakt.altinn.consents.srr.model import ServiceDeclaration, ServiceKey
from fullmakt.infra.database import Database
from fullmakt.jose.compact import b64url_encode, parse_compact
from fullmakt.jose.keys import PublicKey
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.consents2 import OWNER_SCOPES, TOKEN_REFUSED
from tests.support.consents import consent
from tests.support.consents_altinn2 import (
    BANK,
    CERTIFICATE_HEADER,
    KARI,
    LOAN,
    OTHER_BANK,
    OTHER_SUPPLIER,
    OWNER,
    REQUESTS,
    SHOP,
    SUPPLIER,
    TAX,
    TOKEN,
    URL,
    Altinn2World,
    body,
    certificate_of,
    codes,
    part,
    service,
)

DELEGATED, OTHER_DELEGATED = f"delegated:{SUPPLIER}", f"delegated:{OTHER_SUPPLIER}"
USE = {"ServiceCode": "5498", "ServiceEditionCode": 1, "UsageDateTime": "2026-05-04T10:00:00"}
ONE_TIME: dict[str, Any] = {"RequestResources": [{"ServiceCode": "4631", "ServiceEditionCode": 1}]}
ONE_TIME_USE = {**USE, "ServiceCode": "4631"}


@pytest.fixture
async def world(database: Database) -> AsyncIterator[Altinn2World]:
    world = await Altinn2World(database).begin()
    yield world
    await world.close()


def refused(answer: httpx2.Response) -> None:
    """Assert that there is no token, and nothing said but what is always said."""
    assert (answer.status_code, answer.text) == (403, TOKEN_REFUSED)
    assert answer.headers["content-type"].startswith("text/plain")


async def test_a_round_trip_and_the_token_twice(world: Altinn2World) -> None:
    """§7, case 1."""
    code = await world.given(RequiredDelegator=KARI, RequiredDelegatorName="Grønseth")
    first = await world.claims(code)
    world.clock.advance(seconds=7)
    second = await world.claims(code)
    at = int(dt.datetime(2026, 5, 4, 10, tzinfo=dt.UTC).timestamp())
    assert first == {
        "Services": ["5498_1", "5498_1_Navn=Banken AS"],
        "AuthorizationCode": code,
        "OfferedBy": KARI,
        "RequiredDelegator": KARI,
        "CoveredBy": BANK,
        "DelegatedDate": at,
        "ValidToDate": int(dt.datetime(2027, 5, 1, 10, tzinfo=dt.UTC).timestamp()),
        "iss": "altinn.no",
        "nbf": at,
        "iat": at,
        "exp": at + 30,
    }
    assert second == {**first, "nbf": at + 7, "iat": at + 7, "exp": at + 37}


async def test_a_token_is_a_json_string_in_quotes_and_in_xml_an_element(world: Altinn2World) -> None:
    code = await world.given()
    plain = await world.draw(code, headers={"Accept": "application/json"})
    assert plain.headers["content-type"] == "application/json; charset=utf-8"
    assert plain.headers["cache-control"] == "no-store"
    assert plain.text[0] == plain.text[-1] == '"'
    assert plain.text.strip('"').count(".") == 2
    xml = etree.fromstring((await world.draw(code, headers={"Accept": "application/xml"})).content)
    assert xml.tag == "string"
    assert part(xml.text or "", 1)["AuthorizationCode"] == code


async def test_both_spellings_in_any_case_give_the_same(world: Altinn2World) -> None:
    code = await world.given()
    for path in (f"{TOKEN}/{code}", f"{TOKEN}?authcode={code}", f"/API/Authorization/Token/{code.upper()}",
                 f"{TOKEN}?AuthCode={code}", f"{TOKEN}/{code}/?ForceEIAuthentication=false"):  # fmt: skip
        answer = await world.send(BANK, "GET", path, token=None)
        assert part(answer.json(), 1)["AuthorizationCode"] == code


async def test_the_token_is_signed_by_altinns_key_and_names_its_certificate(world: Altinn2World) -> None:
    code = await world.given()
    token = (await world.draw(code)).json()
    published = await world.http.get("/api/metadata/jwk")
    assert published.headers["cache-control"] == "public, max-age=86400"
    [key] = published.json()["keys"]
    der = base64.b64decode(key["x5c"][0])
    name = b64url_encode(hashlib.sha1(der, usedforsecurity=False).digest()).decode()
    assert part(token, 0) == {"alg": "RS256", "kid": name, "x5t": name, "typ": "JWT"}
    assert key["kid"] == key["x5t"] == name
    jws = parse_compact(token)
    for public in (
        PublicKey.from_jwk({name: key[name] for name in ("kty", "n", "e")}),
        PublicKey.from_certificate(x509.load_der_x509_certificate(der)),
    ):
        assert public.verify("RS256", jws.signing_input, jws.signature)
    server = (await world.http.get("/.well-known/oauth-authorization-server")).json()
    assert server == {"issuer": "altinn.no", "jwks_uri": f"{URL}/api/metadata/jwk"}


async def test_a_new_key_is_published_second_long_before_it_signs(world: Altinn2World) -> None:
    code = await world.given()
    first = part((await world.draw(code)).json(), 0)["kid"]
    world.clock.advance(days=3)
    await world.signer.rotate()

    async def published() -> list[str]:
        return [key["kid"] for key in (await world.http.get("/api/metadata/jwk")).json()["keys"]]

    primary, secondary = await published()
    assert primary == first == part((await world.draw(code)).json(), 0)["kid"]
    world.clock.advance(hours=48, seconds=1)
    assert await published() == [secondary, primary]
    assert part((await world.draw(code)).json(), 0)["kid"] == secondary


async def test_no_token_before_the_answer_after_a_no_after_the_end_or_for_another(world: Altinn2World) -> None:
    """§7, case 2: the answer is the same whatever the reason, and the trail has the reason."""
    unanswered, rejected, revoked, withdrawn = [await world.code() for _ in range(4)]
    await world.reject(rejected)
    await world.accept(revoked)
    await world.revoke(revoked)
    await world.send(BANK, "DELETE", f"{REQUESTS}/{withdrawn}")
    expired = await world.given(ValidTo="2026-05-05T10:00:00Z")
    world.clock.advance(days=1)
    theirs = await world.given()
    for code in (unanswered, rejected, revoked, withdrawn, expired, str(uuid4()), "x", "0" * 40, "%00"):
        refused(await world.draw(code))
    for who in (OTHER_BANK, SUPPLIER, OWNER, SHOP):
        refused(await world.draw(theirs, who))
    refused(await world.send(BANK, "GET", TOKEN, token=None))
    reasons = [reason for action, _, reason in await world.audited("consent:token") if action == "consent:token"]
    assert reasons == [
        *["consent_not_accepted"] * 2,
        "consent_ended",
        "consent_not_accepted",
        "consent_expired",
        "consent_not_found",
        *["no_code"] * 3,
        *["not_the_receiver"] * 4,
        "no_code",
    ]


async def test_without_an_api_key_there_is_no_token(world: Altinn2World) -> None:
    code = await world.given()
    for key in (None, str(uuid4())):
        refused(await world.draw(code, key=key))


async def test_who_shows_a_token_beside_the_key_shows_one_that_is_good(world: Altinn2World) -> None:
    code = await world.given()
    world.callers.organisation("narrow", BANK, "altinn:consentrequests.read")
    for scope in ("altinn:consenttokens", "altinn:consenttokens.read"):
        world.callers.organisation(scope, BANK, scope)
        assert (await world.draw(code, token=scope)).status_code == 200
    assert (await world.draw(code, token="forged")).status_code == 401
    refused(await world.draw(code, token="narrow"))
    refused(await world.draw(code, token=OTHER_BANK))
    assert [reason for _, outcome, reason in await world.audited("consent:token") if outcome == "deny"] == [
        "invalid_token",
        "missing_scope",
        "others_api_key",
    ]


async def test_every_service_of_the_consent_is_in_the_token(world: Altinn2World) -> None:
    several = [service(Navn="Banken AS"), service(TAX, inntektsaar=2025, fritekst="a=b, <c>")]
    code = await world.given(RequestResources=several)
    told = (await world.claims(code))["Services"]
    assert told[:3] == ["5498_1", "5498_1_Navn=Banken AS", "4629_2"]
    assert sorted(told[3:]) == ["4629_2_fritekst=a=b, <c>", "4629_2_inntektsaar=2025"]


# -- suppliers (§2.8, §2.14) -------------------------------------------------------------------------------------------


async def test_a_supplier_that_was_delegated_to_draws_with_its_token(world: Altinn2World) -> None:
    code = await world.given(SUPPLIER, token=DELEGATED, HandledBy=SUPPLIER)
    claims = await world.claims(code, SUPPLIER, token=DELEGATED)
    assert (claims["CoveredBy"], claims["HandledBy"]) == (BANK, SUPPLIER)
    refused(await world.draw(code, SUPPLIER))  # its key alone is not enough
    refused(await world.draw(code, SUPPLIER, token=SUPPLIER))
    refused(await world.draw(code, OTHER_SUPPLIER, token=OTHER_DELEGATED))
    own = await world.claims(code)
    assert "HandledBy" not in own


async def test_a_supplier_in_srr_draws_with_its_key_alone(world: Altinn2World) -> None:
    entry = await world.list_in_srr(LOAN, handled_by=SUPPLIER)
    code = await world.given(SUPPLIER, HandledBy=SUPPLIER)
    assert (await world.claims(code, SUPPLIER))["HandledBy"] == SUPPLIER
    refused(await world.draw(code, OTHER_SUPPLIER))
    await world.end_in_srr(entry)
    refused(await world.draw(code, SUPPLIER))
    refused(await world.draw(code, SUPPLIER, token=DELEGATED))  # the receiver is not listed any more
    await world.list_in_srr(LOAN)
    refused(await world.draw(code, SUPPLIER))
    assert (await world.draw(code, SUPPLIER, token=DELEGATED)).status_code == 200


async def test_a_supplier_for_another_receiver_draws_nothing(world: Altinn2World) -> None:
    code = await world.given(SUPPLIER, token=DELEGATED, HandledBy=SUPPLIER)
    known = world.callers.known[DELEGATED]
    world.callers.known["elsewhere"] = type(known)(known.scopes, consumer=SHOP, supplier=known.supplier)  # type: ignore[arg-type]
    refused(await world.draw(code, SUPPLIER, token="elsewhere"))


# -- SRR at acceptance and at the token (§3.4) -------------------------------------------------------------------------


async def test_srr_is_asked_again_at_acceptance(world: Altinn2World) -> None:
    entry = await world.list_in_srr(LOAN)
    code = await world.code()
    await world.end_in_srr(entry)
    with pytest.raises(Exception, match="consent_gate_closed"):
        await world.accept(code)
    assert (await world.send(BANK, "GET", f"{REQUESTS}/{code}")).json()["RequestStatus"] == "Unopened"
    assert ("consent:accept", "deny", "consent_gate_closed") in await world.audited()
    entry = await world.list_in_srr(LOAN)
    await world.accept(code)
    assert (await world.draw(code)).status_code == 200
    await world.end_in_srr(entry)
    await world.accept(code)  # a yes that has been said is heard again, whatever the list says
    assert (await world.draw(code)).status_code == 403


async def test_srr_is_asked_again_at_each_token(world: Altinn2World) -> None:
    entry = await world.list_in_srr(LOAN, days=30)
    code = await world.given()
    assert (await world.draw(code)).status_code == 200
    world.clock.advance(days=30)
    refused(await world.draw(code))
    await world.end_in_srr(entry)
    refused(await world.draw(code))
    await world.list_in_srr(LOAN)
    assert (await world.draw(code)).status_code == 200


# -- the end of it (§2.10) ---------------------------------------------------------------------------------------------


async def test_revoked_between_code_and_token(world: Altinn2World) -> None:
    code = await world.given()
    await world.revoke(code)
    refused(await world.draw(code))


async def test_a_token_and_a_revocation_at_once_and_no_token_after(world: Altinn2World) -> None:
    for _ in range(5):
        code = await world.given()
        drawn, _ = await asyncio.gather(world.draw(code), world.revoke(code))
        assert drawn.status_code in {200, 403}
        refused(await world.draw(code))


async def test_a_consumer_gives_the_consent_up(world: Altinn2World) -> None:
    code = await world.given()
    for who in (OTHER_BANK, SUPPLIER, OWNER):
        refused(await world.send(who, "DELETE", f"{TOKEN}/{code}"))
    assert (await world.send(BANK, "DELETE", f"{TOKEN}/{code}", token=None)).status_code == 401
    assert (await world.draw(code)).status_code == 200
    assert (await world.send(BANK, "DELETE", f"{TOKEN}/{code}")).status_code == 204
    refused(await world.draw(code))
    assert (await world.consent(code)).end_reason == "given_up"
    unanswered = await world.code()
    refused(await world.send(BANK, "DELETE", f"{TOKEN}/{unanswered}"))
    refused(await world.send(BANK, "DELETE", f"{TOKEN}/{uuid4()}"))


async def test_a_supplier_gives_up_what_it_handles(world: Altinn2World) -> None:
    code = await world.given(SUPPLIER, token=DELEGATED, HandledBy=SUPPLIER)
    refused(await world.send(OTHER_SUPPLIER, "DELETE", f"{TOKEN}/{code}", token=OTHER_DELEGATED))
    assert (await world.send(SUPPLIER, "DELETE", f"{TOKEN}/{code}", token=DELEGATED)).status_code == 204
    refused(await world.draw(code))


async def test_a_supplier_whose_delegation_and_entry_are_gone_does_nothing_more(world: Altinn2World) -> None:
    code = await world.given(SUPPLIER, token=DELEGATED, HandledBy=SUPPLIER)
    refused(await world.send(SUPPLIER, "DELETE", f"{TOKEN}/{code}"))
    refused(await world.send(SUPPLIER, "POST", f"{TOKEN}/{code}/loguse", json=USE))
    assert (await world.draw(code)).status_code == 200
    await world.list_in_srr(LOAN, handled_by=SUPPLIER)
    assert (await world.send(SUPPLIER, "POST", f"{TOKEN}/{code}/loguse", json=USE)).status_code == 204
    assert (await world.send(SUPPLIER, "DELETE", f"{TOKEN}/{code}")).status_code == 204


@pytest.mark.parametrize(
    ("who", "token"), [(BANK, BANK), (SUPPLIER, DELEGATED), (OWNER, OWNER)], ids=["receiver", "supplier", "owner"]
)
async def test_whoever_receives_handles_or_owns_it_says_that_it_was_used(
    world: Altinn2World, who: str, token: str
) -> None:
    code = await world.given(SUPPLIER, token=DELEGATED, HandledBy=SUPPLIER)
    world.clock.advance(seconds=1)
    answer = await world.send(who, "POST", f"{TOKEN}/{code}/loguse", token=token, json=USE)
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await world.draw(code)).status_code == 200  # it is good for more than one time
    found = await world.consents.using.find((await world.consent(code)).id)
    assert found is not None
    assert [event.type for event in found.events][-1] == "Used"
    assert found.events[-1].performed_by == world.organisations[who].party_uuid


async def test_an_owner_of_another_service_does_not_say_that_it_was_used(world: Altinn2World) -> None:
    await world.give_key(OTHER_BANK, owner=True)
    code = await world.given()
    refused(await world.send(OTHER_BANK, "POST", f"{TOKEN}/{code}/loguse", json=USE))


async def test_a_consent_of_altinn_3s_form_is_none_here(world: Altinn2World) -> None:
    bank = world.organisations[BANK].party_uuid
    rights = (ConsentRight("lanekassen_5498_1", metadata={"navn": "Banken AS"}),)
    made = consent(
        giver=world.kari.party_uuid, receiver=bank, created_by=bank, created=world.clock(), rights=rights,
        valid_to=world.clock() + dt.timedelta(days=30),
    )  # fmt: skip
    await world.consents.using.request(made, bank, BANK)
    await world.accept(str(made.id))
    refused(await world.draw(str(made.id)))
    refused(await world.send(BANK, "POST", f"{TOKEN}/{made.id}/loguse", json=USE))
    refused(await world.send(BANK, "DELETE", f"{TOKEN}/{made.id}"))
    assert (await world.send(BANK, "GET", f"{REQUESTS}/{made.id}")).status_code == 404
    assert (await world.consent(str(made.id))).status is Status.ACCEPTED


async def test_one_time_loguse_then_token(world: Altinn2World) -> None:
    """§7, case 7."""
    code = await world.given(**ONE_TIME)
    assert (await world.draw(code)).status_code == 200
    assert (await world.send(BANK, "POST", f"{TOKEN}/{code}/loguse", json=ONE_TIME_USE)).status_code == 204
    refused(await world.draw(code))
    refused(await world.send(BANK, "POST", f"{TOKEN}/{code}/loguse", json=ONE_TIME_USE))
    assert (await world.consent(code)).end_reason == "used_up"


async def test_what_a_service_says_of_one_time_goes_before_its_resource(world: Altinn2World) -> None:
    once = ServiceDeclaration("lanekassen_5498_1", LOAN, one_time=True)
    lasting = ServiceDeclaration("lanekassen_4631_1", ServiceKey("4631", 1), one_time=False)
    for declaration in (once, lasting):
        await world.services.declare(declaration)
    code, other = await world.given(), await world.given(**ONE_TIME)
    for used, use in ((code, USE), (other, ONE_TIME_USE)):
        assert (await world.send(BANK, "POST", f"{TOKEN}/{used}/loguse", json=use)).status_code == 204
    refused(await world.draw(code))
    assert (await world.draw(other)).status_code == 200


async def test_one_service_that_is_good_for_one_time_makes_the_whole_consent_so(world: Altinn2World) -> None:
    code = await world.given(RequestResources=[service(Navn="Banken AS"), *ONE_TIME["RequestResources"]])
    assert (await world.send(BANK, "POST", f"{TOKEN}/{code}/loguse", json=USE)).status_code == 204
    refused(await world.draw(code))


async def test_a_one_time_consent_is_used_once_whoever_is_faster(world: Altinn2World) -> None:
    code = await world.given(**ONE_TIME)
    answers = await asyncio.gather(
        *[world.send(BANK, "POST", f"{TOKEN}/{code}/loguse", json=ONE_TIME_USE) for _ in range(4)]
    )
    assert sorted(answer.status_code for answer in answers) == [204, 403, 403, 403]


async def test_a_use_is_of_a_service_that_the_consent_is_about_and_by_its_own(world: Altinn2World) -> None:
    code = await world.given()
    other = {**USE, "ServiceCode": "4629", "ServiceEditionCode": 2}
    for who, use in ((BANK, other), (OWNER, other), (OTHER_BANK, USE), (SUPPLIER, USE), (SHOP, USE)):
        refused(await world.send(who, "POST", f"{TOKEN}/{code}/loguse", json=use))
    unanswered = await world.code()
    for one in (unanswered, str(uuid4()), "x"):
        refused(await world.send(BANK, "POST", f"{TOKEN}/{one}/loguse", json=USE))


@pytest.mark.parametrize(
    "use",
    [
        {},
        [],
        {**USE, "UsageDateTime": "04.05.2026 10:00"},
        {**USE, "UsageDateTime": None},
        {**USE, "UsageDateTime": 1777888800},
        {**USE, "UsageDateTime": "2026-05-04T10:00:00" + "0" * 40},
        {**USE, "ServiceCode": 5498},
        {**USE, "ServiceEditionCode": "en"},
    ],
    ids=str,
)
async def test_a_use_that_can_not_be_read_is_refused_in_the_array(world: Altinn2World, use: Any) -> None:
    code = await world.given(**ONE_TIME)
    assert codes(await world.send(BANK, "POST", f"{TOKEN}/{code}/loguse", json=use)) == ["90000"]
    assert await world.audited("consent:use") == [("consent:use", "deny", "unreadable_request")]
    assert (await world.draw(code)).status_code == 200


async def test_a_code_that_is_none_is_refused_as_any_other_and_written_down(world: Altinn2World) -> None:
    refused(await world.send(BANK, "POST", f"{TOKEN}/x/loguse", json=USE))
    refused(await world.send(BANK, "DELETE", f"{TOKEN}/x"))
    assert await world.audited() == [("consent:use", "deny", "no_code"), ("consent:give-up", "deny", "no_code")]


@pytest.mark.parametrize("scope", ["altinn:consenttokens.read", "altinn:consentrequests.write"])
async def test_ending_and_using_need_the_write_scope(world: Altinn2World, scope: str) -> None:
    code = await world.given()
    world.callers.organisation("narrow", BANK, scope)
    for method, path, use in (("DELETE", f"{TOKEN}/{code}", None), ("POST", f"{TOKEN}/{code}/loguse", USE)):
        assert (await world.send(BANK, method, path, token="narrow", json=use)).status_code == 403
    assert (await world.draw(code)).status_code == 200


async def test_a_certificate_does_for_them_as_well(world: Altinn2World) -> None:
    code = await world.given()
    headers = {CERTIFICATE_HEADER: certificate_of(BANK)}
    path = f"{TOKEN}/{code}/loguse?ForceEIAuthentication=true"
    answer = await world.send(BANK, "POST", path, token=None, headers=headers, json=USE)
    assert answer.status_code == 204


# -- the owner's list (§2.11) ------------------------------------------------------------------------------------------


async def owned(world: Altinn2World, query: str = "", who: str = OWNER, **more: Any) -> httpx2.Response:
    path = f"/api/serviceowner/consents?ForceEIAuthentication&serviceCode=5498&serviceEditionCode=1{query}"
    return await world.send(who, "GET", path, **more)


async def test_an_owner_lists_the_consents_to_its_service(world: Altinn2World) -> None:
    await world.code()
    rejected = await world.code()
    await world.reject(rejected)
    await world.given(RequestResources=[service(TAX, inntektsaar="2025")])
    world.clock.advance(seconds=0.5)
    code = await world.given(SUPPLIER, token=DELEGATED, HandledBy=SUPPLIER)
    page = (await owned(world)).json()
    assert page == {
        "_links": {
            "self": {
                "href": f"{URL}/api/serviceowner/consents?ForceEIAuthentication=&serviceCode=5498&serviceEditionCode=1"
            }
        },
        "_embedded": {
            "consents": [
                {
                    "AuthorizationCode": code,
                    "Status": "active",
                    "OfferedBy": {"Name": "Kari Grønseth", "Type": "Person", "SocialSecurityNumber": KARI},
                    "CoveredBy": {
                        "Name": "Banken AS", "Type": "Enterprise", "OrganizationNumber": BANK,
                        "OrganizationForm": "AS", "Status": "Active",
                    },
                    "HandledBy": {
                        "Name": "Leverandør AS", "Type": "Enterprise", "OrganizationNumber": SUPPLIER,
                        "OrganizationForm": "AS", "Status": "Active",
                    },
                    "Created": "2026-05-04T10:00:00.500000+00:00",
                    "ValidTo": "2027-05-01T10:00:00.000000+00:00",
                    "LastChanged": "2026-05-04T10:00:00.500000+00:00",
                }
            ]
        },
        "continuationtoken": None,
    }  # fmt: skip
    assert KARI not in await world.trail()


async def test_used_up_counts_as_revoked_and_lapsed_ones_are_left_out(world: Altinn2World) -> None:
    active = await world.given()
    lapsed = await world.given(ValidTo="2026-05-05T10:00:00Z")
    world.clock.advance(days=2)
    ended = await world.given()
    await world.revoke(ended)
    given_up = await world.given()
    await world.send(BANK, "DELETE", f"{TOKEN}/{given_up}")

    async def listed(query: str) -> dict[str, str]:
        found = (await owned(world, query)).json()["_embedded"]["consents"]
        return {one["AuthorizationCode"]: one["Status"] for one in found}

    everything = {active: "active", ended: "revoked", given_up: "revoked"}
    assert await listed("") == everything
    assert await listed("&status=active&status=revoked") == everything
    assert await listed("&status=active") == {active: "active"}
    assert await listed("&status=Revoked") == {ended: "revoked", given_up: "revoked"}
    assert lapsed not in everything
    used = await world.given(**ONE_TIME)
    await world.send(BANK, "POST", f"{TOKEN}/{used}/loguse", json=ONE_TIME_USE)
    path = "/api/serviceowner/consents?serviceCode=4631&serviceEdition=1"
    [one] = (await world.send(OWNER, "GET", path)).json()["_embedded"]["consents"]
    assert (one["AuthorizationCode"], one["Status"]) == (used, "revoked")


async def test_the_owners_list_goes_on_by_last_changed(world: Altinn2World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fullmakt.altinn.consents.altinn2.service.MAX_CONSENTS", 2)
    given = [await world.given() for _ in range(3)]
    world.clock.advance(milliseconds=548)
    given.append(await world.given())
    await world.revoke(given[0])  # it moves to the end
    world.clock.advance(seconds=300)
    seen: list[str] = []
    query = ""
    for _ in range(4):
        page = (await owned(world, query)).json()
        seen += [one["AuthorizationCode"] for one in page["_embedded"]["consents"]]
        token = page["continuationtoken"]
        if token is None:
            break
        assert token.startswith("2026-05-04T10:00:00.")
        assert "_" in token
        query = f"&continuation={token}"
    assert sorted(seen) == sorted(given)
    assert set(seen[-2:]) == {given[0], given[3]}


async def test_the_owners_list_does_not_go_on_behind_what_something_older_may_yet_join(
    world: Altinn2World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fullmakt.altinn.consents.altinn2.service.MAX_CONSENTS", 2)

    async def page(token: str | None = None) -> tuple[list[str], str | None]:
        document = (await owned(world, "" if token is None else f"&continuation={token}")).json()
        return [one["AuthorizationCode"] for one in document["_embedded"]["consents"]], document["continuationtoken"]

    old = await world.given()
    world.clock.advance(seconds=299)
    new = await world.given()
    assert await page() == ([old, new], None)
    world.clock.advance(seconds=1)
    listed, token = await page()
    assert listed == [old, new]
    assert await page(token) == ([new], None)
    world.clock.advance(seconds=-2)
    late = await world.given()  # changed before the other, and seen only now
    world.clock.advance(seconds=2)
    assert await page(token) == ([late, new], None)
    world.clock.advance(seconds=300)
    assert await page((await page(token))[1]) == ([], None)


async def test_an_owner_lists_its_own_services_alone_with_a_service_owners_key(world: Altinn2World) -> None:
    await world.given()
    assert (await owned(world, who=BANK)).status_code == 403
    await world.give_key(SHOP, owner=True)
    assert (await owned(world, who=SHOP)).status_code == 403
    assert (await world.audited("consent:list"))[-1] == ("consent:list", "deny", "not_the_owner")
    await world.give_key(OWNER)
    assert (await owned(world)).status_code == 403
    await world.give_key(OWNER, owner=True)
    for consumer, supplier in ((OWNER, SUPPLIER), (BANK, OWNER)):  # neither is the owner by its own right
        await world.give_key(supplier, owner=True)
        world.callers.known["delegated"] = Caller(
            frozenset(OWNER_SCOPES), consumer=OrgNumber(consumer), supplier=OrgNumber(supplier)
        )
        assert (await owned(world, who=supplier, token="delegated")).status_code == 403
    world.callers.organisation("narrow", OWNER, "altinn:consentrequests.read")
    assert (await owned(world, token="narrow")).status_code == 403
    world.callers.organisation("all", OWNER, "altinn:serviceowner")
    assert (await owned(world, token="all")).status_code == 200
    assert (await owned(world, token=None, headers={CERTIFICATE_HEADER: certificate_of(OWNER)})).status_code == 200
    assert codes(await world.send(OWNER, "GET", "/api/serviceowner/consents")) == ["90000"]
    assert codes(await owned(world, "&status=gone")) == ["90000"]
    assert codes(await owned(world, "&continuation=1")) == ["90000"]


# -- any input ---------------------------------------------------------------------------------------------------------

_JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=12,
)
_MEMBERS = st.sampled_from(
    ["CoveredBy", "OfferedBy", "OfferedByName", "HandledBy", "RequiredDelegator", "RequiredDelegatorName", "ValidTo",
     "RedirectUrl", "RequestResources", "requestServices", "RequestMessage", "PortalViewMode", "coveredBY"]
)  # fmt: skip
_PATHS = st.sampled_from(
    [("POST", REQUESTS), ("GET", REQUESTS), ("GET", f"{REQUESTS}/{{}}"), ("DELETE", f"{REQUESTS}/{{}}"),
     ("GET", f"{TOKEN}/{{}}"), ("GET", TOKEN), ("DELETE", f"{TOKEN}/{{}}"), ("POST", f"{TOKEN}/{{}}/loguse"),
     ("GET", "/api/serviceowner/consents"), ("GET", "/api/metadata/jwk"), ("PUT", REQUESTS)]
)  # fmt: skip
_SEGMENTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30).map(lambda text: quote(text, safe=""))
_QUERIES = st.dictionaries(
    st.sampled_from(
        ["serviceCode", "serviceEditionCode", "status", "status[0]", "direction", "continuation", "authcode", "x"]
    ),
    st.text(st.characters(codec="utf-8"), max_size=30), max_size=4,
)  # fmt: skip
_ACCEPT = st.sampled_from(["application/json", "application/hal+json", "application/xml", "application/hal+xml", "*/*"])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_body=st.dictionaries(_MEMBERS, _JUNK, max_size=6), accept=_ACCEPT)
async def test_no_body_of_any_kind_is_an_error_of_ours(
    world: Altinn2World, given_body: dict[str, Any], accept: str
) -> None:
    document = {**body(), **given_body}
    answer = await world.send(BANK, "POST", REQUESTS, headers={"Accept": accept}, json=document)
    assert answer.status_code in {200, 400, 403}
    if answer.status_code != 200 and "json" in accept:
        assert codes(answer, answer.status_code)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=_PATHS, segment=_SEGMENTS, query=_QUERIES, content=st.binary(max_size=60), accept=_ACCEPT)
async def test_no_path_query_or_bytes_are_an_error_of_ours(
    world: Altinn2World, where: tuple[str, str], segment: str, query: dict[str, str], content: bytes, accept: str
) -> None:
    method, path = where
    answer = await world.send(
        BANK, method, path.format(segment), params=query, content=content,
        headers={"Accept": accept, "Content-Type": "application/json"},
    )  # fmt: skip
    assert answer.status_code < 500
