"""Consent as Altinn 2 writes it: names in PascalCase, and a token of Altinn's own (consent.md §2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

ISSUER = "altinn.no"
"""``iss`` of a consent token."""
LIFETIME = timedelta(seconds=30)
"""For how long a consent token is good."""

READ_SCOPES = ("altinn:consentrequests.read", "altinn:enduser/consentrequests.read")
WRITE_SCOPES = ("altinn:consentrequests.write", "altinn:enduser/consentrequests.write")
"""Of requests; the later ones are names of old."""
TOKEN_SCOPES = ("altinn:consenttokens.read", "altinn:consenttokens")
TOKEN_WRITE_SCOPES = ("altinn:consenttokens.write", "altinn:consenttokens")
OWNER_SCOPES = ("altinn:serviceowner/consents", "altinn:serviceowner")

LANGUAGES = {"no-nb": "nb", "no-nn": "nn", "en": "en"}
"""The keys of ``RequestMessage``, and what the same languages are called elsewhere."""

TOKEN_REFUSED = (
    "The API key is not authorized for this operation, or the supplied authorization code is either expired or invalid."
)
"""What is said of every consent token that is not given, whatever the reason (§2.8)."""
DECLINED = "User did not give consent"
"""``ErrorMessage`` of a redirect after a no (§2.6)."""


class RequestStatus(StrEnum):
    """``RequestStatus`` (§2.4). What happened after a yes does not show in it."""

    NONE = "None"
    UNOPENED = "Unopened"
    OPENED = "Opened"
    ACCEPTED = "Accepted"
    REJECTED = "Rejected"


class ErrorCode(StrEnum):
    """``ErrorCode`` of an entry in the array of errors. ``NO_SUCH_PARTY`` alone is Altinn's; the others are ours."""

    NO_SUCH_PARTY = "40332"
    """The number is none, or nobody's, or the name is another's."""
    UNREADABLE = "90000"
    """The body, or a member of it, is not what it has to be."""
    VALID_TO = "90001"
    """``ValidTo`` is missing, or not ahead."""
    SERVICE = "90002"
    """There is no such service, or none to consent to."""
    METADATA = "90003"
    """A parameter of the service is missing or empty."""
    TEMPLATES = "90004"
    """The services do not share a template."""
    MESSAGE = "90005"
    """The template has a message of its own."""
    REDIRECT = "90006"
    """``RedirectUrl`` is not one, or may not be used."""
    NOT_LISTED = "90007"
    """SRR does not list the receiver for every service."""
    SUPPLIER = "90008"
    """``HandledBy`` may not act for the receiver."""
    RECEIVER = "90009"
    """``CoveredBy`` is not the caller."""
    ANSWERED = "90010"
    """The request has been answered."""
    NOT_ALLOWED = "90011"
    """The service's owner does not let the receiver ask."""
    NOT_SERVED = "90012"
    """This server can not answer now; nothing is wrong with the request."""

    @property
    def status(self) -> int:
        """The HTTP status of the answer that it stands in."""
        return 403 if self in {ErrorCode.SUPPLIER, ErrorCode.RECEIVER, ErrorCode.NOT_ALLOWED} else 400


@dataclass(frozen=True, slots=True)
class ConsentError:
    """One entry of the array."""

    code: ErrorCode
    message: str = field(repr=False)

    def document(self) -> dict[str, str]:
        """``{"ErrorCode": …, "ErrorMessage": …}`` (§2.2)."""
        return {"ErrorCode": self.code.value, "ErrorMessage": self.message}


@dataclass(frozen=True, slots=True)
class ConsentedService:
    """A service edition by name, ``5498_1``, and the values of its parameters."""

    name: str
    metadata: Mapping[str, str] = field(default_factory=dict)

    def entries(self) -> list[str]:
        """What stands of it in ``Services``: its name, and ``5498_1_Navn=Banken AS`` for each value."""
        return [self.name, *(f"{self.name}_{key}={value}" for key, value in self.metadata.items())]


@dataclass(frozen=True, slots=True)
class ConsentClaims:
    """What a consent token says (§2.9). Parties are numbers. ``handled_by`` is the supplier that fetched the token."""

    code: UUID
    services: Sequence[ConsentedService]
    offered_by: str = field(repr=False)
    covered_by: str
    delegated: datetime
    valid_to: datetime
    handled_by: str | None = None
    required_delegator: str | None = field(default=None, repr=False)

    def claims(self, now: datetime) -> dict[str, Any]:
        """The claims of a token that is issued ``now``."""
        at = _seconds(now)
        told: dict[str, Any] = {
            "Services": [entry for service in self.services for entry in service.entries()],
            "AuthorizationCode": str(self.code),
            "OfferedBy": self.offered_by,
            "RequiredDelegator": self.required_delegator,
            "CoveredBy": self.covered_by,
            "HandledBy": self.handled_by,
            "DelegatedDate": _seconds(self.delegated),
            "ValidToDate": _seconds(self.valid_to),
            "iss": ISSUER,
            "nbf": at,
            "iat": at,
            "exp": at + int(LIFETIME.total_seconds()),
        }
        return {name: value for name, value in told.items() if value is not None}


def _seconds(at: datetime) -> int:
    return int(at.timestamp())


def local_time(at: datetime) -> str:
    """``2025-05-01T09:59:58.123``: no time zone, which is UTC here, and milliseconds where there are any (§2.2)."""
    at = at.astimezone(UTC)
    text = at.replace(tzinfo=None).isoformat(timespec="milliseconds")
    return text.removesuffix(".000")


def read_time(text: str) -> datetime:
    """A time as a client writes it (ISO 8601); in UTC where it does not say otherwise.

    Raises:
        ValueError: it is none.
    """
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError as error:
        raise ValueError("a time beyond all calendars") from error
