"""What can be wrong with a question."""

from __future__ import annotations

from fullmakt.altinn.decisions.model import Reason


class RefusedQuestionError(Exception):
    """The question makes no sense, so that there is nothing to decide: the answer is Indeterminate.

    ``message`` is for whoever asks why; it never holds a national identity number.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class UnsettledError(Exception):
    """The facts change faster than a decision can be made on them."""
