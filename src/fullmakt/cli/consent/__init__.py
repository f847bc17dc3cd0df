"""``fullmakt consent``: look at one, and let Altinn 3 take over those of Altinn 2."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count, islice
from pathlib import Path
from typing import Annotated, TypeVar
from uuid import UUID

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn

from fullmakt.altinn.consents.migrating import BATCH, Taken
from fullmakt.altinn.consents.srr.model import ServiceKey
from fullmakt.cli.consent.records import RecordFileError, read_records
from fullmakt.cli.consent.report import NotTaken, Report
from fullmakt.cli.consent.showing import show_consent
from fullmakt.cli.context import NoWorldError, OpenWorld, in_world
from fullmakt.cli.terminal import console, fail
from fullmakt.infra.secrets import MasterKeyError
from fullmakt.kernel.declarations import Outcome

app = typer.Typer(help="Consents: look at one, and let Altinn 3 take over those of Altinn 2.", no_args_is_help=True)

T = TypeVar("T")
_SERVICE = re.compile(r"([A-Za-z0-9]{1,20})[/_]([0-9]{1,9})", re.ASCII)
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
LapsedOption = Annotated[bool, typer.Option("--lapsed", help="With --service or --all: also those whose time is over.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Tell what would be done, and do nothing.")]


@app.command()
def show(
    consent_id: Annotated[str, typer.Argument(metavar="ID", help="The consent's id, which Altinn 2 calls its code.")],
    as_json: JsonOption = False,
) -> None:
    """Tell how a consent stands, what has happened to it, and why it can not be drawn, if it can not.

    Ends with exit code 0 when it can be drawn, 1 when it can not, and 2 when there is none.
    """
    asked = _uuid(consent_id)
    if not _run(lambda world: show_consent(world, asked, as_json=as_json)):
        raise typer.Exit(1)


@app.command("take-over")
def take_over(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Consents of Altinn 2's form.")] = None,
    service: Annotated[
        str | None, typer.Option("--service", metavar="CODE/EDITION", help="All consents to this service.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All consents of Altinn 2's form.")] = False,
    lapsed: LapsedOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Let Altinn 3 know consents that were given here in Altinn 2's form. They keep their ids, and go on in both.

    It is safe to stop, and to run again. Ends with exit code 0 when all that was asked for is taken over, 1 when some
    could not be, and 2 when that can not be told.
    """
    if [bool(ids), service is not None, everything].count(True) != 1:
        fail("which consents? their ids, --service CODE/EDITION, or --all")
    if lapsed and ids:
        fail("--lapsed goes with --service or --all: what is named by its id is taken over whenever it lapses")
    named = [_uuid(one) for one in dict.fromkeys(ids or ())]
    key = None if service is None else _service(service)

    async def run(world: OpenWorld) -> Report:
        report = Report(dry_run)
        migrating = world.consent_registers.service.migrating
        resource = None if key is None else await _resource(world, key)
        with _progress(report, quiet=as_json) as told:
            if named:
                for batch in _batches(named):
                    _note(report, await migrating.take_over_all(batch, dry_run=dry_run))
                    told()
                return report
            async for waiting in migrating.waiting(resource=resource, lapsed=lapsed):
                _note(report, await migrating.take_over_all(waiting, dry_run=dry_run))
                told()
            report.left = await migrating.left(resource=resource, lapsed=lapsed)
        return report

    _end(_run(run), as_json=as_json)


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Records of Altinn 2's export: JSON, or one a line.")],
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Bring in consents that were given in the real Altinn 2, from its export, with their ids, times and histories.

    It is safe to stop, and to run again: what is there already stays as it is, but that what has ended in the export
    ends. Exit code 0 when every record is taken, 1 when some could not be, and 2 when the file can not be read.
    """

    async def run(world: OpenWorld) -> Report:
        report, number = Report(dry_run), count(1)
        with _progress(report, quiet=as_json) as told:
            for batch in _batches(read_records(file)):
                for one in await world.consent_registers.importing.bring_in(batch, dry_run=dry_run):
                    record = next(number)
                    if one.outcome is not None:
                        report.counts[one.outcome] += 1
                    else:
                        report.not_taken.append(NotTaken(one.reason, one.consent_id, record, one.facts))
                told()
        return report

    _end(_run(run), as_json=as_json)


def _note(report: Report, taken: Sequence[Taken]) -> None:
    for one in taken:
        if isinstance(one.result, Outcome):
            report.counts[one.result] += 1
        else:
            report.not_taken.append(NotTaken(one.reason, one.consent_id, facts=one.result.facts))


def _end(report: Report, *, as_json: bool) -> None:
    report.print(as_json=as_json)
    if report.not_taken:
        raise typer.Exit(1)


@contextmanager
def _progress(report: Report, *, quiet: bool) -> Iterator[Callable[[], None]]:
    """Say on a terminal's standard error how far it has come, each time the function is called."""
    out = console(errors=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=out, transient=True, disable=quiet or not out.is_terminal) as shown:
        task = shown.add_task("begun")

        def told() -> None:
            shown.update(task, description=f"{report.counts.total()} done, {len(report.not_taken)} not taken")

        yield told


async def _resource(world: OpenWorld, key: ServiceKey) -> str:
    found = await world.consent_registers.services.find(key)
    if found is None:
        fail(f"no resource of type Consent stands for the service {key.code}/{key.edition}")
    return found.resource


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        fail(f"a consent's id is a UUID, not {text[:60]!r}")


def _service(text: str) -> ServiceKey:
    found = _SERVICE.fullmatch(text)
    if found is None:
        fail(f"--service is CODE/EDITION, as in 5498/1, and not {text[:60]!r}")
    return ServiceKey(found[1], int(found[2]))


def _batches(values: Iterable[T]) -> Iterator[list[T]]:
    remaining = iter(values)
    while batch := list(islice(remaining, BATCH)):
        yield batch


def _run(action: Callable[[OpenWorld], Awaitable[T]]) -> T:
    """Open the world, run ``action`` on it, and turn what it refuses into a message and exit code 2."""
    try:
        return in_world(action, make=False)
    except (NoWorldError, MasterKeyError, RecordFileError) as error:
        fail(str(error))
    except BrokenPipeError:
        raise  # whoever reads has seen enough: typer ends in silence
    except OSError as error:
        fail(f"{error.filename or 'file'}: {error.strerror or type(error).__name__}")
