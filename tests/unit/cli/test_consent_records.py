"""An export is a list of records, one, or a record a line."""

from __future__ import annotations

from pathlib import Path

import pytest

from fullmakt.cli.consent import records
from fullmakt.cli.consent.records import Garbled, RecordFileError, read_records


def read(folder: Path, text: bytes) -> list[object]:
    path = folder / "export.json"
    path.write_bytes(text)
    return list(read_records(path))


@pytest.mark.parametrize(
    "text",
    [
        b'[{"a": 1}, {"a": 2}]',
        b'\xef\xbb\xbf[\n{"a": 1},\n{"a": 2}]',
        b'{"a": 1}\n{"a": 2}',
        b'\n\n{"a": 1}\r\n\r\n{"a": 2}\r\n',
        b'\xef\xbb\xbf{"a": 1}\n{"a": 2}\n',
    ],
    ids=["list", "list with a mark", "lines", "lines of Windows", "lines with a mark"],
)
def test_every_form_has_the_same_records(tmp_path: Path, text: bytes) -> None:
    assert read(tmp_path, text) == [{"a": 1}, {"a": 2}]


def test_one_record_over_several_lines_is_one(tmp_path: Path) -> None:
    assert read(tmp_path, b'{\n  "a": 1\n}\n') == [{"a": 1}]


def test_a_line_that_is_garbled_keeps_no_other_from_being_read(tmp_path: Path) -> None:
    first, second, third = read(tmp_path, b'{"a": 1}\n{"a": 1, "a": 2}\n3\n')
    assert (first, third) == ({"a": 1}, 3)
    assert isinstance(second, Garbled)


@pytest.mark.parametrize("text", [b"", b"consents", b"3", b'[{"a": 1}', b'{"a": 1', b"\xff\xfe"])
def test_what_is_none_is_refused(tmp_path: Path, text: bytes) -> None:
    with pytest.raises(RecordFileError):
        read(tmp_path, text)


@pytest.mark.parametrize("text", [b"[" + b" " * 100 + b"]", b'{"a": 1}\n{"b": "' + b"x" * 100 + b'"}'])
def test_what_is_too_long_is_refused(tmp_path: Path, text: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MAX_DOCUMENT", 64)
    monkeypatch.setattr(records, "MAX_RECORD", 64)
    with pytest.raises(RecordFileError, match=r"(at most|more than) 64 bytes"):
        read(tmp_path, text)
