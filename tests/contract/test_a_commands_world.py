"""A world that a command opens keeps standard output for what the command prints."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from fullmakt.serve.database import open_world


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """A command sets up the logs of its process; this one is the tests'."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_what_is_logged_while_a_command_runs_goes_to_standard_error(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FULLMAKT_STATE", str(tmp_path))
    monkeypatch.setenv("FULLMAKT_DATABASE_URL", database_url)
    monkeypatch.setattr("ctypes.CDLL", _no_library)

    async def command() -> None:
        async with open_world():
            structlog.get_logger("fullmakt.tests").warning("crl_unavailable", pid="05895199925")

    asyncio.run(command())
    printed = capsys.readouterr()
    assert printed.out == ""
    (line,) = printed.err.splitlines()
    assert "crl_unavailable" in line
    assert "05895199925" not in line


def _no_library(*_arguments: object, **_options: object) -> None:
    raise OSError("no such library")
