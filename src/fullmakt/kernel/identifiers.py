"""Norwegian identifiers and the notations they travel in.

Sources: Enhetsregisteret (organisation numbers, modulus 11), Skatteetaten (national identity numbers), ISO 6523 as
Peppol and Maskinporten write it, RFC 6749 §3.3 (scope tokens).
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Self

_ORGNO = re.compile(r"[0-9]{9}", re.ASCII)
_ELEVEN_DIGITS = re.compile(r"[0-9]{11}", re.ASCII)
_SCOPE = re.compile(r"[a-z0-9æøå_-]+:[!#-\[\]-~æøåÆØÅ]+")
_ORGNO_WEIGHTS = (3, 2, 7, 6, 5, 4, 3, 2)
_K1_WEIGHTS = (3, 7, 6, 1, 8, 9, 4, 5, 2)
_K2_WEIGHTS = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)


class InvalidIdentifierError(ValueError):
    """The text is not an identifier of the kind asked for. The message never repeats a national identity number."""


def _modulus_11(digits: str, weights: tuple[int, ...]) -> int | None:
    """The check digit of ``digits``, or None where the number can have none (remainder 10)."""
    remainder = sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True)) % 11
    check = (11 - remainder) % 11
    return None if check == 10 else check


class OrgNumber(str):
    """An organisation number in Enhetsregisteret: nine digits.

    Construction checks the shape alone, for that is all that Maskinporten checks; whether the ninth digit fits the
    first eight (modulus 11) is a question of its own, ``has_valid_check_digit``.

    Raises:
        InvalidIdentifierError: the text is not nine ASCII digits.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        if not _ORGNO.fullmatch(text):
            raise InvalidIdentifierError(f"an organisation number is nine digits, not {text[:20]!r}")
        return super().__new__(cls, text)

    @property
    def has_valid_check_digit(self) -> bool:
        """True when the modulus-11 check digit fits."""
        return _modulus_11(self[:8], _ORGNO_WEIGHTS) == int(self[8])

    @property
    def iso6523(self) -> str:
        """The number with Enhetsregisteret's ICD before it, ``0192:910753614``."""
        return f"0192:{self}"


@dataclass(frozen=True, slots=True)
class Iso6523:
    """An identifier with the register it is from, as in a token's ``consumer``: ``0192:910753614``.

    Source: maskinporten.md §3.3 (``authority`` = ``iso6523-actorid-upis``; two to four elements, the first an ICD).
    """

    icd: str
    value: str

    AUTHORITY = "iso6523-actorid-upis"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``0192:910753614`` or the pilot's sub-unit form ``0192:<parent>:ER//<unit>:1`` (the parent is kept).

        Raises:
            InvalidIdentifierError: fewer than two or more than four elements, or an empty one.
        """
        elements = text.split(":")
        if not 2 <= len(elements) <= 4 or not all(elements):
            raise InvalidIdentifierError(f"not an ISO 6523 identifier: {text[:60]!r}")
        return cls(elements[0], elements[1])

    @property
    def orgno(self) -> OrgNumber:
        """The organisation number, when the register is Enhetsregisteret.

        Raises:
            InvalidIdentifierError: another register, or not nine digits.
        """
        if self.icd != "0192":
            raise InvalidIdentifierError(f"ICD {self.icd!r} is not Enhetsregisteret (0192)")
        return OrgNumber(self.value)


class NationalId(str):
    """A fødselsnummer or D-number: eleven digits with a date and two valid check digits.

    Synthetic numbers (month + 80 from Tenor, month + 40 from NAV) are numbers too. ``repr`` is masked, so that a number
    does not reach a log by way of a traceback; ``str`` is the number itself, for the wire.

    Raises:
        InvalidIdentifierError: wrong length, an impossible date, or a check digit that does not fit.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        if not _ELEVEN_DIGITS.fullmatch(text):
            raise InvalidIdentifierError("a national identity number is eleven digits")
        if _modulus_11(text[:9], _K1_WEIGHTS) != int(text[9]) or _modulus_11(text[:10], _K2_WEIGHTS) != int(text[10]):
            raise InvalidIdentifierError("the check digits of the national identity number do not fit")
        if _birth_date(text) is None:
            raise InvalidIdentifierError("the national identity number holds no real date")
        return super().__new__(cls, text)

    def __repr__(self) -> str:
        return f"NationalId({self[:2]}*********)"

    @property
    def is_synthetic(self) -> bool:
        """True for test numbers: month + 80 (Skatteetaten, Tenor) or + 40 (NAV)."""
        return int(self[2:4]) > 12

    @property
    def is_d_number(self) -> bool:
        """True for a D-number (day + 40), given to people without a fødselsnummer."""
        return int(self[:2]) > 40


def _birth_date(number: str) -> dt.date | None:
    day, month, year, individual = int(number[:2]), int(number[2:4]), int(number[4:6]), int(number[6:9])
    if day > 40:
        day -= 40
    if month > 80:
        month -= 80
    elif month > 40:
        month -= 40
    if individual < 500:
        century = 1900
    elif individual < 750 and year >= 54:
        century = 1800
    elif year < 40:
        century = 2000
    elif individual >= 900:
        century = 1900
    else:
        return None
    try:
        return dt.date(century + year, month, day)
    except ValueError:
        return None


class ScopeName(str):
    """A scope, ``prefix:subscope``, the subscope free to hold ``/``, ``.`` and ``:``.

    Raises:
        InvalidIdentifierError: no prefix, no subscope, or a character that RFC 6749 §3.3 keeps out of a scope.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        if len(text) > 255 or not _SCOPE.fullmatch(text):
            raise InvalidIdentifierError(f"a scope is prefix:subscope without white space, not {text[:60]!r}")
        return super().__new__(cls, text)

    @property
    def prefix(self) -> str:
        """What stands before the first colon; it tells whose scope it is."""
        return self.partition(":")[0]

    @property
    def subscope(self) -> str:
        """What stands after the first colon."""
        return self.partition(":")[2]
