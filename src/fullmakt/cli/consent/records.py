"""Reading an export of consents: one JSON array, one object, or an object a line (JSON Lines), however many."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from fullmakt.jose.strict_json import StrictJsonError, loads

MAX_DOCUMENT = 64 * 1024 * 1024
"""Bytes of a file that is one JSON document; JSON Lines may be as long as they like."""
MAX_RECORD = 1024 * 1024
"""Bytes of a line."""
_BOM = b"\xef\xbb\xbf"


class RecordFileError(ValueError):
    """The file is no export; the message says why."""


class Garbled:
    """What stands for a record that is no JSON: no object, and so refused as one that can not be read."""


def read_records(path: Path) -> Iterator[object]:
    """Each record as a JSON value, in the order of the file.

    Raises:
        RecordFileError: the file is neither.
        OSError: it can not be read.
    """
    with path.open("rb") as file:
        start = file.read(3)
        offset = len(_BOM) if start == _BOM else 0
        file.seek(offset)
        is_lines = _is_lines(file)
        file.seek(offset)
        yield from _lines(file) if is_lines else _document(file)


def _is_lines(file: BinaryIO) -> bool:
    """True when the first line that is not empty is an object of its own."""
    for line in iter(lambda: file.readline(MAX_RECORD + 1), b""):
        if line.strip():
            try:
                return isinstance(loads(line), dict)
            except StrictJsonError:
                return False
    return False


def _lines(file: BinaryIO) -> Iterator[object]:
    while line := file.readline(MAX_RECORD + 1):
        if len(line) > MAX_RECORD:
            raise RecordFileError(f"a line has more than {MAX_RECORD} bytes")
        if line.strip():
            try:
                yield loads(line)
            except StrictJsonError:
                yield Garbled()


def _document(file: BinaryIO) -> Iterator[object]:
    text = file.read(MAX_DOCUMENT + 1)
    if len(text) > MAX_DOCUMENT:
        raise RecordFileError(f"one JSON document has at most {MAX_DOCUMENT} bytes: write a record a line")
    try:
        value = loads(text)
    except StrictJsonError as error:
        raise RecordFileError(f"no JSON: {error}") from error
    if not isinstance(value, list | dict):
        raise RecordFileError("an export is a list of records, or a record a line")
    yield from value if isinstance(value, list) else [value]
