"""The ``fullmakt`` command: the rooms' commands, put on one list and given the wiring."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from fullmakt.cli import context
from fullmakt.cli.main import app
from fullmakt.serve.settings import ConfigError, Settings, load_settings

__all__ = ["app", "main"]

ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="The TOML file with the settings.", envvar="FULLMAKT_CONFIG")
]

config_app = typer.Typer(help="The settings: check them, show them.", no_args_is_help=True)
app.add_typer(config_app, name="config")


def _fail(faults: list[str]) -> NoReturn:
    console = Console(stderr=True)
    for fault in faults:
        console.print("[red]✗[/]", escape(fault), soft_wrap=True, highlight=False)
    raise typer.Exit(2)


def _load(config: Path | None) -> Settings:
    try:
        return load_settings(config)
    except ConfigError as error:
        _fail(error.faults)


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
    from fullmakt.infra.database import DatabaseUnavailableError
    from fullmakt.infra.embedded import OrphansError, StateInUseError
    from fullmakt.infra.secrets import MasterKeyError
    from fullmakt.serve.up import StartError
    from fullmakt.serve.up import up as run

    try:
        run(load_settings(config, **overrides), Console())
    except ConfigError as error:
        _fail(error.faults)
    except (StateInUseError, OrphansError, StartError, MasterKeyError, DatabaseUnavailableError) as error:
        _fail([str(error)])


@config_app.command("check")
def config_check(file: Annotated[Path | None, typer.Argument(help="The TOML file.")] = None) -> None:
    """Tell every fault in the settings at once."""
    settings = _load(file)
    Console().print(f"[green]✓[/] the settings are good ({settings.environment}, {settings.base_url})")


@config_app.command("show")
def config_show(file: Annotated[Path | None, typer.Argument(help="The TOML file.")] = None) -> None:
    """Print the settings in force, passwords left out."""
    settings = _load(file)
    shown = settings.model_dump(mode="json")
    if shown.get("database_url"):
        shown["database_url"] = _without_password(shown["database_url"])
    Console().print_json(data=shown)


def _without_password(url: str) -> str:
    from sqlalchemy.engine import make_url

    return make_url(url).render_as_string(hide_password=True)


def main() -> None:
    """The command's entry."""
    from fullmakt.infra.embedded import OrphansError
    from fullmakt.serve.database import find_place, open_world

    context.provide(open_world, find_place, (ConfigError, OrphansError))
    app()


if __name__ == "__main__":
    main()
