"""What the decision point asks of its neighbours."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from fullmakt.infra.feed import Changes
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.delegations import DelegatedRight, RightsQuestion
from fullmakt.wire.altinn.parties import HeldRights, PartyIdentity
from fullmakt.wire.altinn.resources import Membership, RegisteredResource
from fullmakt.wire.altinn.systemusers import ActingSystem


class Parties(Protocol):
    """The register of parties."""

    async def identify(self, attributes: Collection[Attribute]) -> dict[Attribute, PartyIdentity]:
        """Who is meant by each attribute; unknown ones are left out."""
        ...

    async def held(self, holder: UUID, party: UUID) -> HeldRights:
        """What ``holder`` holds in ``party`` by the register."""
        ...

    async def key_role_organisations(self, person: UUID) -> tuple[UUID, ...]:
        """The organisations that a person acts for by a key role."""
        ...

    async def key_role_people(self, organisations: Collection[UUID]) -> Sequence[PartyIdentity]:
        """The people who act for any of the organisations by a key role."""
        ...

    async def holders(self, party: UUID) -> tuple[tuple[PartyIdentity, HeldRights], ...]:
        """Everybody who holds anything in ``party``."""
        ...

    async def held_by(self, holder: UUID) -> tuple[tuple[PartyIdentity, HeldRights], ...]:
        """Every party in which ``holder`` holds anything, and what: a person's self among them."""
        ...


class Resources(Protocol):
    """The resource registry."""

    async def resources(self, identifiers: Collection[str]) -> dict[str, RegisteredResource]:
        """The newest version of each of ``identifiers`` that is registered, policies included."""
        ...


class NamedIn(Protocol):
    """The resources whose policies name one subject."""

    @property
    def resources(self) -> Sequence[str]:
        """Their identifiers."""
        ...


class PolicyIndex(Protocol):
    """The resource registry's policies, by the subjects that they name."""

    async def by_subjects(self, urns: Collection[str]) -> Sequence[NamedIn]:
        """The resources whose policies permit something to each of the subjects (``urn:altinn:rolecode:dagl``)."""
        ...

    async def permitting_unnamed(self) -> Sequence[str]:
        """The resources whose policies may permit something to subjects that they do not name, so that ``by_subjects``
        need not find them."""
        ...


class AccessLists(Protocol):
    """The resource registry's access lists."""

    async def memberships(self, party: UUID, resource: str | None) -> tuple[Membership, ...]:
        """The lists that ``party`` is on, connected to ``resource``; None: to any."""
        ...


class GivenPackage(Protocol):
    """Somebody has been given an access package."""

    @property
    def package(self) -> str:
        """Its name, without ``urn:altinn:accesspackage:``."""
        ...

    @property
    def giver(self) -> UUID:
        """On whose behalf it counts."""
        ...

    @property
    def receiver(self) -> UUID:
        """Who has it."""
        ...


class Delegations(Protocol):
    """Access management."""

    async def delegated_packages(
        self, *, receivers: Collection[UUID] | None = None, giver: UUID | None = None
    ) -> Sequence[GivenPackage]:
        """Access packages given to ``receivers``, by ``giver``."""
        ...

    async def rights_of(
        self, questions: Collection[RightsQuestion]
    ) -> Mapping[RightsQuestion, tuple[DelegatedRight, ...]]:
        """To each question what has been given, and the links that it was passed on by."""
        ...

    async def givers_to(self, receivers: Collection[UUID]) -> tuple[DelegatedRight, ...]:
        """Everything that ``receivers`` have been given by anybody."""
        ...

    async def rights_on(self, giver: UUID, resource: str) -> tuple[DelegatedRight, ...]:
        """Everything that anybody has been given on ``giver``'s behalf on one resource."""
        ...


class SystemUserStanding(Protocol):
    """Whether there still is a system user that there has been."""

    @property
    def system_id(self) -> str:
        """Its system."""
        ...

    @property
    def live(self) -> bool:
        """False when it is deleted, or its system is."""
        ...


class SystemUsers(Protocol):
    """The register of systems, and of the system users that parties have given them."""

    async def standings(self, system_users: Collection[UUID]) -> Mapping[UUID, SystemUserStanding]:
        """Those of ``system_users`` that there are, or have been."""
        ...

    async def of_client(self, client_id: str, party: UUID) -> ActingSystem | None:
        """The live system that has the client, with its system users that act for ``party``; None: no system has it."""
        ...


class ChangeFeed(Protocol):
    """The neighbours' change feeds, read as one. Each reader has one of its own."""

    async def changes_since(self, version: int) -> Changes:
        """What changed after ``version``."""
        ...


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """What is told of an answer, on ``version`` of the feeds.

    ``events`` is one JSON object for each decision, search or refusal, with the members ``action``, ``outcome``,
    ``reason``, ``trace_id``, ``actor``, ``subject`` and ``facts`` of an audit event, cleaned for the trail.
    """

    version: int
    at: datetime
    events: tuple[bytes, ...]


class Journal(Protocol):
    """Where decisions are written down, if they still hold."""

    def write(self, item: JournalEntry) -> asyncio.Future[bool]:
        """Write the events in the trail; False, and nothing is written, when the feeds have moved on.

        Raises:
            OverloadedError: too many wait already.
        """
        ...
