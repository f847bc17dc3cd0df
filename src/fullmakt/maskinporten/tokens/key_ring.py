"""Which signing keys are published at a moment, and which of them signs: decided by the times of each.

A verifier may cache the key set for as long as its ``Cache-Control`` says. A new key is therefore published that long
before it signs, and an old one stays published until every token that it signed has expired and every cache that could
ask for it is gone (maskinporten.md §1.4).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fullmakt.jose.keys import Signer

_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Turn:
    """The times of a key: made and published at ``publish_from``, ready to sign from ``sign_from``.

    From ``withdrawn_at`` it does neither.
    """

    kid: str
    publish_from: datetime
    sign_from: datetime
    withdrawn_at: datetime | None = None

    @property
    def came(self) -> bool:
        """False for a key that was withdrawn before it could sign: the one before it never ended."""
        return self.withdrawn_at is None or self.sign_from <= self.withdrawn_at


class Rota:
    """The turns of all keys, and what follows from them.

    Of the keys whose ``sign_from`` has come, the one that was published last signs: a key that waits does not take
    over from a newer one that was let sign at once. A key retires ``retire_after`` the start of the first one after it.
    When the key that signs is withdrawn, one that was published later takes over, never one that it had followed: that
    may have retired, and may have been at large as long.
    """

    def __init__(self, turns: Iterable[Turn], *, retire_after: timedelta) -> None:
        came = [turn for turn in turns if turn.came]
        self._turns = sorted(came, key=lambda turn: (turn.publish_from, turn.sign_from, turn.kid))
        self._retire_at: dict[str, datetime] = {}
        next_start: datetime | None = None
        for turn in reversed(self._turns):
            if next_start is not None:
                self._retire_at[turn.kid] = next_start + retire_after
            next_start = turn.sign_from if next_start is None else min(next_start, turn.sign_from)

    @property
    def signers(self) -> list[Turn]:
        """The keys of which one signs, oldest first; empty when the last one was withdrawn."""
        withdrawn = [place for place, turn in enumerate(self._turns) if turn.withdrawn_at is not None]
        return self._turns[withdrawn[-1] + 1 :] if withdrawn else self._turns

    def next_after(self, now: datetime) -> datetime:
        """When to publish the next key: now, but after all there are, also those made by a clock that is ahead."""
        return max(now, self._turns[-1].publish_from + _MOMENT) if self._turns else now

    def in_use(self, now: datetime) -> list[Turn]:
        """The keys that are neither withdrawn nor retired at ``now``, oldest first."""
        return [
            turn
            for turn in self._turns
            if turn.withdrawn_at is None and (turn.kid not in self._retire_at or now < self._retire_at[turn.kid])
        ]

    def signer_at(self, now: datetime) -> Turn:
        """The key that signs at ``now``: the oldest, as long as the time of none has come."""
        signers = self.signers
        started = [turn for turn in signers if turn.sign_from <= now]
        return started[-1] if started else signers[0]


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that can be used: how it signs, what is published of it, and when."""

    turn: Turn
    signer: Signer
    jwk: dict[str, Any]


class KeyRing:
    """The signing keys as this process knows them."""

    def __init__(self, rota: Rota, keys: Mapping[str, SigningKey]) -> None:
        self._rota = rota
        self._keys = keys
        signers = [(turn.sign_from, keys[turn.kid].signer) for turn in rota.signers if turn.kid in keys]
        self._latest_first = signers[::-1]
        self._written: tuple[tuple[str, ...], bytes] = ((), b"")

    def signer_at(self, now: datetime) -> Signer:
        """The key that signs at ``now``; the oldest, on a node whose clock is behind that of whoever made it."""
        for sign_from, signer in self._latest_first:
            if sign_from <= now:
                return signer
        return self._latest_first[-1][1]

    def published_at(self, now: datetime) -> list[SigningKey]:
        """The keys in the key set at ``now``, oldest first: a new one as soon as it is known here, by any clock."""
        return [self._keys[turn.kid] for turn in self._rota.in_use(now) if turn.kid in self._keys]

    def jwks(self, now: datetime) -> bytes:
        """The key set to publish, as JSON (§1.4); the same keys are written once."""
        published = self.published_at(now)
        kids = tuple(key.turn.kid for key in published)
        if not self._written[1] or self._written[0] != kids:
            document = {"keys": [key.jwk for key in published]}
            self._written = kids, json.dumps(document, separators=(",", ":")).encode()
        return self._written[1]
