"""The list of commands. ``serve.main`` adds those that serve, and the wiring."""

from __future__ import annotations

from importlib import metadata
from typing import Annotated

import typer

from fullmakt.cli import decide, demo, explain, inspect, keys, pki, srr, token, who_can, world


def _print_version(asked: bool) -> None:
    if asked:
        print(f"fullmakt {metadata.version('fullmakt')}")
        raise typer.Exit


app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # locals hold keys and tokens
)


@app.callback()
def fullmakt(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print it.")
    ] = False,
) -> None:
    """Maskinporten, Altinn and eFormidling as one program. Start with `fullmakt up`."""


token.register(app)
inspect.register(app)
explain.register(app)
decide.register(app)
who_can.register(app)
app.add_typer(world.app, name="world")
app.add_typer(demo.app, name="demo")
app.add_typer(keys.app, name="keys")
app.add_typer(pki.app, name="pki")
app.add_typer(srr.app, name="srr")
