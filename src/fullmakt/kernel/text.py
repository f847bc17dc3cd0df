"""What text from outside may be, wherever it is kept: by what no store, no line and no page can take."""

from __future__ import annotations

import re
import unicodedata

MAX_NAME = 255
"""Characters of what is called a name."""

# NUL is what PostgreSQL can not hold; a lone surrogate is what UTF-8 can not carry.
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
_UNFIT_FOR_PROSE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
# Cc: control characters; Cs: lone surrogates; Zl and Zp: line breaks by another name.
_NOT_OF_A_LINE = frozenset({"Cc", "Cs", "Zl", "Zp"})


def is_storable(*texts: str) -> bool:
    """True when PostgreSQL can hold every one of ``texts``; what it can not hold is nowhere to be found in it."""
    return not any(map(_UNSTORABLE.search, texts))


def is_prose(text: str) -> bool:
    """True of storable text whose only control characters are tabs and line breaks."""
    return _UNFIT_FOR_PROSE.search(text) is None


def is_line(text: str) -> bool:
    """True of storable text without control characters or line breaks of any kind."""
    return not any(unicodedata.category(character) in _NOT_OF_A_LINE for character in text)


def is_name(text: str) -> bool:
    """True of a line of one to 255 characters without white space at the ends."""
    return 0 < len(text) <= MAX_NAME and text == text.strip() and is_line(text)
