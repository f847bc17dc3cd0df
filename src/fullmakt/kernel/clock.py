"""Time and fresh ids, handed to whoever needs them; this module and ``serve/`` alone ask the machine for them."""

from __future__ import annotations

import datetime as dt
import secrets
import uuid
from collections.abc import Callable

Clock = Callable[[], dt.datetime]
"""Returns the time now, aware, in UTC."""

NewId = Callable[[], str]
"""Returns a fresh UUID version 4 in lower case, dashes included."""


def system_clock() -> dt.datetime:
    """The machine's time, aware, in UTC."""
    return dt.datetime.now(dt.UTC)


def new_uuid() -> str:
    """A random UUID (version 4, RFC 9562 §5.4)."""
    return str(uuid.uuid4())


def new_token_id() -> str:
    """A ``jti`` as Maskinporten makes them: 32 random bytes in 43 characters of base64url (maskinporten.md §3.3)."""
    return secrets.token_urlsafe(32)


class FixedClock:
    """A clock that stands still until it is moved."""

    def __init__(self, at: dt.datetime) -> None:
        self.at = at

    def __call__(self) -> dt.datetime:
        return self.at

    def advance(self, **by: float) -> None:
        """Move the clock forward by ``timedelta(**by)``."""
        self.at += dt.timedelta(**by)
