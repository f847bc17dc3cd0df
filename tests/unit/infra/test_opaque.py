"""Values that go to a client and come back, or come back as something else."""

from __future__ import annotations

import contextlib
import json
from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fullmakt.infra.opaque import MAX_LENGTH, opaque, unwrapped

VALUES = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text()


@given(st.recursive(VALUES, st.lists, max_leaves=5))
def test_what_is_wrapped_is_unwrapped(value: object) -> None:
    wrapped = opaque(value)
    assert "=" not in wrapped
    assert unwrapped(wrapped) == value


def test_the_form_is_that_of_the_contract() -> None:
    assert opaque({"version": "7"}) == "eyJ2ZXJzaW9uIjoiNyJ9"


def _wrapped(document: bytes) -> str:
    return urlsafe_b64encode(document).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "=",
        "a b",
        "æ",
        "++++",
        "MQ==",
        "YWJj\n",
        _wrapped(b"{"),
        _wrapped(b"NaN"),
        _wrapped(b"\xff"),
        _wrapped(b'"\\ud800"'),
        _wrapped(b'{"a":1,"a":2}'),
        _wrapped(b"[" * 1_000),
        _wrapped(json.dumps("x" * MAX_LENGTH).encode()),
    ],
)
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        unwrapped(text)


@given(st.text())
def test_whatever_comes_back_is_a_value_or_refused(text: str) -> None:
    with contextlib.suppress(ValueError):
        unwrapped(text)
