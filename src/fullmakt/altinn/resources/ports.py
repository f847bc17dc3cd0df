"""What the resource registry asks of its neighbours."""

from __future__ import annotations

from typing import Protocol

from fullmakt.wire.altinn.attributes import Attribute


class Subjects(Protocol):
    """The register of parties, which knows what somebody can hold."""

    async def known_subjects(self) -> frozenset[Attribute]:
        """Every role, in every spelling, and every access package."""
        ...


class NoSubjects:
    """For a registry without the register beside it: of roles and packages it knows nothing, and warns of none."""

    async def known_subjects(self) -> frozenset[Attribute]:
        """None."""
        return frozenset()
