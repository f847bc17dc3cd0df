"""``fullmakt explain``: what an error means, or how one request went."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.text import Text

from fullmakt.cli.altinn_codes import Code, codes_in
from fullmakt.cli.context import NoWorldError, find_place, open_world
from fullmakt.cli.explanations import PROVENANCE, catalogue_markdown, describe, entries_in, story, trace_id_in
from fullmakt.cli.rights.evaluation import chain_of
from fullmakt.cli.rights.naming import Names, key_of, names_in
from fullmakt.cli.rights.reasons import Meaning, meanings_named
from fullmakt.cli.terminal import console, printable, prose
from fullmakt.infra.audit import events_of_trace
from fullmakt.infra.database import DatabaseUnavailableError
from fullmakt.wire.maskinporten.errors import CATALOGUE, CatalogueEntry


def explain(
    what: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[CODE|NAME|TRACE-ID]",
            help="A code (MP-250, AUTH-00011), a name (not_delegated, no_right), or the trace id of an answer; a whole "
            "answer will do too.",
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
    elif codes := codes_in(text):
        _show_codes(codes, as_json=as_json)
    elif meanings := meanings_named(text.strip().lower()):
        _show_meanings(meanings, as_json=as_json)
    else:
        _fail(
            f"{printable(text)[:60]} is no error of the token server or of Altinn, and no trace id:"
            " `fullmakt explain` lists the token server's"
        )


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


def _show_codes(codes: Sequence[Code], *, as_json: bool) -> None:
    if as_json:
        _print_json([code.document() for code in codes])
        return
    out = console()
    for code in codes:
        out.print(Text(f"{code.code}  ", "bold"), Text(f"HTTP {code.status}, of {code.api}", "dim"), sep="")
        out.print(Text(f"  {code.text}"))
        if code.meaning is not None:
            _print_words(out, code.meaning.document())


def _show_meanings(meanings: Mapping[str, Meaning], *, as_json: bool) -> None:
    if as_json:
        _print_json([{"of": family, **meaning.document()} for family, meaning in meanings.items()])
        return
    out = console()
    for family, meaning in meanings.items():
        out.print(Text(f"of {family}", "dim"))
        _print_words(out, meaning.document())


def _print_words(out: Console, meaning: Mapping[str, str]) -> None:
    out.print(Text("  "), prose(meaning["words"]), sep="")
    if meaning["remedy"]:
        out.print(Text("  → ", "green"), prose(meaning["remedy"]), sep="")


def _print_meaning(out: Console, error: Mapping[str, Any]) -> None:
    out.print(Text("  ✗ ", "red"), prose(error["cause"]), sep="")
    out.print(Text("  → ", "green"), prose(error["remedy"]), sep="")


# -- one request --------------------------------------------------------------------------------------------------


def _show_trace(trace_id: str, named: Sequence[CatalogueEntry], *, as_json: bool) -> None:
    try:
        found = asyncio.run(_read(trace_id))
    except (NoWorldError, DatabaseUnavailableError) as error:
        _fail(f"the world can not be opened: {error}", code=1)
    steps, names = found or ([], Names())
    if as_json:
        _print_json({"trace_id": trace_id, "events": steps, "parties": names.document()})
        if not steps:
            raise typer.Exit(1)
        return
    if steps:
        _print_story(trace_id, steps, names)
        return
    if named:
        _show_entries(named, as_json=False)
    missing = (
        "there is no world here: start one with `fullmakt up`, or point FULLMAKT_STATE or FULLMAKT_CONFIG at yours"
        if found is None
        else "this world's trail has no event of it: is it from another server, or was the server not able to answer?"
    )
    _fail(f"{trace_id}: {missing}", code=1)


async def _read(trace_id: str) -> tuple[list[dict[str, Any]], Names] | None:
    """The story of a trace, and the names of the parties in it; None when there is no world to ask."""
    if not find_place().exists:
        return None
    async with open_world() as world:
        async with world.database.transaction() as connection:
            events = await events_of_trace(connection, trace_id)
        names = await names_in(world.parties, [(one.actor, one.subject, one.facts) for one in events])
        return story(events, names), names


def _print_story(trace_id: str, steps: Sequence[Mapping[str, Any]], names: Names) -> None:
    out = console()
    out.print(Text(f"Trace {trace_id}", "bold"))
    for step in steps:
        out.print()
        out.print(Text(f"{step['at']}  {step['system']}  {step['action']}", "dim"))
        out.print(Text(printable(step["asked"])))
        _print_outcome(out, step)
        for name, value in step["facts"].items():
            is_chain = (step["action"], name) == ("decision:make", "chain") and value
            shown = chain_of(value, names) if is_chain else shown_fact(value, names)
            out.print(Text(f"  {printable(name)} = {printable(shown)}", "cyan"))
        if step["error"] is not None:
            _print_meaning(out, step["error"])


def _print_outcome(out: Console, step: Mapping[str, Any]) -> None:
    error, meaning = step["error"], step["meaning"]
    denied = step["outcome"] == "deny"
    reason = step["reason"] if error is None else error["code"] or step["reason"]
    verdict = f"{step['decided']}: {reason}" if reason else step["decided"]
    out.print(Text("✗ " if denied else "✓ ", "red" if denied else "green"), Text(printable(verdict), "bold"), sep="")
    if error is not None:
        out.print(Text(f"  {printable(error['text'])}"))
    if meaning is not None:
        _print_words(out, meaning)


def shown_fact(value: Any, names: Names) -> str:
    """A fact in a line; parties by name and number, with what the trail calls them when that is neither."""
    if isinstance(value, str):
        label = names.label(value)
        if label == printable(value):
            return value
        return label if (key_of(value) or value) in label else f"{label}, {value}"
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ", ".join(shown_fact(one, names) for one in value)
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    typer.run(explain)
