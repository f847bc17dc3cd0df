"""``fullmakt keys``: the keys that sign access tokens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

import typer
from rich.text import Text

from fullmakt.cli.context import NoWorldError, OpenWorld, in_world
from fullmakt.cli.terminal import console, fail
from fullmakt.infra.secrets import MasterKeyError
from fullmakt.kernel.clock import system_clock
from fullmakt.maskinporten.tokens.signing import KeyNotWithdrawnError

app = typer.Typer(help="The keys that sign access tokens: list them, rotate them, withdraw one.", no_args_is_help=True)


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
    kid: Annotated[
        str | None,
        typer.Option("--withdraw", metavar="KID", help="Take that key back in the same step; with --at-once."),
    ] = None,
) -> None:
    """Publish a new key; it signs when every verifier that caches as told has it."""
    if kid is not None and not at_once:
        fail("--withdraw needs --at-once: the new key has to sign when the old one does not")

    async def run(world: OpenWorld) -> None:
        key = await world.signing_keys.rotate(at_once=at_once, withdraw=kid)
        out = console()
        out.print(f"[green]✓[/] key {key.kid} is published")
        kept = "the old one stays published until its tokens are gone" if kid is None else f"{kid} is withdrawn"
        out.print(f"  it signs from {key.sign_from:%F %T} UTC; {kept}")

    _change(run)


@app.command(context_settings={"ignore_unknown_options": True})  # one key id in 64 begins with a hyphen
def withdraw(
    kid: Annotated[str, typer.Argument(metavar="KID", help="The key, as `fullmakt keys list` names it.")],
) -> None:
    """Take a compromised key back: it leaves the key set, and signs no more. Verifiers may hold it while they cache."""

    async def run(world: OpenWorld) -> None:
        signs = await world.signing_keys.withdraw(kid)
        out = console()
        out.print(f"[green]✓[/] key {kid} is withdrawn")
        out.print(
            f"  {signs.kid} signs; verifiers that cache the key set trust {kid} for up to"
            f" {world.tokens_config.jwks_max_age} seconds more"
        )

    _change(run)


def _change(run: Callable[[OpenWorld], Awaitable[None]]) -> None:
    try:
        in_world(run, make=False)
    except (NoWorldError, MasterKeyError, KeyNotWithdrawnError) as error:
        fail(str(error))
