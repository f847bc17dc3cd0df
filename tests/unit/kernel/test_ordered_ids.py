"""Ids that sort by time (RFC 9562 §5.7)."""

from __future__ import annotations

import datetime as dt
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fullmakt.kernel.ordered_ids import first_id_at, time_ordered_id

AT = dt.datetime(2025, 7, 18, 6, 18, 26, 652_930, tzinfo=dt.UTC)
MICROSECONDS = st.integers(0, 253_402_300_799_999_999)  # from 1970 to the end of 9999, in microseconds
TIMES = MICROSECONDS.map(lambda micros: dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=micros))


def test_it_is_a_version_7_with_the_milliseconds_in_front() -> None:
    made = time_ordered_id(AT, uuid4())
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert made.int >> 80 == int(AT.timestamp() * 1000)


@given(TIMES, TIMES, st.uuids(), st.uuids(), st.integers(0, 63), st.integers(0, 63))
def test_ids_sort_by_time_and_within_it_by_place(
    one: dt.datetime, other: dt.datetime, first: UUID, second: UUID, here: int, there: int
) -> None:
    a, b = time_ordered_id(one, first, here), time_ordered_id(other, second, there)
    if one != other:
        assert (a < b) == (one < other)
    elif here != there:
        assert (a < b) == (here < there)
    assert (a >= first_id_at(other)) == (one >= other)


def test_what_can_not_be_told_is_refused() -> None:
    with pytest.raises(ValueError, match="before 1970"):
        time_ordered_id(dt.datetime(1969, 12, 31, tzinfo=dt.UTC), uuid4())
    for place in (-1, 64):
        with pytest.raises(ValueError, match="from 0 to 63"):
            time_ordered_id(AT, uuid4(), place)
