"""Tokens for suppliers: what a consumer has delegated counts at once, on every node, and no longer than it stands."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack

import pytest

from fullmakt.infra import feed
from fullmakt.infra.database import Database, DatabaseUnavailableError
from fullmakt.infra.feed import Changes, JoinedFeed
from tests.support.token_nodes import Node, body_of, events, node
from tests.support.tokens import ORGNO, SCOPE, RegistryRows, claims_of, payload_of, sign

CONSUMER = "314680138"
OTHER = "313579247"
SOURCE = "https://tt02.altinn.no/"
TOPIC = "altinn.delegations"


class Altinn:
    """What consumers have delegated, kept here and announced on the real feed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.kept: dict[tuple[str, str], frozenset[str]] = {}
        self.reads = 0
        self.silent = False

    async def delegate(self, consumer: str, *scopes: str, supplier: str = ORGNO) -> None:
        """Let the supplier have exactly these scopes."""
        async with self._database.transaction() as connection:
            self.kept[supplier, consumer] = frozenset(scopes)
            await feed.publish(connection, TOPIC, [f"supplier:{supplier}"])


class AltinnAsSeenByANode:
    """The ``Delegations`` port, one for each node."""

    topics: Sequence[str] = (TOPIC,)

    def __init__(self, altinn: Altinn, database: Database) -> None:
        self._altinn = altinn
        self._database = database
        self._feed = JoinedFeed(*self.topics)

    async def delegated_scopes(self, pairs: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], frozenset[str]]:
        self._altinn.reads += 1
        if self._altinn.silent:
            raise DatabaseUnavailableError("Altinn does not answer")
        return {pair: self._altinn.kept[pair] for pair in pairs if pair in self._altinn.kept}

    async def changes_since(self, version: int) -> Changes:
        async with self._database.transaction() as connection:
            return await self._feed.changes_since(connection, version)


class DistantAltinn(AltinnAsSeenByANode):
    """An Altinn on another database, whose feed this one can not read."""

    topics: Sequence[str] = ()


@pytest.fixture
async def rows(database: Database) -> RegistryRows:
    rows = RegistryRows(database)
    await rows.delegation_source(SOURCE)
    await rows.scope(access=[CONSUMER], delegation_source=SOURCE)
    await rows.scope("demo:other", access=[CONSUMER], delegation_source=SOURCE)
    await rows.client(scopes=[SCOPE, "demo:other"])
    return rows


@pytest.fixture
def altinn(database: Database, rows: RegistryRows) -> Altinn:
    return Altinn(database)


@pytest.fixture
async def nodes(database_url: str, database: Database, altinn: Altinn) -> AsyncIterator[list[Node]]:
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(node(database_url, delegations=AltinnAsSeenByANode(altinn, database)))
            for _ in range(2)
        ]


def grant(scope: str = SCOPE, consumer_org: str = CONSUMER) -> str:
    return sign(claims_of(scope=scope, consumer_org=consumer_org))


async def code(server: Node, assertion: str) -> str:
    """``token``, or the MP code."""
    answer = await server.post(assertion)
    return "token" if answer.status_code == 200 else body_of(answer).get("error_uri", "").rpartition("/")[2]


async def test_a_delegation_gives_the_token_of_seed_003(nodes: list[Node], altinn: Altinn, database: Database) -> None:
    await altinn.delegate(CONSUMER, SCOPE)
    token = payload_of(body_of(await nodes[0].post(grant()))["access_token"])
    assert token["consumer"] == {"authority": "iso6523-actorid-upis", "ID": f"0192:{CONSUMER}"}
    assert token["supplier"] == {"authority": "iso6523-actorid-upis", "ID": f"0192:{ORGNO}"}
    assert token["delegation_source"] == SOURCE
    (event,) = await events(database)
    assert (event["outcome"], event["facts"]["consumer"], event["facts"]["supplier"]) == ("permit", CONSUMER, ORGNO)


async def test_a_delegation_and_its_withdrawal_count_for_the_next_token_on_every_node(
    nodes: list[Node], altinn: Altinn
) -> None:
    assert [await code(server, grant()) for server in nodes] == ["MP-251", "MP-251"]
    await altinn.delegate(CONSUMER, SCOPE)
    assert [await code(server, grant()) for server in nodes] == ["token", "token"]
    await altinn.delegate(CONSUMER, "demo:other")
    assert [await code(server, grant()) for server in nodes] == ["MP-251", "MP-251"]
    assert [await code(server, grant("demo:other")) for server in nodes] == ["token", "token"]


async def test_every_scope_asked_for_must_be_delegated(nodes: list[Node], altinn: Altinn) -> None:
    await altinn.delegate(CONSUMER, SCOPE)
    answer = body_of(await nodes[0].post(grant(f"{SCOPE} demo:other")))
    assert answer["error_description"].startswith(
        f"Consumer {CONSUMER} has not delegated access to the scope demo:other to supplier {ORGNO}."
    )


async def test_the_consumers_access_counts_and_not_the_suppliers(
    nodes: list[Node], altinn: Altinn, rows: RegistryRows
) -> None:
    await altinn.delegate(CONSUMER, SCOPE)
    await altinn.delegate(OTHER, SCOPE)
    assert await code(nodes[0], grant(consumer_org=OTHER)) == "MP-250"
    assert await code(nodes[0], sign(claims_of())) == "MP-250"  # a supplier that forgets consumer_org
    assert await code(nodes[0], grant()) == "token"
    await rows.deny_access(orgno=CONSUMER)
    assert [await code(server, grant()) for server in nodes] == ["MP-250", "MP-250"]


async def test_what_was_looked_up_is_remembered_until_it_changes(nodes: list[Node], altinn: Altinn) -> None:
    await altinn.delegate(CONSUMER, SCOPE)
    await code(nodes[0], grant())
    reads = altinn.reads
    assert [await code(nodes[0], grant()) for _ in range(3)] == ["token"] * 3
    assert altinn.reads == reads
    await altinn.delegate(CONSUMER, "demo:other", supplier=OTHER)
    assert await code(nodes[0], grant()) == "token"
    assert altinn.reads == reads  # another supplier's delegation is none of this one's business


async def test_plain_grants_do_not_wait_for_altinn(nodes: list[Node], altinn: Altinn, rows: RegistryRows) -> None:
    await rows.scope("demo:plain")
    await rows.client("plain", scopes=["demo:plain"])
    altinn.silent = True
    assert await code(nodes[0], sign(claims_of(iss="plain", scope="demo:plain"))) == "token"
    answer = await nodes[0].post(grant())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


async def test_an_altinn_whose_feed_is_out_of_reach_is_asked_each_time(
    database_url: str, database: Database, altinn: Altinn
) -> None:
    async with node(database_url, delegations=DistantAltinn(altinn, database)) as server:
        await altinn.delegate(CONSUMER, SCOPE)
        assert await code(server, grant()) == "token"
        await altinn.delegate(CONSUMER)
        assert await code(server, grant()) == "MP-251"


async def test_no_token_is_issued_after_the_withdrawal_however_many_are_under_way(
    nodes: list[Node], altinn: Altinn, database: Database
) -> None:
    await altinn.delegate(CONSUMER, SCOPE)
    assert await code(nodes[0], grant()) == "token"
    grants = [grant() for _ in range(60)]
    asking = [asyncio.create_task(code(nodes[number % 2], one)) for number, one in enumerate(grants)]
    await asyncio.sleep(0)
    await altinn.delegate(CONSUMER)
    after = [await code(server, grant()) for server in nodes]
    assert after == ["MP-251", "MP-251"]
    assert set(Counter(await asyncio.gather(*asking))) <= {"token", "MP-251"}
    outcomes = [event["outcome"] for event in await events(database)]
    assert "permit" not in outcomes[outcomes.index("deny") :]
