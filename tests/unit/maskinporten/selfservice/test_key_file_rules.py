"""Passwords, masks, texts and what they are counted by."""

from __future__ import annotations

import re
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fullmakt.maskinporten.selfservice.rules import key_files as rules

GSM_7 = re.compile(r"[A-Za-z0-9 \n.:,\-øåæØÅÆé]*")
"""Of the characters that a text of 160 can hold, those that ours use."""
PHONES = st.from_regex(r"\+[1-9][0-9]{7,14}", fullmatch=True)


def test_a_password_is_letters_and_digits_that_look_like_nothing_else() -> None:
    made = rules.password(secrets.choice)
    assert re.fullmatch(r"[a-hjkmnp-z2-9]{5}(-[a-hjkmnp-z2-9]{5}){3}", made)
    assert len(set(rules.ALPHABET)) == len(rules.ALPHABET) == 31
    assert 99 <= rules.PASSWORD_BITS < 100


def test_every_letter_of_a_password_is_chosen() -> None:
    chosen = iter("abcdefghjkmnpqrstuvw")
    assert rules.password(lambda alphabet: next(chosen)) == "abcde-fghjk-mnpqr-stuvw"


@pytest.mark.parametrize("language", ["nb", "nn", "en"])
def test_a_text_holds_password_and_key_and_is_one_text_message(language: str) -> None:
    secret, kid = "abcde-fghjk-mnpqr-stuvw", "Z" * 43
    text = rules.text(secret, kid, language)
    assert secret in text
    assert text.count("Z") == 8
    assert len(text) <= 160
    assert GSM_7.fullmatch(text)


@pytest.mark.parametrize(
    ("phone", "masked"), [("+4799999123", "+47*****123"), ("+46701234567", "+46******567"), ("+12345678", "+12***678")]
)
def test_a_number_is_masked(phone: str, masked: str) -> None:
    assert rules.masked(phone) == masked


@given(PHONES)
def test_a_mask_is_as_long_as_the_number_and_hides_most_of_it(phone: str) -> None:
    masked = rules.masked(phone)
    assert len(masked) == len(phone)
    assert masked.count("*") >= 3


@given(PHONES, PHONES)
def test_texts_are_counted_by_client_and_by_a_bucket_that_is_many_peoples(one: str, other: str) -> None:
    client, phone = rules.counted("c1", one)
    assert client == "client:c1"
    assert rules.counted("c2", one)[1] == phone
    assert re.fullmatch(r"phone:[0-9]{1,5}", phone)
    assert rules.counted("c1", other)[0] == client
