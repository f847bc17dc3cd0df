"""Which key signs, and which keys are published, at any moment."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from fullmakt.maskinporten.tokens.signing import KeyRing, SigningKey
from tests.support.tokens import NOW, key_number

HOUR = timedelta(hours=1)
RETIRE_AFTER = 48 * HOUR


def key(number: int, publish_from: int, sign_from: int) -> SigningKey:
    signer = key_number(number)
    return SigningKey(signer, signer.public_jwk(), NOW + publish_from * HOUR, NOW + sign_from * HOUR)


RING = KeyRing([key(1, 0, 0), key(2, 10, 34), key(3, 11, 35)], retire_after=RETIRE_AFTER)


@pytest.mark.parametrize(
    ("hour", "signs", "published"),
    [
        (0, 1, [1]),
        (9, 1, [1]),
        (10, 1, [1, 2]),
        (11, 1, [1, 2, 3]),
        (33, 1, [1, 2, 3]),
        (34, 2, [1, 2, 3]),
        (35, 3, [1, 2, 3]),
        (34 + 47, 3, [1, 2, 3]),
        (34 + 48, 3, [2, 3]),
        (35 + 48, 3, [3]),
        (10_000, 3, [3]),
    ],
)
def test_a_key_is_published_before_it_signs_and_for_a_while_after(hour: int, signs: int, published: list[int]) -> None:
    now = NOW + hour * HOUR
    assert RING.signer_at(now).kid == f"key-{signs}"
    assert [jwk["kid"] for jwk in json.loads(RING.jwks(now))["keys"]] == [f"key-{number}" for number in published]


def test_a_node_whose_clock_is_behind_signs_with_the_first_key() -> None:
    assert RING.signer_at(NOW - HOUR).kid == "key-1"
