"""What is asked of the register, and what it remembers of changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from fullmakt.altinn.systemusers.model import Right
from fullmakt.kernel.identifiers import OrgNumber


@dataclass(frozen=True, slots=True)
class Registrant:
    """Who asks: an organisation by its client. ``admin`` may act for any vendor; ``actor`` is for the audit trail."""

    organisation: OrgNumber
    actor: str
    client_id: str | None = None
    admin: bool = False

    def may_act_for(self, vendor: OrgNumber) -> bool:
        """True when the vendor's systems are the registrant's to see and to change."""
        return self.admin or self.organisation == vendor


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What a vendor wants a system to be, as it was sent: ``vendor`` with its ICD before it, ``packages`` as URNs."""

    id: str
    vendor: str
    name: Mapping[str, str]
    description: Mapping[str, str]
    rights: tuple[Right, ...] = ()
    packages: tuple[str, ...] = ()
    client_ids: tuple[str, ...] = ()
    redirect_urls: tuple[str, ...] = ()
    visible: bool = True


@dataclass(frozen=True, slots=True)
class Versions:
    """What an ``If-Match`` header lists; None stands for ``*``, any at all."""

    listed: frozenset[int] | None

    def hold(self, version: int) -> bool:
        """True when the version is one of them."""
        return self.listed is None or version in self.listed


ANY_VERSION = Versions(None)


class ChangeType(StrEnum):
    """What a change was of."""

    CREATE = "create"
    UPDATE = "update"
    RIGHTS = "rightsupdate"
    PACKAGES = "accesspackageupdate"
    DELETE = "delete"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class SystemChange:
    """A change of a system: by whom, and ``data``, what was sent; None for a deletion."""

    system: UUID
    changed_by: OrgNumber
    type: ChangeType
    data: Any
    client_id: str | None
    created: datetime
