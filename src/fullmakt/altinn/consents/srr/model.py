"""Services of Altinn 2 as SRR knows them, and the entries that owners make (consent.md §3.2)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from fullmakt.altinn.consents.srr.domains import DomainPattern
from fullmakt.kernel.identifiers import OrgNumber


@dataclass(frozen=True, slots=True, order=True)
class ServiceKey:
    """A service edition: ``ServiceCode`` and ``ServiceEditionCode``. As text, ``5498_1``."""

    code: str
    edition: int

    def __str__(self) -> str:
        return f"{self.code}_{self.edition}"


@dataclass(frozen=True, slots=True)
class ServiceDeclaration:
    """What is said of a service edition beside its resource. None says nothing: ``uses_srr`` becomes true with the
    first entry, and the resource tells of the rest. ``min_level`` is the authentication level, 2 to 4.

    Raises:
        ValueError: there is no such level.
    """

    resource: str
    key: ServiceKey
    uses_srr: bool | None = None
    one_time: bool | None = None
    min_level: int | None = None

    def __post_init__(self) -> None:
        if self.min_level is not None and not 2 <= self.min_level <= 4:
            raise ValueError(f"the authentication level of {self.key} is not 2, 3 or 4")


@dataclass(frozen=True, slots=True)
class Service:
    """A service edition and its resource. ``owner`` is missing for the test department alone."""

    key: ServiceKey
    resource: str
    owner: OrgNumber | None
    uses_srr: bool = False
    one_time: bool | None = None
    min_level: int | None = None


class Right(StrEnum):
    """What an entry gives, from least to most."""

    NONE = "None"
    READ = "Read"
    WRITE = "Write"
    ACCESS = "Access"
    SIGN = "Sign"
    ARCHIVE_READ = "ArchiveRead"
    ARCHIVE_DELETE = "ArchiveDelete"

    @property
    def reads(self) -> bool:
        """True of ``Read`` and all that is more (§3.4)."""
        return self is not Right.NONE


class OperationStatus(StrEnum):
    """What became of an item that was written."""

    UNKNOWN = "Ukjent"
    OK = "OK"
    NOT_FOUND = "RuleNotFound"
    EXISTS = "RuleAlreadyExists"
    BAD_REPORTEE = "EmptyOrNotAValidSsnOrOrganisation"
    EXPIRED = "RightAlreadyExpired"


@dataclass(frozen=True, slots=True)
class Condition:
    """On what terms. ``is_recipient`` and ``is_sender`` are kept for broker services, and mean nothing for consent."""

    handled_by: OrgNumber | None = None
    keep_session_alive: bool | None = None
    domains: tuple[DomainPattern, ...] = ()
    is_recipient: bool | None = None
    is_sender: bool | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry to be made. ``reportee`` as it was sent: whether it is a number is answered item by item."""

    service: ServiceKey
    reportee: str
    right: Right
    valid_to: dt.datetime
    condition: Condition | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry. ``reportee`` is an organisation number, or a person's national identity number."""

    id: int
    service: ServiceKey
    reportee: str
    right: Right
    valid_to: dt.datetime
    condition: Condition | None = None

    def stands(self, now: dt.datetime) -> bool:
        """True while it lets its reportee receive consents."""
        return self.right.reads and self.valid_to > now


@dataclass(frozen=True, slots=True, order=True)
class Named:
    """An entry of a service by what it is about. ``reportee`` as it was sent."""

    reportee: str
    right: Right


@dataclass(frozen=True, slots=True)
class Written:
    """What became of an item: the entry as it is now, or the draft that is none."""

    item: Entry | Draft
    status: OperationStatus


@dataclass(frozen=True, slots=True)
class Gate:
    """What SRR says of one service for one receiver: the receiver's ``entries``, also those that have expired."""

    service: ServiceKey
    uses_srr: bool
    entries: tuple[Entry, ...] = ()
