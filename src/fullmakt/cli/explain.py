"""``fullmakt explain``: what an error means, or how one request went."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.text import Text

from fullmakt.cli.context import NoWorldError, find_place, open_world
from fullmakt.cli.explanations import PROVENANCE, catalogue_markdown, describe, entries_in, story, trace_id_in
from fullmakt.cli.terminal import console, printable, prose
from fullmakt.infra.audit import events_of_trace
from fullmakt.infra.database import DatabaseUnavailableError
from fullmakt.wire.maskinporten.errors import CATALOGUE, CatalogueEntry


def explain(
    what: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[CODE|NAME|TRACE-ID]",
            help="A code (MP-250), a name (not_delegated), or the trace id of an answer; the whole answer will do too.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the whole catalogue as a Markdown page.", hidden=True)
    ] = False,
) -> None:
    """Tell what an error means, or what became of a request and why; without argument, list all errors."""
    text = " ".join(what or ())
    if markdown:
        print(catalogue_markdown(), end="")
    elif not text.strip():
        _show_all(as_json=as_json)
    elif trace_id := trace_id_in(text):
        _show_trace(trace_id, entries_in(text), as_json=as_json)
    elif entries := entries_in(text):
        _show_entries(entries, as_json=as_json)
    else:
        _fail(f"{printable(text)[:60]} is no error of the token server, and no trace id: `fullmakt explain` lists them")


def register(app: typer.Typer) -> None:
    """Put the command on the list."""
    app.command()(explain)


def _fail(message: str, code: int = 2) -> NoReturn:
    console(errors=True).print(Text("✗ ", "red"), prose(message), sep="")
    raise typer.Exit(code)


def _print_json(document: object) -> None:
    print(json.dumps(document, indent=2, ensure_ascii=False))


# -- the catalogue ------------------------------------------------------------------------------------------------


def _show_all(*, as_json: bool) -> None:
    if as_json:
        _print_json([describe(entry) for entry in CATALOGUE.values()])
        return
    out = console()
    for entry in CATALOGUE.values():
        out.print(Text(f"{entry.code or '      '}  {entry.reason}", "bold"), Text(f"HTTP {entry.status}", "dim"))
        out.print(Text("        "), prose(entry.cause), sep="")


def _show_entries(entries: Sequence[CatalogueEntry], *, as_json: bool) -> None:
    if as_json:
        _print_json([describe(entry) for entry in entries])
        return
    out = console()
    for number, entry in enumerate(entries):
        if number:
            out.print()
        out.print(Text(f"{entry.code or entry.reason}  ", "bold"), Text(f"HTTP {entry.status} {entry.error}"), sep="")
        out.print(Text(f"  {entry.text}"))
        _print_meaning(out, describe(entry))
        out.print(Text(f"  {PROVENANCE[entry.provenance]}", "dim"))


def _print_meaning(out: Console, error: Mapping[str, Any]) -> None:
    out.print(Text("  ✗ ", "red"), prose(error["cause"]), sep="")
    out.print(Text("  → ", "green"), prose(error["remedy"]), sep="")


# -- one request --------------------------------------------------------------------------------------------------


def _show_trace(trace_id: str, named: Sequence[CatalogueEntry], *, as_json: bool) -> None:
    try:
        steps = asyncio.run(_read(trace_id))
    except (NoWorldError, DatabaseUnavailableError) as error:
        _fail(f"the world can not be opened: {error}", code=1)
    if as_json:
        _print_json({"trace_id": trace_id, "events": steps or []})
        if not steps:
            raise typer.Exit(1)
        return
    if steps:
        _print_story(trace_id, steps)
        return
    if named:
        _show_entries(named, as_json=False)
    missing = (
        "there is no world here: start one with `fullmakt up`, or point FULLMAKT_STATE or FULLMAKT_CONFIG at yours"
        if steps is None
        else "this world's trail has no event of it: is it from another server, or was the server not able to answer?"
    )
    _fail(f"{trace_id}: {missing}", code=1)


async def _read(trace_id: str) -> list[dict[str, Any]] | None:
    """The story of a trace; None when there is no world to ask."""
    if not find_place().exists:
        return None
    async with open_world() as world, world.database.transaction() as connection:
        return story(await events_of_trace(connection, trace_id))


def _print_story(trace_id: str, steps: Sequence[Mapping[str, Any]]) -> None:
    out = console()
    out.print(Text(f"Trace {trace_id}", "bold"))
    for step in steps:
        out.print()
        out.print(Text(f"{step['at']}  {step['system']}  {step['action']}", "dim"))
        out.print(Text(printable(step["asked"])))
        error = step["error"]
        denied = step["outcome"] == "deny"
        verdict = step["decided"] if error is None else f"{step['decided']}: {error['code'] or step['reason']}"
        out.print(Text("✗ " if denied else "✓ ", "red" if denied else "green"), Text(verdict, "bold"), sep="")
        if error is not None:
            out.print(Text(f"  {printable(error['text'])}"))
        for name, value in step["facts"].items():
            shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            out.print(Text(f"  {printable(name)} = {printable(shown)}", "cyan"))
        if error is not None:
            _print_meaning(out, error)
        elif denied and step["reason"]:
            out.print(Text(f"  reason: {step['reason']}"))


if __name__ == "__main__":
    typer.run(explain)
