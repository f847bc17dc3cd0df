"""Commands are on the list before they are loaded, and a command loads what it needs and no more."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from fullmakt.cli.main import app
from tests.support.running import clean_environment

COMMANDS = list(get_command(app).commands)  # type: ignore[attr-defined]
PROGRAM = """
import sys
from fullmakt.serve.commands import run

try:
    run(sys.argv[1:])
finally:
    print("loaded", {"alembic", "fastapi", "psycopg", "sqlalchemy", "uvicorn"} & sys.modules.keys())
"""


@pytest.mark.parametrize("name", COMMANDS)
def test_whatever_is_on_the_list_is_there_and_tells_what_it_does(name: str) -> None:
    done = CliRunner().invoke(app, [name, "--help"], prog_name="fullmakt")
    assert (done.exit_code, f"fullmakt {name} " in done.output) == (0, True), done.output
    assert name in CliRunner().invoke(app, ["--help"]).output


def test_a_name_that_is_nearly_one_is_told_with_that_one() -> None:
    done = CliRunner().invoke(app, ["tokn"])
    assert (done.exit_code, "No such command 'tokn'" in done.output, "token" in done.output) == (2, True, True)


@pytest.mark.parametrize("words", [["token", "--client", "a", "--scope", "a:b"], ["demo", "tynn"], ["srr", "sync"]])
def test_a_command_that_opens_no_database_loads_none(tmp_path: Path, words: list[str]) -> None:
    env = clean_environment(STATE=str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words], env=env, capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stdout.splitlines()[-1]) == (2, "loaded set()"), done.stderr
