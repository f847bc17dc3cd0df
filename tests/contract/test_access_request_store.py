"""The lists that the database makes are those that plain Python makes of the same requests."""

from __future__ import annotations

import datetime as dt
import itertools
import random
from uuid import UUID

from fullmakt.altinn.delegations.requests import store
from fullmakt.altinn.delegations.requests.model import (
    AccessRequest,
    Letter,
    Place,
    RequestStatus,
    RequestType,
    Selection,
    Wish,
)
from fullmakt.infra.database import Database
from fullmakt.kernel.identifiers import OrgNumber

NOW = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)
ALICE, BOB, CAROL = (UUID(int=number) for number in (1, 2, 3))
OWNER = OrgNumber("974761076")


def requests() -> list[AccessRequest]:
    """One of every kind between three parties; some of them made in the same instant."""
    kinds = itertools.product(
        [(ALICE, BOB), (BOB, ALICE), (ALICE, CAROL)],
        [("a",), ("a", "b"), ()],
        [None, OWNER],
        RequestStatus,
    )
    made: list[AccessRequest] = []
    for number, ((receiver, giver), resources, owner, status) in enumerate(kinds):
        package = None if resources else "regnskap"
        actions = frozenset() if not resources else frozenset({f"a:{status}"})
        wish = Wish(receiver, giver, resources, package, actions)
        if status is RequestStatus.PENDING and package:
            continue  # there is a draft for the same
        created = NOW + dt.timedelta(seconds=number // 3)
        sent = created if status not in {RequestStatus.DRAFT, RequestStatus.WITHDRAWN} else None
        made.append(AccessRequest(UUID(int=1000 - number), wish, status, owner, Letter(), created, created, None, sent))
    return made


def holds(selection: Selection, request: AccessRequest) -> bool:
    wish = request.wish
    return (
        selection.receiver in (None, wish.receiver)
        and selection.giver in (None, wish.giver)
        and selection.owner in (None, request.owner)
        and (not selection.statuses or request.status in selection.statuses)
        and selection.type in (None, wish.type)
        and (selection.resource is None or selection.resource in wish.resources)
        and (not selection.sent or request.sent is not None)
    )


async def test_a_selection_means_the_same_to_the_database_as_in_words(database: Database) -> None:
    made = requests()
    chance = random.Random(20261121)
    selections = [
        Selection(
            receiver=chance.choice([None, ALICE, BOB]),
            giver=chance.choice([None, ALICE, BOB, CAROL]),
            owner=chance.choice([None, OWNER]),
            statuses=frozenset(chance.sample(list(RequestStatus), chance.choice([0, 1, 3]))),
            type=chance.choice([None, *RequestType]),
            resource=chance.choice([None, None, "a", "b", "c"]),
            sent=chance.choice([True, False]),
        )
        for _ in range(60)
    ]
    async with database.transaction() as connection:
        for request in made:
            assert await store.insert(connection, request)
        for selection in selections:
            expected = sorted(
                (one for one in made if holds(selection, one)), key=lambda one: (one.created, one.request_id)
            )
            assert await store.count(connection, selection) == len(expected)
            found: list[AccessRequest] = []
            place: Place | None = None
            while page := await store.page(connection, selection, place, 7):
                found += page
                place = Place(page[-1].created, page[-1].request_id)
            assert found == expected


async def test_an_equal_request_is_kept_once_until_it_is_answered(database: Database) -> None:
    (first, *_) = requests()
    again = AccessRequest(
        UUID(int=5000), first.wish, RequestStatus.DRAFT, first.owner, Letter("https://x/"), NOW, NOW, None, None
    )
    async with database.transaction() as connection:
        assert await store.insert(connection, first)
        assert not await store.insert(connection, again)
        assert await store.open_one(connection, first.wish, first.owner) == first
        assert await store.open_one(connection, first.wish, OWNER) is None
        moved = await store.set_status(connection, first.request_id, RequestStatus.WITHDRAWN, ALICE, NOW)
        assert (moved.status, moved.changed_by, moved.sent) == (RequestStatus.WITHDRAWN, ALICE, None)
        assert await store.insert(connection, again)
        assert await store.get(connection, UUID(int=1)) is None
        assert await store.get(connection, again.request_id) == again
