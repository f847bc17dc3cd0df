"""W3C Trace Context: a caller's trace is continued, a malformed one begun anew."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fullmakt.kernel.trace import Trace

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE_ID}-00f067aa0ba902b7-00"


def test_a_trace_is_continued_with_a_span_of_our_own() -> None:
    trace = Trace.continue_from(PARENT)
    assert (trace.trace_id, trace.flags) == (TRACE_ID, "00")
    assert trace.span_id != "00f067aa0ba902b7"
    assert trace.traceparent == f"00-{TRACE_ID}-{trace.span_id}-00"


def test_a_later_version_may_say_more() -> None:
    assert Trace.continue_from(f"01{PARENT[2:]}-more").trace_id == TRACE_ID


@pytest.mark.parametrize(
    "traceparent",
    [
        None,
        "",
        f"ff{PARENT[2:]}",
        f"{PARENT}-more",
        PARENT.upper(),
        PARENT.replace(TRACE_ID, "0" * 32),
        PARENT.replace("00f067aa0ba902b7", "0" * 16),
        PARENT[:-1],
        f"01{PARENT[2:]}-{'x' * 512}",
    ],
)
def test_a_malformed_header_begins_a_new_trace(traceparent: str | None) -> None:
    trace = Trace.continue_from(traceparent)
    assert trace.trace_id not in (TRACE_ID, "0" * 32)
    assert trace.flags == "01"


@given(st.text(max_size=60))
def test_whatever_comes_in_what_goes_out_is_well_formed(header: str) -> None:
    trace = Trace.continue_from(header)
    assert Trace.continue_from(trace.traceparent).trace_id == trace.trace_id


def test_ids_do_not_come_again_when_somebody_seeds_the_common_source() -> None:
    random.seed(1)
    first = Trace.start()
    random.seed(1)
    second = Trace.start()
    assert first.trace_id != second.trace_id
    assert first.span_id != second.span_id
