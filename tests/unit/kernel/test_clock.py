"""Time and fresh ids."""

from __future__ import annotations

import datetime as dt
import re
import uuid

from fullmakt.kernel.clock import FixedClock, new_token_id, new_uuid, system_clock


def test_the_machine_s_time_is_aware_and_in_utc() -> None:
    assert system_clock().utcoffset() == dt.timedelta(0)


def test_a_fixed_clock_moves_when_it_is_told_to() -> None:
    clock = FixedClock(dt.datetime(2026, 11, 21, tzinfo=dt.UTC))
    assert clock() == clock()
    clock.advance(seconds=90)
    assert clock() == dt.datetime(2026, 11, 21, 0, 1, 30, tzinfo=dt.UTC)


def test_a_fresh_uuid_is_random_and_in_lower_case() -> None:
    first, second = new_uuid(), new_uuid()
    assert first != second
    assert uuid.UUID(first).version == 4
    assert re.fullmatch(r"[0-9a-f-]{36}", first)


def test_a_token_id_has_43_characters_of_base64url() -> None:
    first, second = new_token_id(), new_token_id()
    assert first != second
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", first)
