"""The list of commands. ``serve.main`` adds those that serve, and the wiring.

The module of a command is loaded when the command is asked for, so that `fullmakt token`, which opens no database, does
not wait for all that `fullmakt world` needs.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from importlib import import_module, metadata
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

_MODULES = {
    "token": "token", "call": "token", "inspect": "inspect", "explain": "explain", "decide": "decide",
    "who-can": "who_can", "world": "world", "demo": "demo", "keys": "keys", "pki": "pki", "srr": "srr",
    "consent": "consent", "api-keys": "api_keys",
}  # fmt: skip
"""Command, or group of them → its module in this package."""


class _Commands(MutableMapping[str, Any]):
    """The commands by their names, those of this package loaded as they are looked up."""

    def __init__(self, others: MutableMapping[str, Any]) -> None:
        self._loaded = dict(others)
        self._names = dict.fromkeys([*_MODULES, *others])

    def __getitem__(self, name: str) -> Any:
        if name not in self._loaded and name in self._names:
            self._loaded[name] = _load(name)
        return self._loaded[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._names[name] = None
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._names[name]
        self._loaded.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def _load(name: str) -> Any:
    module, alone = import_module(f"fullmakt.cli.{_MODULES[name]}"), typer.Typer()
    if hasattr(module, "app"):
        alone.add_typer(module.app, name=name)
    else:
        module.register(alone)
    return get_group(alone).commands[name]


class _Group(TyperGroup):
    """The commands, loaded as they are asked for."""

    def __init__(self, **members: Any) -> None:
        super().__init__(**members)
        self.commands = _Commands(self.commands)


def _print_version(asked: bool) -> None:
    if asked:
        print(f"fullmakt {metadata.version('fullmakt')}")
        raise typer.Exit


app = typer.Typer(
    cls=_Group,
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
