"""``fullmakt demo``: flows of the seeds, played over HTTP against the world that is up, each exchange shown."""

from __future__ import annotations

from typing import Annotated

import typer

from fullmakt.cli.context import NoWorldError, find_place
from fullmakt.cli.demo.delegering import play
from fullmakt.cli.demo.stage import DemoFailedError, Stage
from fullmakt.cli.profile import ProfileError
from fullmakt.cli.terminal import fail

app = typer.Typer(help="Play a flow of the seeds, and see each exchange as it happens.", no_args_is_help=True)


@app.callback()
def demos() -> None:
    """Play a flow of the seeds, and see each exchange as it happens."""


@app.command()
def delegering(
    brief: Annotated[bool, typer.Option("--brief", help="One line for each exchange, without bodies.")] = False,
) -> None:
    """A supplier acts for a consumer (seed 003): delegation, token, withdrawal, and asking for access."""
    try:
        with Stage(find_place(), brief=brief) as stage:
            play(stage)
    except (NoWorldError, ProfileError) as error:
        fail(str(error))
    except DemoFailedError as error:
        fail(str(error), code=1)
