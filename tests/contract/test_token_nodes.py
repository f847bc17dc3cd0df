"""Several token servers on one PostgreSQL: a grant counts once, and a change of the registry counts at once."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack

import pytest

from fullmakt.infra.database import Database
from fullmakt.infra.feed import Changes
from fullmakt.kernel.clock import FixedClock
from fullmakt.kernel.trace import Trace
from fullmakt.maskinporten.selfservice.registry import PostgresRegistry
from fullmakt.maskinporten.tokens.model import IssuedToken, Refusal
from fullmakt.wire.maskinporten.registry import RegisteredClient
from tests.support.token_nodes import Node, body_of, events, node, used_grants
from tests.support.tokens import CLIENT_ID, NOW, ORGNO, SCOPE, RegistryRows, claims_of, sign

DUPLICATED = 2_000
AT_ONCE = 64


@pytest.fixture
async def rows(database: Database) -> RegistryRows:
    rows = RegistryRows(database)
    await rows.scope()
    await rows.client()
    return rows


@pytest.fixture
async def nodes(database_url: str, rows: RegistryRows) -> AsyncIterator[list[Node]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(node(database_url)) for _ in range(2)]


def outcome(answer: IssuedToken | Refusal) -> str:
    return answer.reason if isinstance(answer, Refusal) else "token"


async def test_of_many_who_send_the_same_grant_at_once_one_gets_a_token(nodes: list[Node], database: Database) -> None:
    grant = sign(claims_of())
    answers = await asyncio.gather(*[nodes[number % 2].post(grant) for number in range(20)])
    assert Counter(answer.status_code for answer in answers) == {200: 1, 400: 19}
    refused = [body_of(answer)["error_uri"] for answer in answers if answer.status_code == 400]
    assert all(uri.endswith("/MP-012") for uri in refused)
    assert Counter(event["reason"] for event in await events(database)) == {"": 1, "replayed": 19}
    assert await used_grants(database) == 1


async def test_two_nodes_racing_duplicated_grants_issue_each_token_once(nodes: list[Node], database: Database) -> None:
    grants = [sign(claims_of(jti=f"grant {number}")) for number in range(DUPLICATED)]

    async def run(server: Node, order: list[str]) -> Counter[str]:
        queue, outcomes = iter(order), Counter[str]()

        async def caller() -> None:
            for grant in queue:
                outcomes[outcome(await server.service.issue(grant, Trace.start().trace_id))] += 1

        await asyncio.gather(*[caller() for _ in range(AT_ONCE)])
        return outcomes

    # The same few grants are under way on both nodes at a time, in another order on each.
    shuffle = random.Random(4).shuffle
    orders: list[list[str]] = [[], []]
    for start in range(0, DUPLICATED, AT_ONCE):
        for order in orders:
            few = grants[start : start + AT_ONCE]
            shuffle(few)
            order += few
    first, second = await asyncio.gather(*[run(server, order) for server, order in zip(nodes, orders, strict=True)])
    assert first + second == {"token": DUPLICATED, "replayed": DUPLICATED}
    assert await used_grants(database) == DUPLICATED
    assert Counter(event["outcome"] for event in await events(database)) == {"permit": DUPLICATED, "deny": DUPLICATED}


Change = Callable[[RegistryRows], Awaitable[None]]

CHANGES: list[tuple[str, Change, str]] = [
    ("the client is revoked", lambda rows: rows.deactivate_client(), "client_not_found"),
    ("its only key is deleted", lambda rows: rows.delete_keys(), "unknown_kid"),
    ("access is denied", lambda rows: rows.deny_access(), "no_access"),
    ("the scope is deactivated", lambda rows: rows.deactivate_scope(), "invalid_scope"),
    ("the scope is taken from the client", lambda rows: rows.change(
        "DELETE FROM selfservice.client_scope WHERE client_id = :id", {"id": CLIENT_ID}, f"client:{CLIENT_ID}"
    ), "invalid_scope"),
    ("the key expires early", lambda rows: rows.change(
        "UPDATE selfservice.client_key SET expires = 1 WHERE client_id = :id", {"id": CLIENT_ID}, f"client:{CLIENT_ID}"
    ), "expired_key"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "change", "reason"), CHANGES, ids=[what for what, *_ in CHANGES])
async def test_a_change_holds_for_the_next_request_on_every_node(
    nodes: list[Node], rows: RegistryRows, what: str, change: Change, reason: str
) -> None:
    for server in nodes:
        assert outcome(await server.service.issue(sign(claims_of()), "")) == "token", what
    await change(rows)
    for server in nodes:
        assert outcome(await server.service.issue(sign(claims_of()), "")) == reason, what


async def test_what_is_granted_holds_for_the_next_request_too(nodes: list[Node], rows: RegistryRows) -> None:
    async def ask() -> list[str]:
        claims = [claims_of(iss="late", scope="late:scope") for _ in nodes]
        return [
            outcome(await server.service.issue(sign(claim), ""))
            for server, claim in zip(nodes, claims, strict=True)
        ]  # fmt: skip

    assert await ask() == ["client_not_found"] * 2
    await rows.client("late", scopes=["late:scope"])
    assert await ask() == ["invalid_scope"] * 2
    await rows.scope("late:scope", access=[])
    assert await ask() == ["no_access"] * 2
    await rows.change(
        "INSERT INTO selfservice.scope_access VALUES ('late:scope', :orgno, 'APPROVED', now(), now())",
        {"orgno": ORGNO},
        "scope:late:scope",
    )
    assert await ask() == ["token"] * 2


class RegistryWithAnAfterthought(PostgresRegistry):
    """After each read of clients something else happens, before the reader gets what was read."""

    def __init__(self, database: Database, afterthought: Callable[[], Awaitable[None]]) -> None:
        super().__init__(database)
        self._afterthought = afterthought
        self.reads = 0

    async def clients(self, client_ids: Sequence[str]) -> dict[str, RegisteredClient]:
        found = await super().clients(client_ids)
        self.reads += 1
        if self.reads == 1:
            await self._afterthought()
        return found


async def test_a_change_between_decision_and_write_has_the_request_decided_anew(
    database_url: str, database: Database, rows: RegistryRows
) -> None:
    registry = RegistryWithAnAfterthought(database, rows.deny_access)
    async with node(database_url, registry=registry) as server:
        answer = await server.post(sign(claims_of()))
        assert (answer.status_code, body_of(answer)["error_uri"][-6:]) == (403, "MP-250")
        assert registry.reads == 2
        assert [event["reason"] for event in await events(database)] == ["no_access"]
    await registry.close()


class RegistryAtHand(PostgresRegistry):
    """Gives its answers when it is told to; they are from the moment of the question."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.holding = False
        self.questions: asyncio.Queue[asyncio.Event] = asyncio.Queue()

    async def _hold(self) -> None:
        if self.holding:
            answer = asyncio.Event()
            self.questions.put_nowait(answer)
            await answer.wait()

    async def clients(self, client_ids: Sequence[str]) -> dict[str, RegisteredClient]:
        found = await super().clients(client_ids)
        await self._hold()
        return found

    async def changes_since(self, version: int) -> Changes:
        changes = await super().changes_since(version)
        await self._hold()
        return changes


async def test_a_node_that_learns_of_a_change_just_after_a_load_does_not_take_the_old_for_the_new(
    database_url: str, database: Database, rows: RegistryRows
) -> None:
    registry = RegistryAtHand(database)
    async with node(database_url, registry=registry) as server:
        registry.holding = True
        asking = asyncio.create_task(server.service.issue(sign(claims_of()), ""))
        loaded = await registry.questions.get()
        await rows.deny_access()
        catching_up = asyncio.create_task(server.cache.catch_up())
        changed = await registry.questions.get()
        registry.holding = False
        loaded.set()
        changed.set()
        assert outcome(await asking) == "no_access"
        await catching_up
    await registry.close()


async def test_a_registry_that_never_stands_still_is_told_as_such(
    database_url: str, database: Database, rows: RegistryRows
) -> None:
    class Restless(PostgresRegistry):
        async def clients(self, client_ids: Sequence[str]) -> dict[str, RegisteredClient]:
            found: Mapping[str, RegisteredClient] = await super().clients(client_ids)
            await rows.change("SELECT 1", {}, f"client:{CLIENT_ID}")
            return dict(found)

    registry = Restless(database)
    async with node(database_url, registry=registry) as server:
        answer = await server.post(sign(claims_of()))
        assert (answer.status_code, body_of(answer)["error"]) == (503, "temporarily_unavailable")
        assert await used_grants(database) == 0
    await registry.close()


async def test_nodes_that_start_together_make_one_signing_key(database_url: str) -> None:
    async with AsyncExitStack() as stack:
        servers = await asyncio.gather(*[stack.enter_async_context(node(database_url)) for _ in range(4)])
        assert len({server.service.jwks() for server in servers}) == 1


async def test_a_token_that_one_node_signed_is_in_the_others_key_set(nodes: list[Node]) -> None:
    first, second = [server.service.jwks() for server in nodes]
    assert first == second
    assert SCOPE in body_of(await nodes[0].post(sign(claims_of())))["scope"]


async def test_a_rotation_under_load_fails_nobody_and_opens_no_key_twice(nodes: list[Node]) -> None:
    operator, server = nodes
    [before] = server.service.ring.published_at(NOW)
    asking = [asyncio.create_task(server.service.issue(sign(claims_of()), "")) for _ in range(AT_ONCE)]
    await operator.signing_keys.rotate()
    asking += [asyncio.create_task(server.service.issue(sign(claims_of()), "")) for _ in range(AT_ONCE)]
    assert {outcome(await one) for one in asking} == {"token"}
    published = {key.turn.kid: key.signer for key in server.service.ring.published_at(NOW)}
    assert len(published) == 2
    assert published[before.turn.kid] is before.signer


async def test_keys_that_have_retired_are_not_opened(database_url: str, rows: RegistryRows) -> None:
    clock = FixedClock(NOW)
    async with node(database_url, clock=clock) as server:
        for _ in range(3):
            clock.advance(days=4)
            await server.signing_keys.rotate()
        ring = await server.signing_keys.ring()
        assert len(ring.published_at(clock())) == 2
        assert len(server.signing_keys._opened) == 2
