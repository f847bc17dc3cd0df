"""The keys of Altinn's tokens in PostgreSQL: shared by every node, rotated without anybody noticing."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest
from sqlalchemy import text

from fullmakt.altinn.exchange.errors import KeyNotWithdrawnError
from fullmakt.altinn.exchange.keys import CERTIFICATE_LIFETIME, RENEW_BEFORE, AltinnKeys
from fullmakt.infra.database import Database
from fullmakt.infra.secrets import MasterKey, MasterKeyError
from fullmakt.kernel.clock import FixedClock
from tests.support.tokens import header_of

NOW = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


def node(database: Database, clock: FixedClock, master_key: bytes = bytes(32)) -> AltinnKeys:
    return AltinnKeys(database, MasterKey(master_key), clock, "https://altinn.test/")


async def signer_of(keys: AltinnKeys) -> str:
    return str(header_of((await keys.ring()).signer.sign({"iss": "x"}))["kid"])


async def test_nodes_that_start_at_once_share_one_key(database: Database, clock: FixedClock) -> None:
    nodes = [node(database, clock) for _ in range(4)]
    assert len(set(await asyncio.gather(*map(signer_of, nodes)))) == 1
    async with database.transaction() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM exchange.signing_key"))).scalar_one() == 1


async def test_a_new_key_is_published_on_every_node_within_a_second_and_signs_after_two_days(
    database: Database, clock: FixedClock
) -> None:
    one, other = node(database, clock), node(database, clock)
    first = await signer_of(one)
    assert await signer_of(other) == first
    clock.advance(days=3)
    second = await one.rotate()
    clock.advance(seconds=1)
    for keys in (one, other):
        assert set((await keys.ring()).keys) == {first, second}
        assert await signer_of(keys) == first
    clock.advance(hours=48)
    assert [await signer_of(one), await signer_of(other)] == [second, second]


async def test_a_key_that_was_compromised_is_believed_by_nobody_a_second_later(
    database: Database, clock: FixedClock
) -> None:
    one, other = node(database, clock), node(database, clock)
    stolen = await signer_of(one)
    assert await other.find(stolen) is not None
    new = await one.rotate(withdraw=stolen)
    clock.advance(seconds=1)
    for keys in (one, other):
        assert await keys.find(stolen) is None
        assert await signer_of(keys) == new


@pytest.mark.parametrize("name", ["A" * 40, "no such", "\x00", ""])
async def test_a_key_that_is_none_is_not_withdrawn_and_nothing_is_done(
    database: Database, clock: FixedClock, name: str
) -> None:
    keys = node(database, clock)
    only = await signer_of(keys)
    with pytest.raises(KeyNotWithdrawnError):
        await keys.rotate(withdraw=name)
    clock.advance(seconds=1)
    assert set((await keys.ring()).keys) == {only}


async def test_a_certificate_is_followed_by_another_before_it_ends(database: Database, clock: FixedClock) -> None:
    keys = node(database, clock)
    first = await signer_of(keys)
    clock.at = NOW + CERTIFICATE_LIFETIME - RENEW_BEFORE + dt.timedelta(seconds=1)
    ring = await keys.ring()
    assert len(ring.keys) == 2
    assert await signer_of(keys) == first
    clock.at = NOW + CERTIFICATE_LIFETIME
    assert await signer_of(keys) != first


async def test_another_master_key_opens_nothing(database: Database, clock: FixedClock) -> None:
    await signer_of(node(database, clock))
    with pytest.raises(MasterKeyError):
        await node(database, clock, bytes([1] * 32)).ring()
