"""What SRR asks of its neighbours."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn.resources import RegisteredResource


class Registry(Protocol):
    """The resource registry, which knows whose a resource is."""

    async def resources(self, identifiers: Collection[str]) -> Mapping[str, RegisteredResource]:
        """Those of ``identifiers`` that are registered."""
        ...

    async def org_codes(self) -> Mapping[str, OrgNumber]:
        """The organisation number of each service owner's org code."""
        ...


class Owner(Protocol):
    """A service owner that calls."""

    @property
    def organisation(self) -> OrgNumber:
        """Which organisation it is."""
        ...

    @property
    def actor(self) -> str:
        """What the audit trail calls it."""
        ...
