"""What can be wrong with a delegation."""

from __future__ import annotations

from fullmakt.wire.altinn.problems import ProblemKind

INVALID_RIGHT_KEY = ProblemKind("AM-00036", 400, "Policy does not contain all rightkeys in delegation request")


class DelegationRefusedError(Exception):
    """A rule of delegations is broken. ``reason`` is machine-readable, the message fit to be shown."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class UnknownDelegationError(LookupError):
    """What is to be passed on is not in force: it never was, or it has been withdrawn."""


class UnknownPartyError(LookupError):
    """No party has the number or the identifier. ``field`` tells which one was meant."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class UnknownResourceError(LookupError):
    """The resource is not registered, or it is of another type than the use case is for."""
