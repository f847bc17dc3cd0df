"""How Altinn 2's form of consent refuses: an array of errors, or plain text (consent.md §2.2, §2.8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fullmakt.wire.altinn.consents2 import ConsentError, ErrorCode

_REASONS = {
    ErrorCode.NO_SUCH_PARTY: "name_does_not_fit",
    ErrorCode.UNREADABLE: "unreadable_request",
    ErrorCode.VALID_TO: "valid_to_not_ahead",
    ErrorCode.SERVICE: "no_consent_service",
    ErrorCode.METADATA: "metadata_missing",
    ErrorCode.TEMPLATES: "templates_differ",
    ErrorCode.MESSAGE: "message_not_taken",
    ErrorCode.REDIRECT: "redirect_invalid",
    ErrorCode.NOT_LISTED: "not_in_srr",
    ErrorCode.SUPPLIER: "not_the_supplier",
    ErrorCode.RECEIVER: "not_the_receiver",
    ErrorCode.ANSWERED: "consent_already_answered",
    ErrorCode.NOT_ALLOWED: "requestconsent_refused",
}


class RequestRefusedError(Exception):
    """What was asked for can not be had: the array of errors. ``reason`` and ``facts`` are for the audit trail."""

    def __init__(self, *errors: ConsentError, reason: str = "", facts: Mapping[str, Any] | None = None) -> None:
        super().__init__("; ".join(error.code for error in errors))
        self.errors = errors
        self.reason = reason or _REASONS[errors[0].code]
        self.facts = dict(facts or {})

    @property
    def status(self) -> int:
        """403 when it is about who asks, else 400."""
        return max(error.code.status for error in self.errors)


class TurnedAwayError(Exception):
    """The caller is not let in. ``reason`` and ``facts`` are for the audit trail; the fact ``organisation`` is who it
    says it is, where its API key is known."""

    def __init__(self, reason: str, **facts: Any) -> None:
        super().__init__(reason)
        self.reason = reason
        self.facts = facts


class NotAuthenticatedError(TurnedAwayError):
    """The enterprise has not proved who it is, or what it shows is not to be believed: 401."""


class NotAdmittedError(TurnedAwayError):
    """The caller may not call this: 403 with ``text``."""

    def __init__(self, reason: str, text: str, **facts: Any) -> None:
        super().__init__(reason, **facts)
        self.text = text


class NoConsentTokenError(Exception):
    """There is no consent token, or nothing to do with one: 403, and always the same text (§2.8)."""

    def __init__(self, reason: str, **facts: Any) -> None:
        super().__init__(reason)
        self.reason = reason
        self.facts = facts


class UnknownRequestError(Exception):
    """There is no such request, or it is not the caller's: 404."""
