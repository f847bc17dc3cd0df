"""Which tokens are believed, and with which reason the others are not."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fullmakt.jose.keys import LocalSigner, PublicKey
from fullmakt.kernel.clock import FixedClock
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.provider.errors import (
    BearerError,
    ConsumerNotAllowedError,
    InsufficientScopeError,
    InvalidTokenError,
    MissingTokenError,
    Reason,
)
from fullmakt.provider.rules import Expected, accept, permit, read
from fullmakt.provider.verified_token import VerifiedToken
from fullmakt.wire.altinn.token_details import EnterpriseDetails, SystemUserDetails
from tests.support.fake_issuer import CONSUMER, ISSUER, SUPPLIER, FakeIssuer, key, party

EXPECTED = Expected(ISSUER, None, 10.0)
PERSON = "13097248022"
SYSTEM_USER = "a545ca29-7fb8-4810-a2f2-0be171cb2a26"
NOW = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)
ISSUED = FakeIssuer(FixedClock(NOW))


def system_user(**changes: Any) -> dict[str, Any]:
    return {
        "type": "urn:altinn:systemuser",
        "systemuser_org": party("310000043"),
        "systemuser_id": [SYSTEM_USER],
        "system_id": "310000027_accounting",
        **changes,
    }


def enterprise(**changes: Any) -> dict[str, Any]:
    return {
        "type": "urn:altinn:virksys",
        "part": "0192:999888777",
        "hjelper": "0192:888666555",
        "rettigheit": ["merverdiavgift", "skatt"],
        **changes,
    }


def judge(token: str | None, *, expected: Expected = EXPECTED, public: PublicKey | None = None) -> VerifiedToken:
    return accept(read(token, expected), public or ISSUED.signer.public, expected, NOW)


def refusal(token: str | None, **given: Any) -> Reason:
    with pytest.raises(InvalidTokenError) as refused:
        judge(token, **given)
    return refused.value.reason


def test_a_token_in_maskinportens_shape_is_read_whole() -> None:
    details = [{"type": "urn:altinn:consent", "id": "77a8b6fd-3b0a-4bb1-9d0b-1c5e2a7cf2a4"}]
    token = judge(
        ISSUED.mint(
            supplier=party(SUPPLIER),
            delegation_source="https://tt02.altinn.no/",
            scope="provider:api.read provider:api.write",
            aud="https://api.example/",
            pid=PERSON,
            jti="the-token",
            authorization_details=details,
            consumer_prefix=["provider"],
        )
    )
    assert token == VerifiedToken(
        issuer=ISSUER,
        consumer=CONSUMER,
        supplier=SUPPLIER,
        delegation_source="https://tt02.altinn.no/",
        client_id="the-client",
        client_amr="private_key_jwt",
        scopes=frozenset({"provider:api.read", "provider:api.write"}),
        audience=("https://api.example/",),
        pid=token.pid,
        jti="the-token",
        issued_at=NOW,
        expires_at=NOW + dt.timedelta(seconds=120),
        authorization_details=(details[0],),
        claims=token.claims,
    )
    assert token.pid == PERSON
    assert token.claims["consumer_prefix"] == ["provider"]
    assert token.caller == SUPPLIER


@pytest.mark.parametrize(
    "details", [[system_user()], system_user(), json.dumps(system_user()), [{"type": "other"}, system_user()]]
)
def test_a_token_for_a_system_user_names_it_however_the_array_is_written(details: Any) -> None:
    token = judge(ISSUED.mint(authorization_details=details))
    assert token.system_user == SystemUserDetails(
        UUID(SYSTEM_USER), OrgNumber("310000043"), system_id="310000027_accounting"
    )
    assert token.consumer == CONSUMER  # the vendor
    assert token.enterprise is None
    assert system_user() in [dict(detail) for detail in token.authorization_details]


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        (
            [enterprise()],
            EnterpriseDetails(OrgNumber("999888777"), OrgNumber("888666555"), frozenset({"merverdiavgift", "skatt"})),
        ),
        (
            {"type": "urn:altinn:virksys", "part": "0192:999888777", "rettigheit": "skatt"},
            EnterpriseDetails(OrgNumber("999888777"), None, frozenset({"skatt"})),
        ),
        (
            [{"type": "urn:altinn:virksys", "part": "0192:999888777"}],
            EnterpriseDetails(OrgNumber("999888777"), None, frozenset()),
        ),
    ],
    ids=["by a helper", "collapsed", "without rights"],
)
def test_a_virksomhetstoken_says_what_the_system_may_do_for_whom(details: Any, expected: EnterpriseDetails) -> None:
    token = judge(ISSUED.mint(authorization_details=details, client_name="Turboskatt"))
    assert token.enterprise == expected
    assert token.system_user is None


def test_an_exchanged_token_is_read_as_the_one_it_was_made_of() -> None:
    altinns: Any = {"urn:altinn:orgNumber": CONSUMER, "urn:altinn:authlevel": 3, "sid": "s", "client_amr": None}
    older = {"authority": "iso6523-actorid-upis", "ID": f"9908:{CONSUMER}"}
    token = judge(ISSUED.mint(consumer=older, authorization_details=system_user(), **altinns))
    assert (token.consumer, token.audience, token.client_amr) == (CONSUMER, (), None)
    assert token.system_user is not None
    assert judge(ISSUED.mint(consumer=None, **altinns)).consumer == CONSUMER


def test_a_token_in_the_shape_of_rfc_9068_is_read_too() -> None:
    header = {"typ": "at+jwt", "alg": "RS256", "kid": ISSUED.signer.kid}
    token = judge(ISSUED.mint(header=header, aud=["https://a.example/", "https://b.example/"], sub="the-client"))
    assert token.audience == ("https://a.example/", "https://b.example/")
    assert token.caller == CONSUMER


def test_an_es256_token_is_accepted_from_an_es256_key() -> None:
    signer = LocalSigner.generate(ec_key=True)
    assert judge(ISSUED.mint(signer), public=signer.public).client_id == "the-client"


def test_the_consumer_of_a_sub_unit_is_its_parent() -> None:
    consumer = {"authority": "iso6523-actorid-upis", "ID": f"0192:{CONSUMER}:ER//310000043:1"}
    assert judge(ISSUED.mint(consumer=consumer)).consumer == CONSUMER


@pytest.mark.parametrize("token", [None, ""])
def test_no_token_is_a_reason_of_its_own(token: str | None) -> None:
    with pytest.raises(MissingTokenError):
        judge(token)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"alg": "none"}, Reason.ALGORITHM),
        ({"alg": "HS256"}, Reason.ALGORITHM),
        ({"alg": "PS256"}, Reason.ALGORITHM),
        ({"alg": ["RS256"]}, Reason.ALGORITHM),
        ({"alg": None}, Reason.ALGORITHM),
        ({"alg": "RS512"}, Reason.ALGORITHM),  # the key is for RS256
        ({"alg": "ES256"}, Reason.ALGORITHM),
        ({"typ": "dpop+jwt"}, Reason.WRONG_TYPE),
        ({"typ": "logout+jwt"}, Reason.WRONG_TYPE),
        ({"typ": 1}, Reason.WRONG_TYPE),
        ({"crit": ["exp"]}, Reason.MALFORMED),
        ({"kid": 7}, Reason.UNKNOWN_KID),
        ({"kid": None}, Reason.UNKNOWN_KID),
    ],
)
def test_a_header_that_is_not_an_access_tokens_is_refused(header: dict[str, object], reason: Reason) -> None:
    whole = {"alg": "RS256", "kid": ISSUED.signer.kid} | header
    assert refusal(ISSUED.mint(header=whole)) == reason


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"iss": "https://issuer.test"}, Reason.WRONG_ISSUER),
        ({"iss": None}, Reason.WRONG_ISSUER),
        ({"iss": [ISSUER]}, Reason.WRONG_ISSUER),
        ({"exp": None}, Reason.BAD_CLAIM),
        ({"exp": "1765000000"}, Reason.BAD_CLAIM),
        ({"exp": True}, Reason.BAD_CLAIM),
        ({"exp": 1e300}, Reason.BAD_CLAIM),
        ({"exp": 10**400}, Reason.BAD_CLAIM),
        ({"iat": None}, Reason.BAD_CLAIM),
        ({"nbf": "soon"}, Reason.BAD_CLAIM),
        ({"client_id": None}, Reason.BAD_CLAIM),
        ({"client_id": "nul\x00"}, Reason.BAD_CLAIM),
        ({"client_id": ""}, Reason.BAD_CLAIM),
        ({"client_id": "x" * 5000}, Reason.BAD_CLAIM),
        ({"jti": 1}, Reason.BAD_CLAIM),
        ({"scope": ["provider:api.read"]}, Reason.BAD_CLAIM),
        ({"scope": "a:b\nc:d"}, Reason.BAD_CLAIM),
        ({"aud": [1]}, Reason.BAD_CLAIM),
        ({"pid": "12345678901"}, Reason.BAD_CLAIM),
        ({"pid": 13097248022}, Reason.BAD_CLAIM),
        ({"supplier": "310000035"}, Reason.BAD_CLAIM),
        ({"supplier": party("31000003")}, Reason.BAD_CLAIM),
        ({"delegation_source": {}}, Reason.BAD_CLAIM),
        ({"authorization_details": ["x"]}, Reason.BAD_CLAIM),
        ({"authorization_details": system_user(systemuser_id=[])}, Reason.BAD_CLAIM),
        ({"authorization_details": system_user(systemuser_id=["310000027"])}, Reason.BAD_CLAIM),
        ({"authorization_details": system_user(systemuser_org="0192:310000027")}, Reason.BAD_CLAIM),
        ({"authorization_details": system_user(system_id=7)}, Reason.BAD_CLAIM),
        ({"authorization_details": [system_user(), system_user()]}, Reason.BAD_CLAIM),
        ({"authorization_details": enterprise(part=None)}, Reason.BAD_CLAIM),
        ({"authorization_details": enterprise(part="310000043")}, Reason.BAD_CLAIM),
        ({"authorization_details": enterprise(part="0007:310000043")}, Reason.BAD_CLAIM),
        ({"authorization_details": enterprise(hjelper="0192:31000")}, Reason.BAD_CLAIM),
        ({"authorization_details": enterprise(rettigheit=[7])}, Reason.BAD_CLAIM),
        ({"authorization_details": enterprise(rettigheit=["a"] * 1001)}, Reason.BAD_CLAIM),
        ({"authorization_details": [enterprise(), enterprise()]}, Reason.BAD_CLAIM),
        ({"consumer": None, "urn:altinn:orgNumber": "31000002"}, Reason.NO_CONSUMER),
        ({"consumer": {}, "urn:altinn:orgNumber": "310000027"}, Reason.NO_CONSUMER),
        ({"consumer": None}, Reason.NO_CONSUMER),
        ({"consumer": "0192:310000027"}, Reason.NO_CONSUMER),
        ({"consumer": {"authority": "etsi-en-319-412", "ID": "VATSE-123456789001"}}, Reason.NO_CONSUMER),
        ({"consumer": {"authority": "iso6523-actorid-upis", "ID": "0007:310000027"}}, Reason.NO_CONSUMER),
        ({"consumer": {"authority": "iso6523-actorid-upis", "ID": 310000027}}, Reason.NO_CONSUMER),
    ],
)
def test_a_claim_that_can_not_be_right_is_refused(claims: dict[str, Any], reason: Reason) -> None:
    assert refusal(ISSUED.mint(**claims)) == reason


@pytest.mark.parametrize(("left", "accepted"), [(-9, True), (-10, False), (-11, False)])
def test_a_token_is_expired_once_its_end_is_further_back_than_the_leeway(left: int, accepted: bool) -> None:
    token = ISSUED.mint(exp=int(NOW.timestamp()) + left)
    assert judge(token) if accepted else refusal(token) == Reason.EXPIRED


@pytest.mark.parametrize("name", ["iat", "nbf"])
@pytest.mark.parametrize(("ahead", "accepted"), [(10, True), (11, False)])
def test_a_token_from_the_future_is_accepted_within_the_leeway(name: str, ahead: int, accepted: bool) -> None:
    claims: dict[str, Any] = {name: int(NOW.timestamp()) + ahead}
    token = ISSUED.mint(**claims)
    assert judge(token) if accepted else refusal(token) == Reason.NOT_YET_VALID


@pytest.mark.parametrize(
    ("audience", "accepted"),
    [
        ("https://api.example/", True),
        (["https://x.example/", "https://api.example/"], True),
        (None, False),
        ([], False),
        ("unspecified", False),
        ("https://api.example", False),
    ],
)
def test_an_api_with_an_audience_takes_tokens_for_it_alone(audience: object, accepted: bool) -> None:
    token = ISSUED.mint(aud=audience)
    expected = Expected(ISSUER, "https://api.example/", 10.0)
    assert judge(token, expected=expected) if accepted else refusal(token, expected=expected) == Reason.WRONG_AUDIENCE


def test_a_signature_by_another_key_is_refused() -> None:
    assert refusal(ISSUED.mint(key("stranger"))) == Reason.BAD_SIGNATURE


def test_a_changed_payload_is_refused() -> None:
    head, _, signature = ISSUED.mint().split(".")
    payload = base64.urlsafe_b64encode(json.dumps(ISSUED.claims(consumer=party(SUPPLIER))).encode()).rstrip(b"=")
    assert refusal(f"{head}.{payload.decode()}.{signature}") == Reason.BAD_SIGNATURE


def test_the_issuers_public_key_is_no_hmac_secret() -> None:
    header = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "kid": ISSUED.signer.kid}).encode()).rstrip(b"=")
    payload = base64.urlsafe_b64encode(json.dumps(ISSUED.claims()).encode()).rstrip(b"=")
    signed = header + b"." + payload
    mac = hmac.new(ISSUED.signer.public.to_der(), signed, hashlib.sha256).digest()
    token = signed + b"." + base64.urlsafe_b64encode(mac).rstrip(b"=")
    assert refusal(token.decode()) == Reason.ALGORITHM


def test_a_key_id_that_the_issuer_does_not_have_is_refused() -> None:
    with pytest.raises(InvalidTokenError) as refused:
        accept(read(ISSUED.mint(), EXPECTED), None, EXPECTED, NOW)
    assert refused.value.reason == Reason.UNKNOWN_KID


def test_every_scope_asked_for_must_be_there() -> None:
    token = judge(ISSUED.mint(scope="a:one a:two"))
    assert permit(token, scopes=["a:one"], consumers=None) is token
    assert permit(token, scopes="a:one a:two", consumers=None) is token
    with pytest.raises(InsufficientScopeError) as refused:
        permit(token, scopes=["a:one", "a:three"], consumers=None)
    assert refused.value.missing == ("a:three",)


def test_a_token_without_scope_has_none() -> None:
    assert judge(ISSUED.mint(scope=None)).scopes == frozenset()


@pytest.mark.parametrize("allowed", [[CONSUMER], {CONSUMER, SUPPLIER}, str(CONSUMER)])
def test_a_consumer_on_the_list_is_let_through(allowed: Any) -> None:
    token = judge(ISSUED.mint())
    assert permit(token, scopes=(), consumers=allowed) is token


@pytest.mark.parametrize("allowed", [[], [SUPPLIER], f"{CONSUMER}{SUPPLIER}"])
def test_a_consumer_off_the_list_is_refused(allowed: Any) -> None:
    with pytest.raises(ConsumerNotAllowedError) as refused:
        permit(judge(ISSUED.mint()), scopes=(), consumers=allowed)
    assert refused.value.consumer == CONSUMER


def test_a_token_does_not_show_the_person_when_it_is_printed() -> None:
    details = [{"type": "urn:altinn:consent", "from": f"urn:altinn:person:identifier-no:{PERSON}"}]
    token = judge(ISSUED.mint(pid=PERSON, authorization_details=details))
    assert PERSON not in repr(token)
    assert hash(token)


def test_no_refusal_repeats_what_is_personal() -> None:
    with pytest.raises(InvalidTokenError) as refused:
        judge(ISSUED.mint(pid="13097248023"))
    assert "13097248023" not in str(refused.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
CLAIMS = sorted(ISSUED.claims() | dict.fromkeys(["aud", "nbf", "pid", "supplier", "authorization_details"]))


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_any_text_is_refused_and_nothing_else_happens(text: str) -> None:
    with pytest.raises(BearerError):
        judge(text)


@given(st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "b64", "x5c"]) | st.text(), JSON))
def test_any_header_is_judged_without_a_crash(header: dict[str, object]) -> None:
    assert isinstance(_outcome(ISSUED.mint(header={"alg": "RS256", "kid": ISSUED.signer.kid} | header)), Reason | None)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(CLAIMS), JSON, min_size=1))
def test_any_claims_are_judged_without_a_crash(claims: dict[str, object]) -> None:
    payload = json.dumps(ISSUED.claims() | claims).encode()
    assert isinstance(_outcome(ISSUED.signer.sign(payload).decode()), Reason | None)


@given(st.data())
def test_a_token_with_any_character_changed_is_refused(data: st.DataObject) -> None:
    token = ISSUED.mint(jti="fixed")
    at = data.draw(st.integers(0, len(token) - 1))
    changed = token[:at] + data.draw(st.sampled_from("Ab0-_.=")) + token[at + 1 :]
    if changed[:-1] != token[:-1]:  # the last character holds bits that base64url does not use
        with pytest.raises(BearerError):
            judge(changed)


def _outcome(token: str) -> Reason | None:
    try:
        judge(token)
    except InvalidTokenError as error:
        return error.reason
    return None
