"""A signing key by its times, and which of several signs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

PUBLISHED_FIRST = timedelta(hours=48)
"""How long a certificate is published before its key signs, so that those who cache the key set know it by then."""


@dataclass(frozen=True, slots=True)
class KeyTimes:
    """When a key's certificate holds; ``thumbprint`` is its SHA-1 in upper-case hexadecimal, the ``kid``."""

    thumbprint: str
    not_before: datetime
    not_after: datetime


def valid_at(now: datetime, keys: Sequence[KeyTimes]) -> list[KeyTimes]:
    """The keys that are published at ``now``, oldest first."""
    valid = [key for key in keys if key.not_before <= now < key.not_after]
    return sorted(valid, key=lambda key: (key.not_before, key.thumbprint))


def signer_at(now: datetime, keys: Sequence[KeyTimes]) -> KeyTimes | None:
    """The key that signs: the newest of those published for 48 hours, or the newest of all when none has been.

    None when no certificate holds. Source: altinn-authentication.md §3.
    """
    valid = valid_at(now, keys)
    known = [key for key in valid if key.not_before < now - PUBLISHED_FIRST]
    candidates = known or valid
    return candidates[-1] if candidates else None
