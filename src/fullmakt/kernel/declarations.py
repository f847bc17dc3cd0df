"""What declaring something comes to: saying again what is already so does nothing."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """What a declaration came to."""

    CREATED = "create"
    CHANGED = "change"
    UNCHANGED = "unchanged"
