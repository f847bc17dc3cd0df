"""``fullmakt keys``: the keys that sign access tokens."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from fullmakt.cli.context import NoWorldError, OpenWorld, in_world
from fullmakt.cli.terminal import console, fail
from fullmakt.infra.secrets import MasterKeyError
from fullmakt.kernel.clock import system_clock

app = typer.Typer(help="The keys that sign access tokens: list them, rotate them.", no_args_is_help=True)


@app.command("list")
def list_keys() -> None:
    """List the published keys and say which one signs."""
    now = system_clock()
    try:
        ring = in_world(lambda world: world.signing_keys.ring(), make=False)
    except (NoWorldError, MasterKeyError) as error:
        fail(str(error))
    out = console()
    for key in ring.published_at(now):
        turn, signs = key.turn, key.turn.kid == ring.signer_at(now).kid
        state = "signs" if signs else "waits" if turn.sign_from > now else "verifies only"
        out.print(Text(f"{turn.kid}  {key.signer.alg}  "), Text(state, "green" if signs else "dim"), sep="")
        out.print(Text(f"  published from {turn.publish_from:%F %T} UTC, signs from {turn.sign_from:%F %T} UTC", "dim"))


@app.command()
def rotate(
    at_once: Annotated[
        bool,
        typer.Option("--at-once", help="Sign with it now; verifiers that cache the old key set will fail for a while."),
    ] = False,
) -> None:
    """Publish a new key; it signs when every verifier that caches as told has it."""

    async def run(world: OpenWorld) -> None:
        key = await world.signing_keys.rotate(at_once=at_once)
        out = console()
        out.print(f"[green]✓[/] key {key.kid} is published")
        out.print(f"  it signs from {key.sign_from:%F %T} UTC; the old one stays published until its tokens are gone")

    try:
        in_world(run, make=False)
    except (NoWorldError, MasterKeyError) as error:
        fail(str(error))
