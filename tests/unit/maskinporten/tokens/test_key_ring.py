"""Which key signs, and which keys are published, at any moment."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from fullmakt.maskinporten.tokens.key_ring import KeyRing, Rota, SigningKey, Turn
from tests.support.tokens import NOW, key_number

HOUR = timedelta(hours=1)
RETIRE_AFTER = 48 * HOUR


def turn(number: int, publish_from: float, sign_from: float, withdrawn_at: float | None = None) -> Turn:
    withdrawn = None if withdrawn_at is None else NOW + withdrawn_at * HOUR
    return Turn(f"key-{number}", NOW + publish_from * HOUR, NOW + sign_from * HOUR, withdrawn)


def ring_of(*turns: Turn) -> KeyRing:
    signers = [key_number(int(one.kid.removeprefix("key-"))) for one in turns]
    keys = {
        one.kid: SigningKey(one, signer, signer.public_jwk())
        for one, signer in zip(turns, signers, strict=True)
        if one.withdrawn_at is None
    }
    return KeyRing(Rota(turns, retire_after=RETIRE_AFTER), keys)


def at(ring: KeyRing, hour: float) -> tuple[int, list[int]]:
    """The number of the key that signs, and of those that are published."""
    now = NOW + hour * HOUR
    published = [jwk["kid"] for jwk in json.loads(ring.jwks(now))["keys"]]
    return number_in(ring.signer_at(now).kid), list(map(number_in, published))


def number_in(kid: str) -> int:
    return int(kid.removeprefix("key-"))


RING = ring_of(turn(1, 0, 0), turn(2, 10, 34), turn(3, 11, 35))


@pytest.mark.parametrize(
    ("hour", "signs", "published"),
    [
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
    assert at(RING, hour) == (signs, published)


def test_the_key_set_is_written_anew_when_other_keys_are_published_and_not_before() -> None:
    now = NOW + 11 * HOUR
    first = RING.jwks(now)
    assert RING.jwks(now + HOUR) is first
    assert at(RING, 34 + 48) == (3, [2, 3])
    assert RING.jwks(now) == first


def test_a_node_whose_clock_is_behind_signs_with_the_first_key_and_publishes_it() -> None:
    assert at(RING, -1) == (1, [1, 2, 3])


def test_a_key_that_waits_does_not_take_over_from_a_newer_one_that_signs_at_once() -> None:
    ring = ring_of(turn(1, 0, 0), turn(2, 10, 34), turn(3, 20, 20))
    assert at(ring, 20) == (3, [1, 2, 3])
    assert at(ring, 34) == (3, [1, 2, 3])
    assert at(ring, 20 + 48) == (3, [3])


def test_keys_that_have_retired_are_not_in_use_and_those_that_wait_are() -> None:
    rota = Rota([turn(1, 0, 0), turn(2, 10, 34), turn(3, 81, 105)], retire_after=RETIRE_AFTER)
    assert [one.kid for one in rota.in_use(NOW + 81 * HOUR)] == ["key-1", "key-2", "key-3"]
    assert [one.kid for one in rota.in_use(NOW + 82 * HOUR)] == ["key-2", "key-3"]


def test_a_withdrawn_key_is_neither_published_nor_used_and_the_one_before_it_does_not_come_back() -> None:
    ring = ring_of(turn(1, 0, 0), turn(2, 1, 25, 40), turn(3, 40, 40))
    assert at(ring, 40) == (3, [1, 3])
    assert at(ring, 39) == (3, [1, 3])  # on a node whose clock is behind
    assert at(ring, 25 + 48) == (3, [3])


def test_a_key_that_is_withdrawn_while_it_waits_leaves_no_trace() -> None:
    ring = ring_of(turn(1, 0, 0), turn(2, 1, 25, 20))
    assert at(ring, 19) == at(ring, 26) == at(ring, 1_000) == (1, [1])


def test_without_the_key_that_signed_the_oldest_that_waits_signs() -> None:
    ring = ring_of(turn(1, 0, 0, 12), turn(2, 10, 34), turn(3, 11, 35))
    assert at(ring, 12) == (2, [2, 3])
    assert at(ring, 35) == (3, [2, 3])


def test_when_the_last_key_was_withdrawn_none_is_left_to_sign_whatever_is_published() -> None:
    rota = Rota([turn(1, 0, 0), turn(2, 10, 34), turn(3, 20, 20, 30)], retire_after=RETIRE_AFTER)
    assert rota.signers == []
    assert [one.kid for one in rota.in_use(NOW + 30 * HOUR)] == ["key-1", "key-2"]
