"""When to ask an issuer for its keys, and how long to go by the answer. Pure: no HTTP, no clock.

Sources: maskinporten.md §1.4 (rotation, a day's caching), RFC 5861 §4 (stale-if-error).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from fullmakt.jose.keys import PublicKey
from fullmakt.provider.errors import IssuerUnavailableError

DAY = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class FetchedKeys:
    """A JWKS as it came: its keys by ``kid``, and the seconds its response may be kept for (None: it did not say)."""

    keys: Mapping[str, PublicKey]
    max_age: float | None


@dataclass(frozen=True, slots=True)
class KeyCacheLimits:
    """How long keys are kept and how often they are asked for, all in seconds.

    max_age: the longest that a JWKS counts as fresh, and how long when its ``Cache-Control`` says nothing.
    max_stale: how long past that it serves while the issuer can not be reached.
    refresh_interval: the least between two refreshes that unknown key ids or an unreachable issuer cause.
    retry_interval: the least between two attempts while no keys are known at all.
    """

    max_age: float = DAY
    max_stale: float = 7 * DAY
    refresh_interval: float = 10.0
    retry_interval: float = 1.0


class KeyCache:
    """Which keys are known, and whether to ask for them (again). Times are the caller's; there is no I/O in here."""

    def __init__(self, limits: KeyCacheLimits) -> None:
        self._limits = limits
        self._keys: Mapping[str, PublicKey] = {}
        self._fresh_until: dt.datetime | None = None
        self._not_forced_before: dt.datetime | None = None
        self._not_retried_before: dt.datetime | None = None
        self._fetching = False

    def key(self, kid: str, now: dt.datetime) -> PublicKey | None:
        """The key, from what is known.

        Raises:
            IssuerUnavailableError: nothing is known, or only what is too stale to go by.
        """
        if not self._is_usable(now):
            raise IssuerUnavailableError("The keys of the token's issuer can not be fetched at the moment")
        return self._keys.get(kid)

    def _is_usable(self, now: dt.datetime) -> bool:
        stale = dt.timedelta(seconds=self._limits.max_stale)
        return self._fresh_until is not None and now < self._fresh_until + stale

    def should_fetch(self, kid: str, now: dt.datetime) -> bool:
        """True when keys should be fetched before ``kid`` is looked up; False while that is held back."""
        if self._is_held_back(kid, now):
            return False
        if self._fresh_until is None or now >= self._fresh_until:
            return True
        return kid not in self._keys and (self._not_forced_before is None or now >= self._not_forced_before)

    def _is_held_back(self, kid: str, now: dt.datetime) -> bool:
        if self._not_retried_before is None:
            return False
        # The issuer is out. While one caller finds out whether it still is, the others need not wait with it.
        is_being_asked = self._fetching and kid in self._keys and self._is_usable(now)
        return now < self._not_retried_before or is_being_asked

    def fetching(self, now: dt.datetime) -> bool:
        """Note that a fetch begins.

        True when it is forced by an unknown key id, so that the HTTP caches on the way must be passed by.
        """
        self._fetching = True
        forced = self._fresh_until is not None and now < self._fresh_until
        if forced:
            self._not_forced_before = now + dt.timedelta(seconds=self._limits.refresh_interval)
        return forced

    def fetched(self) -> None:
        """Note that the fetch has ended, however it did."""
        self._fetching = False

    def store(self, fetched: FetchedKeys, now: dt.datetime) -> None:
        """Replace what is known."""
        limits = self._limits
        told = limits.max_age if fetched.max_age is None else fetched.max_age
        kept = min(max(told, limits.refresh_interval), limits.max_age)
        self._keys = fetched.keys
        self._fresh_until = now + dt.timedelta(seconds=kept)
        self._not_retried_before = None

    def failed(self, now: dt.datetime) -> None:
        """Keep what is known, and hold back further attempts for a while."""
        known = self._fresh_until is not None
        wait = self._limits.refresh_interval if known else self._limits.retry_interval
        self._not_retried_before = now + dt.timedelta(seconds=wait)
