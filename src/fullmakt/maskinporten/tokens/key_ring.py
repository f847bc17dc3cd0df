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


@dataclass(frozen=True, slots=True)
class Turn:
    """The times of a key: in the key set from ``publish_from``, and ready to sign from ``sign_from``."""

    kid: str
    publish_from: datetime
    sign_from: datetime


class Rota:
    """The turns of all keys, and what follows from them.

    Of the keys whose ``sign_from`` has come, the one that was published last signs: a key that waits does not take
    over from a newer one that was let sign at once. A key retires ``retire_after`` the start of the first one after it.
    """

    def __init__(self, turns: Iterable[Turn], *, retire_after: timedelta) -> None:
        self._turns = sorted(turns, key=lambda turn: (turn.publish_from, turn.sign_from, turn.kid))
        self._retire_at: dict[str, datetime] = {}
        next_start: datetime | None = None
        for turn in reversed(self._turns):
            if next_start is not None:
                self._retire_at[turn.kid] = next_start + retire_after
            next_start = turn.sign_from if next_start is None else min(next_start, turn.sign_from)

    @property
    def signers(self) -> list[Turn]:
        """The keys that sign now or may do so later, oldest first."""
        return self._turns

    def in_use(self, now: datetime) -> list[Turn]:
        """The keys that have not retired at ``now``, oldest first."""
        return [turn for turn in self._turns if turn.kid not in self._retire_at or now < self._retire_at[turn.kid]]


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

    def signer_at(self, now: datetime) -> Signer:
        """The key that signs at ``now``; the oldest, on a node whose clock is behind that of whoever made it."""
        for sign_from, signer in self._latest_first:
            if sign_from <= now:
                return signer
        return self._latest_first[-1][1]

    def published_at(self, now: datetime) -> list[SigningKey]:
        """The keys in the key set at ``now``, oldest first."""
        signs = self.signer_at(now).kid
        return [
            self._keys[turn.kid]
            for turn in self._rota.in_use(now)
            if turn.kid in self._keys and (turn.publish_from <= now or turn.kid == signs)
        ]

    def jwks(self, now: datetime) -> bytes:
        """The key set to publish, as JSON (§1.4)."""
        return json.dumps({"keys": [key.jwk for key in self.published_at(now)]}, separators=(",", ":")).encode()
