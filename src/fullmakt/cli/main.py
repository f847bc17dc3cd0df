"""The list of commands. ``serve.main`` adds those that serve, and the wiring."""

from __future__ import annotations

import typer

from fullmakt.cli import explain, inspect, keys, pki, token, world

app = typer.Typer(
    help="Maskinporten, Altinn and eFormidling as one program. Start with `fullmakt up`.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # locals hold keys and tokens
)
token.register(app)
inspect.register(app)
explain.register(app)
app.add_typer(world.app, name="world")
app.add_typer(keys.app, name="keys")
app.add_typer(pki.app, name="pki")
