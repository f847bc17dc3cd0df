"""The decision tables over HTTP, with their facts in PostgreSQL, put there by the systems that keep them.

The register's part is the table's own in every case: its people hold whatever the table needs them to hold. The rest
is what the registry, the access lists and access management take; what they refuse (a policy that is none, a chain of
delegations that leads nowhere) comes from the table, as if it had got there all the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from fullmakt.altinn.decisions.config import DecisionsConfig
from fullmakt.altinn.decisions.http import app
from fullmakt.altinn.decisions.service import DecisionPoint
from fullmakt.altinn.decisions.store import DecisionFeed, DecisionJournal
from fullmakt.altinn.delegations import store
from fullmakt.altinn.delegations.model import OPERATOR, Offer
from fullmakt.altinn.delegations.service import DelegationsService
from fullmakt.altinn.resources.access_lists.service import AccessLists
from fullmakt.altinn.resources.errors import InvalidResourceError, PolicyNotAcceptedError
from fullmakt.altinn.resources.service import ResourcesService
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import FixedClock, new_uuid
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.delegations import DelegatedRight
from fullmakt.wire.altinn.resource_registry import ResourceDocument, ServiceOwner
from fullmakt.wire.altinn.resources import Membership, RegisteredResource
from tests.support.decision_tables import FOLDER, Case, load_cases
from tests.support.decisions import NOW, TableNeighbours
from tests.support.delegations import FakeParties

TABLES = sorted(FOLDER.glob("*.toml"))
NOT_TAKEN = {"api", "app_ttd_gated", "app_ttd_tax", "no-target", "unreadable"}
"""Resources that the registry refuses: a name too short, apps, and policies that it would not store."""
OWNER = ServiceOwner(name={"nb": "Test", "nn": "Test", "en": "Test"}, orgnr="991825827")


class Neighbours(TableNeighbours):
    """The real systems, wherever they have the fact; ``kept`` is what they took, ``refused`` what they did not."""

    def __init__(self, case: Case, database: Database) -> None:
        super().__init__(case.facts)
        clock = FixedClock(NOW)
        self.registry = ResourcesService(database, clock)
        self.lists = AccessLists(database, clock, self, self.registry)
        self.access_management = DelegationsService(
            database, clock, new_uuid, resources=self.registry, parties=FakeParties()
        )
        self.kept: set[object] = set()
        self.refused: set[object] = set()

    async def declare(self) -> None:
        """Put the facts where they belong."""
        await self.registry.declare_service_owner("ttd", OWNER)
        for resource in self.facts.resources.values():
            try:
                await self.registry.declare_resource(_document(resource), resource.policy)
            except (InvalidResourceError, PolicyNotAcceptedError):
                self.refused.add(resource.identifier)
            else:
                self.kept.add(resource.identifier)
        await self._declare_lists()
        await self._declare_delegations()

    async def _declare_lists(self) -> None:
        by_list: dict[str, list[tuple[UUID, Membership]]] = defaultdict(list)
        for party, membership in self.facts.memberships:
            by_list[membership.identifier].append((party, membership))
        for name, entries in by_list.items():
            if any(one.resource not in self.kept for _, one in entries):
                self.refused.add(("list", name))
                continue
            await self.lists.declarations.declare_list(
                "ttd",
                name,
                name,
                members=[Attribute(ids.PARTY_UUID, str(party)) for party, _ in entries],
                connections={one.resource: sorted(one.actions or ()) for _, one in entries},
            )
            self.kept.add(("list", name))

    async def _declare_delegations(self) -> None:
        """Under the ids of the table, past the checks of the service: the decision point has to see through it."""
        groups: dict[tuple[UUID, str], list[DelegatedRight]] = defaultdict(list)
        for right in self.facts.delegations:
            groups[right.giver, right.resource].append(right)
        for group, rights in groups.items():
            try:
                async with self.access_management.work.changing() as change:
                    for right in rights:
                        offer = Offer(
                            right.giver, right.receiver, right.resource, right.actions, right.instance,
                            right.passed_on_from,
                        )  # fmt: skip
                        await store.insert(
                            change.connection, right.delegation_id, offer, right.given_by, OPERATOR, change.now
                        )
            except IntegrityError:
                self.refused.add(group)
            else:
                self.kept.add(group)

    async def resources(self, identifiers: Collection[str]) -> dict[str, RegisteredResource]:
        """The registry's, and what it refused."""
        left = await super().resources([one for one in identifiers if one in self.refused])
        return {**await self.registry.resources([one for one in identifiers if one not in self.refused]), **left}

    async def memberships(self, party: UUID, resource: str | None) -> tuple[Membership, ...]:
        """Those of the lists, and of those that could not be."""
        left = [one for one in await super().memberships(party, resource) if ("list", one.identifier) in self.refused]
        return (*await self.lists.memberships(party, resource), *left)

    async def rights(self, receivers: Collection[UUID], giver: UUID, resource: str) -> tuple[DelegatedRight, ...]:
        """Access management's, save what can not be."""
        if (giver, resource) in self.refused:
            return await super().rights(receivers, giver, resource)
        return await self.access_management.rights(receivers, giver, resource)


class AnyApi:
    """Every token is that of an API that may ask."""

    async def identify(self, token: str) -> Caller:
        """The API."""
        return Caller(frozenset({"altinn:authorization/authorize"}), client_id=token)


def _document(resource: RegisteredResource) -> ResourceDocument:
    texts = dict.fromkeys(("nb", "nn", "en"), resource.identifier)
    return ResourceDocument.model_validate(
        {
            "identifier": resource.identifier, "title": texts, "description": texts, "rightDescription": texts,
            "status": "Active", "delegable": True, "visible": True, "resourceType": resource.resource_type,
            "accessListMode": "Enabled" if resource.access_list_enabled else "Disabled",
            "hasCompetentAuthority": {"organization": OWNER.orgnr, "orgcode": "ttd", "name": texts},
            "contactPoints": [{"category": "x", "email": "x@example.no"}],
        }
    )  # fmt: skip


@pytest.mark.parametrize("table", TABLES, ids=[table.stem for table in TABLES])
async def test_the_tables_hold_on_facts_in_postgresql(table: Path, database: Database) -> None:
    cases = [case for case in load_cases() if case.name.startswith(f"{table.stem}: ")]
    neighbours = Neighbours(cases[0], database)
    await neighbours.declare()
    journal = DecisionJournal(database)
    point = DecisionPoint(
        DecisionsConfig(insecure_internal=True),
        parties=neighbours,
        resources=neighbours,
        policy_index=neighbours,
        access_lists=neighbours,
        delegations=neighbours,
        feed=lambda: DecisionFeed(database),
        journal=journal,
        clock=FixedClock(NOW),
    )
    http = httpx2.AsyncClient(transport=httpx2.ASGITransport(app(point, AnyApi())), base_url="http://pdp.test")
    try:
        for case in cases:
            assert await _asked(http, case) == _expected(case), case.name
    finally:
        await journal.close()
    assert await _trail(database) == [case.expected.decision == "Permit" for case in cases]
    assert {one for one in neighbours.refused if isinstance(one, str)} <= NOT_TAKEN
    assert len(neighbours.kept) >= len(neighbours.refused)


async def _asked(http: httpx2.AsyncClient, case: Case) -> tuple[Any, ...]:
    path = "authorize" if case.external else "decision"
    answer = await http.post(f"/api/v1/{path}", json=case.request, headers={"Authorization": "Bearer api"})
    assert answer.status_code == 200, case.name
    (result,) = answer.json()["response"]
    due = [one for obligation in result["obligations"] or () for one in obligation["attributeAssignment"]]
    echo = [one for category in result["category"] or () for one in category["attribute"]]
    return (
        result["decision"],
        result["status"]["statusCode"]["value"],
        {one["category"]: one["value"] for one in due},
        None if case.expected.echo is None else {one["attributeId"]: one["value"] for one in echo},
    )


def _expected(case: Case) -> tuple[Any, ...]:
    expected = case.expected
    return expected.decision, expected.status, expected.obligations, expected.echo


async def _trail(database: Database) -> list[bool]:
    """Was it a permit: every decision that was written down, in order."""
    async with database.transaction() as connection:
        rows = await connection.execute(text("SELECT outcome FROM audit.event WHERE system = 'decisions' ORDER BY id"))
        return [row.outcome == "permit" for row in rows]
