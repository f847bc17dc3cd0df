"""When it is worth asking a token server again, and how long to wait first."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import httpx2

TRANSIENT = frozenset({429, 502, 503, 504})
"""Statuses that a moment's wait may cure: the server's own (503), and those of what stands before it."""

DEFAULT_WAIT = 0.5
MAX_WAIT = 5.0
"""Seconds. Somebody is waiting for the token, so a longer Retry-After is theirs to heed."""

_SECONDS = re.compile(r"[0-9]{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait this many seconds before going on."""

    seconds: float


def retry_after(headers: httpx2.Headers) -> float | None:
    """Seconds to wait by ``Retry-After``, either form (RFC 9110 §10.2.3); a date is held against the response's own."""
    text = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    then, now = _date(text), _date(headers.get("date", ""))
    return None if then is None or now is None else max(0.0, (then - now).total_seconds())


def pause_before_retry(told: float | None) -> Pause | None:
    """The wait before the one retry, None when the server asks for more patience than a caller has."""
    wait = DEFAULT_WAIT if told is None else told
    return Pause(wait) if wait <= MAX_WAIT else None


def _date(text: str) -> dt.datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)
