"""JSON as a security token may hold it."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fullmakt.jose.strict_json import MAX_DEPTH, StrictJsonError, loads_object

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(), children, max_size=4),
    max_leaves=15,
)


@given(st.dictionaries(st.text(), _VALUES, max_size=5), st.booleans())
def test_an_object_comes_back_as_it_was(document: dict[str, Any], ascii_only: bool) -> None:
    assert loads_object(json.dumps(document, ensure_ascii=ascii_only).encode()) == document


@given(st.binary())
def test_any_bytes_are_an_object_or_refused(data: bytes) -> None:
    with contextlib.suppress(StrictJsonError):
        assert isinstance(loads_object(data), dict)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"null",
        b'"text"',
        b"{",
        b"{}{}",
        b"\xef\xbb\xbf{}",
        b'{"a":1,"a":1}',
        b'{"a":{"b":1,"b":2}}',
        b'{"a":1,"\\u0061":2}',
        b'{"a":NaN}',
        b'{"a":-Infinity}',
        b'{"a":' + b"9" * 5_000 + b"}",
        b'{"a":"\\ud800"}',
        b'{"\\udfff":1}',
        b'{"a":"\xed\xa0\x80"}',
        b'{"a":"\xff"}',
        b"{'a':1}",
        b'{"a":1,}',
        b'{"a":01}',
        b'{"a":"\n"}',
    ],
)
def test_what_a_token_may_not_hold_is_refused(data: bytes) -> None:
    with pytest.raises(StrictJsonError):
        loads_object(data)


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_nesting_has_a_limit_of_its_own_far_below_the_interpreters(opening: bytes) -> None:
    closing = b"]" if opening == b"[" else b"}"

    def nested(depth: int) -> bytes:
        return b'{"x":' + opening * (depth - 1) + b"1" + closing * (depth - 1) + b"}"

    assert loads_object(nested(MAX_DEPTH))
    for depth in (MAX_DEPTH + 1, 500, 900, 990, 1_000, 10_000):
        with pytest.raises(StrictJsonError):
            loads_object(nested(depth))


def test_many_brackets_side_by_side_are_not_deep() -> None:
    assert loads_object(json.dumps({"a": [{"b": []}] * 100, "[[[[": "{" * 100}).encode())


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b'{"secret":}', "Expecting value (line 1, column 11)"),
        (b'{"secret": "\xff"}', "not UTF-8 (byte 12)"),
        (b'{"secret": "\\ud800"}', "half a surrogate pair"),
        (b'{"secret": ' + b"[" * 100_000, "nested deeper than 32"),
        (b'{"secret": ' + b"9" * 5_000 + b"}", "a number of thousands of digits"),
    ],
)
def test_a_refusal_tells_what_is_wrong_and_where_but_nothing_of_the_text(data: bytes, told: str) -> None:
    with pytest.raises(StrictJsonError) as refused:
        loads_object(data)
    assert str(refused.value) == told
