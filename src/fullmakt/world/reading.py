"""Reading one table of a world file: each field by its type, every fault noted, nothing raised until the end."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar, cast
from uuid import UUID

from fullmakt.kernel.identifiers import InvalidIdentifierError, NationalId, OrgNumber, ScopeName
from fullmakt.kernel.text import is_prose
from fullmakt.world.errors import Fault, Place

T = TypeVar("T")
D = TypeVar("D")

MAX_LINE = 255
MAX_PROSE = 4_000
MAX_URI = 2_000
MAX_INTEGER = 2**31 - 1
"""What PostgreSQL's integer holds."""

EARLIEST, LATEST = 1971, 9_998
"""Years that a time in a world file can be of."""

LANGUAGES = ("nb", "nn", "en")
"""Those that texts in Altinn are in."""

_PROSE = re.compile(r"[A-Za-zÀ-ÖØ-öø-ÿ0-9\s.,\-_:;!?'\"()/*\[\]#]*")
_LOCAL_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}", re.ASCII)


class FaultyFieldError(ValueError):
    """The field's value can not be used. The message never repeats a national identity number."""


class Table:
    """One ``[[section]]``. Fields are read to the last, so that all faults are told at once.

    A field at fault is noted and reads as its default, or as nothing of use: build from what was read only while
    ``ok`` holds. ``finish`` notes the fields that nobody asked for.
    """

    def __init__(
        self,
        section: str,
        number: int,
        values: Mapping[str, Any],
        lines: Mapping[tuple[str, int, str | None], int],
        faults: list[Fault],
    ) -> None:
        self.section, self.number, self.values = section, number, values
        self._lines, self._faults = lines, faults
        self._asked: set[str] = set()
        self.ok = True

    def fault(self, field: str | None, message: str) -> None:
        """Note that something is wrong."""
        self.ok = False
        line = self._lines.get((self.section, self.number, field)) or self._lines.get((self.section, self.number, None))
        self._faults.append(Fault(Place(self.section, self.number, field, line), message))

    def finish(self) -> bool:
        """Note unknown fields; True when the table is good."""
        for field in self.values.keys() - self._asked:
            self.fault(field, f"unknown field; [[{self.section}]] has {', '.join(sorted(self._asked))}")
        return self.ok

    def has(self, field: str) -> bool:
        """True when the table says anything about ``field``."""
        self._asked.add(field)
        return field in self.values

    def required(self, field: str, read: Callable[[Any], T]) -> T:
        """A field that has to be there; nothing of use when ``ok`` no longer holds."""
        if not self.has(field):
            self.fault(field, "missing")
        return cast("T", self.optional(field, read))

    def optional(self, field: str, read: Callable[[Any], T]) -> T | None:
        """A field that may be left out."""
        return self.defaulted(field, read, None)

    def defaulted(self, field: str, read: Callable[[Any], T], default: D) -> T | D:
        """A field with a value of its own when it is left out (or at fault)."""
        if not self.has(field):
            return default
        try:
            return read(self.values[field])
        except (FaultyFieldError, InvalidIdentifierError) as error:
            self.fault(field, str(error))
            return default

    def number_of(self, field: str, default: int, *, least: int = 0) -> int:
        """A whole number."""
        return self.defaulted(field, lambda raw: _whole_number(raw, least), default)

    def flag(self, field: str, *, default: bool) -> bool:
        """``true`` or ``false``."""
        return self.defaulted(field, _flag, default)

    def texts(self, field: str, read: Callable[[Any], T]) -> tuple[T, ...]:
        """An array without doubles, each element read by ``read``, put in order."""
        return self.defaulted(field, lambda raw: _array(raw, read), ())


def text(raw: object) -> str:
    """A name or a short description: 1 to 255 characters, not blank."""
    return _checked(raw, MAX_LINE)


def prose(raw: object) -> str:
    """A text of several lines in the characters that long descriptions may have (maskinporten.md §7.7)."""
    value = _checked(raw, MAX_PROSE)
    if not _PROSE.fullmatch(value):
        raise FaultyFieldError("may hold letters, digits, white space and . , - _ : ; ! ? ' \" ( ) / * [ ] #")
    return value


def uri(raw: object) -> str:
    """A URI, or whatever a resource is called: up to 2 000 characters."""
    return _checked(raw, MAX_URI)


def matching(pattern: re.Pattern[str], what: str) -> Callable[[Any], str]:
    """A reader of texts that ``pattern`` matches whole; ``what`` says in words what they look like."""

    def read(raw: object) -> str:
        value = text(raw)
        if not pattern.fullmatch(value):
            raise FaultyFieldError(f"{what}, not {value[:60]!r}")
        return value

    return read


def one_of(allowed: Collection[str]) -> Callable[[Any], str]:
    """A reader of a text out of a few."""

    def read(raw: object) -> str:
        value = text(raw)
        if value not in allowed:
            raise FaultyFieldError(f"one of {', '.join(sorted(allowed))}, not {value[:60]!r}")
        return value

    return read


def languages(raw: object) -> tuple[tuple[str, str], ...]:
    """A text for every language, or a table with one for each; sorted pairs of language and text."""
    if isinstance(raw, Mapping):
        if raw.keys() - set(LANGUAGES):
            raise FaultyFieldError(f"languages are {', '.join(LANGUAGES)}")
        return tuple(sorted((str(language), text(each)) for language, each in raw.items()))
    one = text(raw)
    return tuple(sorted((language, one) for language in LANGUAGES))


def local_name(raw: object) -> str:
    """What a client or a certificate is called on this machine: it names files."""
    return matching(_LOCAL_NAME, "a name is up to 63 lower-case letters, digits, - and _")(raw)


def orgno(raw: object) -> OrgNumber:
    """An organisation number: nine digits."""
    return OrgNumber(_string(raw, "an organisation number stands in quotation marks"))


def national_id(raw: object) -> NationalId:
    """A national identity number with valid check digits."""
    return NationalId(_string(raw, "a national identity number stands in quotation marks"))


def party(raw: object) -> OrgNumber | NationalId:
    """An organisation or a person, by their number."""
    return orgno(raw) if isinstance(raw, str) and len(raw) == 9 else national_id(raw)


def uuid(raw: object) -> UUID:
    """A UUID, written with hyphens."""
    value = text(raw)
    try:
        found = UUID(value)
    except ValueError:
        found = None
    if found is None or str(found) != value.lower():
        raise FaultyFieldError(f"a UUID, not {value[:60]!r}")
    return found


def time(raw: object) -> datetime:
    """A time with its offset from UTC, in UTC; of the years that everybody can reckon with."""
    if not isinstance(raw, datetime) or raw.tzinfo is None:
        raise FaultyFieldError("a time with its offset from UTC: 2030-01-01T00:00:00Z")
    if not EARLIEST <= raw.year <= LATEST:
        raise FaultyFieldError(f"a time in the years {EARLIEST} to {LATEST}")
    return raw.astimezone(UTC)


def scope_name(raw: object) -> ScopeName:
    """A scope."""
    return ScopeName(text(raw))


def _string(raw: object, otherwise: str) -> str:
    if isinstance(raw, int):
        raise FaultyFieldError(otherwise)
    if not isinstance(raw, str):
        raise FaultyFieldError(f"text, not {type_name(raw)}")
    return raw


def _checked(raw: object, limit: int) -> str:
    if not isinstance(raw, str):
        raise FaultyFieldError(f"text, not {type_name(raw)}")
    if not raw.strip():
        raise FaultyFieldError("the text is empty")
    if len(raw) > limit:
        raise FaultyFieldError(f"at most {limit} characters")
    if not is_prose(raw):
        raise FaultyFieldError("the text holds control characters")
    return raw


def _whole_number(raw: object, least: int) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int):
        raise FaultyFieldError(f"a whole number, not {type_name(raw)}")
    if not least <= raw <= MAX_INTEGER:
        raise FaultyFieldError(f"a number from {least} to {MAX_INTEGER}")
    return raw


def _flag(raw: object) -> bool:
    if not isinstance(raw, bool):
        raise FaultyFieldError(f"true or false, not {type_name(raw)}")
    return raw


def _array(raw: object, read: Callable[[Any], T]) -> tuple[T, ...]:
    if not isinstance(raw, Sequence) or isinstance(raw, str):
        raise FaultyFieldError(f"an array, not {type_name(raw)}")
    values = [read(element) for element in raw]
    if len(set(values)) != len(values):
        raise FaultyFieldError("the array names something twice")
    return tuple(sorted(values, key=str))


def type_name(raw: object) -> str:
    """TOML's word for the type of a value."""
    names = {bool: "true or false", int: "a number", float: "a number", str: "text", list: "an array", dict: "a table"}
    return names.get(type(raw), "a date or time")
