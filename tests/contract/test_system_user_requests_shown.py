"""Requests as they are read for the page on which they are answered, whoever reads them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from fullmakt.altinn.systemusers.requests.model import RequestStatus
from fullmakt.altinn.systemusers.requests.showing import Absent, Linked, LinkedChange, Showing
from fullmakt.infra.database import Database
from fullmakt.wire.altinn.systemusers import UserType
from tests.support.asking_systems import CHANGE, CUSTOMER, REQUEST, SystemUsersWorld, somebody
from tests.support.systemusers import SYSTEM, right

STANDARD, AGENT = UserType.STANDARD, UserType.AGENT


@pytest.fixture
async def world(database: Database) -> AsyncIterator[SystemUsersWorld]:
    world = SystemUsersWorld(database)
    await world.registered()
    yield world
    await world.close()


@pytest.fixture
def showing(world: SystemUsersWorld) -> Showing:
    return Showing(world.service.work)


async def changed(world: SystemUsersWorld) -> UUID:
    """The id of a new change request."""
    change_id = somebody()
    query = {"correlation-id": str(change_id), "system-user-id": str(await world.approved())}
    body = {"unwantedRights": [right("krav")]}
    answer = await world.send("vendor", "POST", f"{CHANGE}/vendor", params=query, json=body)
    assert answer.status_code == 201, answer.text
    return change_id


@pytest.mark.parametrize("kind", [STANDARD, AGENT])
async def test_a_request_is_shown_with_its_system_by_its_kind(
    world: SystemUsersWorld, showing: Showing, kind: UserType
) -> None:
    request_id = UUID(await world.requested(agent=kind is AGENT))
    shown = await showing.request(request_id, kind)
    assert isinstance(shown, Linked)
    assert (shown.request.request_id, shown.system.id, shown.system.deleted) == (request_id, SYSTEM, False)
    assert await showing.request(request_id, AGENT if kind is STANDARD else STANDARD) is Absent.UNKNOWN
    assert await showing.change(request_id) is Absent.UNKNOWN


async def test_a_request_is_shown_as_it_stands_now_deleted_system_and_all(
    world: SystemUsersWorld, showing: Showing
) -> None:
    request_id = UUID(await world.requested())
    await world.send("vendor", "DELETE", f"/api/v1/systemregister/vendor/{SYSTEM}")
    world.clock.advance(days=181)
    shown = await showing.request(request_id, STANDARD)
    assert isinstance(shown, Linked)
    assert (shown.request.status, shown.system.deleted) == (RequestStatus.TIMED_OUT, True)


async def test_a_request_that_was_taken_back_is_told_from_one_that_never_was(
    world: SystemUsersWorld, showing: Showing
) -> None:
    request_id = UUID(await world.requested())
    await world.send("vendor", "DELETE", f"{REQUEST}/vendor/{request_id}")
    assert await showing.request(request_id, STANDARD) is Absent.TAKEN_BACK
    assert await showing.request(request_id, AGENT) is Absent.UNKNOWN
    assert await showing.request(somebody(), STANDARD) is Absent.UNKNOWN


async def test_a_change_is_shown_with_its_system_user(world: SystemUsersWorld, showing: Showing) -> None:
    change_id = await changed(world)
    shown = await showing.change(change_id)
    assert isinstance(shown, LinkedChange)
    assert (shown.shown.change.change_request_id, shown.shown.user.owner.orgno) == (change_id, CUSTOMER)
    world.clock.advance(days=181)
    later = await showing.change(change_id)
    assert isinstance(later, LinkedChange)
    assert later.shown.change.status is RequestStatus.TIMED_OUT
    await world.send("vendor", "DELETE", f"{CHANGE}/vendor/{change_id}")
    assert await showing.change(change_id) is Absent.TAKEN_BACK
    assert await showing.change(somebody()) is Absent.UNKNOWN
    assert await showing.request(change_id, STANDARD) is Absent.UNKNOWN
