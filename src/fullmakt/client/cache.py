"""Tokens that are at hand, by what was asked for. Pure but for a lock: the caller tells the time."""

from __future__ import annotations

import datetime as dt
import threading
from collections import OrderedDict
from dataclasses import dataclass, replace

from fullmakt.client.access_token import AccessToken
from fullmakt.client.grant import TokenRequest

DEFAULT_REFRESH_MARGIN = 20.0
"""Seconds before its expiry that a token is replaced; real clients use 5 to 30 (maskinporten.md §10)."""
MAX_TOKENS = 10_000
"""A supplier may ask for many consumers in turn; the ones used longest ago make room."""
IN_TRANSIT = dt.timedelta(seconds=5)
"""A token this close to its expiry may not live to reach the API."""
HOLD_BACK = dt.timedelta(seconds=5)
"""How long a token that could not be replaced ahead of time is used on before that is tried again."""


@dataclass(frozen=True, slots=True)
class _Entry:
    token: AccessToken
    refresh_at: dt.datetime


class TokenCache:
    """Hands out tokens until it is time to replace them. ``margin`` is in seconds, and a quarter of a life at most."""

    def __init__(self, margin: float = DEFAULT_REFRESH_MARGIN, max_tokens: int = MAX_TOKENS) -> None:
        self._margin = dt.timedelta(seconds=margin)
        self._max_tokens = max_tokens
        self._entries: OrderedDict[TokenRequest, _Entry] = OrderedDict()
        self._lock = threading.Lock()

    def fresh(self, request: TokenRequest, now: dt.datetime) -> AccessToken | None:
        """A token that need not be replaced yet."""
        with self._lock:
            entry = self._entries.get(request)
            if entry is None or now >= entry.refresh_at:
                return None
            self._entries.move_to_end(request)
            return entry.token

    def still_usable(self, request: TokenRequest, now: dt.datetime) -> AccessToken | None:
        """A token that should have been replaced but is good for a little longer; to be had again for a while."""
        with self._lock:
            entry = self._entries.get(request)
            if entry is None or now >= entry.token.expires_at - IN_TRANSIT:
                return None
            until = min(now + HOLD_BACK, entry.token.expires_at - IN_TRANSIT)
            self._entries[request] = replace(entry, refresh_at=until)
            return entry.token

    def store(self, request: TokenRequest, token: AccessToken) -> None:
        """Keep a token for the requests that equal this one."""
        life = token.expires_at - token.issued_at
        with self._lock:
            self._entries[request] = _Entry(token, token.expires_at - min(self._margin, life / 4))
            self._entries.move_to_end(request)
            while len(self._entries) > self._max_tokens:
                self._entries.popitem(last=False)

    def discard(self, request: TokenRequest, token: AccessToken) -> None:
        """Forget a token that an API would not take, unless another has taken its place already."""
        with self._lock:
            entry = self._entries.get(request)
            if entry is not None and entry.token.value == token.value:
                del self._entries[request]
