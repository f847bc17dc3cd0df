"""What may become of a request, whoever tries what in whatever order, and what approving it gives."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from fullmakt.altinn.delegations.requests import rules
from fullmakt.altinn.delegations.requests.errors import WRONG_PARTY, WRONG_STATUS, Fault
from fullmakt.altinn.delegations.requests.model import AccessRequest, Letter, Move, RequestStatus, Wish
from fullmakt.wire.altinn.attributes import ORGANISATION, PERSON, Attribute

NOW = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)
RECEIVER, GIVER, STRANGER = UUID(int=1), UUID(int=2), UUID(int=3)
DRAFT, PENDING, APPROVED, REJECTED, WITHDRAWN = RequestStatus
ORG, OTHER_ORG = Attribute(ORGANISATION, "910753614"), Attribute(ORGANISATION, "991825827")
PID, OTHER_PID = Attribute(PERSON, "05895199925"), Attribute(PERSON, "24907999889")


def request(status: RequestStatus = DRAFT) -> AccessRequest:
    wish = Wish(RECEIVER, GIVER, ("nav_sykmelding",))
    sent = None if status is DRAFT else NOW
    return AccessRequest(UUID(int=9), wish, status, None, Letter(), NOW, NOW, None, sent)


@pytest.mark.parametrize(
    ("move", "party", "from_", "outcome"),
    [
        (Move.CONFIRM, RECEIVER, DRAFT, PENDING),
        (Move.WITHDRAW, RECEIVER, DRAFT, WITHDRAWN),
        (Move.WITHDRAW, RECEIVER, PENDING, WITHDRAWN),
        (Move.WITHDRAW, None, DRAFT, WITHDRAWN),
        (Move.WITHDRAW, None, PENDING, WITHDRAWN),
        (Move.APPROVE, GIVER, PENDING, APPROVED),
        (Move.REJECT, GIVER, PENDING, REJECTED),
    ],
)
def test_these_moves_are_allowed(move: Move, party: UUID | None, from_: RequestStatus, outcome: RequestStatus) -> None:
    assert rules.moved(request(from_), move, party) is outcome


@pytest.mark.parametrize("move", Move)
@pytest.mark.parametrize("party", [RECEIVER, GIVER, STRANGER])
@pytest.mark.parametrize("status", RequestStatus)
def test_everything_else_is_refused_by_party_before_status(move: Move, party: UUID, status: RequestStatus) -> None:
    turn = RECEIVER if move in {Move.CONFIRM, Move.WITHDRAW} else GIVER
    allowed = {
        Move.CONFIRM: {DRAFT}, Move.WITHDRAW: {DRAFT, PENDING}, Move.APPROVE: {PENDING}, Move.REJECT: {PENDING},
    }  # fmt: skip
    outcome = rules.moved(request(status), move, party)
    if party != turn:
        assert outcome is WRONG_PARTY
    elif status not in allowed[move]:
        assert outcome is WRONG_STATUS
    else:
        assert isinstance(outcome, RequestStatus)


class AnyoneTriesAnything(RuleBasedStateMachine):
    """Everybody tries every move, and what was once decided stays decided."""

    def __init__(self) -> None:
        super().__init__()
        self.request = request()
        self.history: list[tuple[Move, UUID]] = []

    @rule(move=st.sampled_from(Move), party=st.sampled_from([RECEIVER, GIVER, STRANGER]))
    def try_it(self, move: Move, party: UUID) -> None:
        outcome = rules.moved(self.request, move, party)
        if not isinstance(outcome, Fault):
            self.history.append((move, party))
            self.request = replace(self.request, status=outcome, sent=NOW if outcome is PENDING else self.request.sent)

    @invariant()
    def a_request_ends_once(self) -> None:
        assert len([move for move, _ in self.history if move is not Move.CONFIRM]) <= 1
        assert [move for move, _ in self.history].count(Move.CONFIRM) <= 1

    @invariant()
    def nobody_answers_for_the_other(self) -> None:
        assert all(
            party == (GIVER if move in {Move.APPROVE, Move.REJECT} else RECEIVER) for move, party in self.history
        )

    @invariant()
    def the_giver_answers_only_what_it_was_sent(self) -> None:
        if self.request.status in {APPROVED, REJECTED}:
            assert self.history[0] == (Move.CONFIRM, RECEIVER)
        assert rules.shown_to(self.request, GIVER) == ((Move.CONFIRM, RECEIVER) in self.history)
        assert not rules.shown_to(self.request, STRANGER)


TestAnyoneTriesAnything = AnyoneTriesAnything.TestCase


@pytest.mark.parametrize(
    ("from_", "to", "receiver", "giver"),
    [
        (PID, ORG, PID, ORG),
        (ORG, PID, PID, ORG),
        (ORG, OTHER_ORG, ORG, OTHER_ORG),
        (PID, OTHER_PID, PID, OTHER_PID),
    ],
)
def test_of_a_person_and_an_organisation_the_person_asks(
    from_: Attribute, to: Attribute, receiver: Attribute, giver: Attribute
) -> None:
    assert rules.who_asks(from_, to) == (receiver, giver)


@pytest.mark.parametrize(
    ("asked", "keys", "given_"),
    [
        ([], None, {"read", "write"}),
        (["r:read"], None, {"read"}),
        (["r:read", "r:sign"], None, {"read"}),
        ([], ["r:write"], {"write"}),
        (["r:read"], ["r:write"], set()),
        ([], ["other:read"], set()),
        ([], ["r:sign"], set()),
        (["other:read"], None, set()),
    ],
)
def test_approving_gives_what_was_asked_for_and_chosen_and_can_be_given(
    asked: list[str], keys: list[str] | None, given_: set[str]
) -> None:
    wish = Wish(RECEIVER, GIVER, ("r",), actions=frozenset(asked))
    assert rules.given_actions(wish, "r", ["read", "write"], keys) == given_


_actions = st.frozensets(st.sampled_from(["read", "write", "sign", "a:b"]))


@given(_actions, _actions, st.none() | _actions)
def test_approving_never_gives_more_than_the_approver_can(
    asked: frozenset[str], delegable: frozenset[str], chosen: frozenset[str] | None
) -> None:
    keys = None if chosen is None else {f"r:{action}" for action in chosen}
    wish = Wish(RECEIVER, GIVER, ("r",), actions=frozenset(rules.right_key(["r"], action) for action in asked))
    actions = rules.given_actions(wish, "r", delegable, keys)
    assert actions == delegable & (asked or delegable) & (delegable if chosen is None else chosen)


@pytest.mark.parametrize(
    ("resources", "key", "full"),
    [(["a"], "read", "a:read"), (["a"], "a:read", "a:read"), (["a", "b"], "b:read", "b:read"), (["a"], "b:x", "a:b:x")],
)
def test_a_right_key_names_its_resource_or_means_the_first(resources: list[str], key: str, full: str) -> None:
    assert rules.right_key(resources, key) == full
