"""A world that can not be opened is told of in words, whatever the reason."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from sqlalchemy.exc import OperationalError
from typer.testing import CliRunner

from fullmakt.cli import context
from fullmakt.cli.main import app
from fullmakt.infra.database import DatabaseUnavailableError
from fullmakt.infra.secrets import MasterKeyError
from fullmakt.infra.unavailable import NeighbourUnavailableError


class SettingsError(Exception):
    """What the wiring says no with."""


REASONS: list[tuple[Exception, str]] = [
    (FileExistsError(17, "File exists", "/the/state"), "/the/state: File exists"),
    (PermissionError(13, "Permission denied", "/the/state"), "/the/state: Permission denied"),
    (DatabaseUnavailableError("ConnectionTimeout"), "the database does not answer (ConnectionTimeout)"),
    (OperationalError("", {}, Exception("connection refused\n")), "the database does not answer: connection refused"),
    (MasterKeyError("the master key does not open x"), "the master key does not open x"),
    (SettingsError("port: a number"), "port: a number"),
]
COMMANDS = [
    "world show", "world export", "keys list", "keys rotate", "pki list", "pki ca", "pki revoke AB",
    f"explain {'0' * 31}1", "inspect -----BEGIN",
]  # fmt: skip


def there(*, exists: bool = True) -> Callable[[], context.Place]:
    return lambda: context.Place(Path("/the/state"), "http://localhost/", "http://localhost", exists=exists)


class Closed(AbstractAsyncContextManager[context.OpenWorld]):
    """A world that does not open."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def __aenter__(self) -> context.OpenWorld:
        raise self._error

    async def __aexit__(self, *_: object) -> None:
        """Nothing was opened."""


def refusing(error: Exception) -> context.Opener:
    return lambda: Closed(error)


def run(command: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, command.split())
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stderr


@pytest.mark.parametrize(("error", "message"), REASONS)
def test_a_world_that_does_not_open(error: Exception, message: str) -> None:
    context.provide(refusing(error), there(), lambda: (SettingsError,))
    code, said = run("keys list")
    assert (code, said.startswith("✗ "), message in said) == (2, True, True)


@pytest.mark.parametrize("command", COMMANDS[:-1])
def test_every_command_tells_it(command: str) -> None:
    context.provide(refusing(PermissionError(13, "Permission denied", "/the/state")), there())
    code, said = run(command)
    assert code in (1, 2)
    assert "/the/state: Permission denied" in said


@pytest.mark.parametrize(
    "command", [*COMMANDS, "token --client demo --scope a:b", "call http://x --client d --scope a:b"]
)
def test_settings_that_can_not_be_used_are_told_by_every_command(command: str) -> None:
    def finder() -> context.Place:
        raise SettingsError("url: has no scheme")

    context.provide(refusing(SettingsError("url: has no scheme")), finder, lambda: (SettingsError,))
    code, said = run(command)
    assert code in (1, 2)
    assert command.startswith("inspect") or "url: has no scheme" in said


@pytest.mark.parametrize(
    "command", ["world show", "world export", "keys list", "keys rotate", "pki list", "pki revoke AB"]
)
def test_a_world_that_is_only_looked_at_is_not_made(command: str) -> None:
    context.provide(refusing(AssertionError("opened")), there(exists=False))
    code, said = run(command)
    assert code == 2
    assert said.startswith("✗ there is no world in /the/state: start one with `fullmakt up`")


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_a_faulty_file_is_told_before_any_world_is_opened(tmp_path: Path, command: str) -> None:
    context.provide(refusing(AssertionError("opened")), there(exists=False))
    (tmp_path / "world.toml").write_text("[[planet]]\n")
    assert run(f"world {command} {tmp_path / 'world.toml'}") == (2, "✗ unknown section [[planet]]\n")


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        (DatabaseUnavailableError("AdminShutdown"), "the database does not answer (AdminShutdown)"),
        (NeighbourUnavailableError("no keys"), "what has to be asked does not answer (no keys)"),
    ],
)
def test_what_goes_away_is_told_too(gone: Exception, said: str) -> None:
    @asynccontextmanager
    async def opener() -> AsyncIterator[context.OpenWorld]:
        async def ring() -> None:
            raise gone

        yield cast("context.OpenWorld", SimpleNamespace(signing_keys=SimpleNamespace(ring=ring)))

    context.provide(opener, there())
    assert run("keys list") == (2, f"✗ {said}\n")


def test_the_version_is_told() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"fullmakt {metadata.version('fullmakt')}\n")
