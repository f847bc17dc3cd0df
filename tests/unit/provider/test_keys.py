"""Which keys of a JWKS are used."""

from __future__ import annotations

import base64

import pytest

from fullmakt.jose.keys import LocalSigner
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
