"""Access tokens, judged as an API would."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fullmakt.cli.inspection.inspecting import inspect
from fullmakt.cli.inspection.reading import Jwt
from fullmakt.cli.inspection.report import Outcome, Report, Verdict
from fullmakt.cli.inspection.surroundings import Surroundings
from fullmakt.jose.keys import LocalSigner
from tests.support.fake_issuer import party
from tests.support.token_consents import CONSENT, CONSENT_ID, RESOURCE
from tests.support.tokens import ABSENT, ISSUER, NOW, ORGNO, PID, SECONDS, SUPPLIER, ec_key, key_number, sign
from tests.unit.cli.worlds import ISSUER_KEY, known


def token(key: LocalSigner = ISSUER_KEY, /, header: dict[str, Any] | None = None, **changes: Any) -> str:
    """An access token that is right, save for ``changes``."""
    right: dict[str, Any] = {
        "iss": ISSUER, "client_amr": "private_key_jwt", "token_type": "Bearer", "scope": "demo:api.read",
        "iat": SECONDS - 20, "exp": SECONDS + 100, "client_id": "the-client", "jti": "x", "consumer": party(ORGNO),
    }  # fmt: skip
    claims = {name: value for name, value in {**right, **changes}.items() if value is not ABSENT}
    return sign(claims, key, **(header or {}))


async def judge(text: str, *, world: bool = True) -> Report:
    return await inspect(Jwt(text), Surroundings(NOW, known() if world else None))


def reasons(report: Report) -> list[str | None]:
    return [finding.reason for finding in report.findings if finding.outcome is Outcome.FAILED]


async def test_a_good_token_would_be_accepted_and_says_who_it_is_for() -> None:
    report = await judge(token(supplier=party(SUPPLIER), pid=PID))
    assert (report.kind, report.verdict) == ("access_token", Verdict.ACCEPTED)
    told = " ".join(finding.text for finding in report.findings)
    assert f"organisation {ORGNO}, with {SUPPLIER} calling on its behalf" in told
    assert "is good for 100 seconds more" in told
    assert PID not in str(report.document())


SYSTEM_USER = {
    "type": "urn:altinn:systemuser", "systemuser_org": party(SUPPLIER), "system_id": "a_system",
    "systemuser_id": ["0d2f8f0e-3b3c-4c1a-9e0a-1f6f2d6d8a55"],
}  # fmt: skip
VIRKSYS = {"type": "urn:altinn:virksys", "part": "0192:999888777", "rettigheit": ["skatt", "mva"]}


@pytest.mark.parametrize(
    ("element", "told"),
    [
        (SYSTEM_USER, f"0d2f8f0e-3b3c-4c1a-9e0a-1f6f2d6d8a55 of organisation {SUPPLIER} in system a_system"),
        (VIRKSYS, "the system acts for 999888777 with the rights mva, skatt"),
        ({**VIRKSYS, "hjelper": "0192:888666555"}, "acts for 999888777 through 888666555 with the rights mva, skatt"),
    ],
)  # fmt: skip
async def test_a_systems_token_says_whom_it_acts_for(element: dict[str, Any], told: str) -> None:
    report = await judge(token(authorization_details=[element]))
    assert report.verdict is Verdict.ACCEPTED
    assert told in " ".join(finding.text for finding in report.findings if finding.check == "authorization_details")


async def test_a_token_with_a_consent_tells_to_what_and_until_when_and_not_of_whom() -> None:
    report = await judge(token(authorization_details=[CONSENT.element()]))
    assert report.verdict is Verdict.ACCEPTED
    (said,) = [finding.text for finding in report.findings if finding.check == "authorization_details"]
    assert said == (
        f"carries consent {CONSENT_ID} to {RESOURCE}, given to organisation {ORGNO} and good until"
        " 2027-01-20T10:34:34+00:00"
    )
    assert PID not in str(report.document())


@pytest.mark.parametrize(
    ("details", "reason"),
    [
        ([CONSENT.element()] * 2, "consent_not_one"),
        ([{**CONSENT.element(), "to": ORGNO}], "consent_bad_claim"),
        ([{"type": "urn:altinn:consent"}], "consent_bad_claim"),
    ],
    ids=["two", "a bad receiver", "nothing"],
)
async def test_a_consent_that_no_api_would_take_is_told(details: list[object], reason: str) -> None:
    report = await judge(token(authorization_details=details))
    assert (report.verdict, reasons(report)) == (Verdict.REFUSED, [reason])
    assert PID not in str(report.document())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (token(exp=SECONDS - 11), ["expired"]),
        (token(iat=SECONDS + 11), ["not_yet_valid"]),
        (token(iss="https://other/"), ["wrong_issuer"]),
        (token(key_number(1)), ["unknown_kid"]),
        (token(key_number(1), {"kid": ISSUER_KEY.kid}), ["bad_signature"]),
        (token(ec_key(), {"kid": ISSUER_KEY.kid}), ["algorithm"]),
        (token(header={"alg": "none"}), ["algorithm"]),
        (token(header={"typ": "secevent+jwt"}), ["wrong_type"]),
        (token(header={"crit": ["exp"]}), ["malformed"]),
        (token(header={"kid": ABSENT}), ["unknown_kid"]),
        (token(consumer=ABSENT), ["no_consumer"]),
        (token(consumer={"authority": "other", "ID": "1"}, jti=ABSENT), ["no_consumer", "bad_claim"]),
    ],
)
async def test_each_fault_has_the_reason_that_an_api_would_log(text: str, expected: list[str]) -> None:
    report = await judge(text)
    assert reasons(report) == expected
    assert report.verdict is Verdict.REFUSED


async def test_a_token_with_everything_wrong_is_told_everything() -> None:
    wrong = token(key_number(1), {"typ": "x", "crit": ["y"], "kid": ISSUER_KEY.kid}, iss="https://other/", pid="1",
                  exp=SECONDS - 99, iat="soon", consumer=None, jti=7, supplier="x", scope=3)  # fmt: skip
    found = reasons(await judge(wrong))
    assert found[:4] == ["malformed", "wrong_type", "wrong_issuer", "bad_signature"]
    assert sorted(str(reason) for reason in found[4:]) == sorted(
        ["bad_claim", "bad_claim", "bad_claim", "bad_claim", "bad_claim", "expired", "no_consumer"]
    )


async def test_without_a_world_neither_key_nor_issuer_can_be_checked() -> None:
    report = await judge(token(iss="https://maskinporten.no/"), world=False)
    assert report.verdict is Verdict.UNDECIDED
    unchecked = {finding.check for finding in report.findings if finding.outcome is Outcome.UNCHECKED}
    assert unchecked == {"signature", "issuer"}
    assert reasons(await judge(token(exp=SECONDS - 99), world=False)) == ["expired"]


VALUES = (
    st.none()
    | st.booleans()
    | st.floats()
    | st.text(max_size=9)
    | st.dictionaries(st.text(max_size=3), st.text(max_size=9))
)
NAMES = ["iss", "scope", "iat", "exp", "nbf", "jti", "aud", "client_id", "supplier", "pid", "authorization_details"]


@given(
    st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit"]), VALUES),
    st.dictionaries(st.sampled_from(NAMES), VALUES),
    st.booleans(),
)
async def test_any_header_and_any_claims_can_be_inspected(
    header: dict[str, Any], claims: dict[str, Any], world: bool
) -> None:
    report = await judge(token(ISSUER_KEY, header, **claims), world=world)
    assert report.verdict in set(Verdict)
