"""What text from outside may be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fullmakt.kernel.text import MAX_NAME, is_line, is_name, is_prose, is_storable


@pytest.mark.parametrize(
    ("text", "storable", "prose", "line"),
    [
        ("", True, True, True),
        ("Blåbærsyltetøy AS 🫐", True, True, True),
        ("a\tb\r\nc", True, True, False),
        ("a\x85b", True, True, False),
        ("a\u2028b", True, True, False),
        ("a\x1bb", True, False, False),
        ("a\x7fb", True, False, False),
        ("a\x00b", False, False, False),
        ("a\ud800b", False, False, False),
    ],
    ids=["empty", "words", "lines", "C1", "separator", "escape", "delete", "nul", "surrogate"],
)
def test_what_a_text_may_hold(text: str, storable: bool, prose: bool, line: bool) -> None:
    assert (is_storable(text), is_prose(text), is_line(text)) == (storable, prose, line)


def test_of_several_texts_every_one_has_to_be_storable() -> None:
    assert is_storable()
    assert is_storable("a", "b")
    assert not is_storable("a", "\x00")


@pytest.mark.parametrize("name", ["a", "skd-maskinportenschemaid-8", "Å æ", "x" * MAX_NAME])
def test_a_name_is_one_line(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize("name", ["", " ", "a ", "\ta", "a\nb", "a\x00", "\ud800", "a\u2028b", "x" * (MAX_NAME + 1)])
def test_what_is_no_line_is_no_name(name: str) -> None:
    assert not is_name(name)


@given(st.text())
def test_every_name_can_be_stored(name: str) -> None:
    if is_name(name):
        assert b"\x00" not in name.encode()
