"""What consents ask of their neighbours."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.parties import PartyIdentity
from fullmakt.wire.altinn.resources import RegisteredResource
from fullmakt.wire.altinn.xacml_json import DueObligation


class Parties(Protocol):
    """The register of parties."""

    async def identify(self, attributes: Collection[Attribute]) -> dict[Attribute, PartyIdentity]:
        """Who is meant by each attribute; unknown ones are left out."""
        ...


class Resources(Protocol):
    """The resource registry."""

    async def resources(self, identifiers: Collection[str]) -> dict[str, RegisteredResource]:
        """Those of ``identifiers`` that are registered."""
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
    def obligations(self) -> Sequence[DueObligation]:
        """What whoever acts on a permit must see to."""
        ...


class Authority(Protocol):
    """The decision point. ``actor`` is who asks, for the audit trail."""

    async def may(
        self, subject: Sequence[Attribute], action: str, resource: str, party: UUID | None, *, actor: str = ""
    ) -> Decision:
        """May ``subject`` do ``action`` on ``resource`` for ``party``, or, with None, on its own behalf?"""
        ...


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Everybody whom consents ask."""

    parties: Parties
    resources: Resources
    authority: Authority

    async def party(self, name: Attribute) -> PartyIdentity | None:
        """Who is called so."""
        return (await self.parties.identify([name])).get(name)

    async def by_uuid(self, party_uuids: Collection[UUID]) -> Mapping[UUID, PartyIdentity]:
        """Those of the parties that are registered."""
        found = await self.parties.identify([Attribute(ids.PARTY_UUID, str(one)) for one in party_uuids])
        return {one.party_uuid: one for one in found.values()}


class Notifier(Protocol):
    """Carries a receiver's notification to it."""

    async def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Post ``body`` to ``url``; the HTTP status of the answer.

        Raises:
            OSError: nobody answered in time, or the URL is not one to send to.
        """
        ...
