"""``fullmakt keys``: the keys that sign access tokens."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from fullmakt.cli.context import open_world
from fullmakt.kernel.clock import system_clock

app = typer.Typer(help="The keys that sign access tokens: list them, rotate them.", no_args_is_help=True)


@app.command("list")
def list_keys() -> None:
    """List the published keys and say which one signs."""
    asyncio.run(_list())


@app.command()
def rotate(
    at_once: Annotated[
        bool,
        typer.Option("--at-once", help="Sign with it now; verifiers that cache the old key set will fail for a while."),
    ] = False,
) -> None:
    """Publish a new key; it signs when every verifier that caches as told has it."""
    asyncio.run(_rotate(at_once))


async def _list() -> None:
    now = system_clock()
    async with open_world() as world:
        ring = await world.signing_keys.ring()
    signing = ring.signer_at(now).kid
    table = Table("kid", "alg", "published from", "signs from", "now")
    for key in ring.published_at(now):
        state = "signs" if key.signer.kid == signing else "waits" if key.sign_from > now else "verifies only"
        times = (f"{time:%F %T} UTC" for time in (key.publish_from, key.sign_from))
        table.add_row(key.signer.kid, key.signer.alg, *times, state)
    Console().print(table)


async def _rotate(at_once: bool) -> None:
    async with open_world() as world:
        key = await world.signing_keys.rotate(at_once=at_once)
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"[green]✓[/] key {key.signer.kid} is published")
    console.print(f"  it signs from {key.sign_from:%F %T} UTC; the old one stays published until its tokens are gone")
