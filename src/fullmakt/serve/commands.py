"""The commands of every room, put on one list and given the wiring."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from fullmakt.cli import context
from fullmakt.cli.main import app
from fullmakt.serve.place import find_place
from fullmakt.serve.settings import ConfigError, load_settings

__all__ = ["app", "run"]

ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="The TOML file with the settings.", envvar="FULLMAKT_CONFIG")
]

config_app = typer.Typer(help="The settings: check them, show them.", no_args_is_help=True)
app.add_typer(config_app, name="config")


PortOption = Annotated[int | None, typer.Option(help="The port; FULLMAKT_PORT does the same.")]


@app.command()
def up(config: ConfigOption = None, port: PortOption = None) -> None:
    """Start everything: the database, the demo world, all systems on one port."""
    _run(config, {} if port is None else {"port": port})


@app.command()
def serve(
    systems: Annotated[list[str] | None, typer.Argument(help="The systems to serve; all when none is named.")] = None,
    config: ConfigOption = None,
    port: PortOption = None,
) -> None:
    """Serve some systems, or all, without the demo world: what an operator runs."""
    overrides: dict[str, object] = {"insecure": {"demo_world": False}}
    if systems:
        overrides["systems"] = tuple(systems)
    _run(config, overrides if port is None else {**overrides, "port": port})


def _run(config: Path | None, overrides: dict[str, object]) -> None:
    from fullmakt.serve.up import up as start

    start(load_settings(config, **overrides), Console())


@config_app.command("check")
def config_check(file: Annotated[Path | None, typer.Argument(help="The TOML file.")] = None) -> None:
    """Tell every fault in the settings at once."""
    from fullmakt.serve.settings_files import check_files

    settings = load_settings(file)
    check_files(settings)
    Console().print(f"[green]✓[/] the settings are good ({settings.environment}, {settings.base_url})")


@config_app.command("show")
def config_show(file: Annotated[Path | None, typer.Argument(help="The TOML file.")] = None) -> None:
    """Print the settings in force, passwords left out."""
    settings = load_settings(file)
    shown = settings.model_dump(mode="json")
    if shown.get("database_url"):
        shown["database_url"] = _without_password(shown["database_url"])
    Console().print_json(data=shown)


def _without_password(url: str) -> str:
    from sqlalchemy.engine import make_url

    return make_url(url).render_as_string(hide_password=True)


def run(arguments: Sequence[str] | None = None) -> None:
    """Run a command. What a user can mend is told in a line for each fault, with exit code 2."""
    _provide_world()
    try:
        app(arguments)
    except Exception as error:
        faults = _faults(error)
        if not faults:
            raise
        console = Console(stderr=True)
        for fault in faults:
            console.print("[red]✗[/]", escape(fault), soft_wrap=True, highlight=False)
        sys.exit(2)


def _provide_world() -> None:
    """Say how worlds are opened. What opens them is loaded by then, and not by commands that open none."""

    def open_world() -> AbstractAsyncContextManager[context.OpenWorld]:
        from fullmakt.serve import database

        return database.open_world()

    def refusals() -> tuple[type[Exception], ...]:
        from fullmakt.infra.embedded import OrphansError, PostgresStartError
        from fullmakt.infra.migrations import DatabaseTooNewError, DatabaseTooOldError

        return (ConfigError, OrphansError, PostgresStartError, DatabaseTooNewError, DatabaseTooOldError)

    context.provide(open_world, find_place, refusals)


def _faults(error: Exception) -> list[str]:
    """What to tell of an error that is no fault of the program's; nothing of one that is."""
    from fullmakt.cli.context import NoWorldError
    from fullmakt.infra.database import DatabaseUnavailableError
    from fullmakt.infra.embedded import OrphansError, PostgresStartError, StateInUseError
    from fullmakt.infra.migrations import DatabaseTooNewError
    from fullmakt.infra.secrets import MasterKeyError
    from fullmakt.serve.up import StartError

    match error:
        case ConfigError():
            return error.faults
        case DatabaseUnavailableError():
            return [f"the database does not answer ({error})"]
        case (
            StartError() | StateInUseError() | OrphansError() | PostgresStartError()
            | DatabaseTooNewError() | MasterKeyError() | NoWorldError()
        ):  # fmt: skip
            return [str(error)]
        case OSError(filename=str() | Path() as name, strerror=str(reason)):
            return [f"{name}: {reason}"]
        case _:
            return []
