"""The languages of the pages: which one a reader gets, and its texts.

Texts are English in templates and code; ``locale/<language>/LC_MESSAGES/portal.po`` translates them. The files are read
at start as they are, so there is nothing to compile and nothing compiled to forget.
"""

from __future__ import annotations

import functools
import gettext
from collections.abc import Mapping
from pathlib import Path

from babel.messages.pofile import read_po

DEFAULT = "nb"
LANGUAGES: Mapping[str, str] = {"nb": "Bokmål", "nn": "Nynorsk", "en": "English"}
"""Each language by its own name, in the order in which they are offered."""

LOCALE = Path(__file__).parent / "locale"
_ALIASES = {"no": "nb"}
_LANGUAGE_CODES = {"nb-no": "nb", "nn-no": "nn", "en": "en"}
_MAX_HEADER = 500


class Translations(gettext.NullTranslations):
    """The texts of one language; a text without a translation is shown as it is."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        super().__init__()
        self._texts = texts

    def gettext(self, message: str) -> str:
        """The message in this language."""
        return self._texts.get(message, message)


@functools.cache
def translations(language: str) -> Translations:
    """The texts of ``language``, one of ``LANGUAGES``; English has no file, for it is the texts' own language."""
    file = LOCALE / language / "LC_MESSAGES" / "portal.po"
    if not file.is_file():
        return Translations({})
    with file.open("rb") as stream:
        catalogue = read_po(stream, locale=language, abort_invalid=True)
    texts = {str(message.id): str(message.string) for message in catalogue if message.id and message.string}
    return Translations(texts)


def of_language_code(code: str) -> str | None:
    """Which of ours ``LanguageCode`` of a link of Altinn 2's asks for, if any (consent.md §2.5, §2.7)."""
    return _LANGUAGE_CODES.get(code.lower())


def choose(asked: str | None, accept_language: str) -> str:
    """The language to answer in: ``asked`` (the query's ``lang``) if there is such a one, else the reader's first
    among ours (RFC 9110 §12.5.4), else bokmål."""
    if asked is not None and asked in LANGUAGES:
        return asked
    for tag in _by_preference(accept_language):
        primary = tag.partition("-")[0]
        language = _ALIASES.get(primary, primary)
        if language in LANGUAGES:
            return language
    return DEFAULT


def _by_preference(accept_language: str) -> list[str]:
    weighted: list[tuple[float, str]] = []
    for part in accept_language[:_MAX_HEADER].split(","):
        tag, _, parameter = part.partition(";")
        weight = _weight(parameter)
        if tag.strip() and weight > 0:
            weighted.append((weight, tag.strip().lower()))
    return [tag for _, tag in sorted(weighted, key=lambda pair: -pair[0])]


def _weight(parameter: str) -> float:
    name, _, value = parameter.partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
