"""Signing keys in PostgreSQL: rotated and withdrawn, and what becomes of them on every node."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
from sqlalchemy import text

from fullmakt.infra.database import Database
from fullmakt.kernel.clock import FixedClock
from fullmakt.maskinporten.tokens.config import TokensConfig
from fullmakt.maskinporten.tokens.signing import KeyNotWithdrawnError, SigningKeys
from tests.support.token_nodes import MASTER_KEY, Node, body_of, node
from tests.support.tokens import ISSUER, NOW, RegistryRows, claims_of, header_of, sign


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
async def nodes(database_url: str, database: Database, clock: FixedClock) -> AsyncIterator[list[Node]]:
    rows = RegistryRows(database)
    await rows.scope()
    await rows.client()
    await rows.change("UPDATE selfservice.client_key SET expires = 2000000000", {}, "*")
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(node(database_url, clock=clock)) for _ in range(2)]


async def signs(server: Node, clock: FixedClock) -> str:
    """The key of the next token."""
    answer = await server.post(sign(claims_of(int(clock().timestamp()))))
    return str(header_of(body_of(answer)["access_token"])["kid"])


def published(server: Node) -> list[str]:
    return [key["kid"] for key in json.loads(server.service.jwks())["keys"]]


async def test_a_key_that_is_withdrawn_with_a_rotation_at_once_is_gone_from_every_node(
    nodes: list[Node], clock: FixedClock, database: Database
) -> None:
    stolen = await signs(nodes[0], clock)
    assert await signs(nodes[1], clock) == stolen
    new = await nodes[0].signing_keys.rotate(at_once=True, withdraw=stolen)
    for server in nodes:
        assert await signs(server, clock) == new.kid
        assert published(server) == [new.kid]
    async with database.transaction() as connection:
        rows = await connection.execute(
            text("SELECT action, subject, facts FROM audit.event WHERE action LIKE 'signing_key:%' ORDER BY id")
        )
        events = [tuple(row) for row in rows]
    assert [(action, subject) for action, subject, _ in events] == [
        ("signing_key:create", stolen), ("signing_key:create", new.kid), ("signing_key:withdraw", stolen),
    ]  # fmt: skip
    assert events[-1][2] == {"signs": new.kid}


async def test_the_only_key_is_not_withdrawn(nodes: list[Node], clock: FixedClock) -> None:
    only = await signs(nodes[0], clock)
    with pytest.raises(KeyNotWithdrawnError, match="rotate --at-once --withdraw"):
        await nodes[0].signing_keys.withdraw(only)
    assert await signs(nodes[0], clock) == only


@pytest.mark.parametrize("kid", ["", "nobody", "a\x00b", "\ud800", "x" * 300])
async def test_a_key_that_there_is_not_is_not_withdrawn_and_nothing_is_rotated(
    nodes: list[Node], clock: FixedClock, kid: str
) -> None:
    only = await signs(nodes[0], clock)
    with pytest.raises(KeyNotWithdrawnError, match="there is no signing key"):
        await nodes[0].signing_keys.rotate(at_once=True, withdraw=kid)
    with pytest.raises(KeyNotWithdrawnError, match="there is no signing key"):
        await nodes[0].signing_keys.withdraw(kid)
    assert await signs(nodes[0], clock) == only
    assert published(nodes[0]) == [only]


async def test_without_the_key_that_signs_the_one_that_waits_signs_at_once(
    nodes: list[Node], clock: FixedClock
) -> None:
    stolen = await signs(nodes[0], clock)
    waits = await nodes[0].signing_keys.rotate()
    clock.advance(hours=1)
    assert await signs(nodes[1], clock) == stolen
    now_signs = await nodes[0].signing_keys.withdraw(stolen)
    assert (now_signs.kid, now_signs.sign_from) == (waits.kid, clock())
    assert await signs(nodes[1], clock) == waits.kid
    assert published(nodes[1]) == [waits.kid]


async def test_a_key_that_waits_can_be_withdrawn_and_withdrawn_again(nodes: list[Node], clock: FixedClock) -> None:
    first = await signs(nodes[0], clock)
    waits = await nodes[0].signing_keys.rotate()
    for _ in range(2):
        assert (await nodes[0].signing_keys.withdraw(waits.kid)).kid == first
        clock.advance(days=30)
        assert await signs(nodes[1], clock) == first
        assert published(nodes[1]) == [first]


async def test_a_key_that_waits_does_not_take_over_after_a_rotation_at_once(
    nodes: list[Node], clock: FixedClock
) -> None:
    stolen = await signs(nodes[0], clock)
    await nodes[0].signing_keys.rotate()
    new = await nodes[0].signing_keys.rotate(at_once=True, withdraw=stolen)
    assert await signs(nodes[1], clock) == new.kid
    clock.advance(days=1, hours=1)
    assert await signs(nodes[1], clock) == new.kid


async def test_a_key_that_is_made_by_a_clock_that_is_behind_is_still_the_newest(
    nodes: list[Node], clock: FixedClock, database: Database
) -> None:
    behind = SigningKeys(database, MASTER_KEY, FixedClock(NOW - timedelta(seconds=5)), TokensConfig(ISSUER))
    new = await behind.rotate(at_once=True)
    clock.advance(seconds=1)
    assert await signs(nodes[0], clock) == new.kid
