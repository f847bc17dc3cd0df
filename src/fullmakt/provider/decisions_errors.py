"""What is raised when a decision point gives no decision, and when it gives a no.

Whoever asked must refuse in each of these cases: an API that can not ask does not let anybody in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from fullmakt.provider.errors import BearerError, Reason

if TYPE_CHECKING:
    from fullmakt.provider.decisions_model import DecisionResult


class InvalidSubjectError(ValueError):
    """The claims name nobody that a decision could be about, or can not be understood."""


class DecisionError(Exception):
    """There is no decision. ``reason`` says why, for machines; ``status`` is that of the answer, if there was one."""

    reason: ClassVar[str] = "no_decision"

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class DecisionUnavailableError(DecisionError):
    """The decision point can not be reached, is busy, or fails. Ask again, after ``retry_after`` seconds if that is
    told."""

    reason = "unavailable"

    def __init__(self, message: str, *, status: int | None = None, retry_after: int | None = None) -> None:
        super().__init__(message, status=status)
        self.retry_after = retry_after


class DecisionRefusedError(DecisionError):
    """The decision point does not answer this API: a wrong URL, subscription key or token, or a scope that is missing.

    Asking again does not help.
    """

    reason = "refused"


class UnreadableDecisionError(DecisionError):
    """The answer is none that a decision point gives."""

    reason = "unreadable"


class NotPermittedError(BearerError):
    """The decision is no. 403; ``result`` says why, for the API's own log."""

    status = 403
    error = "access_denied"

    def __init__(self, result: DecisionResult) -> None:
        self.result = result
        super().__init__(Reason.NOT_PERMITTED, "The caller has no right to do this on behalf of this party")
