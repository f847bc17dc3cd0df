"""So many requests a second for each API key, and a burst at once: a token bucket (lanekassen-saldo.md §9)."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime

RETRY_AFTER = 1
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is left at ``at``."""

    left: float
    at: datetime


def taken(bucket: Bucket | None, now: datetime, rate: float, burst: int) -> tuple[Bucket, bool]:
    """The bucket after one more request, and whether that is let through. A clock that goes back fills nothing."""
    bucket = bucket or Bucket(burst, now)
    gained = max((now - bucket.at).total_seconds(), 0.0) * rate
    left = min(bucket.left + gained, float(burst))
    return (Bucket(left - 1, now), True) if left >= 1 else (Bucket(left, now), False)


class Throttle:
    """A bucket for each key, in this process."""

    def __init__(self, rate: float, burst: int) -> None:
        self._rate = rate
        self._burst = burst
        self._buckets: dict[Hashable, Bucket] = {}

    def admits(self, key: Hashable, now: datetime) -> bool:
        """Count a request, and say whether it is let through."""
        self._buckets[key], admitted = taken(self._buckets.get(key), now, self._rate, self._burst)
        return admitted
