"""The fuzz target itself: a few hundred cases in each test run, the same ones each time."""

from __future__ import annotations

from tests.fuzz.fuzz_token_endpoint import fuzz


async def test_some_mutated_grants_are_all_answered_right(database_url: str) -> None:
    fuzzer = await fuzz(database_url, lambda number: number == 400, seed=1)
    assert sum(fuzzer.outcomes.values()) == 400
    assert {"token", "malformed_assertion", "invalid_signature", "invalid_request"} <= set(fuzzer.outcomes)
    assert fuzzer.coverage.lines > 300
