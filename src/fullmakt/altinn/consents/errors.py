"""Why something can not be done with a consent, whichever form it has."""

from __future__ import annotations

from typing import Any

from fullmakt.altinn.consents.rules import Reason, Refusal


class ConsentRefusedError(Exception):
    """It can not be done. Each of the two forms has words of its own for ``reason``; ``facts`` are for the trail."""

    def __init__(self, reason: Reason, **facts: Any) -> None:
        super().__init__(reason)
        self.reason = reason
        self.facts = facts

    @classmethod
    def of(cls, refusal: Refusal) -> ConsentRefusedError:
        """The refusal of a rule."""
        return cls(refusal.reason, **refusal.facts)
