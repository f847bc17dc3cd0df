"""A vendor's request to an organisation, and what has become of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from fullmakt.altinn.systemusers.model import Right
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn.systemusers import UserType


class RequestStatus(StrEnum):
    """Altinn's words for it (§8.1). ``Timedout`` and ``NoChangeNeeded`` (§9) are said of requests and never kept."""

    NEW = "New"
    ACCEPTED = "Accepted"
    REJECTED = "Rejected"
    DENIED = "Denied"
    TIMED_OUT = "Timedout"
    NO_CHANGE_NEEDED = "NoChangeNeeded"


@dataclass(frozen=True, slots=True)
class Key:
    """What tells requests apart: the system, the organisation that is asked, and the vendor's name for the relation."""

    system_id: str
    party: OrgNumber
    external_ref: str
    kind: UserType = UserType.STANDARD


@dataclass(frozen=True, slots=True)
class Wish:
    """What a vendor asks for, as it was sent. None: the member was not there. ``redirect_url`` empty: there is none."""

    key: Key
    integration_title: str = ""
    rights: tuple[Right, ...] | None = None
    packages: tuple[str, ...] | None = None
    redirect_url: str = ""


@dataclass(frozen=True, slots=True)
class SystemUserRequest:
    """A request as it is kept. ``packages`` are names; ``number`` orders pages."""

    request_id: UUID
    key: Key
    integration_title: str
    rights: tuple[Right, ...]
    packages: tuple[str, ...]
    redirect_url: str
    status: RequestStatus
    created: datetime
    escalated: bool = False
    number: int = 0


@dataclass(frozen=True, slots=True)
class Alteration:
    """What is to be given to a standard system user, and taken from it."""

    required_rights: tuple[Right, ...] = ()
    unwanted_rights: tuple[Right, ...] = ()
    required_packages: tuple[str, ...] = ()
    unwanted_packages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """A vendor's request that a system user be given other rights. Its id is the vendor's correlation id."""

    change_request_id: UUID
    system_user_id: UUID
    alteration: Alteration
    redirect_url: str
    status: RequestStatus
    created: datetime
    number: int = 0
