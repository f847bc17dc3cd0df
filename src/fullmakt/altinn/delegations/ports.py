"""What delegations ask of their neighbours."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.parties import HeldRights, PartyIdentity
from fullmakt.wire.altinn.resources import RegisteredResource
from fullmakt.wire.altinn.xacml_json import DueObligation


class Holdings(Protocol):
    """The register of parties, as far as it tells what one party holds in another."""

    async def held(self, holder: UUID, party: UUID) -> HeldRights:
        """What ``holder`` holds in ``party`` by the register."""
        ...

    async def held_by(self, holder: UUID) -> tuple[tuple[PartyIdentity, HeldRights], ...]:
        """Every party that ``holder`` holds anything in by the register, and what."""
        ...


class Parties(Holdings, Protocol):
    """The register of parties."""

    async def identify(self, attributes: Collection[Attribute]) -> dict[Attribute, PartyIdentity]:
        """Who is meant by each attribute; unknown ones are left out."""
        ...

    async def holders(self, party: UUID) -> tuple[tuple[PartyIdentity, HeldRights], ...]:
        """Everybody who holds anything in ``party`` by the register, and what."""
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


class AccessPackage(Protocol):
    """An access package of the role metadata."""

    @property
    def name(self) -> str:
        """What ``urn:altinn:accesspackage:`` ends with."""
        ...

    @property
    def id(self) -> UUID:
        """Its id in the metadata API."""
        ...

    @property
    def delegable(self) -> bool:
        """Whoever holds it may give it on."""
        ...

    @property
    def assignable(self) -> bool:
        """It may be given to another by name."""
        ...


class Packages(Protocol):
    """The access packages that there are."""

    def package(self, identifier: str) -> AccessPackage | None:
        """The package with that name, URN or id."""
        ...


class Decision(Protocol):
    """What the decision point says, and why."""

    @property
    def permitted(self) -> bool:
        """True when it may be done."""
        ...

    @property
    def reason(self) -> str:
        """The machine-readable reason: ``rule``, ``delegation``, ``no_right``, ``not_on_access_list``, …"""
        ...

    @property
    def facts(self) -> Mapping[str, Any]:
        """What was compared; ``delegation`` is the id of the delegation that a permit rests on."""
        ...

    @property
    def obligations(self) -> Sequence[DueObligation]:
        """What whoever acts on a permit must see to."""
        ...


class Authority(Protocol):
    """The decision point. ``actor`` is who asks, for the audit trail."""

    async def may(
        self, subject: Sequence[Attribute], action: str, resource: str, party: UUID, *, actor: str = ""
    ) -> Decision:
        """May ``subject`` do ``action`` on ``resource`` for ``party``?"""
        ...

    async def delegable_actions(
        self, subject: Sequence[Attribute], resource: str, party: UUID, *, actor: str = ""
    ) -> Mapping[str, Decision]:
        """For each action of the resource's policy: may ``subject`` delegate it on behalf of ``party``?"""
        ...
