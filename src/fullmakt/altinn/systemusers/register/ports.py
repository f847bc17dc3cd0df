"""What the system register asks of its neighbours."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from fullmakt.wire.altinn.resources import RegisteredResource


class Resources(Protocol):
    """The resource registry."""

    async def resources(self, identifiers: Collection[str]) -> Mapping[str, RegisteredResource]:
        """Those of ``identifiers`` that are registered."""
        ...


class AccessPackage(Protocol):
    """An access package of the role metadata."""

    @property
    def delegable(self) -> bool:
        """Whoever holds it may give it on: an agent can be given it, for a client."""
        ...

    @property
    def assignable(self) -> bool:
        """It may be given to another by name: a standard system user can be given it."""
        ...


class Packages(Protocol):
    """The access packages that there are."""

    def package(self, identifier: str) -> AccessPackage | None:
        """The package with that URN."""
        ...
