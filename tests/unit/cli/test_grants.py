"""Grants, judged as the token endpoint would, to the last fault."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from fullmakt.cli.inspection.inspecting import inspect
from fullmakt.cli.inspection.reading import Jwt
from fullmakt.cli.inspection.report import Outcome, Report, Verdict
from fullmakt.cli.inspection.surroundings import Known, Surroundings
from fullmakt.client import consent, system_user, virksys
from fullmakt.jose.compact import b64url_encode
from fullmakt.maskinporten.tokens.config import TokensConfig
from fullmakt.wire.maskinporten.registry import RegisteredClient
from tests.support import certificates as make
from tests.support import tokens as given_
from tests.support.tokens import ABSENT, NOW, PID, SCOPE, SECONDS, claims_of, key_number, registered_client, sign
from tests.unit.cli.worlds import ISSUING, known, leaf_signer

OTHER = "demo:other"


async def judge(grant: str, *clients: RegisteredClient, world: bool = True, **settings: Any) -> Report:
    held: Known | None = known(*(clients or (registered_client(),)), **settings) if world else None
    return await inspect(Jwt(grant), Surroundings(NOW, held))


def reasons(report: Report) -> list[str | None]:
    """What the grant would be refused for, in order."""
    return [finding.reason for finding in report.findings if finding.outcome is Outcome.FAILED]


async def test_a_good_grant_would_be_accepted_and_each_check_says_so() -> None:
    report = await judge(sign(claims_of()))
    assert (report.kind, report.verdict) == ("grant", Verdict.ACCEPTED)
    assert [finding.check for finding in report.findings] == [
        "claims", "client", "audience", "key", "signature", "time", "scope",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("grant", "client", "expected"),
    [
        (sign(claims_of(), alg="none"), {}, ["invalid_signature"]),
        (sign(claims_of(), crit=["b64"]), {}, ["malformed_assertion"]),
        (sign(claims_of(), crit=["b64"], alg="HS256"), {}, ["malformed_assertion", "invalid_signature"]),
        (sign(claims_of(aud=given_.ISSUER[:-1])), {}, ["wrong_audience"]),
        (sign(claims_of(aud=["a", "b"])), {}, ["wrong_audience"]),
        (sign(claims_of(iss="nobody")), {}, ["client_not_found"]),
        (sign(claims_of()), {"active": False}, ["client_not_found"]),
        (sign(claims_of(), kid="other"), {}, ["unknown_kid"]),
        (sign(claims_of(), kid=ABSENT), {}, ["key_required"]),
        (sign(claims_of(), key_number(2), kid="key-1"), {}, ["invalid_signature"]),
        (sign(claims_of(), kid=ABSENT), {"keys": ()}, ["invalid_x5c"]),
        (sign(claims_of(), kid=ABSENT, x5c="no array"), {"keys": ()}, ["invalid_x5c"]),
        (sign(claims_of(SECONDS - 300)), {}, ["expired_assertion"]),
        (sign(claims_of(SECONDS + 60)), {}, ["issued_in_future"]),
        (sign(claims_of(nbf=SECONDS + 60)), {}, ["issued_in_future"]),
        (sign(claims_of(exp=SECONDS + 121)), {}, ["malformed_assertion"]),
        (sign(claims_of(pid="12345678901")), {}, ["malformed_assertion"]),
        (sign(claims_of(scope=OTHER)), {}, ["invalid_scope"]),
        (sign(claims_of(consumer_org=given_.SUPPLIER)), {}, ["not_delegated"]),
        (sign(claims_of(authorization_details=[{"type": "x"}])), {}, ["unknown_authorization_details_type"]),
    ],
)
async def test_each_fault_has_the_token_endpoint_s_reason(
    grant: str, client: dict[str, Any], expected: list[str]
) -> None:
    report = await judge(grant, registered_client(**client))
    assert reasons(report) == expected
    assert report.verdict is Verdict.REFUSED


async def test_a_grant_with_everything_wrong_is_told_everything() -> None:
    wrong = claims_of(SECONDS - 600, exp=SECONDS - 100, aud="x", foo=1, jti=7, pid="1" * 11, resource="y#z",
                      consumer_org="12", scope=f"{OTHER} {SCOPE}", authorization_details=[])  # fmt: skip
    expired = given_.registered_key(expires_at=SECONDS - 1.0)
    closed = given_.registered_scope(access=False)
    report = await judge(sign(wrong, key_number(2), kid="key-1"), registered_client(keys=(expired,), scopes=(closed,)))
    failed = [(f.check, f.code, f.text) for f in report.findings if f.outcome is Outcome.FAILED]
    assert [(check, code) for check, code, _ in failed] == [
        ("claims", "MP-011"), ("claims", "MP-011"), ("audience", "MP-110"), ("key", "MP-121"),
        ("signature", "MP-124"), ("time", "MP-130"), ("time", "MP-011"), ("claims", "MP-011"), ("claims", "MP-011"),
        ("claims", "MP-011"), ("scope", "MP-200"), ("scope", "MP-251"), ("scope", "MP-250"),
        ("authorization_details", "MP-011"),
    ]  # fmt: skip
    named = " ".join(text for check, _, text in failed if check == "claims")
    assert all(f"`{name}`" in named for name in ("foo", "jti", "consumer_org", "pid", "resource"))
    assert "names the first" in report.notes[0]


async def test_what_depends_on_a_missing_claim_is_left_alone() -> None:
    report = await judge(sign({"foo": 1}))
    assert reasons(report) == ["malformed_assertion"] * 6
    assert {f.check for f in report.findings if f.outcome is Outcome.UNCHECKED} == {"signature"}


async def test_two_scopes_at_fault_are_told_in_the_token_endpoint_s_order() -> None:
    """It looks for scopes that are not on the client before it looks at anybody's access."""
    client = registered_client(scopes=(given_.registered_scope("a:closed", access=False),))
    report = await judge(sign(claims_of(scope="a:closed a:unknown")), client)
    assert reasons(report) == ["invalid_scope", "no_access"]


async def test_scopes_that_do_not_go_together_are_found_out() -> None:
    scopes = tuple(given_.registered_scope(name, enforced_audience=f"https://{name[-1]}") for name in ("a:a", "a:b"))
    report = await judge(sign(claims_of(scope="a:a a:b")), registered_client(scopes=scopes))
    assert reasons(report) == ["invalid_scope"]


async def test_without_a_world_it_says_what_it_can_not_know() -> None:
    report = await judge(sign(claims_of(SECONDS - 300)), world=False)
    assert reasons(report) == ["expired_assertion"]
    unchecked = {finding.check for finding in report.findings if finding.outcome is Outcome.UNCHECKED}
    assert unchecked == {"client", "audience", "signature", "scope"}
    assert (await judge(sign(claims_of()), world=False)).verdict is Verdict.UNDECIDED


async def test_a_certificate_on_the_way_is_judged_too() -> None:
    leaf = ISSUING.leaf()
    grant = sign(claims_of(), leaf_signer(), kid=ABSENT, x5c=make.x5c(leaf))
    report = await judge(grant, registered_client(keys=()))
    assert report.verdict is Verdict.ACCEPTED, report.findings
    assert [part.kind for part in report.parts] == ["certificate"]
    of_another = registered_client(keys=(), client_orgno=given_.SUPPLIER)
    assert reasons(await judge(grant, of_another)) == ["wrong_certificate_owner"]
    forged = sign(claims_of(), key_number(2), kid=ABSENT, x5c=make.x5c(leaf))
    assert reasons(await judge(forged, registered_client(keys=()))) == ["invalid_signature"]


async def test_a_key_that_is_locked_to_a_certificate_is_only_as_good_as_that() -> None:
    revoked = ISSUING.leaf()
    key = given_.registered_key(leaf_signer(), certificate=revoked.public_bytes(Encoding.DER))
    grant = sign(claims_of(), leaf_signer(), kid=key.kid)
    client = registered_client(keys=(key,))
    assert (await judge(grant, client)).verdict is Verdict.ACCEPTED
    held = known(client, revoked=[revoked])
    assert reasons(await inspect(Jwt(grant), Surroundings(NOW, held))) == ["invalid_certificate"]


async def test_no_number_of_a_person_is_shown() -> None:
    report = await judge(sign(claims_of(pid=PID)))
    assert PID not in str(report.document())
    assert "[national id]" in str(report.document())


async def test_a_strict_setting_is_kept() -> None:
    grant = sign(claims_of(SECONDS - 60))
    assert (await judge(grant)).verdict is Verdict.ACCEPTED
    assert reasons(await judge(grant, iat_max_age=10)) == ["expired_assertion"]


VALUES = (
    st.none()
    | st.booleans()
    | st.floats(allow_nan=False)
    | st.text(max_size=9)
    | st.lists(st.text(max_size=3), max_size=2)
)
MEMBERS = st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "x5c", "zip"]), VALUES)
CLAIMS = st.dictionaries(
    st.sampled_from(["aud", "iss", "scope", "iat", "exp", "nbf", "jti", "pid", "resource", "consumer_org",
                     "authorization_details", "iss_onbehalfof", "sub", "other"]), VALUES,
)  # fmt: skip


@given(MEMBERS, CLAIMS, st.booleans())
async def test_any_header_and_any_claims_can_be_inspected(
    header: dict[str, Any], claims: dict[str, Any], world: bool
) -> None:
    report = await judge(sign(claims_of(**claims), **header), world=world)
    assert report.verdict in set(Verdict)
    assert report.document()["findings"]


@pytest.mark.parametrize(
    ("element", "noun"),
    [
        (system_user("314168267"), "system user"),
        (virksys("999888777"), "system user"),
        (consent("77ed8698-e619-4066-9eb4-5c1eb3f165a1", "314168267"), "consent"),
    ],
    ids=["system user", "virksys", "consent"],
)
async def test_details_are_looked_at_as_far_as_can_be_without_a_world(element: dict[str, Any], noun: str) -> None:
    report = await judge(sign(claims_of(authorization_details=[element])), world=False)
    last = report.findings[-1]
    assert (last.check, last.outcome) == ("authorization_details", Outcome.UNCHECKED)
    assert f"whether Altinn has such a {noun}: " in last.text
    faulty = await judge(sign(claims_of(authorization_details=[{**element, "x": 1}])), world=False)
    assert reasons(faulty) == ["unknown_authorization_details_field"]


@pytest.mark.parametrize("segment", [b"", b"[]", b'{"a":1,"a":2}', b'{"a":NaN}', b"\xff"])
async def test_what_can_not_be_read_is_malformed(segment: bytes) -> None:
    token = b".".join((b64url_encode(b'{"alg":"RS256"}'), b64url_encode(segment), b"AA")).decode()
    report = await judge(token)
    assert (report.kind, reasons(report)) == ("jwt", ["malformed_assertion"])


def test_a_world_s_settings_are_the_ones_to_judge_by() -> None:
    assert Surroundings(NOW, known(iat_max_age=7)).config == TokensConfig(issuer=given_.ISSUER, iat_max_age=7)
