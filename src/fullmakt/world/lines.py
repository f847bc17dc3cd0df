"""On which line of a world file each table and each field stands. tomllib does not tell."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping

_TABLE = re.compile(r"\s*\[\[\s*([a-z_]+)\s*\]\]")
_FIELD = re.compile(r"\s*(?:\"([^\"]+)\"|'([^']+)'|([A-Za-z0-9_-]+))\s*[.=]")
_LONG_STRING = re.compile(r'"""|\'\'\'')


def locate(text: str) -> Mapping[tuple[str, int, str | None], int]:
    """``(section, number of the table from 1, field or None)`` → line from 1, for a file that parses."""
    found: dict[tuple[str, int, str | None], int] = {}
    tables: Counter[str] = Counter()
    section = ""
    for number, line in _outside_long_strings(text):
        if table := _TABLE.match(line):
            section = table[1]
            tables[section] += 1
            found[section, tables[section], None] = number
        elif section and (match := _FIELD.match(line)):
            found.setdefault((section, tables[section], match[1] or match[2] or match[3]), number)
    return found


def _outside_long_strings(text: str) -> Iterator[tuple[int, str]]:
    """The lines that do not begin inside a string of several lines."""
    closing: str | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if closing is None:
            yield number, line
        for mark in _LONG_STRING.findall(line):
            if closing is None:
                closing = mark
            elif closing == mark:
                closing = None
