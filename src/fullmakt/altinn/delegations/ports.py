"""What delegations ask of their neighbours."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol
from uuid import UUID

from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.parties import HeldRights, PartyIdentity
from fullmakt.wire.altinn.resources import RegisteredResource


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


class Resources(Protocol):
    """The resource registry."""

    async def resource(self, identifier: str) -> RegisteredResource | None:
        """The newest version of a resource."""
        ...

    async def resources(self, identifiers: Collection[str]) -> dict[str, RegisteredResource]:
        """Those of ``identifiers`` that are registered."""
        ...

    async def resources_with_scope(self, scope: str | None) -> tuple[RegisteredResource, ...]:
        """The resources of type MaskinportenSchema that refer to ``scope``; all of that type when it is None."""
        ...


class Decision(Protocol):
    """What the decision point says, and why."""

    @property
    def permitted(self) -> bool:
        """True when it may be done."""
        ...

    @property
    def reason(self) -> str:
        """The machine-readable reason."""
        ...

    @property
    def facts(self) -> Mapping[str, object]:
        """What was compared."""
        ...


class Authority(Protocol):
    """The decision point."""

    async def may(self, subject: Sequence[Attribute], action: str, resource: str, party: UUID) -> Decision:
        """May ``subject`` do ``action`` on ``resource`` for ``party``?"""
        ...

    async def delegable_actions(
        self, subject: Sequence[Attribute], resource: str, party: UUID
    ) -> Mapping[str, Decision]:
        """For each action of the resource's policy: may ``subject`` delegate it on behalf of ``party``?"""
        ...
