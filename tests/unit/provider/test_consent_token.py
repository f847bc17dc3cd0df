"""Consent tokens of Altinn 2's form: which are believed, and why the others are not."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from fullmakt.jose.compact import b64url_encode
from fullmakt.kernel.clock import FixedClock
from fullmakt.provider import (
    ConsentCause,
    ConsentForm,
    ConsentTokenVerifier,
    IssuerUnavailableError,
    NoConsentError,
    Reason,
    RemoteKeys,
    StaticKeys,
    SyncConsentTokenVerifier,
)
from fullmakt.wire.altinn.consents import ConsentRight
from tests.support.consent_tokens import ALTINN, CONSENT_ID, GIVER, SERVICE, FakeAltinn
from tests.support.fake_issuer import CONSUMER, SUPPLIER, key


@pytest.fixture
def altinn(clock: FixedClock) -> FakeAltinn:
    return FakeAltinn(clock)


@pytest.fixture
def verifier(altinn: FakeAltinn, clock: FixedClock) -> ConsentTokenVerifier:
    return ConsentTokenVerifier(ALTINN, keys=StaticKeys(altinn.jwks()["keys"]), clock=clock)


async def cause_of(verifier: ConsentTokenVerifier, token: str | None) -> ConsentCause:
    with pytest.raises(NoConsentError) as refused:
        await verifier.verify(token)
    assert (refused.value.status, refused.value.reason) == (403, Reason.NO_CONSENT)
    assert GIVER not in refused.value.description
    return refused.value.cause


async def test_a_good_token_says_who_gave_what_to_whom_until_when(
    verifier: ConsentTokenVerifier, altinn: FakeAltinn, clock: FixedClock
) -> None:
    consent = await verifier.verify(altinn.mint())
    assert (consent.form, consent.id) == (ConsentForm.ALTINN2, CONSENT_ID)
    assert (consent.giver, consent.receiver, consent.handled_by) == (GIVER, CONSUMER, None)
    assert consent.rights == (ConsentRight(SERVICE, metadata={"Navn": "Banken AS"}),)
    assert consent.given_at == clock() - dt.timedelta(hours=1)
    assert consent.valid_to == clock() + dt.timedelta(days=30)
    assert GIVER not in repr(consent)


async def test_the_quotes_that_altinn_hands_a_token_out_in_are_taken_off(
    verifier: ConsentTokenVerifier, altinn: FakeAltinn
) -> None:
    assert (await verifier.verify(f'"{altinn.mint()}"')).id == CONSENT_ID
    assert await cause_of(verifier, f'"{altinn.mint()}') is ConsentCause.MALFORMED


@pytest.mark.parametrize("text", [None, "", " ", '""'], ids=["none", "empty", "blank", "quotes"])
async def test_no_token_is_no_consent(verifier: ConsentTokenVerifier, text: str | None) -> None:
    assert await cause_of(verifier, text) is ConsentCause.MISSING


@pytest.mark.parametrize("text", ["a.b.c", "x" * 70_000, "æ.ø.å", "e30.e30.e30.e30.e30"])
async def test_what_is_no_jwt_is_refused(verifier: ConsentTokenVerifier, text: str) -> None:
    assert await cause_of(verifier, text) is ConsentCause.MALFORMED


@pytest.mark.parametrize("alg", ["none", "HS256", "RS384", "RS512", "PS256", "ES256", None, ["RS256"]], ids=str)
async def test_no_algorithm_but_rs256(verifier: ConsentTokenVerifier, altinn: FakeAltinn, alg: object) -> None:
    token = altinn.mint(header={"alg": alg, "kid": altinn.thumbprint()})
    assert await cause_of(verifier, token) is ConsentCause.ALGORITHM


@pytest.mark.parametrize(
    ("header", "cause"),
    [
        ({"crit": ["exp"]}, ConsentCause.MALFORMED),
        ({"typ": "at+jwt"}, ConsentCause.MALFORMED),
        ({"kid": 7}, ConsentCause.UNKNOWN_KID),
        ({"kid": "another"}, ConsentCause.UNKNOWN_KID),
        ({}, ConsentCause.UNKNOWN_KID),
    ],
)
async def test_a_header_that_is_not_altinns(
    verifier: ConsentTokenVerifier, altinn: FakeAltinn, header: dict[str, Any], cause: ConsentCause
) -> None:
    name = {} if "kid" in header or not header else {"kid": altinn.thumbprint()}
    assert await cause_of(verifier, altinn.mint(header={"alg": "RS256", **name, **header})) is cause


async def test_x5t_names_the_key_where_kid_does_not(verifier: ConsentTokenVerifier, altinn: FakeAltinn) -> None:
    assert await verifier.verify(altinn.mint(header={"alg": "RS256", "x5t": altinn.thumbprint()}))


async def test_a_signature_of_somebody_else_is_refused(verifier: ConsentTokenVerifier, altinn: FakeAltinn) -> None:
    assert await cause_of(verifier, altinn.mint(key("stranger"))) is ConsentCause.BAD_SIGNATURE


async def test_another_content_than_was_signed_is_refused(verifier: ConsentTokenVerifier, altinn: FakeAltinn) -> None:
    head, _, signature = altinn.mint().split(".")
    forged = b64url_encode(json.dumps(altinn.claims(OfferedBy="01085301957")).encode()).decode()
    assert await cause_of(verifier, f"{head}.{forged}.{signature}") is ConsentCause.BAD_SIGNATURE


@pytest.mark.parametrize("issuer", ["https://altinn.no", "altinn.no/", "Altinn.no", None, ["altinn.no"]], ids=str)
async def test_nobody_issues_them_but_altinn(
    verifier: ConsentTokenVerifier, altinn: FakeAltinn, issuer: object
) -> None:
    assert await cause_of(verifier, altinn.mint(iss=issuer)) is ConsentCause.WRONG_ISSUER


async def test_a_token_that_is_replayed_at_second_thirty_one_is_refused(
    verifier: ConsentTokenVerifier, altinn: FakeAltinn, clock: FixedClock
) -> None:
    token = altinn.mint()
    clock.advance(seconds=29)
    await verifier.verify(token)
    clock.advance(seconds=1)
    assert await cause_of(verifier, token) is ConsentCause.EXPIRED
    clock.advance(seconds=1)
    assert await cause_of(verifier, token) is ConsentCause.EXPIRED


async def test_altinns_clock_may_be_a_little_ahead(
    verifier: ConsentTokenVerifier, altinn: FakeAltinn, clock: FixedClock
) -> None:
    token = altinn.mint()
    clock.advance(seconds=-5)
    await verifier.verify(token)
    clock.advance(seconds=-1)
    assert await cause_of(verifier, token) is ConsentCause.NOT_YET_VALID


@pytest.mark.parametrize(
    "changes",
    [
        {"Services": None},
        {"Services": []},
        {"Services": {"5498_1": ""}},
        {"Services": [5498]},
        {"Services": ["5498"]},
        {"Services": ["_1"]},
        {"Services": ["5498_1_Navn"]},
        {"Services": ["5498_1_=Banken"]},
        {"AuthorizationCode": None},
        {"AuthorizationCode": "not-a-uuid"},
        {"AuthorizationCode": 7},
        {"OfferedBy": None},
        {"OfferedBy": "08027202286"},
        {"OfferedBy": 8027202285},
        {"CoveredBy": "31000002"},
        {"CoveredBy": ["310000027"]},
        {"HandledBy": "31000003"},
        {"HandledBy": "08027202285"},
        {"ValidToDate": None},
        {"ValidToDate": "2030-01-01 00:00:00"},
        {"ValidToDate": True},
        {"ValidToDate": 1e300},
        {"DelegatedDate": "yesterday"},
        {"exp": None},
        {"exp": "soon"},
        {"nbf": "soon"},
        {"nbf": None, "iat": None},
    ],
    ids=str,
)
async def test_a_claim_that_can_not_be_understood_is_refused(
    verifier: ConsentTokenVerifier, altinn: FakeAltinn, changes: dict[str, Any]
) -> None:
    assert await cause_of(verifier, altinn.mint(**changes)) is ConsentCause.BAD_CLAIM


async def test_older_names_are_read_too(verifier: ConsentTokenVerifier, altinn: FakeAltinn, clock: FixedClock) -> None:
    soon = clock() + dt.timedelta(hours=1)
    token = altinn.mint(Services=None, ServiceCodes=SERVICE, ValidToDate=None, ValidTo=int(soon.timestamp()))
    consent = await verifier.verify(token)
    assert (consent.rights, consent.valid_to) == ((ConsentRight(SERVICE),), soon)
    both = altinn.mint(ValidTo=int(soon.timestamp()))
    assert (await verifier.verify(both)).valid_to == soon  # of two dates the earlier


async def test_rights_to_one_service_are_kept_apart(verifier: ConsentTokenVerifier, altinn: FakeAltinn) -> None:
    services = [
        "4628_1", "4628_1_inntektsaar=2023", "5498_1", "5498_1_Navn=A=B_C", "4628_1", "4628_1_inntektsaar=2024",
        "4629_2_fra=1", "4629_2_til=2", "4629_2_fra=3", "4629_2_til=4",
    ]  # fmt: skip
    consent = await verifier.verify(altinn.mint(Services=services))
    assert [(right.resource, dict(right.metadata)) for right in consent.rights] == [
        ("4628_1", {"inntektsaar": "2023"}),
        ("5498_1", {"Navn": "A=B_C"}),
        ("4628_1", {"inntektsaar": "2024"}),
        ("4629_2", {"fra": "1", "til": "2"}),
        ("4629_2", {"fra": "3", "til": "4"}),
    ]


async def test_organisations_give_consent_too_and_suppliers_fetch_it(
    verifier: ConsentTokenVerifier, altinn: FakeAltinn
) -> None:
    consent = await verifier.verify(altinn.mint(OfferedBy="313876144", HandledBy=str(SUPPLIER)))
    assert (consent.giver, consent.handled_by) == ("313876144", SUPPLIER)


@pytest.mark.parametrize(("numbers", "x5c"), [(True, True), (True, False), (False, True)])
async def test_keys_are_read_from_their_numbers_or_their_certificate(
    clock: FixedClock, numbers: bool, x5c: bool
) -> None:
    altinn = FakeAltinn(clock, numbers=numbers, x5c=x5c)
    keys = RemoteKeys("altinn.no", jwks_uri=f"{ALTINN}/api/metadata/jwk", clock=clock, http=altinn.http())
    verifier = ConsentTokenVerifier(ALTINN, keys=keys, clock=clock)
    for _ in range(3):
        await verifier.verify(altinn.mint())
    assert altinn.requests["/api/metadata/jwk"] == 1


async def test_a_new_key_is_fetched_once_and_the_old_one_goes_out(clock: FixedClock) -> None:
    altinn = FakeAltinn(clock)
    keys = RemoteKeys("altinn.no", jwks_uri=f"{ALTINN}/api/metadata/jwk", clock=clock, http=altinn.http())
    verifier = ConsentTokenVerifier(ALTINN, keys=keys, clock=clock)
    old = altinn.mint()
    await verifier.verify(old)
    altinn.signer = key("altinn-2")
    await verifier.verify(altinn.mint())
    assert altinn.requests["/api/metadata/jwk"] == 2
    assert await cause_of(verifier, old) is ConsentCause.UNKNOWN_KID


async def test_without_keys_there_is_no_judgement(clock: FixedClock) -> None:
    altinn = FakeAltinn(clock, numbers=False, x5c=False)
    keys = RemoteKeys("altinn.no", jwks_uri=f"{ALTINN}/api/metadata/jwk", clock=clock, http=altinn.http())
    with pytest.raises(IssuerUnavailableError):
        await ConsentTokenVerifier(ALTINN, keys=keys, clock=clock).verify(altinn.mint())


def test_threads_verify_too(altinn: FakeAltinn, clock: FixedClock) -> None:
    with TestClient(altinn.app) as http:
        keys = RemoteKeys("altinn.no", jwks_uri=f"{ALTINN}/api/metadata/jwk", clock=clock, sync_http=http)
        verifier = SyncConsentTokenVerifier(ALTINN, keys=keys, clock=clock)
        assert verifier.verify(altinn.mint()).id == CONSENT_ID
        with pytest.raises(NoConsentError):
            verifier.verify(altinn.mint(iss="nobody"))
