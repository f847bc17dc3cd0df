"""The settings are checked and shown, and whatever a user can mend is told in words and with exit code 2."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from fullmakt.cli.context import NoWorldError
from fullmakt.infra.database import DatabaseUnavailableError
from fullmakt.infra.embedded import OrphansError, PostgresStartError, StateInUseError
from fullmakt.infra.migrations import DatabaseTooNewError
from fullmakt.infra.secrets import MasterKeyError
from fullmakt.serve import commands
from fullmakt.serve.main import main
from fullmakt.serve.settings import ConfigError
from fullmakt.serve.up import StartError


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("FULLMAKT_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "200")


def toml(folder: Path, text: str) -> str:
    file = folder / "fullmakt.toml"
    file.write_text(text, encoding="utf-8")
    return str(file)


@dataclass(frozen=True)
class Done:
    exit_code: int
    stdout: str
    stderr: str


class Command:
    """The command as the user runs it, in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *words: str) -> Done:
        with pytest.raises(SystemExit) as ended:
            main(words)
        return Done(int(ended.value.code or 0), *self._capsys.readouterr())


@pytest.fixture
def fullmakt(capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(capsys)


def test_check_says_that_good_settings_are_good(fullmakt: Command, tmp_path: Path) -> None:
    done = fullmakt("config", "check", toml(tmp_path, "port = 8123"))
    assert (done.exit_code, done.stdout) == (0, "✓ the settings are good (development, http://localhost:8123)\n")


def test_check_prints_each_fault_on_a_line(fullmakt: Command, tmp_path: Path) -> None:
    done = fullmakt("config", "check", toml(tmp_path, "prot = 1\nworkers = 0"))
    assert done.exit_code == 2
    assert sorted(done.stderr.splitlines()) == [
        "✗ prot: unknown setting",
        "✗ workers: Input should be greater than or equal to 1",
    ]
    assert done.stdout == ""


def test_show_prints_what_is_in_force_without_the_password(
    fullmakt: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FULLMAKT_LOG__LEVEL", "ERROR")
    file = toml(tmp_path, 'database_url = "postgresql://fullmakt:hemmelig@db.example.no/fullmakt"')
    done = fullmakt("config", "show", file)
    shown = json.loads(done.stdout)
    assert (shown["port"], shown["log"]["level"]) == (8080, "ERROR")
    assert shown["database_url"] == "postgresql://fullmakt:***@db.example.no/fullmakt"
    assert "hemmelig" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["up"], ["serve"], ["serve", "maskinporten"], ["token", "--client", "demo-bank", "--scope", "a:b"],
        ["world", "show"], ["keys", "rotate"], ["pki", "issue", "910753614"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_no_command_starts_anything_with_settings_that_are_wrong(
    fullmakt: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    state = tmp_path / "state"
    monkeypatch.setenv("FULLMAKT_STATE", str(state))
    monkeypatch.setenv("FULLMAKT_HOST", "0.0.0.0")
    monkeypatch.setenv("FULLMAKT_CONFIG", toml(tmp_path, "prot = 1"))
    done = fullmakt(*words)
    assert done.exit_code == 2
    assert "prot: unknown setting" in done.stderr
    assert "host: 0.0.0.0 is not loopback" in done.stderr
    assert not state.exists()


def test_a_system_that_does_not_exist_is_told_with_those_that_do(fullmakt: Command) -> None:
    done = fullmakt("serve", "maskinpotren")
    assert done.exit_code == 2
    assert "systems.0: Input should be 'maskinporten', 'selvbetjening'" in done.stderr


def test_brackets_in_a_value_are_not_taken_for_markup(fullmakt: Command, tmp_path: Path) -> None:
    done = fullmakt("config", "check", toml(tmp_path, 'url = "[/red]x"'))
    assert (done.exit_code, done.stderr) == (2, "✗ url: not an http(s) URL without query and fragment: [/red]x\n")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ConfigError(["a: wrong", "b: wrong"]), ["a: wrong", "b: wrong"]),
        (StateInUseError("it is served"), ["it is served"]),
        (OrphansError("they linger"), ["they linger"]),
        (PostgresStartError("it does not start"), ["it does not start"]),
        (DatabaseTooNewError("it is newer"), ["it is newer"]),
        (DatabaseUnavailableError("OperationalError"), ["the database does not answer (OperationalError)"]),
        (MasterKeyError("not that one"), ["not that one"]),
        (StartError("no"), ["no"]),
        (NoWorldError("none"), ["none"]),
        (PermissionError(13, "Permission denied", "/x/state"), ["/x/state: Permission denied"]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_a_user_can_mend_is_told_in_words(
    fullmakt: Command, monkeypatch: pytest.MonkeyPatch, error: Exception, told: list[str]
) -> None:
    def fails(_words: object) -> None:
        raise error

    monkeypatch.setattr(commands, "app", fails)
    done = fullmakt("world", "show")
    assert (done.exit_code, done.stderr.splitlines()) == (2, [f"✗ {line}" for line in told])


def test_a_fault_of_the_programs_own_is_not_dressed_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_words: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr(commands, "app", fails)
    with pytest.raises(KeyError):
        main([])
