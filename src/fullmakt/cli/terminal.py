"""Text for a terminal: names between backticks stand out, and nothing that came from outside can move the cursor."""

from __future__ import annotations

from typing import NoReturn

import typer
from rich.console import Console
from rich.text import Text

CODE = "bold cyan"


def console(*, errors: bool = False) -> Console:
    """A console that colours nothing by guessing, and leaves long lines to the terminal."""
    return Console(stderr=errors, highlight=False, soft_wrap=True, emoji=False)


def prose(text: str, style: str = "") -> Text:
    """``text`` with what stands between backticks in another colour; without colours the backticks stay."""
    line = Text(style=style)
    for index, part in enumerate(text.split("`")):
        line.append(part if index % 2 == 0 else f"`{part}`", None if index % 2 == 0 else CODE)
    return line


def printable(text: str) -> str:
    """``text`` on one line, without control characters, and without those that turn the direction of writing."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def fail(*messages: str, code: int = 2) -> NoReturn:
    """Say on standard error what is wrong, a line for each fault, and end the command."""
    out = console(errors=True)
    for message in messages:
        out.print(Text("✗ ", "red"), prose(printable(message)), sep="")
    raise typer.Exit(code)
