"""A decision point on facts that lie in plain dictionaries, for tests that need no database."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from fullmakt.altinn.decisions.config import DecisionsConfig
from fullmakt.altinn.decisions.ports import JournalEntry
from fullmakt.altinn.decisions.service import DecisionPoint
from fullmakt.altinn.resources.rules.rights import permits_unnamed, subjects
from fullmakt.infra.feed import Changes
from fullmakt.kernel.clock import FixedClock
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.delegations import DelegatedRight, RightsQuestion
from fullmakt.wire.altinn.parties import HeldRights, PartyIdentity
from fullmakt.wire.altinn.policy import Policy, parse_policy
from fullmakt.wire.altinn.resources import Membership, RegisteredResource
from tests.support.decision_tables import TableFacts, TablePackage

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


class NamedResources(NamedTuple):
    """Resources that name a subject."""

    resources: Sequence[str]


class TableNeighbours:
    """Every neighbour of the decision point, on the facts of a table. ``asked`` counts the questions by their names."""

    def __init__(self, facts: TableFacts) -> None:
        self.facts = facts
        self.asked: list[str] = []

    async def identify(self, attributes: Collection[Attribute]) -> dict[Attribute, PartyIdentity]:
        """Who is meant by each attribute."""
        self.asked.append("identify")
        names: dict[Attribute, PartyIdentity] = {}
        for party in self.facts.parties.values():
            names[Attribute(ids.PARTY_ID, str(party.party_id))] = party
            names[Attribute(ids.PARTY_UUID, str(party.party_uuid))] = party
            if party.orgno is not None:
                names[Attribute(ids.ORGANISATION, party.orgno)] = party
                names[Attribute(ids.ORGANISATION_OLD, party.orgno)] = party
                names[Attribute(ids.ORGANISATION_UUID, str(party.party_uuid))] = party
            else:
                names[Attribute(ids.PERSON, str(party.national_id))] = party
                names[Attribute(ids.PERSON_UUID, str(party.party_uuid))] = party
                names[Attribute(ids.USER_ID, str(party.user_id))] = party
        return {name: names[name] for name in attributes if name in names}

    async def held(self, holder: UUID, party: UUID) -> HeldRights:
        """What the table says is held."""
        self.asked.append("held")
        return self.facts.held.get((holder, party), HeldRights())

    async def key_role_organisations(self, person: UUID) -> tuple[UUID, ...]:
        """The organisations of ``[key_roles]``."""
        self.asked.append("key_role_organisations")
        return self.facts.key_roles.get(person, ())

    async def key_role_people(self, organisations: Collection[UUID]) -> list[PartyIdentity]:
        """Those of ``[key_roles]`` who act for one of them."""
        self.asked.append("key_role_people")
        by_uuid = {one.party_uuid: one for one in self.facts.parties.values()}
        wanted = frozenset(organisations)
        return [by_uuid[person] for person, theirs in self.facts.key_roles.items() if not wanted.isdisjoint(theirs)]

    async def holders(self, party: UUID) -> tuple[tuple[PartyIdentity, HeldRights], ...]:
        """Everybody of ``[[held]]``."""
        self.asked.append("holders")
        by_uuid = {one.party_uuid: one for one in self.facts.parties.values()}
        return tuple((by_uuid[holder], held) for (holder, where), held in self.facts.held.items() if where == party)

    async def resources(self, identifiers: Collection[str]) -> dict[str, RegisteredResource]:
        """Those of ``[resources]``."""
        self.asked.append("resources")
        return {name: self.facts.resources[name] for name in identifiers if name in self.facts.resources}

    async def held_by(self, holder: UUID) -> tuple[tuple[PartyIdentity, HeldRights], ...]:
        """Everything of ``[[held]]`` that is the holder's."""
        by_uuid = {one.party_uuid: one for one in self.facts.parties.values()}
        return tuple((by_uuid[party], held) for (who, party), held in self.facts.held.items() if who == holder)

    def _policies(self) -> dict[str, Policy]:
        return {
            name: parse_policy(resource.policy)
            for name, resource in self.facts.resources.items()
            if resource.policy is not None
        }

    async def by_subjects(self, urns: Collection[str]) -> list[NamedResources]:
        """What the registry tells of the policies: the resources whose policies permit something to each."""
        wanted = {urn.lower() for urn in urns}
        return [
            NamedResources((name,))
            for name, policy in self._policies().items()
            if any(subject.urn in wanted for subject in subjects(policy))
        ]

    async def permitting_unnamed(self) -> list[str]:
        """Those whose policies may permit whom they do not name."""
        return [name for name, policy in self._policies().items() if permits_unnamed(policy)]

    async def memberships(self, party: UUID, resource: str | None) -> tuple[Membership, ...]:
        """Those of ``[[memberships]]``."""
        self.asked.append("memberships")
        return tuple(
            one for member, one in self.facts.memberships if member == party and resource in (None, one.resource)
        )

    async def rights(self, receivers: Collection[UUID], giver: UUID, resource: str) -> tuple[DelegatedRight, ...]:
        """Those of ``[[delegations]]``, and all that they stand on."""
        found = [
            one
            for one in self.facts.delegations
            if one.receiver in receivers and (one.giver, one.resource) == (giver, resource)
        ]
        by_id = {one.delegation_id: one for one in self.facts.delegations}
        for one in found:
            above = by_id.get(one.passed_on_from) if one.passed_on_from else None
            if above is not None and above not in found:
                found.append(above)
        return tuple(found)

    async def rights_of(
        self, questions: Collection[RightsQuestion]
    ) -> dict[RightsQuestion, tuple[DelegatedRight, ...]]:
        """The same for many questions, at once."""
        self.asked.append("rights")
        return {question: await self.rights(*question) for question in questions}

    async def delegated_packages(
        self, *, receivers: Collection[UUID] | None = None, giver: UUID | None = None
    ) -> list[TablePackage]:
        """Those of ``[[packages]]``."""
        self.asked.append("delegated_packages")
        return [
            one
            for one in self.facts.packages
            if (receivers is None or one.receiver in receivers) and giver in (None, one.giver)
        ]

    async def givers_to(self, receivers: Collection[UUID]) -> tuple[DelegatedRight, ...]:
        """Everything to ``receivers``."""
        return tuple(one for one in self.facts.delegations if one.receiver in receivers)

    async def rights_on(self, giver: UUID, resource: str) -> tuple[DelegatedRight, ...]:
        """Everything from ``giver`` on ``resource``."""
        return tuple(one for one in self.facts.delegations if (one.giver, one.resource) == (giver, resource))


class MemoryJournal:
    """A trail in a list, with the feeds beside it: ``change`` moves them on."""

    def __init__(self) -> None:
        self.version = 0
        self.entries: list[JournalEntry] = []
        self.history: list[tuple[int, str]] = []

    def change(self, *keys: str) -> None:
        """Announce changed keys."""
        self.version += 1
        self.history += [(self.version, key) for key in keys]

    async def changes_since(self, version: int) -> Changes:
        """What ``change`` was told since."""
        return Changes(self.version, tuple(key for at, key in self.history if at > version))

    def write(self, item: JournalEntry) -> asyncio.Future[bool]:
        """Keep what was decided on the newest version."""
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        future.set_result(item.version == self.version)
        if item.version == self.version:
            self.entries.append(item)
        return future


def decision_point(
    neighbours: TableNeighbours, journal: MemoryJournal | None = None, config: DecisionsConfig | None = None
) -> DecisionPoint:
    """A decision point on a table's facts."""
    journal = journal or MemoryJournal()
    return DecisionPoint(
        config or DecisionsConfig(),
        parties=neighbours,
        resources=neighbours,
        policy_index=neighbours,
        access_lists=neighbours,
        delegations=neighbours,
        feed=lambda: journal,
        journal=journal,
        clock=FixedClock(NOW),
    )
