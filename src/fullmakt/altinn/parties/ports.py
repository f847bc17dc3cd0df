"""What the register asks of its neighbours."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.resources import RegisteredResource


class ResourcesBySubject(Protocol):
    """The resource registry, as the metadata API asks it."""

    async def resources_with_subjects(
        self, subjects: Collection[Attribute]
    ) -> dict[Attribute, Sequence[RegisteredResource]]:
        """The resources whose policy lets each of ``subjects`` do something; a subject without any is left out."""
        ...
