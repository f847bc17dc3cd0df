"""What can be delegated, and passed on."""

from __future__ import annotations

import datetime as dt
from uuid import UUID, uuid5

import pytest

from fullmakt.altinn.delegations.rules import (
    MAX_ACTIONS,
    MAX_LINKS,
    chain_to,
    offer_fault,
    passing_fault,
)
from fullmakt.wire.altinn.delegations import DelegatedRight

NOW = dt.datetime(2026, 5, 4, tzinfo=dt.UTC)
PARTIES = [uuid5(UUID(int=0), str(number)) for number in range(MAX_LINKS + 2)]
GIVER, FIRST, SECOND, THIRD, *_ = PARTIES


def _right(
    receiver: UUID,
    *actions: str,
    on: DelegatedRight | None = None,
    instance: str | None = None,
    resource: str = "skjema",
) -> DelegatedRight:
    return DelegatedRight(
        delegation_id=uuid5(receiver, "".join(actions) + str(on and on.delegation_id)),
        giver=GIVER,
        receiver=receiver,
        resource=resource,
        actions=frozenset(actions or ("read",)),
        instance=instance,
        given_by=on.receiver if on else GIVER,
        passed_on_from=on.delegation_id if on else None,
        created=NOW,
    )


def test_a_delegation_that_breaks_no_rule_has_no_fault() -> None:
    assert offer_fault(GIVER, FIRST, "skjema", {"read"}, None) is None
    assert offer_fault(GIVER, FIRST, "skjema", {"read"}, "urn:altinn:instance-id:1/a") is None


@pytest.mark.parametrize(
    ("receiver", "resource", "actions", "instance", "reason"),
    [
        (GIVER, "skjema", {"read"}, None, "to_oneself"),
        (FIRST, "", {"read"}, None, "invalid_resource"),
        (FIRST, "skjema", set[str](), None, "no_actions"),
        (FIRST, "skjema", {str(number) for number in range(MAX_ACTIONS + 1)}, None, "no_actions"),
        (FIRST, "skjema", {"read", ""}, None, "invalid_action"),
        (FIRST, "skjema", {"read"}, "", "invalid_instance"),
    ],
)
def test_a_delegation_that_breaks_a_rule_is_told_which(
    receiver: UUID, resource: str, actions: set[str], instance: str | None, reason: str
) -> None:
    fault = offer_fault(GIVER, receiver, resource, actions, instance)
    assert fault is not None
    assert fault[0] == reason


def test_what_was_given_can_be_passed_on_in_part() -> None:
    root = _right(FIRST, "read", "write")
    assert passing_fault([root], SECOND, "skjema", {"read"}, None) is None
    assert passing_fault([root], SECOND, "skjema", {"write"}, "urn:altinn:instance-id:1/a") is None


@pytest.mark.parametrize(
    ("receiver", "resource", "actions", "instance", "reason"),
    [
        (THIRD, "other", {"read"}, "i", "other_resource"),
        (THIRD, "skjema", {"read"}, None, "other_instance"),
        (THIRD, "skjema", {"read"}, "j", "other_instance"),
        (THIRD, "skjema", {"read", "write"}, "i", "not_held"),
        (GIVER, "skjema", {"read"}, "i", "cycle"),
        (FIRST, "skjema", {"read"}, "i", "cycle"),
        (SECOND, "skjema", {"read"}, "i", "cycle"),
    ],
)
def test_what_can_not_be_passed_on_is_told_why(
    receiver: UUID, resource: str, actions: set[str], instance: str | None, reason: str
) -> None:
    root = _right(FIRST, "read", "write")
    held = _right(SECOND, "read", on=root, instance="i")
    fault = passing_fault([root, held], receiver, resource, actions, instance)
    assert fault is not None
    assert fault[0] == reason


def test_a_chain_has_an_end() -> None:
    chain = [_right(PARTIES[1])]
    for receiver in PARTIES[2 : MAX_LINKS + 1]:
        assert passing_fault(chain, receiver, "skjema", {"read"}, None) is None
        chain.append(_right(receiver, on=chain[-1]))
    fault = passing_fault(chain, PARTIES[MAX_LINKS + 1], "skjema", {"read"}, None)
    assert fault is not None
    assert fault[0] == "too_long"


def test_a_chain_begins_with_what_the_giver_gave() -> None:
    root = _right(FIRST)
    middle = _right(SECOND, on=root)
    last = _right(THIRD, on=middle)
    assert chain_to([last, root, middle], last.delegation_id) == [root, middle, last]
    assert chain_to([last, root, middle], middle.delegation_id) == [root, middle]


def test_a_chain_with_a_link_missing_is_none() -> None:
    root = _right(FIRST)
    last = _right(THIRD, on=_right(SECOND, on=root))
    assert chain_to([last, root], last.delegation_id) == []
    assert chain_to([], last.delegation_id) == []
