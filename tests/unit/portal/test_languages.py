"""Which language a reader gets, and that each has every text."""

from __future__ import annotations

import re

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

from fullmakt.portal.languages import LANGUAGES, LOCALE, choose, translations
from tests.unit.portal.texts import shown_texts

_CODE = re.compile(r"`[^`]+`")
_FIELD = re.compile(r"%\(\w+\)s")
TRANSLATED = [language for language in LANGUAGES if language != "en"]


@pytest.mark.parametrize(
    ("asked", "header", "language"),
    [
        (None, "", "nb"),
        ("en", "nb", "en"),
        ("tlh", "nn", "nn"),
        (None, "nn-NO,nn;q=0.9,en;q=0.5", "nn"),
        (None, "no", "nb"),
        (None, "en-GB,en;q=0.9,nb;q=0.8", "en"),
        (None, "de, nn;q=0.2, en;q=0.7", "en"),
        (None, "en;q=0, nn;q=0.1", "nn"),
        (None, "en;q=high, nn;q=0.1", "nn"),
        (None, "EN", "en"),
        (None, "*", "nb"),
    ],
)
def test_readers_get_the_language_they_ask_for_and_bokmål_when_there_is_no_such_one(
    asked: str | None, header: str, language: str
) -> None:
    assert choose(asked, header) == language


@given(st.one_of(st.none(), st.text()), st.text())
def test_whatever_is_asked_for_one_of_our_languages_is_answered(asked: str | None, header: str) -> None:
    assert choose(asked, header) in LANGUAGES


def _catalogue(language: str) -> Catalog:
    with (LOCALE / language / "LC_MESSAGES" / "portal.po").open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_text_is_translated_and_nothing_else_is(language: str) -> None:
    catalogue = _catalogue(language)
    translated = {str(message.id) for message in catalogue if message.id and message.string and not message.fuzzy}
    assert translated == shown_texts()
    assert not catalogue.obsolete


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_keeps_the_names_and_the_fields_of_its_text(language: str) -> None:
    for message in _catalogue(language):
        english, translated = str(message.id), str(message.string)
        for pattern in (_CODE, _FIELD):
            assert sorted(pattern.findall(english)) == sorted(pattern.findall(translated)), english


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_ends_as_its_text_does(language: str) -> None:
    for message in _catalogue(language):
        if message.id:
            assert str(message.id).endswith(".") == str(message.string).endswith("."), message.id


def test_nynorsk_is_not_bokmål() -> None:
    """Words that stand in bokmål texts and have no place in nynorsk ones."""
    bokmål = re.compile(
        r"(?<![\w-])(ikke|hva|hvem|hvilken|jeg|noe|en|et|fra|kjører|nøkler|virksomhet\w*|gjøre|bare|mer|ennå|tjener\w*)\b"
    )
    for message in _catalogue("nn"):
        prose = _CODE.sub("", str(message.string))
        assert not bokmål.findall(prose), prose


def test_a_text_that_nobody_translated_is_shown_in_english() -> None:
    assert translations("nn").gettext("Nobody wrote this") == "Nobody wrote this"
    assert translations("en").gettext("Ready") == "Ready"
