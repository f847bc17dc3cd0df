"""A system user."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn.systemusers import SystemUserRecord, UserType


@dataclass(frozen=True, slots=True)
class Owner:
    """The organisation that a system user belongs to, by its three names."""

    party_uuid: UUID
    party_id: int
    orgno: OrgNumber


@dataclass(frozen=True, slots=True)
class SystemUser:
    """What acts for ``owner`` by means of a vendor's system; an agent for its owner's clients.

    ``packages`` are the names of what an agent is to have in each client; what a standard one has been given, access
    management knows. ``system_live`` is false when the system has been deleted, so that no token can be had.
    """

    system_user_id: UUID
    kind: UserType
    system_id: str
    vendor: OrgNumber
    owner: Owner
    external_ref: str
    integration_title: str
    packages: tuple[str, ...]
    created: datetime
    changed: datetime
    deleted: bool = False
    system_live: bool = True
    sequence_no: int = 0
    number: int = 0

    @property
    def live(self) -> bool:
        """False when it is deleted, or its system is."""
        return self.system_live and not self.deleted

    @property
    def record(self) -> SystemUserRecord:
        """What others are told of it."""
        return SystemUserRecord(
            id=self.system_user_id,
            integration_title=self.integration_title,
            system_id=self.system_id,
            owner=self.owner.orgno,
            created=self.created,
            vendor=self.vendor,
            external_ref=self.external_ref,
            user_type=self.kind,
            deleted=self.deleted,
        )


@dataclass(frozen=True, slots=True)
class Page:
    """A part of the stream of system users, by their last changes; ``sequence_max`` is the number of the newest."""

    users: tuple[SystemUser, ...]
    sequence_max: int


@dataclass(frozen=True, slots=True)
class Client:
    """An organisation that an agent system user acts for, or could, with what it may there (names of packages)."""

    party_uuid: UUID
    orgno: OrgNumber
    name: str
    packages: tuple[str, ...]
