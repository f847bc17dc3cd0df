"""Ids that sort by the time at which they were made (RFC 9562 §5.7)."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
_PLACES = 64
"""Ids that may be told apart, and ordered, within one microsecond of one maker."""


def time_ordered_id(at: dt.datetime, fresh: UUID, place: int = 0) -> UUID:
    """A UUID version 7 for ``at`` (aware), its random bits those of ``fresh``, a random UUID.

    The twelve bits after the milliseconds hold the part of a millisecond (RFC 9562 §6.2, method 3), the six after the
    variant ``place``, 0 to 63: what is made in one go keeps its order.

    Raises:
        ValueError: the time is before 1970, or there is no such place.
    """
    if not 0 <= place < _PLACES:
        raise ValueError("a place is a number from 0 to 63")
    milliseconds, micros = _since_epoch(at)
    low = (place << 56) | (fresh.int & (2**56 - 1))
    return UUID(int=milliseconds << 80 | 0x7 << 76 | (micros * 4096 // 1000) << 64 | 0b10 << 62 | low)


def first_id_at(at: dt.datetime) -> UUID:
    """The smallest id of what is made at ``at`` or after it; what was made before has a smaller one.

    Raises:
        ValueError: the time is before 1970.
    """
    milliseconds, micros = _since_epoch(at)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | (micros * 4096 // 1000) << 64 | 0b10 << 62)


def _since_epoch(at: dt.datetime) -> tuple[int, int]:
    micros = (at - _EPOCH) // _MICROSECOND
    if micros < 0:
        raise ValueError("a time before 1970 has no such id")
    return divmod(micros, 1000)
