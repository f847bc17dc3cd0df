"""How the API says no: one sentence a status, whatever the reason, which is for the trail (lanekassen-saldo.md §7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

TEXTS: Mapping[int, str] = {
    400: "One or more headers are invalid",
    401: "Authorization token is invalid",
    403: "Consent token is invalid",
    404: "Requested PSU_ID does not exist",
    429: "Too busy",
    500: "Unknown error. Contact support if the error persists",
}
"""§7, to the letter."""


class Reason(StrEnum):
    """Why a call was refused; what is wrong with a consent, the SDK's ``ConsentCause`` says."""

    BAD_HEADERS = "bad_headers"
    UNKNOWN_API_KEY = "unknown_api_key"
    TOO_BUSY = "too_busy"
    BEARER_PREFIX = "bearer_prefix"
    INVALID_TOKEN = "invalid_token"
    """``facts["why"]`` is the SDK's reason."""
    WRONG_AUDIENCE = "wrong_audience"
    INSUFFICIENT_SCOPE = "insufficient_scope"
    FOREIGN_CONSUMER = "foreign_consumer"
    """The consumer is not named by its number in Enhetsregisteret."""
    FOREIGN_API_KEY = "foreign_api_key"
    CONSENT_QUOTED = "consent_quoted"
    UNKNOWN_PERSON = "unknown_person"


@dataclass(frozen=True, slots=True)
class Refusal:
    """No: the number of the check that failed (§5), its status, the machine-readable reason, and what was compared."""

    check: int
    status: int
    reason: str
    facts: Mapping[str, Any] = field(default_factory=dict)


class RefusedError(Exception):
    """Carries a refusal out of a row of checks."""

    def __init__(self, check: int, status: int, reason: str, **facts: Any) -> None:
        super().__init__(reason)
        self.refusal = Refusal(check, status, reason, facts)
