"""Keys in every form that is used: they sign and verify as they should, and are refused in words when no good."""

from __future__ import annotations

import base64
from contextlib import suppress
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey

from fullmakt.jose.compact import b64url_decode, parse_compact
from fullmakt.jose.keys import PRIVATE_MEMBERS, InvalidKeyError, LocalSigner, PublicKey, is_key_id
from tests.support.certificates import ec_key, ed25519_key, rsa_key

SMALL, HUGE = 65_537, (1 << 2_046) + 1


def pem(exponent: int) -> bytes:
    numbers = rsa.RSAPublicNumbers(exponent, rsa_key("exponent").public_key().public_numbers().n)
    return numbers.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def number(value: int) -> str:
    return base64.urlsafe_b64encode(value.to_bytes((value.bit_length() + 7) // 8)).decode().rstrip("=")


def test_a_pem_key_with_a_huge_exponent_is_refused() -> None:
    assert PublicKey.from_pem(pem(SMALL)).algorithms == {"RS256", "RS384", "RS512"}
    with pytest.raises(InvalidKeyError, match="exponent has more than 64 bits"):
        PublicKey.from_pem(pem(HUGE))


@pytest.mark.parametrize("exponent", [HUGE, (1 << 70) + 1])
def test_a_jwk_with_a_huge_exponent_is_refused(exponent: int) -> None:
    modulus = rsa_key("exponent").public_key().public_numbers().n
    with pytest.raises(InvalidKeyError, match=r"at most|more than"):
        PublicKey.from_jwk({"kty": "RSA", "n": number(modulus), "e": number(exponent)})


SIGNERS = [LocalSigner.from_native(rsa_key("signer")), LocalSigner.from_native(ec_key("signer"))]
BOTH = pytest.mark.parametrize("signer", SIGNERS, ids=["RSA", "EC"])
RSA_JWK = SIGNERS[0].public.to_jwk()
EC_JWK = SIGNERS[1].public.to_jwk()


def pem_of(key: Any) -> bytes:
    der = key.public_key()
    return bytes(der.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))


@BOTH
@given(payload=st.binary(max_size=200))
def test_what_a_key_signs_its_public_half_verifies_and_nothing_else(signer: LocalSigner, payload: bytes) -> None:
    signing_input, _, signature = signer.sign(payload).rpartition(b".")
    raw = b64url_decode(signature)
    assert signer.public.verify(signer.alg, signing_input, raw)
    assert not signer.public.verify(signer.alg, signing_input + b"x", raw)
    assert not signer.public.verify(signer.alg, signing_input, raw[:-1])
    assert not signer.public.verify(signer.alg, signing_input, b"")
    other = SIGNERS[1 - SIGNERS.index(signer)]
    assert not other.public.verify(signer.alg, signing_input, raw)


@pytest.mark.parametrize("alg", ["none", "HS256", "PS256", "ES256", "rs256", "", "RS256 "])
def test_a_key_verifies_no_algorithm_but_its_kinds(alg: str) -> None:
    signing_input, _, signature = SIGNERS[0].sign(b"{}").rpartition(b".")
    assert not SIGNERS[0].public.verify(alg, signing_input, b64url_decode(signature))


@pytest.mark.parametrize("alg", ["RS256", "RS384", "RS512"])
def test_an_rsa_key_signs_with_the_algorithm_it_was_registered_for(alg: str) -> None:
    signer = LocalSigner.from_jwk({**SIGNERS[0].private_jwk(), "alg": alg})
    jws = parse_compact(signer.sign(b'{"a":1}'))
    assert jws.unverified_header == {"kid": signer.kid, "alg": alg}
    assert signer.public.verify(alg, jws.signing_input, jws.signature)


@BOTH
def test_a_key_is_the_same_in_every_form(signer: LocalSigner) -> None:
    key = signer.public
    forms = [
        PublicKey.from_jwk(key.to_jwk()),
        PublicKey.from_der(key.to_der()),
        PublicKey.from_pem(pem_of(signer.native)),
        LocalSigner.from_pem(signer.to_pem()).public,
        LocalSigner.from_pem(signer.to_pem(b"hemmelig"), password=b"hemmelig").public,
        LocalSigner.from_jwk(signer.private_jwk()).public,
    ]
    assert {form.thumbprint for form in forms} == {key.thumbprint}
    assert PublicKey.from_jwk({**signer.public_jwk(), "ext": True}).alg == signer.alg


@BOTH
def test_the_public_jwk_holds_nothing_private(signer: LocalSigner) -> None:
    assert not PRIVATE_MEMBERS & signer.public_jwk().keys()
    assert signer.public_jwk().items() >= {"use": "sig", "alg": signer.alg, "kid": signer.kid}.items()
    assert PRIVATE_MEMBERS & signer.private_jwk().keys()


def test_a_thumbprint_is_that_of_the_rfc() -> None:
    n = (  # RFC 7638 §3.1
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMs"
        "tn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1"
        "n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
    )
    assert PublicKey.from_jwk({"kty": "RSA", "n": n, "e": "AQAB"}).thumbprint == (
        "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    )


@pytest.mark.parametrize(
    ("jwk", "problem"),
    [
        ({}, "kty must be RSA"),
        ({"kty": "oct", "k": "AAAA"}, r"private members \(k\)"),
        ({"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}, "kty must be RSA"),
        ({"kty": ["RSA"]}, "kty must be RSA"),
        ({**RSA_JWK, "d": "AAAA", "p": "AAAA"}, r"private members \(d, p\)"),
        ({"kty": "RSA", "e": "AQAB"}, "n is missing"),
        ({**RSA_JWK, "n": 5}, "n is missing or not base64url"),
        ({**RSA_JWK, "n": "a+b"}, "n is missing or not base64url"),
        ({**RSA_JWK, "n": RSA_JWK["n"] + "="}, "n is missing or not base64url"),
        ({**RSA_JWK, "n": "A" * 345}, "not base64url"),
        ({**RSA_JWK, "n": "AQAB"}, "17 bits: 2048 is the least"),
        ({**RSA_JWK, "n": "A" * 2_000}, "at most 8192 bits"),
        ({**RSA_JWK, "e": ""}, "e is missing"),
        ({**RSA_JWK, "e": "AQ"}, "make no key"),
        ({**RSA_JWK, "e": "Ag"}, "make no key"),
        ({**RSA_JWK, "e": "A" * 13}, "at most"),
        ({**EC_JWK, "crv": "P-384"}, "make no key"),
        ({**EC_JWK, "crv": "P-1"}, "make no key"),
        ({**EC_JWK, "y": EC_JWK["x"]}, "make no key"),
        ({"kty": "EC", "crv": "P-256", "x": "AA"}, "y is missing"),
        (LocalSigner.from_native(rsa_key("small", 1024)).public.to_jwk(), "1024 bits: 2048 is the least"),
    ],
)
def test_a_jwk_that_is_no_good_is_refused_and_the_reason_told(jwk: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidKeyError, match=problem):
        PublicKey.from_jwk(jwk)


MEMBERS = st.sampled_from(["kty", "n", "e", "crv", "x", "y", "d", "alg", "kid", "use"])
VALUES = (
    st.sampled_from(["RSA", "EC", "P-256", "AQAB", RSA_JWK["n"], EC_JWK["x"], EC_JWK["y"]])
    | st.text(max_size=20) | st.none() | st.integers() | st.lists(st.text(max_size=3), max_size=2)
)  # fmt: skip


@given(st.dictionaries(MEMBERS, VALUES) | st.builds(lambda more: {**RSA_JWK, **more}, st.dictionaries(MEMBERS, VALUES)))
def test_any_members_make_a_key_or_are_refused(jwk: dict[str, Any]) -> None:
    with suppress(InvalidKeyError):
        assert PublicKey.from_jwk(jwk).algorithms
    with suppress(InvalidKeyError):
        assert LocalSigner.from_jwk(jwk).kid


@pytest.mark.parametrize("name", ["kty", "n", "d", "p", "alg"])
@pytest.mark.parametrize("value", [None, 5, "", "A", "HS256", "ES256", ["RS256"]])
def test_a_private_jwk_with_a_member_that_is_no_good_signs_or_is_refused(name: str, value: object) -> None:
    with suppress(InvalidKeyError):
        signer = LocalSigner.from_jwk({**SIGNERS[0].private_jwk(), name: value})
        assert signer.alg == "RS256"
        assert signer.sign(b"{}")


def test_a_public_jwk_does_not_sign() -> None:
    with pytest.raises(InvalidKeyError, match="no private half"):
        LocalSigner.from_jwk(RSA_JWK)


def test_a_private_jwk_whose_halves_do_not_fit_is_refused() -> None:
    other = LocalSigner.from_native(rsa_key("exponent")).private_jwk()
    with pytest.raises(InvalidKeyError, match="not a private JWK"):
        LocalSigner.from_jwk({**SIGNERS[0].private_jwk(), "n": other["n"]})


def test_a_private_key_on_another_curve_is_refused_in_every_form() -> None:
    key = ec_key("P-384 signer", "P-384")
    with pytest.raises(InvalidKeyError, match="P-256"):
        LocalSigner.from_native(key)
    with pytest.raises(InvalidKeyError, match=r"make no key|P-256"):
        LocalSigner.from_jwk(dict(ECKey(key, key).as_dict(private=True)))
    with pytest.raises(InvalidKeyError, match="P-256"):
        PublicKey.from_pem(pem_of(key))


PRIVATE_PEM = SIGNERS[0].to_pem()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"", "not a PEM"),
        (b"\x00\xff", "not a PEM"),
        (PRIVATE_PEM, "this is a private key"),
        (b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "not a PEM"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "not a PEM"),
        (pem_of(ed25519_key()), "neither RSA nor P-256"),
        (pem_of(rsa_key("small", 1024)), "1024 bits"),
    ],
)
def test_a_pem_that_is_no_good_is_refused_and_the_reason_told(text: bytes, problem: str) -> None:
    with pytest.raises(InvalidKeyError, match=problem) as refused:
        PublicKey.from_pem(text)
    assert "BEGIN" not in str(refused.value)


@given(st.binary(max_size=100))
def test_a_certificate_of_any_bytes_is_refused(der: bytes) -> None:
    text = b"-----BEGIN CERTIFICATE-----\n" + base64.b64encode(der) + b"\n-----END CERTIFICATE-----\n"
    with pytest.raises(InvalidKeyError):
        PublicKey.from_pem(text)


@pytest.mark.parametrize("password", [None, b"wrong"])
def test_a_private_key_is_not_opened_without_its_password(password: bytes | None) -> None:
    with pytest.raises(InvalidKeyError, match="password is wrong"):
        LocalSigner.from_pem(SIGNERS[0].to_pem(b"hemmelig"), password=password)


@pytest.mark.parametrize("kid", ["a", "A-b_c.9", "x" * 255])
def test_letters_digits_and_three_signs_make_a_key_id(kid: str) -> None:
    assert is_key_id(kid)


@pytest.mark.parametrize("kid", ["", "x" * 256, "æ", "a b", "a/b", "a\n", "a\x00", 5, None, "٣"])
def test_nothing_else_is_a_key_id(kid: object) -> None:
    assert not is_key_id(kid)
