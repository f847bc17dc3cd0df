"""A consent as both of Altinn's forms know it, and what has happened to it (consent.md §1, §2.4, §4.15)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from fullmakt.wire.altinn.consents import ConsentRight

__all__ = [
    "Consent",
    "ConsentEvent",
    "ConsentRight",
    "EndReason",
    "EventType",
    "Form",
    "PortalViewMode",
    "Status",
]


class Form(StrEnum):
    """By which API the consent was asked for."""

    ALTINN2 = "altinn2"
    ALTINN3 = "altinn3"


class Status(StrEnum):
    """How a consent stands, in Altinn 3's words. That its time is over is not kept: it is reckoned."""

    CREATED = "Created"
    REJECTED = "Rejected"
    ACCEPTED = "Accepted"
    REVOKED = "Revoked"
    """It has ended: ``Consent.end_reason`` says how."""
    DELETED = "Deleted"
    """Withdrawn before it was answered."""


class EndReason(StrEnum):
    """How an accepted consent came to its end before its time."""

    REVOKED = "revoked"
    """Its giver took it back."""
    GIVEN_UP = "given_up"
    """Its receiver needs it no more."""
    USED_UP = "used_up"
    """It was good for one time."""


class EventType(StrEnum):
    """What has happened, in Altinn 3's words. ``OPENED`` is Altinn 2's alone."""

    CREATED = "Created"
    OPENED = "Opened"
    REJECTED = "Rejected"
    ACCEPTED = "Accepted"
    REVOKED = "Revoked"
    DELETED = "Deleted"
    EXPIRED = "Expired"
    """Never kept: told when it is asked for, of a consent whose time is over."""
    USED = "Used"


class PortalViewMode(StrEnum):
    """Whether the giver's list of requests shows it."""

    HIDE = "Hide"
    SHOW = "Show"


@dataclass(frozen=True, slots=True)
class Consent:
    """A consent that somebody was asked for, and what has become of it.

    ``giver`` (``from``, ``OfferedBy``), ``receiver`` (``to``, ``CoveredBy``), ``handled_by`` (the supplier),
    ``required_delegator`` (the one person who can answer), ``created_by`` and ``answered_by`` are party UUIDs. Times
    are aware. ``message`` is by language (``nb``, ``nn``, ``en``). ``shown`` is what the page showed to whoever
    accepted it. ``migrated`` is when a consent of Altinn 2's form was taken over into Altinn 3, with its id.
    """

    id: UUID
    form: Form
    giver: UUID
    receiver: UUID
    valid_to: datetime
    rights: tuple[ConsentRight, ...]
    redirect_url: str
    created: datetime
    created_by: UUID
    handled_by: UUID | None = None
    required_delegator: UUID | None = None
    message: Mapping[str, str] = field(default_factory=dict)
    portal_view_mode: PortalViewMode = PortalViewMode.HIDE
    template_id: str = ""
    template_version: int | None = None
    one_time: bool = False
    notification_url: str = ""
    status: Status = Status.CREATED
    opened_at: datetime | None = None
    answered_at: datetime | None = None
    answered_by: UUID | None = None
    language: str = ""
    shown: Mapping[str, Any] = field(default_factory=dict)
    ended_at: datetime | None = None
    end_reason: EndReason | None = None
    migrated: datetime | None = None

    @property
    def consented(self) -> datetime | None:
        """When it was given; None when it was not."""
        return self.answered_at if self.status in {Status.ACCEPTED, Status.REVOKED} else None

    @property
    def last_changed(self) -> datetime:
        """When its status changed last."""
        return self.ended_at or self.answered_at or self.opened_at or self.created

    @property
    def in_altinn3(self) -> bool:
        """True when Altinn 3, and Maskinporten with it, knows the consent."""
        return self.form is Form.ALTINN3 or self.migrated is not None

    @property
    def altinn3_rights(self) -> tuple[ConsentRight, ...]:
        """The rights as Altinn 3 writes them, with metadata keys in lower case (§4.17)."""
        if self.form is Form.ALTINN3:
            return self.rights
        return tuple(
            [
                replace(right, metadata={key.lower(): value for key, value in right.metadata.items()})
                for right in self.rights
            ]
        )

    def is_expired(self, now: datetime) -> bool:
        """True when its time is over, answered or not."""
        return self.valid_to <= now


@dataclass(frozen=True, slots=True)
class ConsentEvent:
    """One thing that happened to a consent. ``id`` is a UUID version 7, so that ids order events by time."""

    id: UUID
    consent_id: UUID
    type: EventType
    created: datetime
    performed_by: UUID
