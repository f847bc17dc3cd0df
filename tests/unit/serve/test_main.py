"""``fullmakt config`` tells whether the settings are good, and shows them without passwords."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fullmakt.serve.main import app


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


def test_check_says_that_good_settings_are_good(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["config", "check", toml(tmp_path, "port = 8123")])
    assert (done.exit_code, done.output) == (0, "✓ the settings are good (development, http://localhost:8123)\n")


def test_check_prints_each_fault_on_a_line(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["config", "check", toml(tmp_path, "prot = 1\nworkers = 0")])
    assert done.exit_code == 2
    assert sorted(done.stderr.splitlines()) == [
        "✗ prot: unknown setting",
        "✗ workers: Input should be greater than or equal to 1",
    ]
    assert done.stdout == ""


def test_show_prints_what_is_in_force_without_the_password(tmp_path: Path) -> None:
    file = toml(tmp_path, 'database_url = "postgresql://fullmakt:hemmelig@db.example.no/fullmakt"')
    done = CliRunner().invoke(app, ["config", "show", file], env={"FULLMAKT_LOG__LEVEL": "ERROR"})
    shown = json.loads(done.stdout)
    assert (shown["port"], shown["log"]["level"]) == (8080, "ERROR")
    assert shown["database_url"] == "postgresql://fullmakt:***@db.example.no/fullmakt"
    assert "hemmelig" not in done.output


@pytest.mark.parametrize("command", [["up"], ["serve"], ["serve", "maskinporten"]])
def test_no_command_starts_anything_with_settings_that_are_wrong(tmp_path: Path, command: list[str]) -> None:
    state = tmp_path / "state"
    env = {"FULLMAKT_STATE": str(state), "FULLMAKT_HOST": "0.0.0.0"}
    done = CliRunner().invoke(app, [*command, "--config", toml(tmp_path, "prot = 1")], env=env)
    assert done.exit_code == 2
    assert "prot: unknown setting" in done.stderr
    assert "host: 0.0.0.0 is not loopback" in done.stderr
    assert not state.exists()


def test_a_system_that_does_not_exist_is_told_with_those_that_do() -> None:
    done = CliRunner().invoke(app, ["serve", "maskinpotren"])
    assert done.exit_code == 2
    assert "systems.0: Input should be 'maskinporten', 'selvbetjening'" in done.stderr


def test_brackets_in_a_value_are_not_taken_for_markup(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["config", "check", toml(tmp_path, 'url = "[/red]x"')])
    assert (done.exit_code, done.stderr) == (2, "✗ url: not an http(s) URL without query and fragment: [/red]x\n")
