"""Which keys of a JWKS are used."""

from __future__ import annotations

import base64
import datetime as dt

import pytest

from fullmakt.jose.keys import LocalSigner
from fullmakt.jose.self_signed import self_signed_certificate
from fullmakt.provider.keys import StaticKeys, usable_keys
from tests.support.fake_issuer import key

GOOD = key("good").public_jwk()


@pytest.mark.parametrize(
    "jwk",
    [
        {**GOOD, "use": "enc"},
        {**GOOD, "kid": 1},
        {name: value for name, value in GOOD.items() if name != "kid"},
        {"kty": "oct", "kid": "secret", "k": "AAAA"},
        {"kty": "EC", "crv": "P-521", "kid": "curve", "x": "AA", "y": "AA"},
        LocalSigner.generate(kid="private").private_jwk(),
        "not a key",
        None,
    ],
)
def test_a_key_that_can_not_be_used_is_passed_over(jwk: object) -> None:
    assert set(usable_keys([jwk, GOOD])) <= {"good"}
    assert usable_keys([jwk]) == {}


@pytest.mark.parametrize("jwks", [None, {}, "keys", 7])
def test_keys_that_are_no_list_are_no_keys(jwks: object) -> None:
    assert usable_keys(jwks) == {}


def test_the_first_of_two_keys_with_one_name_counts() -> None:
    twins = [GOOD, {**key("other").public_jwk(), "kid": "good"}]
    assert usable_keys(twins)["good"].thumbprint == key("good").public.thumbprint


async def test_static_keys_are_found_by_tasks_and_threads() -> None:
    keys = StaticKeys([GOOD])
    assert await keys.find("good") is keys.find_sync("good")
    assert await keys.find("bad") is None


def test_numbers_in_ordinary_base64_are_read_as_altinn_writes_them() -> None:
    number = base64.urlsafe_b64decode(GOOD["n"] + "==")
    altinns = {**GOOD, "n": base64.b64encode(number).decode(), "e": "AQAB"}
    assert set(altinns["n"]) & set("+/=")
    assert usable_keys([altinns])["good"].thumbprint == key("good").public.thumbprint


def test_a_key_without_numbers_is_that_of_its_certificate() -> None:
    signer = key("good")
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    der = self_signed_certificate(signer, "Altinn", now, now + dt.timedelta(days=1))
    jwk = {"kid": "good", "x5c": [base64.b64encode(der).decode()]}
    assert usable_keys([jwk])["good"].thumbprint == signer.public.thumbprint
    assert usable_keys([{**jwk, "n": "AAAA", "e": "AQAB", "kty": "RSA"}]) == {}  # numbers that are there count


@pytest.mark.parametrize("x5c", [[], "text", ["not base64"], ["AAAA"], [7], ["AAAA"] * 99], ids=str)
def test_a_certificate_that_can_not_be_read_gives_no_key(x5c: object) -> None:
    assert usable_keys([{"kty": "RSA", "kid": "bad", "x5c": x5c}]) == {}
