"""Which keys a client may have (maskinporten.md §7.4)."""

from __future__ import annotations

import datetime as dt
import functools
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from fullmakt.jose.compact import b64url_encode
from fullmakt.jose.keys import LocalSigner
from fullmakt.maskinporten.selfservice.errors import InvalidError
from fullmakt.maskinporten.selfservice.rules import keys
from fullmakt.wire.maskinporten.selfservice import JwkBody

NOW = 1_795_000_000
YEAR = 365 * 24 * 3600


def signer(number: int = 0, *, ec: bool = False) -> LocalSigner:
    return _signer(number, ec)


@functools.cache
def _signer(number: int, ec: bool) -> LocalSigner:
    return LocalSigner.generate(kid=f"key-{number}", ec_key=ec)


def jwk(number: int = 0, *, ec: bool = False, **more: Any) -> JwkBody:
    members = {**signer(number, ec=ec).public_jwk(), **more}
    return JwkBody.model_validate({name: value for name, value in members.items() if value is not None})


def faults(body: JwkBody, *, allow_ec: bool = False) -> dict[str | None, str]:
    with pytest.raises(InvalidError) as caught:
        keys.read_key(body, NOW, allow_ec=allow_ec)
    return {fault.field: fault.message for fault in caught.value.faults}


def test_a_good_key_lives_a_year() -> None:
    read = keys.read_key(jwk(), NOW, allow_ec=False)
    assert (read.kid, read.alg, read.expires, read.x5c) == ("key-0", "RS256", NOW + YEAR, None)
    assert read.public_key.to_der() == signer().public.to_der()
    assert read.jwk == {name: signer().public_jwk()[name] for name in ("kty", "n", "e")}


@pytest.mark.parametrize(
    ("exp", "expires"),
    [(NOW + 1, NOW + 1), (str(NOW + 60), NOW + 60), (NOW + YEAR + 1, NOW + YEAR), (2**53, NOW + YEAR)],
)
def test_a_key_lives_as_long_as_it_says_and_a_year_at_the_most(exp: object, expires: int) -> None:
    assert keys.read_key(jwk(exp=exp), NOW, allow_ec=False).expires == expires


@pytest.mark.parametrize("exp", [NOW, 0, 1])
def test_a_key_that_is_dead_already_is_refused(exp: int) -> None:
    assert faults(jwk(exp=exp)) == {"exp": "exp has passed"}


@pytest.mark.parametrize("alg", ["RS256", "RS384", "RS512", None])
def test_three_algorithms_or_none_may_be_named(alg: str | None) -> None:
    assert keys.read_key(jwk(alg=alg), NOW, allow_ec=False).alg == alg


@pytest.mark.parametrize(
    ("member", "value", "told"),
    [
        ("alg", "PS256", "alg must be one of RS256, RS384, RS512"),
        ("alg", "ES256", "alg must be one of RS256, RS384, RS512"),
        ("alg", "none", "alg must be one of RS256, RS384, RS512"),
        ("use", None, "use is required and must be sig"),
        ("use", "enc", "use is required and must be sig"),
        ("kid", None, "kid is required and may hold letters, digits and . _ -"),
        ("kid", "", "kid is required and may hold letters, digits and . _ -"),
        ("kid", "a b", "kid is required and may hold letters, digits and . _ -"),
        ("kid", "a/b", "kid is required and may hold letters, digits and . _ -"),
        ("kty", "oct", "kty must be RSA"),
        ("kty", "OKP", "kty must be RSA"),
    ],
)
def test_a_member_that_breaks_its_rule_is_named(member: str, value: Any, told: str) -> None:
    assert faults(jwk(**{member: value}))[member] == told


@pytest.mark.parametrize("member", ["d", "p", "q", "dp", "dq", "qi", "oth", "k"])
def test_a_private_key_is_refused_and_never_repeated(member: str) -> None:
    private: dict[str, Any] = {member: "c2VjcmV0"}
    told = faults(jwk(**private))
    assert "private members" in told[member]
    assert "c2VjcmV0" not in str(told)


def test_small_and_huge_keys_are_refused() -> None:
    small = rsa.generate_private_key(65537, 1024).public_key().public_numbers()  # noqa: S505
    n = b64url_encode(small.n.to_bytes(128, "big")).decode()
    assert "2048 is the least" in faults(jwk(n=n))["n"]
    huge = b64url_encode(b"\xff" * (16384 // 8)).decode()
    assert "8192" in faults(jwk(n=huge))["n"]


@pytest.mark.parametrize("members", [{"n": None}, {"e": None}, {"n": "!"}, {"n": "AQAB"}, {"e": "AA"}])
def test_numbers_that_make_no_key_are_refused(members: dict[str, Any]) -> None:
    assert set(faults(jwk(**members))) == {"n"}


def test_elliptic_keys_are_an_extension() -> None:
    assert faults(jwk(ec=True)) == {"kty": "kty must be RSA"}
    assert keys.read_key(jwk(ec=True), NOW, allow_ec=True).alg == "ES256"
    assert faults(jwk(ec=True, alg="RS256"), allow_ec=True) == {"alg": "alg must be one of ES256"}
    assert set(faults(jwk(ec=True, crv="P-521"), allow_ec=True)) == {"x"}


def test_a_set_holds_one_to_five_keys() -> None:
    five = [jwk(kid=f"k{number}") for number in range(5)]
    assert [key.kid for key in keys.read_keys(five, NOW, allow_ec=False)] == ["k0", "k1", "k2", "k3", "k4"]
    for wrong, told in (([], "At least one key"), ([*five, jwk(kid="k5")], "at most 5")):
        with pytest.raises(InvalidError, match=told):
            keys.read_keys(wrong, NOW, allow_ec=False)


def test_a_set_names_each_key_once() -> None:
    with pytest.raises(InvalidError, match="a kid of its own"):
        keys.read_keys([jwk(), jwk(1, kid="key-0")], NOW, allow_ec=False)


def test_a_set_tells_the_faults_of_all_its_keys() -> None:
    with pytest.raises(InvalidError) as caught:
        keys.read_keys([jwk(use=None), jwk(1), jwk(2, kid=None, alg="HS256")], NOW, allow_ec=False)
    assert [fault.field for fault in caught.value.faults] == ["keys[0].use", "keys[2].alg", "keys[2].kid"]


def pem(of: LocalSigner) -> str:
    return of.native.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def test_a_pasted_public_key_is_given_a_name() -> None:
    read = keys.read_pem_key(pem(signer()), "fresh", NOW, allow_ec=False)
    assert (read.kid, read.alg, read.expires) == ("fresh", "RS256", NOW + YEAR)
    assert read.public_key.to_der() == signer().public.to_der()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (signer().to_pem().decode(), "this is a private key"),
        ("hello", "not a PEM"),
        ("", "not a PEM"),
        ("\ud800", "not a PEM"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "not a PEM"),
        (pem(signer(ec=True)), "must be an RSA key"),
    ],
    ids=["private", "words", "nothing", "surrogate", "no certificate", "elliptic"],
)
def test_something_else_than_a_public_key_is_told_as_such(text: str, told: str) -> None:
    with pytest.raises(InvalidError, match=told):
        keys.read_pem_key(text, "fresh", NOW, allow_ec=False)


def certificate(days: int) -> str:
    """A certificate that ends so many days from ``NOW``, and began a thousand days before that."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "self-made")])
    end = dt.datetime.fromtimestamp(NOW, dt.UTC) + dt.timedelta(days=days)
    builder = x509.CertificateBuilder(name, name, signer().native.public_key(), 1, end - dt.timedelta(days=1000), end)
    return builder.sign(signer().native, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


@pytest.mark.parametrize(("days", "life"), [(100, 100 * 86_400), (900, YEAR)])
def test_the_key_of_a_pasted_certificate_does_not_outlive_it(days: int, life: int) -> None:
    assert keys.read_pem_key(certificate(days), "fresh", NOW, allow_ec=False).expires == NOW + life


@pytest.mark.parametrize("days", [0, -1])
def test_an_expired_certificate_is_told_as_such(days: int) -> None:
    with pytest.raises(InvalidError, match=r"the certificate expired on \d{4}-\d\d-\d\d: send one that is valid"):
        keys.read_pem_key(certificate(days), "fresh", NOW, allow_ec=False)


def test_a_pasted_elliptic_key_is_taken_where_they_are() -> None:
    assert keys.read_pem_key(pem(signer(ec=True)), "fresh", NOW, allow_ec=True).alg == "ES256"
