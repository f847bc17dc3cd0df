"""What a system is, and the rights that it needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Self
from uuid import UUID

from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn.attributes import Attribute


@dataclass(frozen=True, slots=True)
class Right:
    """A right to a resource. ``action`` is kept for those who wrote it, and decides nothing (§7)."""

    resource: tuple[Attribute, ...]
    action: str | None = None

    @property
    def identifiers(self) -> tuple[str, ...]:
        """The resources' identifiers."""
        return tuple(attribute.value for attribute in self.resource)


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemDefinition:
    """What a vendor says of a system (§7).

    ``id`` is ``<vendor>_<name>``; ``name`` and ``description`` map ``nb``, ``nn``, ``en``; ``packages`` are names of
    access packages, without ``urn:altinn:accesspackage:``; ``client_ids`` are clients of Maskinporten's; ``visible``
    systems may be picked by end users themselves.
    """

    id: str
    vendor: OrgNumber
    name: Mapping[str, str]
    description: Mapping[str, str]
    rights: tuple[Right, ...] = ()
    packages: tuple[str, ...] = ()
    client_ids: tuple[str, ...] = ()
    redirect_urls: tuple[str, ...] = ()
    visible: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class System(SystemDefinition):
    """A registered system as it was at ``version``, 1 when it was made. A deleted one keeps its id."""

    internal_id: UUID
    deleted: bool = False
    version: int = 1

    @classmethod
    def of(cls, definition: SystemDefinition, internal_id: UUID, version: int = 1) -> Self:
        """A live system with the definition."""
        said = {field.name: getattr(definition, field.name) for field in fields(SystemDefinition)}
        return cls(**said, internal_id=internal_id, version=version)

    @property
    def key(self) -> str:
        """What the change feed and the audit trail call it."""
        return f"system:{self.id}"


def client_keys(client_ids: Iterable[str]) -> tuple[str, ...]:
    """What the change feed calls clients: as they were registered, and in lower case, as Maskinporten writes them."""
    return tuple(f"client:{one}" for client_id in client_ids for one in sorted({client_id, client_id.lower()}))
