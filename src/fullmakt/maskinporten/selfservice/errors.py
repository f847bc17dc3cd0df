"""Every way in which self-service says no. One family, rendered as §7.10 has it by ``http.errors``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: with a member (``field``) of what was sent (``object_name``), or with the whole."""

    message: str
    object_name: str | None = None
    field: str | None = None


class SelfServiceError(Exception):
    """A refusal. ``faults`` are for the caller, and never hold a key, a secret or a token.

    ``reason`` is the machine-readable why, for the audit trail; ``retry_after`` (seconds) when it pays to come back.
    """

    status: ClassVar[int]
    reason: str
    retry_after: int | None = None

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(fault.message for fault in faults))
        self.faults = faults


class InvalidError(SelfServiceError):
    """What was sent breaks a rule. 400; all faults at once."""

    status = 400
    reason = "invalid"

    @classmethod
    def field(cls, object_name: str, field: str, message: str) -> InvalidError:
        """One fault, in one member."""
        return cls(Fault(message, object_name, field))

    @classmethod
    def raise_for(cls, faults: Iterable[Fault]) -> None:
        """Raise when there is a fault.

        Raises:
            InvalidError: there is.
        """
        found = tuple(faults)
        if found:
            raise cls(*found)


class DeniedError(SelfServiceError):
    """The caller may not do this. 403."""

    status = 403

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(Fault(message))
        self.reason = reason


class NotFoundError(SelfServiceError):
    """There is no such thing. 404."""

    status = 404
    reason = "not_found"

    def __init__(self, message: str) -> None:
        super().__init__(Fault(message))


class ConflictError(SelfServiceError):
    """There is such a thing already. 409."""

    status = 409
    reason = "conflict"

    def __init__(self, message: str, object_name: str | None = None, field: str | None = None) -> None:
        super().__init__(Fault(message, object_name, field))


class TooManyError(SelfServiceError):
    """The caller has asked too often. 429."""

    status = 429

    def __init__(self, reason: str, message: str, retry_after: int) -> None:
        super().__init__(Fault(f"{reason}: {message}"))
        self.reason = reason
        self.retry_after = retry_after


class UnavailableError(SelfServiceError):
    """Something that this takes is not there, or does not answer. 503; the message begins with the reason."""

    status = 503

    def __init__(self, reason: str, message: str, retry_after: int | None = None) -> None:
        super().__init__(Fault(f"{reason}: {message}"))
        self.reason = reason
        self.retry_after = retry_after
