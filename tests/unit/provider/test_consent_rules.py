"""What a consent is good for: the checks of a data source, in their order, on both of Altinn's forms."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from fullmakt.kernel.clock import FixedClock
from fullmakt.kernel.identifiers import NationalId, OrgNumber
from fullmakt.provider import (
    Consent,
    ConsentCause,
    ConsentForm,
    ConsentRight,
    NoConsentError,
    StaticKeys,
    TokenVerifier,
    VerifiedToken,
    consent_of,
    require_consent,
)
from tests.support.consent_tokens import CONSENT_ID, GIVER, SERVICE
from tests.support.fake_issuer import CONSUMER, ISSUER, SUPPLIER, FakeIssuer, party

RESOURCE = "lanekassen_5498_1"
OTHERS = OrgNumber("313876144")
ELEMENT = {
    "type": "urn:altinn:consent",
    "id": str(CONSENT_ID),
    "from": f"urn:altinn:person:identifier-no:{GIVER}",
    "to": {"authority": "iso6523-actorid-upis", "ID": f"0192:{CONSUMER}"},
    "consented": "2026-01-15T10:34:39.676924+00:00",
    "validTo": "2026-12-20T10:34:34.836+00:00",
    "consentRights": [
        {
            "action": ["consent"],
            "resource": [{"type": "urn:altinn:resource", "value": RESOURCE}],
            "metadata": {"navn": "Banken AS"},
        }
    ],
}


@pytest.fixture
def verifier(issuer: FakeIssuer, clock: FixedClock) -> TokenVerifier:
    return TokenVerifier(ISSUER, keys=StaticKeys([issuer.signer.public_jwk()]), clock=clock)


@pytest.fixture
async def token(verifier: TokenVerifier, issuer: FakeIssuer) -> VerifiedToken:
    return await verifier.verify(issuer.mint())


@pytest.fixture
def consent(clock: FixedClock) -> Consent:
    rights = (
        ConsentRight(SERVICE, metadata={"Navn": "Banken AS"}),
        ConsentRight("4628_1", metadata={"inntektsaar": "2023", "Slag": "alt"}),
        ConsentRight("4628_1", metadata={"inntektsaar": "2024"}),
    )
    until = clock() + dt.timedelta(days=1)
    return Consent(ConsentForm.ALTINN2, CONSENT_ID, NationalId(GIVER), CONSUMER, None, None, until, rights)


def cause_of(consent: Consent | None, token: VerifiedToken, **asked: Any) -> ConsentCause:
    with pytest.raises(NoConsentError) as refused:
        require_consent(consent, token, asked.pop("giver", GIVER), **asked)
    return refused.value.cause


async def test_a_consent_that_fits_gives_the_right(token: VerifiedToken, consent: Consent, clock: FixedClock) -> None:
    right = require_consent(consent, token, GIVER, services={SERVICE, RESOURCE}, now=clock())
    assert right.metadata["Navn"] == "Banken AS"


async def test_the_first_check_that_fails_is_told(token: VerifiedToken, consent: Consent, clock: FixedClock) -> None:
    """Everything is wrong at first, and is mended one by one, in the contract's order."""
    wrong = replace(
        consent,
        giver=NationalId("01085301957"),
        receiver=OTHERS,
        handled_by=SUPPLIER,
        valid_to=clock(),
        rights=(ConsentRight("4628_1", metadata={"inntektsaar": "2023"}),),
    )
    asked: dict[str, Any] = {"services": {SERVICE}, "now": clock(), "metadata": {"Navn": "Banken AS"}}
    assert cause_of(None, token, **asked) is ConsentCause.MISSING
    assert cause_of(wrong, token, **asked) is ConsentCause.OTHER_SERVICE
    wrong = replace(wrong, rights=(ConsentRight(SERVICE),))
    assert cause_of(wrong, token, **asked) is ConsentCause.NOT_COVERED
    wrong = replace(wrong, rights=consent.rights)
    assert cause_of(wrong, token, **asked) is ConsentCause.OTHER_RECEIVER
    wrong = replace(wrong, receiver=CONSUMER)
    assert cause_of(wrong, token, **asked) is ConsentCause.OTHER_GIVER
    wrong = replace(wrong, giver=NationalId(GIVER))
    assert cause_of(wrong, token, **asked) is ConsentCause.LAPSED
    wrong = replace(wrong, valid_to=clock() + dt.timedelta(microseconds=1))
    assert cause_of(wrong, token, **asked) is ConsentCause.OTHER_SUPPLIER
    assert require_consent(replace(wrong, handled_by=None), token, GIVER, **asked)


async def test_a_supplier_may_use_only_what_it_fetched_or_its_customer_did(
    verifier: TokenVerifier, issuer: FakeIssuer, consent: Consent, clock: FixedClock
) -> None:
    supplied = await verifier.verify(issuer.mint(supplier=party(SUPPLIER), delegation_source="https://altinn.no/"))
    asked: dict[str, Any] = {"services": {SERVICE}, "now": clock()}
    assert require_consent(consent, supplied, GIVER, **asked)
    assert require_consent(replace(consent, handled_by=SUPPLIER), supplied, GIVER, **asked)
    assert cause_of(replace(consent, handled_by=OTHERS), supplied, **asked) is ConsentCause.OTHER_SUPPLIER


@pytest.mark.parametrize(
    ("metadata", "covered"),
    [
        ({}, True),
        ({"inntektsaar": "2024"}, True),
        ({"InntektsAar": "2024"}, True),
        ({"inntektsaar": "2023", "slag": "alt"}, True),
        ({"inntektsaar": "2024", "slag": "alt"}, False),  # one right each, and none with both
        ({"inntektsaar": "2025"}, False),
        ({"inntektsaar": "2023 "}, False),
        ({"slag": "Alt"}, False),
        ({"Navn": "Banken AS"}, False),  # that of another service
    ],
)
async def test_metadata_must_be_in_one_right(
    token: VerifiedToken, consent: Consent, clock: FixedClock, metadata: dict[str, str], covered: bool
) -> None:
    asked: dict[str, Any] = {"services": {"4628_1"}, "now": clock(), "metadata": metadata}
    if covered:
        assert require_consent(consent, token, GIVER, **asked)
    else:
        assert cause_of(consent, token, **asked) is ConsentCause.NOT_COVERED


async def test_a_right_to_do_something_else_is_none(token: VerifiedToken, consent: Consent, clock: FixedClock) -> None:
    reading = replace(consent, rights=(ConsentRight(SERVICE, actions=("read",)),))
    assert cause_of(reading, token, services={SERVICE}, now=clock()) is ConsentCause.OTHER_SERVICE


async def test_the_consent_in_maskinportens_token(
    verifier: TokenVerifier, issuer: FakeIssuer, clock: FixedClock
) -> None:
    token = await verifier.verify(issuer.mint(authorization_details=[ELEMENT]))
    consent = consent_of(token)
    assert consent is not None
    assert (consent.form, consent.id) == (ConsentForm.ALTINN3, CONSENT_ID)
    assert (consent.giver, consent.receiver, consent.handled_by) == (GIVER, CONSUMER, None)
    assert consent.valid_to == dt.datetime(2026, 12, 20, 10, 34, 34, 836_000, tzinfo=dt.UTC)
    right = require_consent(consent, token, GIVER, services={RESOURCE}, now=clock(), metadata={"Navn": "Banken AS"})
    assert right.resource == RESOURCE


async def test_a_token_without_a_consent_has_none(verifier: TokenVerifier, issuer: FakeIssuer) -> None:
    other = {"type": "urn:altinn:something"}
    for details in (None, [], [other]):
        assert consent_of(await verifier.verify(issuer.mint(authorization_details=details))) is None


async def test_a_token_with_two_consents_has_none_that_counts(verifier: TokenVerifier, issuer: FakeIssuer) -> None:
    token = await verifier.verify(issuer.mint(authorization_details=[ELEMENT, ELEMENT]))
    with pytest.raises(NoConsentError) as refused:
        consent_of(token)
    assert refused.value.cause is ConsentCause.NOT_ONE


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "7"},
        {"id": None},
        {"from": "08027202285"},
        {"from": f"urn:altinn:party:uuid:{CONSENT_ID}"},
        {"from": "urn:altinn:person:identifier-no:08027202286"},
        {"from": ["urn:altinn:person:identifier-no:08027202285"]},
        {"to": f"urn:altinn:organization:identifier-no:{CONSUMER}"},
        {"to": {"authority": "other", "ID": f"0192:{CONSUMER}"}},
        {"validTo": "2026-12-20T10:34:34"},
        {"validTo": 1_800_000_000},
        {"consented": "then"},
        {"consentRights": []},
        {"consentRights": None},
        {"consentRights": [{"action": ["consent"], "resource": []}]},
        {"consentRights": [{"action": None, "resource": [{"type": "urn:altinn:resource", "value": RESOURCE}]}]},
    ],
    ids=str,
)
async def test_a_consent_that_can_not_be_read_is_none_that_counts(
    verifier: TokenVerifier, issuer: FakeIssuer, changes: dict[str, Any]
) -> None:
    token = await verifier.verify(issuer.mint(authorization_details=[ELEMENT | changes]))
    with pytest.raises(NoConsentError) as refused:
        consent_of(token)
    assert refused.value.cause is ConsentCause.BAD_CLAIM
    assert GIVER not in str(refused.value)
