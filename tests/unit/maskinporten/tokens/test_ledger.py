"""How decisions that wait are grouped into statements."""

from __future__ import annotations

import asyncio
from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from fullmakt.infra.group_commit import BATCH
from fullmakt.maskinporten.tokens.ledger import Decision, Result, Waiting, next_batch
from fullmakt.maskinporten.tokens.model import Standing
from tests.support.tokens import NOW


def waiting(loop: asyncio.AbstractEventLoop, *decisions: tuple[bytes | None, int]) -> list[Waiting]:
    def one(claim: bytes | None, version: int) -> Waiting:
        future: asyncio.Future[Result] = loop.create_future()
        return Decision(claim, 0, version, "", "", "", "", "{}", NOW), future

    return [one(*decision) for decision in decisions]


async def test_a_batch_is_the_first_32_that_wait() -> None:
    queue = waiting(asyncio.get_running_loop(), *[(b"%d" % number, 1) for number in range(BATCH + 3)])
    batch, rest = next_batch(queue)
    assert batch == queue[:BATCH]
    assert rest == queue[BATCH:]


async def test_a_claim_that_is_in_the_batch_waits_for_the_next_and_no_claim_never_collides() -> None:
    queue = waiting(asyncio.get_running_loop(), (b"a", 1), (None, 1), (b"a", 1), (None, 1), (b"b", 1), (b"a", 1))
    batch, rest = next_batch(queue)
    assert [decision.claim for decision, _ in batch] == [b"a", None, None, b"b"]
    assert [decision.claim for decision, _ in rest] == [b"a", b"a"]


async def test_decisions_on_another_version_of_the_registry_wait() -> None:
    queue = waiting(asyncio.get_running_loop(), (b"a", 1), (b"b", 2), (b"c", 1))
    batch, rest = next_batch(queue)
    assert [decision.claim for decision, _ in batch] == [b"a", b"c"]
    assert [decision.claim for decision, _ in rest] == [b"b"]


async def test_decisions_that_rest_on_other_things_of_altinns_wait_and_those_that_rest_on_none_go_along() -> None:
    loop = asyncio.get_running_loop()
    standings = [None, Standing(("a",), 1), Standing(("a",), 2), Standing(("b",), 1), None, Standing(("a",), 1)]
    queue: list[Waiting] = [
        (Decision(None, 0, 1, "", "", "", "", "{}", NOW, standing), loop.create_future()) for standing in standings
    ]
    batch, rest = next_batch(queue)
    assert [decision.standing for decision, _ in batch] == [None, Standing(("a",), 1), None, Standing(("a",), 1)]
    batch, rest = next_batch(rest)
    assert [decision.standing for decision, _ in batch] == [Standing(("a",), 2)]
    assert [decision.standing for decision, _ in rest] == [Standing(("b",), 1)]


@given(st.lists(st.tuples(st.none() | st.sampled_from([b"a", b"b", b"c"]), st.integers(1, 3)), min_size=1))
def test_batch_after_batch_everything_is_written_once_and_equals_in_their_order(
    decisions: list[tuple[bytes | None, int]],
) -> None:
    loop = asyncio.new_event_loop()
    rest = queue = waiting(loop, *decisions)
    written: list[Waiting] = []
    while rest:
        batch, rest = next_batch(rest)
        assert batch
        assert len(batch) <= BATCH
        assert len({decision.version for decision, _ in batch}) == 1
        claims = [decision.claim for decision, _ in batch if decision.claim is not None]
        assert len(set(claims)) == len(claims)
        written += batch
    assert sorted(map(id, written)) == sorted(map(id, queue))
    order = {id(item): place for place, item in enumerate(queue)}

    def identity(item: Waiting) -> tuple[bytes, int]:
        return item[0].claim or b"", item[0].version

    for _, equals in groupby(sorted(written, key=identity), key=identity):
        places = [order[id(item)] for item in equals]
        assert places == sorted(places)
    loop.close()
