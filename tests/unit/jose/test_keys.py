"""A key that would make one verification cost as much as a signature is not taken."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from fullmakt.jose.keys import InvalidKeyError, PublicKey
from tests.support.certificates import rsa_key

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
