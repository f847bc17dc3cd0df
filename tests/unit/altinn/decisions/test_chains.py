"""How long a chain of delegations may be."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from fullmakt.altinn.decisions.rules.delegations import find_chain
from fullmakt.wire.altinn.delegations import MAX_LINKS, DelegatedRight
from tests.support.decision_tables import uuid_of

READ = frozenset({"read"})


def _chain(length: int) -> tuple[list[DelegatedRight], UUID]:
    """A right that has been passed on, and who has it at last."""
    people = [uuid_of(f"party {number}") for number in range(length + 1)]
    ids = [uuid_of(f"link {number}") for number in range(length)]
    links = [
        DelegatedRight(
            delegation_id=ids[number],
            giver=people[0],
            receiver=people[number + 1],
            resource="thing",
            actions=READ,
            instance=None,
            given_by=people[number],
            passed_on_from=ids[number - 1] if number else None,
            created=datetime(2026, 1, 1, tzinfo=UTC),
        )
        for number in range(length)
    ]
    return links, people[-1]


@pytest.mark.parametrize("length", [1, 2, MAX_LINKS - 1, MAX_LINKS, MAX_LINKS + 1])
def test_a_chain_counts_as_long_as_it_could_have_been_made(length: int) -> None:
    links, last = _chain(length)
    found = find_chain(links, {last}, READ, ())
    if length > MAX_LINKS:
        assert found is None
    else:
        assert found == tuple(reversed(links))
