"""A request for access, and what has become of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from fullmakt.kernel.identifiers import OrgNumber


class RequestStatus(StrEnum):
    """Altinn 3's words for it."""

    DRAFT = "Draft"
    PENDING = "Pending"
    APPROVED = "Approved"
    REJECTED = "Rejected"
    WITHDRAWN = "Withdrawn"


class RequestType(StrEnum):
    """What is asked for."""

    RESOURCE = "resource"
    PACKAGE = "package"


class Move(StrEnum):
    """What somebody may do with a request."""

    CONFIRM = "confirm"
    WITHDRAW = "withdraw"
    APPROVE = "approve"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Wish:
    """``receiver`` asks ``giver`` for rights on ``resources`` (one; Altinn 2 has several) or for ``package``.

    ``package`` is the name alone. ``actions`` are right keys, ``<resource>:<action>``; none stands for all there are.
    """

    receiver: UUID
    giver: UUID
    resources: tuple[str, ...] = ()
    package: str | None = None
    actions: frozenset[str] = frozenset()

    @property
    def type(self) -> RequestType:
        """What is asked for."""
        return RequestType.RESOURCE if self.package is None else RequestType.PACKAGE


@dataclass(frozen=True, slots=True)
class Letter:
    """What goes with a request of Altinn 2's shape."""

    redirect_url: str = ""
    message: str = field(default="", repr=False)
    keep_session_alive: bool = False


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """A request as it is kept.

    ``owner`` made it on the receiver's behalf; without one the receiver did. ``changed_by`` is the party whose user
    moved it last. ``sent`` is when the giver could first see it.
    """

    request_id: UUID
    wish: Wish
    status: RequestStatus
    owner: OrgNumber | None
    letter: Letter
    created: datetime
    changed: datetime
    changed_by: UUID | None
    sent: datetime | None


@dataclass(frozen=True, slots=True)
class ServiceOwner:
    """Who calls a service owner's routes: its number, and its code when the token has it."""

    orgno: OrgNumber
    code: str | None
    actor: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of a list ended: after the request made at that moment."""

    created: datetime
    request_id: UUID


@dataclass(frozen=True, slots=True)
class Selection:
    """Which requests a list holds; None leaves it open.

    ``statuses`` empty: all. Only requests that were ``sent`` are shown to those who are asked.
    """

    receiver: UUID | None = None
    giver: UUID | None = None
    owner: OrgNumber | None = None
    statuses: frozenset[RequestStatus] = frozenset()
    type: RequestType | None = None
    resource: str | None = None
    sent: bool = False
