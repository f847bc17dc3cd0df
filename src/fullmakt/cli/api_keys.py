"""``fullmakt api-keys``: the API keys of Altinn 2's form of consent, and of SRR."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.text import Text

from fullmakt.altinn.consents.keys.model import ApiKey
from fullmakt.cli.context import NoWorldError, OpenWorld, in_world
from fullmakt.cli.terminal import console, fail, printable
from fullmakt.infra.secrets import MasterKeyError
from fullmakt.kernel.clock import new_uuid
from fullmakt.world.files import WorldFiles, write_private

app = typer.Typer(help="Altinn 2's API keys: list them, rotate one, withdraw one.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The key, as `fullmakt api-keys list` names it.")]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", re.ASCII)
"""What keys of a world are called, and their files."""
_T = TypeVar("_T")


@app.command("list")
def list_keys(as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False) -> None:
    """List the keys that open something; never their secrets."""
    found = _run(lambda world: world.consent_registers.keys.listed())
    if as_json:
        print(json.dumps(list(map(_document, found)), indent=2, ensure_ascii=False))
        return
    out = console()
    for key in found:
        whose = f"{key.organisation}{'  service owner' if key.service_owner else ''}"
        out.print(Text(f"{printable(key.name)}  {whose}"))
        domains = f", domains {', '.join(map(str, key.domains))}" if key.domains else ""
        out.print(Text(f"  since {key.created:%F %T} UTC{domains}", "dim"))


@app.command()
def rotate(name: NameArgument) -> None:
    """Give a key another secret, in `<state>/api-keys/NAME`. The old one opens nothing from then on."""

    async def run(world: OpenWorld) -> Path:
        key = await _key(world, name)
        file, secret = WorldFiles(world.state).api_key_path(name), new_uuid()
        before = file.read_bytes() if file.exists() else None
        # The file comes first: should this be all that is done, `world apply` and another `rotate` do the rest.
        write_private(file, secret.encode())
        try:
            await world.consent_registers.keys.declare(key.declaration, secret=secret)
        except BaseException:
            _restore(file, before)
            raise
        return file

    file = _run(run)
    console().print(Text("✓ ", "green"), Text(f"the API key {name} has another secret, in {file}"), sep="")


@app.command()
def revoke(name: NameArgument) -> None:
    """Withdraw a key for good. A world file that names it makes a new one of that name, when it is applied again."""

    async def run(world: OpenWorld) -> None:
        await _key(world, name)
        # Without its file the world is not held to a secret that is never taken again.
        WorldFiles(world.state).api_key_path(name).unlink(missing_ok=True)
        await world.consent_registers.keys.revoke(name)

    _run(run)
    console().print(Text("✓ ", "green"), Text(f"the API key {name} is withdrawn, and opens nothing any more"), sep="")


class _NoSuchKeyError(Exception):
    """No key of that name opens anything."""


async def _key(world: OpenWorld, name: str) -> ApiKey:
    found = await world.consent_registers.keys.listed([name]) if _NAME.fullmatch(name) else []
    if not found:
        raise _NoSuchKeyError(f"there is no API key {name}: `fullmakt api-keys list` names those that there are")
    return found[0]


def _restore(file: Path, before: bytes | None) -> None:
    if before is None:
        file.unlink(missing_ok=True)
    else:
        write_private(file, before)


def _document(key: ApiKey) -> dict[str, object]:
    return {
        "name": key.name,
        "organisation": str(key.organisation),
        "serviceOwner": key.service_owner,
        "domains": [str(one) for one in key.domains],
        "created": key.created.isoformat(),
    }


def _run(action: Callable[[OpenWorld], Awaitable[_T]]) -> _T:
    try:
        return in_world(action, make=False)
    except (NoWorldError, MasterKeyError, _NoSuchKeyError, OSError) as error:
        fail(str(error))
