"""Delegating and withdrawing at the same moment, from many connections."""

from __future__ import annotations

import asyncio
import datetime as dt
from uuid import UUID, uuid5

import pytest
from sqlalchemy import text

from fullmakt.altinn.delegations.errors import DelegationRefusedError, UnknownDelegationError
from fullmakt.altinn.delegations.model import ConnectionRole, Offer, Performer, Selection
from fullmakt.altinn.delegations.schemes import Schemes
from fullmakt.altinn.delegations.service import DelegationsService, api_offer
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import FixedClock, new_uuid
from fullmakt.kernel.declarations import Outcome
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn.delegations import TOPIC
from tests.support.delegations import FakeParties, FakeResources
from tests.support.feeds import announced

BY = Performer("operator")
GIVER, *OTHERS = [uuid5(UUID(int=0), str(number)) for number in range(6)]
ROUNDS = 10


API = FakeResources().add("api", "test:scope", scheme=str(UUID(int=7)))


@pytest.fixture
def service(database: Database) -> DelegationsService:
    resources = FakeResources()
    resources.add("api", "test:scope", scheme=str(UUID(int=7)))
    return DelegationsService(
        database,
        FixedClock(dt.datetime(2026, 5, 4, tzinfo=dt.UTC)),
        new_uuid,
        resources=resources,
        parties=FakeParties(),
    )


def _offer(receiver: UUID, *actions: str, on: UUID | None = None) -> Offer:
    return Offer(GIVER, receiver, "skjema", frozenset(actions), passed_on_from=on)


async def test_two_equal_delegations_at_once_are_one(service: DelegationsService) -> None:
    outcomes = await asyncio.gather(*(service.delegate(_offer(OTHERS[0], "read"), BY) for _ in range(8)))
    assert sorted(outcomes) == sorted([Outcome.CREATED, *[Outcome.UNCHANGED] * 7])
    assert len(await service.rights([OTHERS[0]], GIVER, "skjema")) == 1


async def test_actions_given_at_once_are_all_given(service: DelegationsService) -> None:
    actions = [f"action{number}" for number in range(8)]
    await asyncio.gather(*(service.delegate(_offer(OTHERS[0], action), BY) for action in actions))
    (right,) = await service.rights([OTHERS[0]], GIVER, "skjema")
    assert right.actions == frozenset(actions)


async def test_nothing_is_passed_on_from_what_is_being_withdrawn(service: DelegationsService) -> None:
    for _ in range(ROUNDS):
        await service.delegate(_offer(OTHERS[0], "read"), BY)
        (root,) = await service.rights([OTHERS[0]], GIVER, "skjema")
        outcomes = await asyncio.gather(
            service.withdraw(Selection(GIVER, OTHERS[0], "skjema"), BY),
            *(service.delegate(_offer(other, "read", on=root.delegation_id), BY) for other in OTHERS[1:]),
            return_exceptions=True,
        )
        assert all(isinstance(one, int | str | UnknownDelegationError) for one in outcomes)
        for other in OTHERS:
            assert await service.rights([other], GIVER, "skjema") == ()


async def test_whoever_delegates_and_withdraws_at_once_leaves_all_or_nothing(service: DelegationsService) -> None:
    for _ in range(ROUNDS):
        await asyncio.gather(
            service.delegate(_offer(OTHERS[0], "read", "write"), BY),
            service.withdraw(Selection(GIVER, OTHERS[0], "skjema"), BY),
        )
        left = [right.actions for right in await service.rights([OTHERS[0]], GIVER, "skjema")]
        assert left in ([], [frozenset({"read", "write"})])
        await service.withdraw(Selection(GIVER, OTHERS[0], "skjema"), BY)


async def test_two_who_pass_on_to_each_other_close_no_circle(service: DelegationsService) -> None:
    await service.delegate(_offer(OTHERS[0], "read"), BY)
    (root,) = await service.rights([OTHERS[0]], GIVER, "skjema")
    await service.delegate(_offer(OTHERS[1], "read", on=root.delegation_id), BY)
    found = await service.rights([OTHERS[1]], GIVER, "skjema")
    link = next(right for right in found if right.receiver == OTHERS[1])
    outcomes = await asyncio.gather(
        service.delegate(_offer(OTHERS[0], "read", on=link.delegation_id), BY),
        service.delegate(_offer(OTHERS[2], "read", on=link.delegation_id), BY),
        return_exceptions=True,
    )
    assert isinstance(outcomes[0], DelegationRefusedError)
    assert outcomes[1] is Outcome.CREATED


async def test_no_api_is_delegated_to_a_supplier_that_is_being_let_go(service: DelegationsService) -> None:
    parties = FakeParties()
    consumer, supplier = parties.organisation("910753614"), parties.organisation("991825827")
    ends = (consumer.party_uuid, supplier.party_uuid, ConnectionRole.SUPPLIER, BY)
    for _ in range(ROUNDS):
        await service.connect(*ends)
        await asyncio.gather(
            service.delegate_api([api_offer(consumer, supplier, API)], BY),
            service.part(*ends, cascade=True),
            return_exceptions=True,
        )
        connected = await service.connections(giver=consumer.party_uuid)
        delegated = await service.api_delegations(supplier=supplier.orgno)
        assert bool(connected) >= bool(delegated)


async def test_connecting_and_parting_at_once_break_nothing(service: DelegationsService) -> None:
    ends = (GIVER, OTHERS[0], ConnectionRole.RIGHTHOLDER, BY)
    for _ in range(ROUNDS):
        await asyncio.gather(service.connect(*ends), service.connect(*ends), service.part(*ends, cascade=True))
    await asyncio.gather(*(service.give_package(GIVER, OTHERS[0], "pakke", BY) for _ in range(4)))
    assert len(await service.delegated_packages(giver=GIVER)) == 1


async def test_removing_a_scheme_and_delegating_at_once_wait_for_each_other(
    service: DelegationsService, database: Database
) -> None:
    parties = FakeParties()
    organisations = [parties.organisation(number) for number in ("910753614", "991825827", "810418672")]
    offers = [
        [api_offer(giver, receiver, API)] for giver in organisations for receiver in organisations if giver != receiver
    ]
    resources = FakeResources()
    resources.add("api", "test:scope", scheme=str(UUID(int=7)))
    schemes = Schemes(service.work, resources)
    async with database.transaction() as connection:
        await connection.execute(
            text("INSERT INTO delegations.scheme VALUES (:id, '974760673', '{}', now(), now())"), {"id": UUID(int=7)}
        )
    await asyncio.gather(*(service.delegate_api(one, BY, connect=True) for one in offers))
    owner = OrgNumber("974760673")
    outcomes = await asyncio.gather(
        schemes.delete(owner, UUID(int=7), BY, delete_delegations=True),
        *(service.delegate_api(one, BY, connect=True) for one in reversed(offers)),
    )
    assert set(outcomes[1:]) <= {Outcome.CREATED, Outcome.UNCHANGED}


async def test_what_happened_stands_in_feed_and_trail_in_the_order_it_happened(
    service: DelegationsService, database: Database
) -> None:
    await asyncio.gather(*(service.delegate(_offer(other, "read"), BY) for other in OTHERS))
    changes = await announced(database, TOPIC)
    assert changes.version == len(OTHERS)
    assert {key for key in changes.keys if key.startswith("to:")} == {f"to:{other}" for other in OTHERS}
    async with database.transaction() as connection:
        count = await connection.execute(text("SELECT count(*) FROM audit.event WHERE action = 'delegation:create'"))
        assert count.scalar_one() == len(OTHERS)
