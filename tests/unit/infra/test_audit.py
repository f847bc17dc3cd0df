"""What is written to the audit trail holds no secrets, however long it was."""

from __future__ import annotations

import pytest

from fullmakt.infra.audit import clean_facts, clean_text

TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJwaWQiOiIwNTg5NTE5OTkyNSJ9.c2ln"


@pytest.mark.parametrize("before", range(1_940, 2_001))
def test_a_token_across_the_cut_leaves_nothing_behind(before: int) -> None:
    cleaned = clean_text(" " * before + TOKEN)
    assert "ey" not in cleaned
    assert len(cleaned) <= 2_001


@pytest.mark.parametrize("before", range(1_985, 2_001))
def test_a_national_identity_number_across_the_cut_leaves_no_digit_behind(before: int) -> None:
    assert "058" not in clean_text("x," * (before // 2) + "05895199925" + " more" * 10)


def test_a_long_text_is_cut_between_words_and_says_so() -> None:
    cleaned = clean_text("word " * 1_000)
    assert cleaned.endswith(" …")
    assert len(cleaned) <= 2_001


def test_control_characters_become_spaces_and_short_text_stays() -> None:
    assert clean_text("a\x00b\nc") == "a b c"
    assert clean_text("fullmakt:whoami") == "fullmakt:whoami"


def test_facts_are_cleaned_at_every_depth_names_too() -> None:
    assert clean_facts({"05895199925": [{"why": (TOKEN, 1, None)}]}) == {
        "[national id]": [{"why": ["[token]", 1, None]}]
    }
