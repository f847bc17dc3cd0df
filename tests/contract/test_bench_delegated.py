"""The consumers of the bench have delegated their API as the program would have it: their supplier gets tokens."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pytest
from bench import delegated, registry
from sqlalchemy import text

from fullmakt.altinn.delegations.model import OPERATOR, ApiParties, Offer
from fullmakt.altinn.delegations.rules import SCOPE_ACCESS
from fullmakt.altinn.delegations.service import DelegationsService
from fullmakt.altinn.parties.service import PartiesService
from fullmakt.altinn.resources.service import ResourcesService
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import new_uuid, system_clock
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.serve.neighbours import DelegatedScopes
from tests.support.token_nodes import body_of, node
from tests.support.tokens import ORGNO, RegistryRows, claims_of, payload_of, sign

CONSUMERS = 3
OTHER = OrgNumber("314680138")
_ROWS = (
    text(
        "SELECT to_jsonb(d) - '{delegation_id,change_id,giver,given_by,receiver,consumer,created,changed}'::text[]"
        " FROM delegations.delegation d ORDER BY change_id"
    ),
    text(
        "SELECT to_jsonb(c) - '{connection_id,giver,receiver,created}'::text[]"
        " FROM delegations.connection c ORDER BY created"
    ),
)
_HAVE_GIVEN = text("SELECT count(*) AS givers FROM delegations.delegation GROUP BY receiver ORDER BY givers")


def delegations_on(database: Database) -> DelegationsService:
    resources = ResourcesService(database, system_clock)
    parties = PartiesService(database, system_clock, new_uuid)
    return DelegationsService(database, system_clock, new_uuid, resources=resources, parties=parties)


@pytest.fixture
async def filled(database: Database, database_url: str) -> None:
    rows = RegistryRows(database)
    await rows.scope(registry.SCOPE, access=())
    await rows.client(scopes=[registry.SCOPE])
    await asyncio.to_thread(delegated.fill, database_url, CONSUMERS)


@pytest.mark.usefixtures("filled")
async def test_the_supplier_gets_a_token_for_each_of_them_and_for_nobody_else(
    database: Database, database_url: str
) -> None:
    numbers = range(CONSUMERS + 1)
    asked = [delegated.for_consumer(number)[1] for number in numbers]
    scopes = DelegatedScopes(delegations_on(database), database)
    async with node(database_url, delegations=scopes) as server:
        answers = [await server.post(sign(claims_of(**claims))) for claims in asked]
    assert [answer.status_code for answer in answers] == [200] * CONSUMERS + [403]
    for answer, claims in zip(answers[:CONSUMERS], asked, strict=False):
        token = payload_of(body_of(answer)["access_token"])
        assert token["consumer"]["ID"] == f"0192:{claims['consumer_org']}"
        assert token["supplier"]["ID"] == f"0192:{ORGNO}"


@pytest.mark.usefixtures("filled")
async def test_what_they_have_delegated_is_written_as_the_program_writes_it(database: Database) -> None:
    offer = Offer(
        giver=uuid4(),
        receiver=uuid4(),
        resource=delegated.API,
        actions=frozenset({SCOPE_ACCESS}),
        api=ApiParties(OTHER, OrgNumber(ORGNO)),
    )
    await delegations_on(database).delegate_api([offer], OPERATOR, connect=True)
    for statement in _ROWS:
        async with database.transaction() as connection:
            found: Sequence[Any] = (await connection.execute(statement)).scalars().all()
        assert list(found) == [found[-1]] * (CONSUMERS + 1)
    async with database.transaction() as connection:
        assert list((await connection.execute(_HAVE_GIVEN)).scalars()) == [1, CONSUMERS]
