"""``fullmakt srr``: SRR and Maskinporten's access list, kept in step by their owner."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from fullmakt.cli.context import NoWorldError, find_place
from fullmakt.cli.profile import ProfileError, credentials_of, profile_of
from fullmakt.cli.srr.drift import Action, Finding, Follow, Kind, Service, Step, compare, plan
from fullmakt.cli.srr.lists import ListError, Lists, Read, Where
from fullmakt.cli.terminal import console, fail, printable
from fullmakt.kernel.clock import system_clock
from fullmakt.kernel.identifiers import InvalidIdentifierError, OrgNumber, ScopeName

API_KEY = "ALTINN_API_KEY"
_SERVICE = re.compile(r"([A-Za-z0-9]{1,20})[/_]([0-9]{1,9})", re.ASCII)
_YEAR = dt.timedelta(days=365)

app = typer.Typer(help="The service owner's rights registry (SRR): keep it in step with the access list.")


@app.callback()
def srr() -> None:
    """The service owner's rights registry (SRR): keep it in step with the access list."""


@app.command()
def sync(
    scope: Annotated[str, typer.Option("--scope", help="The scope whose access list it is.")],
    service: Annotated[
        list[str],
        typer.Option("--service", metavar="CODE/EDITION", help="A consent service that goes with it; may be repeated."),
    ],
    client: Annotated[str, typer.Option("--client", help="The owner's client: its alias, or its client id.")],
    srr_client: Annotated[
        str | None, typer.Option("--srr-client", help="Another client of the owner's, for SRR.")
    ] = None,
    api_key_file: Annotated[
        Path | None, typer.Option("--api-key-file", help=f"The owner's API key; else {API_KEY} in the environment.")
    ] = None,
    supplier: Annotated[
        list[str] | None,
        typer.Option(
            "--supplier",
            metavar="CONSUMER=SUPPLIER",
            help="Who acts for a consumer by certificate, and must be named in its entries; may be repeated.",
        ),
    ] = None,
    follow: Annotated[Follow, typer.Option("--follow", help="Which list is right.")] = Follow.ACCESS_LIST,
    valid_to: Annotated[
        dt.datetime | None,
        typer.Option("--valid-to", formats=["%Y-%m-%d"], help="How long entries last; a year if not told."),
    ] = None,
    selfservice_url: Annotated[
        str | None, typer.Option("--selfservice-url", help="Another self-service API than the world's.")
    ] = None,
    altinn2_url: Annotated[str | None, typer.Option("--altinn2-url", help="Another SRR than the world's.")] = None,
    repair: Annotated[bool, typer.Option("--repair", help="Make the other list equal; asks first.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Report where SRR and the scope's access list have drifted apart, and on request repair it.

    Ends with exit code 0 when they are in step, 1 when they are not, and 2 when that can not be told. A repair that is
    stopped is taken up where it ended by running it again.
    """
    if repair and as_json and not yes:
        fail("--repair with --json asks nobody: say --yes too")
    services = sorted({_service(one) for one in service})
    suppliers = dict(_supplier(one) for one in supplier or [])
    now = system_clock()
    lasts = valid_to.replace(tzinfo=dt.UTC) if valid_to is not None else (now + _YEAR).replace(microsecond=0)
    if lasts <= now:
        fail("--valid-to lies behind: entries would be over before they are made")
    with _lists(_scope(scope), client, srr_client, _api_key(api_key_file), selfservice_url, altinn2_url) as lists:
        try:
            found = lists.read(services)
        except ListError as error:
            fail(str(error))
        findings = compare(found.approved, found.entries, now, suppliers)
        steps = plan(findings, services, follow, lasts)
        if not as_json:
            _print(scope, services, found, findings)
        if repair and steps:
            _repair(lists, steps, ask=not yes, silent=as_json)
    left = [finding for finding in findings if not repair or not _is_mended(finding, steps)]
    if as_json:
        print(json.dumps(_document(scope, services, found, findings, steps, repaired=repair), indent=2))
    elif repair and left:
        console().print(
            Text("→ ", "yellow"), Text("What is left can not be told from the lists: see to it by hand."), sep=""
        )
    if left:
        raise typer.Exit(1)


def _repair(lists: Lists, steps: list[Step], *, ask: bool, silent: bool) -> None:
    out = console(errors=silent)
    if not silent:
        out.print(Text(f"{len(steps)} to do:", "bold"))
        for step in steps:
            out.print(Text(f"  {_told(step)}"))
    if ask:
        typer.confirm("Do it?", abort=True)
    for number, step in enumerate(steps):
        try:
            lists.carry_out(step)
        except ListError as error:
            fail(f"{_told(step)}: {error}", f"{number} of {len(steps)} are done; run it again to go on")
        out.print(Text("✓ ", "green"), Text(_told(step)), sep="")


def _is_mended(finding: Finding, steps: list[Step]) -> bool:
    return any(
        step.consumer == finding.consumer and (step.service is None or step.service == finding.service)
        for step in steps
    )


# -- what is asked for -------------------------------------------------------------------------------------------------


def _scope(text: str) -> str:
    try:
        return ScopeName(text)
    except InvalidIdentifierError as error:
        fail(str(error))


def _service(text: str) -> Service:
    found = _SERVICE.fullmatch(text)
    if found is None:
        fail(f"--service is CODE/EDITION, as in 5498/1, and not {text!r}")
    return Service(found[1], int(found[2]))


def _supplier(text: str) -> tuple[str, str]:
    consumer, separator, supplier = text.partition("=")
    try:
        numbers = OrgNumber(consumer.strip()), OrgNumber(supplier.strip())
    except InvalidIdentifierError:
        separator = ""
    if not separator:
        fail(f"--supplier is two organisation numbers, CONSUMER=SUPPLIER, and not {text!r}")
    return numbers


def _api_key(file: Path | None) -> str:
    try:
        key = file.read_text(encoding="ascii").strip() if file is not None else os.environ.get(API_KEY, "").strip()
    except (OSError, ValueError) as error:
        fail(f"{file}: {getattr(error, 'strerror', None) or 'no API key'}")
    if not key or not key.isprintable() or not key.isascii():
        fail(f"the owner's API key is needed: --api-key-file, or {API_KEY} in the environment")
    return key


def _lists(
    scope: str, client: str, srr_client: str | None, api_key: str, selfservice: str | None, altinn2: str | None
) -> Lists:
    try:
        place = find_place()
        own = credentials_of(place.state, profile_of(place.state, client), place.issuer)
        other = own
        if srr_client is not None:
            other = credentials_of(place.state, profile_of(place.state, srr_client), place.issuer)
    except (NoWorldError, ProfileError) as error:
        fail(str(error))
    where = Where(
        (selfservice or place.systems["selvbetjening"]).rstrip("/"),
        (altinn2 or place.systems.get("altinn2") or f"{place.base_url}/altinn2").rstrip("/"),
        api_key,
    )
    return Lists(where, scope, own, other)


# -- what is told ------------------------------------------------------------------------------------------------------

_WORDS = {
    Kind.MISSING: "in the access list, not in SRR",
    Kind.EXPIRED: "in the access list, expired in SRR",
    Kind.UNAPPROVED: "in SRR, not in the access list",
    Kind.LEFT_OVER: "expired in SRR, not in the access list",
    Kind.NO_SUPPLIER: "SRR does not name the supplier",
    Kind.OTHER_SUPPLIER: "SRR names another supplier",
}
_DOES = {
    Action.ADD: "add {consumer} to SRR for {service}",
    Action.CHANGE: "change entry {entry} of {consumer} in SRR for {service}",
    Action.REMOVE: "remove entry {entry} of {consumer} from SRR for {service}",
    Action.APPROVE: "put {consumer} on the access list",
    Action.DENY: "take {consumer} off the access list",
}


def _told(step: Step) -> str:
    return printable(_DOES[step.action].format(consumer=step.consumer, service=step.service, entry=step.entry))


def _print(scope: str, services: list[Service], found: Read, findings: list[Finding]) -> None:
    out = console()
    named = ", ".join(map(str, services))
    if found.people:
        out.print(Text(f"Entries of people, who can not be in an access list, are left alone: {found.people}", "dim"))
    if not findings:
        out.print(Text("✓ ", "green"), Text(f"SRR for {named} and the access list of {scope} are in step"), sep="")
        return
    title = f"SRR for {named} and the access list of {scope} have drifted apart"
    table = Table(title=escape(title), title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    for column in ("consumer", "service", "what", "until", "supplier"):
        table.add_column(column, overflow="fold")
    for finding in findings:
        cells = (
            finding.consumer,
            str(finding.service),
            _WORDS[finding.kind],
            f"{finding.until:%F %T}" if finding.until else "",
            finding.supplier or ", ".join(sorted({one.supplier for one in finding.entries if one.supplier})),
        )
        table.add_row(*(escape(printable(cell)) for cell in cells))
    Console(highlight=False, emoji=False).print(table)


def _document(
    scope: str, services: list[Service], found: Read, findings: list[Finding], steps: list[Step], *, repaired: bool
) -> dict[str, object]:
    return {
        "scope": scope,
        "services": [str(one) for one in services],
        "in_step": not findings,
        "people": found.people,
        "findings": [one.document() for one in findings],
        "steps": [{**one.document(), "done": repaired} for one in steps],
    }
