"""``fullmakt demo``: flows of the seeds, played over HTTP against the world that is up, each exchange shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from fullmakt.cli.context import NoWorldError, find_place
from fullmakt.cli.demo import delegering, lanekassen, samtykke, tynn, virksys
from fullmakt.cli.demo.stage import DemoFailedError, Stage
from fullmakt.cli.profile import ProfileError
from fullmakt.cli.terminal import fail

app = typer.Typer(help="Play a flow of the seeds, and see each exchange as it happens.", no_args_is_help=True)


@app.callback()
def demos() -> None:
    """Play a flow of the seeds, and see each exchange as it happens."""


Brief = Annotated[bool, typer.Option("--brief", help="One line for each exchange, without bodies.")]


@app.command("delegering")
def play_delegering(brief: Brief = False) -> None:
    """A supplier acts for a consumer (seed 003): delegation, token, withdrawal, and asking for access."""
    _play(delegering.play, brief=brief)


@app.command("virksys")
def play_virksys(brief: Brief = False) -> None:
    """An enterprise system is registered, approved by its customer, and gets its tokens (seeds 004 and 001)."""
    _play(virksys.play, brief=brief)


@app.command("tynn")
def play_tynn(brief: Brief = False) -> None:
    """An enterprise system carries an ordinary token, and the API asks what it may do (seed 001)."""
    _play(tynn.play, brief=brief)


@app.command("samtykke")
def play_samtykke(brief: Brief = False) -> None:
    """An API, a consent service, a bank that is let in, and a borrower who consents (seed 002)."""
    _play(samtykke.play, brief=brief)


@app.command("lanekassen")
def play_lanekassen(brief: Brief = False) -> None:
    """A bank, and then its supplier, fetches the balance of a student loan with consent (seed 003)."""
    _play(lanekassen.play, brief=brief)


def _play(story: Callable[[Stage], None], *, brief: bool) -> None:
    try:
        with Stage(find_place(), brief=brief) as stage:
            story(stage)
    except (NoWorldError, ProfileError) as error:
        fail(str(error))
    except DemoFailedError as error:
        fail(str(error), code=1)
