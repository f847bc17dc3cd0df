"""Altinn 2's consent tokens, judged as a data source would."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fullmakt.cli.inspection.inspecting import inspect
from fullmakt.cli.inspection.reading import Jwt, recognise
from fullmakt.cli.inspection.report import Outcome, Report, Verdict
from fullmakt.cli.inspection.surroundings import Surroundings
from fullmakt.kernel.clock import FixedClock
from fullmakt.provider import StaticKeys
from tests.support.consent_tokens import CONSENT_ID, GIVER, FakeAltinn
from tests.support.fake_issuer import CONSUMER, SUPPLIER
from tests.support.tokens import NOW, PID, SECONDS, ec_key, key_number
from tests.unit.cli.worlds import known

ALTINN = FakeAltinn(FixedClock(NOW))
NAME = ALTINN.thumbprint()


async def judge(text: str, *, world: bool = True, altinn: bool = True) -> Report:
    keys = StaticKeys(ALTINN.jwks()["keys"]) if altinn else None
    return await inspect(Jwt(text), Surroundings(NOW, replace(known(), altinn_keys=keys) if world else None))


def reasons(report: Report) -> list[str | None]:
    return [finding.reason for finding in report.findings if finding.outcome is Outcome.FAILED]


def told(report: Report, check: str) -> str:
    return " ".join(finding.text for finding in report.findings if finding.check == check)


async def test_a_good_token_says_what_it_lets_whom_have_and_until_when() -> None:
    report = await judge(ALTINN.mint(HandledBy=str(SUPPLIER)))
    assert (report.kind, report.verdict) == ("consent_token", Verdict.ACCEPTED)
    assert told(report, "consent") == (
        f"consent {CONSENT_ID} lets {CONSUMER}, through its supplier {SUPPLIER}, have 5498_1 (Navn=Banken AS)"
        " of [national id], until 2026-12-21T12:00:00+00:00"
    )
    assert told(report, "time") == "is good for 30 seconds more"
    assert told(report, "signature") == f"was made by Altinn's key `{NAME}`"


async def test_a_number_is_masked_wherever_it_stands_and_a_synthetic_one_is_shown() -> None:
    services = ["5498_1", f"5498_1_Barn={GIVER}"]
    real = await judge(ALTINN.mint(Services=services))
    assert real.verdict is Verdict.ACCEPTED
    assert GIVER not in str(real.document())
    synthetic = await judge(ALTINN.mint(OfferedBy=PID, RequiredDelegator=PID))
    assert f"of {PID}, until" in told(synthetic, "consent")
    claims = synthetic.content["claims"]
    assert (claims["OfferedBy"], claims["RequiredDelegator"]) == (PID, PID)


async def test_an_organisation_that_gives_is_named() -> None:
    assert f"of {SUPPLIER}, until" in told(await judge(ALTINN.mint(OfferedBy=str(SUPPLIER))), "consent")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ALTINN.mint(exp=SECONDS), ["consent_token_expired"]),
        (ALTINN.mint(nbf=SECONDS + 6), ["consent_token_not_yet_valid"]),
        (ALTINN.mint(ValidToDate=SECONDS), ["consent_lapsed"]),
        (ALTINN.mint(exp=SECONDS - 1, ValidToDate=SECONDS - 1), ["consent_token_expired", "consent_lapsed"]),
        (ALTINN.mint(iss="altinn.example"), ["consent_wrong_issuer"]),
        (ALTINN.mint(key_number(1)), ["consent_bad_signature"]),
        (ALTINN.mint(header={"alg": "RS256", "kid": "other"}), ["consent_unknown_kid"]),
        (ALTINN.mint(header={"alg": "RS256"}), ["consent_unknown_kid"]),
        (ALTINN.mint(ec_key()), ["consent_algorithm"]),
        (ALTINN.mint(header={"alg": "RS256", "kid": NAME, "typ": "x", "crit": ["y"]}), ["consent_malformed"]),
        (ALTINN.mint(OfferedBy="1", CoveredBy=None), ["consent_bad_claim", "consent_bad_claim"]),
        (ALTINN.mint(Services=["5498"]), ["consent_bad_claim"]),
    ],
    ids=[
        "expired", "not yet", "lapsed", "expired and lapsed", "issuer", "signature", "unknown key", "no key",
        "algorithm", "another kind", "parties", "services",
    ],
)  # fmt: skip
async def test_each_fault_has_the_cause_that_a_data_source_would_log(text: str, expected: list[str]) -> None:
    report = await judge(text)
    assert (report.verdict, reasons(report)) == (Verdict.REFUSED, expected)
    assert GIVER not in str(report.document())


async def test_an_expired_token_still_says_what_the_consent_is_to() -> None:
    assert f"lets {CONSUMER} have 5498_1" in told(await judge(ALTINN.mint(exp=SECONDS - 900)), "consent")


async def test_what_the_token_says_is_not_told_of_one_whose_claims_are_wrong() -> None:
    assert told(await judge(ALTINN.mint(CoveredBy="1")), "consent") == ""


@pytest.mark.parametrize(("world", "altinn"), [(False, False), (True, False)], ids=["no world", "no Altinn"])
async def test_without_altinns_keys_the_signature_alone_is_left_open(world: bool, altinn: bool) -> None:
    report = await judge(ALTINN.mint(), world=world, altinn=altinn)
    assert report.verdict is Verdict.UNDECIDED
    assert [each.check for each in report.findings if each.outcome is Outcome.UNCHECKED] == ["signature"]
    assert reasons(await judge(ALTINN.mint(exp=SECONDS), world=world, altinn=altinn)) == ["consent_token_expired"]


async def test_one_of_old_with_another_name_for_its_services_is_known_too() -> None:
    report = await judge(ALTINN.mint(Services=None, ServiceCodes="5498_1"))
    assert (report.kind, report.verdict) == ("consent_token", Verdict.ACCEPTED)


async def test_a_token_that_is_to_very_much_is_told_in_short() -> None:
    report = await judge(ALTINN.mint(Services=[f"{code}_1" for code in range(2_000)]))
    assert report.verdict is Verdict.ACCEPTED
    assert len(told(report, "consent")) < 3_000


def test_the_quotes_that_altinn_hands_a_token_out_in_are_taken_off() -> None:
    token = ALTINN.mint()
    assert recognise(f'"{token}"\n'.encode()) == Jwt(token)


VALUES = (
    st.none()
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.integers()
    | st.text(max_size=9)
    | st.lists(st.text(max_size=9))
    | st.dictionaries(st.text(max_size=3), st.text(max_size=9))
)
NAMES = sorted(ALTINN.claims(HandledBy="x", ServiceCodes="x", ValidTo=1).keys() - {"iss"})


@given(
    st.dictionaries(st.sampled_from(["alg", "kid", "x5t", "typ", "crit"]), VALUES),
    st.dictionaries(st.sampled_from(NAMES), VALUES),
    st.booleans(),
)
async def test_any_header_and_any_claims_can_be_inspected(
    header: dict[str, Any], claims: dict[str, Any], world: bool
) -> None:
    report = await judge(ALTINN.mint(header={"alg": "RS256", "kid": NAME, **header}, **claims), world=world)
    assert (report.kind, report.verdict in set(Verdict)) == ("consent_token", True)
