"""How a node follows the changes of its signing keys."""

from __future__ import annotations

import asyncio

import pytest

from fullmakt.infra.database import DatabaseUnavailableError
from fullmakt.infra.feed import EVERYTHING
from fullmakt.maskinporten.tokens.key_ring import KeyRing, Rota, SigningKey, Turn
from fullmakt.maskinporten.tokens.signing import CHANGE_KEY, CurrentRing
from tests.support.tokens import NOW, key_number


class KeysAtHand:
    """Signing keys that are read when the test says so; ``outage`` makes a reading fail."""

    def __init__(self) -> None:
        self.readings = 0
        self.outage = False
        self.number = 1
        self.held: asyncio.Event | None = None

    async def ring(self) -> KeyRing:
        self.readings += 1
        number = self.number
        if self.held is not None:
            await self.held.wait()
        if self.outage:
            raise DatabaseUnavailableError("gone")
        turn, signer = Turn(f"key-{number}", NOW, NOW), key_number(number)
        return KeyRing(Rota([turn], retire_after=NOW - NOW), {turn.kid: SigningKey(turn, signer, {})})


def signs(current: CurrentRing) -> str:
    return current.ring.signer_at(NOW).kid


async def test_there_is_no_ring_before_it_was_read() -> None:
    current = CurrentRing(KeysAtHand().ring)
    assert (current.loaded, current.stale) == (False, True)
    with pytest.raises(DatabaseUnavailableError):
        _ = current.ring
    await current.renew()
    assert (current.loaded, current.stale) == (True, False)


@pytest.mark.parametrize(("changed", "stale"), [(CHANGE_KEY, True), (EVERYTHING, True), ("client:x", False)])
async def test_a_change_of_keys_makes_it_stale_until_it_is_read_anew(changed: str, stale: bool) -> None:
    keys = KeysAtHand()
    current = CurrentRing(keys.ring)
    await current.renew()
    keys.number = 2
    current.hear(["scope:a:b", changed])
    assert current.stale is stale
    await current.renew()
    assert signs(current) == ("key-2" if stale else "key-1")
    assert not current.stale


async def test_all_who_need_it_share_one_reading() -> None:
    keys = KeysAtHand()
    keys.held = asyncio.Event()
    current = CurrentRing(keys.ring)
    waiting = [asyncio.create_task(current.renew()) for _ in range(64)]
    while not keys.readings:  # noqa: ASYNC110 - nothing tells of it
        await asyncio.sleep(0)
    waiting[0].cancel()
    keys.held.set()
    await asyncio.gather(*waiting[1:])
    assert keys.readings == 1


async def test_a_reading_that_failed_is_made_again() -> None:
    keys = KeysAtHand()
    current = CurrentRing(keys.ring)
    await current.renew()
    keys.number, keys.outage = 2, True
    current.hear([CHANGE_KEY])
    for _ in range(2):
        with pytest.raises(DatabaseUnavailableError):
            await current.renew()
        assert (current.stale, signs(current)) == (True, "key-1")
    keys.outage = False
    await current.renew()
    assert (current.stale, signs(current)) == (False, "key-2")


async def test_a_change_that_is_heard_of_during_a_reading_has_it_made_again() -> None:
    keys = KeysAtHand()
    keys.held = asyncio.Event()
    current = CurrentRing(keys.ring)
    renewing = asyncio.create_task(current.renew())
    while not keys.readings:  # noqa: ASYNC110 - nothing tells of it
        await asyncio.sleep(0)
    keys.number = 2
    current.hear([CHANGE_KEY])
    keys.held.set()
    await renewing
    assert (signs(current), keys.readings) == ("key-2", 2)
