"""``fullmakt world``: see who and what there is, and declare it in a file."""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from fullmakt.cli.context import NoWorldError, OpenWorld, in_world
from fullmakt.cli.terminal import fail
from fullmakt.infra.secrets import MasterKeyError
from fullmakt.world.errors import WorldFaults
from fullmakt.world.files import WorldFiles
from fullmakt.world.host import REFUSALS, world_of
from fullmakt.world.key_files import load
from fullmakt.world.listing import listing
from fullmakt.world.model import World
from fullmakt.world.plan import Action, Plan
from fullmakt.world.service import ApplyError

app = typer.Typer(help="See who and what there is, and declare it in a world file.", no_args_is_help=True)

T = TypeVar("T")
FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="A world file (TOML).")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]

_WIDE = 1_000
"""Columns that a table may take where it does not go to a terminal; it takes as many as it needs."""
_STYLES = {Action.CREATE: "green", Action.CHANGE: "yellow", Action.UNCHANGED: "dim"}


@app.command()
def show(as_json: JsonOption = False) -> None:
    """List systems, organisations, people, scopes, clients, and whom enterprise systems act for."""
    document = _run(_listing, make=False)
    if as_json:
        print(json.dumps(document, indent=2, ensure_ascii=False))
        return
    out = Console(highlight=False)
    if not out.is_terminal and "COLUMNS" not in os.environ:
        out = Console(highlight=False, width=_WIDE)  # whoever searches in it wants names whole
    for table in _tables(document):
        out.print(table)


@app.command("plan")
def show_plan(file: FileArgument, as_json: JsonOption = False) -> None:
    """Tell what `apply` would do, and do nothing."""
    wanted = _load(file)
    _print_plan(_run(lambda world: world_of(world).plan(wanted)), as_json=as_json)


@app.command("apply")
def apply_file(file: FileArgument, as_json: JsonOption = False) -> None:
    """Make it so. What the file does not name is left as it is; applying it again changes nothing."""
    wanted = _load(file)

    async def apply(world: OpenWorld) -> Plan:
        plan = await world_of(world).plan(wanted)
        _print_plan(plan, as_json=as_json)
        await world_of(world).apply(plan)
        return plan

    plan = _run(apply)
    if plan.changes and not as_json:
        _console().print(f"[green]✓[/] {len(plan.changes)} applied")


@app.command()
def export(
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write to this file, which must not exist.")] = None,
) -> None:
    """Write everything there is as a world file. Private keys are not in it."""
    text = _run(lambda world: world_of(world).export(), make=False)
    if out is None:
        print(text, end="")
        return
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        fail(f"can not write {out}: {error.strerror}")


async def _listing(world: OpenWorld) -> dict[str, Any]:
    current = await world_of(world).current()
    return listing(current, WorldFiles(world.state), world.systems, world.issuer)


def _load(file: Path) -> World:
    """Read the file first: a fault in it is no reason to open a world, let alone to make one."""
    try:
        return load(file)
    except WorldFaults as refused:
        fail(*(str(fault) for fault in refused.faults))


def _print_plan(plan: Plan, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(plan.as_json(), indent=2, ensure_ascii=False))
        return
    console = _console()
    for step in plan.changes:
        console.print(str(step), style=_STYLES[step.action], markup=False)
    console.print(str(plan).splitlines()[-1])


def _tables(document: dict[str, Any]) -> list[Table]:
    """The document for people: organisations by name where they have one."""
    names = {each["orgno"]: each["name"] for each in document["organisations"]}
    names |= {each["id"]: each["name"] for each in document["people"]}

    def called(number: str | None) -> str:
        return names.get(number, number) if number else ""

    def consumers(scope: dict[str, Any]) -> str:
        return "everybody" if scope["accessible_for_all"] else "\n".join(map(called, scope["consumers"]))

    def owner(client: dict[str, Any]) -> str:
        supplier = f"\n run by {called(client['supplier'])}" if client["supplier"] else ""
        return called(client["organisation"]) + supplier

    organisations = [(each["orgno"], each["name"], each["form"]) for each in document["organisations"]]
    people = [(each["id"], each["name"]) for each in document["people"]]
    roles = [(each["code"], called(each["organisation"]), called(each["holder"])) for each in document["roles"]]
    scopes = [(each["name"], called(each["owner"]), consumers(each)) for each in document["scopes"]]
    resources = [
        (f"{each['identifier']}\n {each['type']}", each["owner"], "\n".join(each["scopes"]))
        for each in document["resources"]
    ]
    lists = [
        (
            f"{each['owner']} {each['identifier']}",
            "\n".join(map(called, each["members"])),
            "\n".join(f"{one['resource']} {' '.join(one['actions'])}" for one in each["connections"]),
        )
        for each in document["access_lists"]
    ]
    given = [(called(each["consumer"]), called(each["supplier"]), each["resource"]) for each in document["delegations"]]
    given += [
        (called(each["giver"]), called(each["receiver"]), f"{each['resource']} {' '.join(each['actions'])}")
        for each in document["rights"]
    ]
    clients = [
        (f"{each['alias']}\n {owner(each)}", "\n".join(each["scopes"]), each["authentication"])
        for each in document["clients"]
        if each["active"]
    ]
    aliases = {each["client_id"]: each["alias"] for each in document["clients"]}
    enterprise = [
        (
            f"{each['identifier']}\n {called(each['vendor'])}",
            "\n".join(aliases.get(one, one) for one in each["clients"]),
            "\n".join((*each["resources"], *each["packages"])),
        )
        for each in document["enterprise_systems"]
    ]
    users = [
        (
            f"{called(each['owner'])}\n {each['type']}",
            each["system"],
            "\n".join((*each["resources"], *each["packages"])),
            "\n".join(map(called, each["clients"])),
        )
        for each in document["system_users"]
    ]
    return [
        _table("Systems", ("system", "url"), document["systems"].items()),
        _table("Organisations", ("number", "name", "form"), organisations),
        _table("People", ("number", "name"), people),
        _table("Roles", ("role", "in", "held by"), roles),
        _table("Scopes", ("scope", "owner", "who has access"), scopes),
        _table("Resources", ("resource", "owner", "scopes"), resources),
        _table("Access lists", ("list", "members", "resources"), lists),
        _table("Delegations and rights", ("given by", "to", "what"), given),
        _table("Clients", ("client", "scopes", "signs with"), clients),
        _table("Enterprise systems", ("enterprise system", "clients", "what"), enterprise),
        _table("System users", ("owner", "enterprise system", "what", "acts for"), users),
    ]


_WHOLE = frozenset({"number", "url", "scope", "scopes", "signs with", "what"})


def _table(title: str, columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    for column in columns:
        # What one copies from here stays whole: the rest makes room for it, and folds sooner than lose a character.
        table.add_column(column, overflow="fold", no_wrap=column in _WHOLE)
    for row in rows:
        table.add_row(*map(escape, row))
    return table


def _run(action: Callable[[OpenWorld], Awaitable[T]], *, make: bool = True) -> T:
    """Open the world, run ``action`` on it, and turn what it refuses into a message and exit code 2."""
    try:
        return in_world(action, make=make)
    except WorldFaults as refused:
        fail(*(str(fault) for fault in refused.faults))
    except (NoWorldError, ApplyError, MasterKeyError, *REFUSALS) as error:
        fail(str(error))
    except BrokenPipeError:
        raise  # whoever reads has seen enough: typer ends in silence
    except OSError as error:
        fail(f"{error.filename or 'file'}: {error.strerror or type(error).__name__}")


def _console() -> Console:
    """For lines of text, which are not to be broken: somebody may search them."""
    return Console(highlight=False, soft_wrap=True)
