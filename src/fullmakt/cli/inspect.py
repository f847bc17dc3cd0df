"""``fullmakt inspect``: what a token, a key or a certificate is, and whether it would be accepted."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import httpx2
import typer
from cryptography import x509
from rich.console import Console
from rich.text import Text

from fullmakt.cli.context import NoWorldError, OpenWorld, find_place, open_world
from fullmakt.cli.inspection.inspecting import inspect as inspect_thing
from fullmakt.cli.inspection.reading import MAX_BYTES, Thing, UnreadableError, recognise
from fullmakt.cli.inspection.report import Finding, Outcome, Report, Verdict
from fullmakt.cli.inspection.surroundings import Known, Surroundings
from fullmakt.cli.profile import ProfileError, profile_of
from fullmakt.cli.terminal import console, printable, prose
from fullmakt.infra.crl import CrlSource
from fullmakt.infra.database import DatabaseUnavailableError
from fullmakt.infra.secrets import MasterKeyError
from fullmakt.jose.chains import ValidatedCertificate
from fullmakt.kernel.clock import system_clock
from fullmakt.provider.keys import usable_keys

_TIMEOUT = 5.0
_TIMES = frozenset({"iat", "exp", "nbf", "now", "expired_at", "DelegatedDate", "ValidToDate", "ValidTo"})
_YEAR_9999 = 253_402_300_799
_MARKS = {Outcome.PASSED: ("✓", "green"), Outcome.FAILED: ("✗", "red"), Outcome.UNCHECKED: ("?", "yellow")}
_VERDICTS = {
    Verdict.ACCEPTED: ("would be accepted", "bold green"),
    Verdict.REFUSED: ("would be refused", "bold red"),
    Verdict.UNDECIDED: ("nothing wrong found, but not all could be checked", "bold yellow"),
}


def inspect(
    what: Annotated[
        str,
        typer.Argument(
            metavar="TOKEN|FILE|-",
            help="A grant, token, JWK or JWKS; a file with one, or with keys or certificates (PEM, DER, PKCS#12).",
        ),
    ],
    client: Annotated[
        str | None, typer.Option(help="A client, by alias or id: may it use this key or certificate?")
    ] = None,
    password: Annotated[
        str | None,
        typer.Option(help="Of a PKCS#12 file or an encrypted key.", envvar="FULLMAKT_PKI_PASSWORD", show_envvar=True),
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Do not ask the world, even if there is one.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Tell what a thing is, whether it would be accepted, and every reason why not.

    Exit code 1 when it would be refused, 2 when it can not be read.
    """
    try:
        thing = recognise(_read(what), password)
    except UnreadableError as error:
        _fail(str(error))
    try:
        report = asyncio.run(_inspect(thing, client, offline=offline))
    except (NoWorldError, DatabaseUnavailableError, MasterKeyError) as error:
        _fail(f"the world can not be opened ({error}): `--offline` does without it")
    if as_json:
        print(json.dumps(report.document(), indent=2, ensure_ascii=False))
    else:
        _print(console(), report)
    if report.verdict is Verdict.REFUSED:
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    """Put the command on the list."""
    app.command()(inspect)


def _fail(message: str) -> NoReturn:
    console(errors=True).print(Text("✗ ", "red"), prose(printable(message)), sep="")
    raise typer.Exit(2)


def _read(what: str) -> bytes:
    """What was given: itself, the file of that name, or standard input."""
    if what == "-":
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    if not os.path.isfile(what):  # which, other than Path.is_file, does not raise for what no file can be called
        return what.encode(errors="surrogateescape")
    try:
        with Path(what).open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UnreadableError(f"the file can not be read: {error.strerror}") from error


# -- the world ----------------------------------------------------------------------------------------------------


async def _inspect(thing: Thing, client: str | None, *, offline: bool) -> Report:
    now = system_clock()
    place = find_place()
    client_id = None if client is None else _client_id(place.state, client)
    # A world is asked, never made: opening one that is not there would start a database in an empty folder.
    if offline or not place.exists:
        return await inspect_thing(thing, Surroundings(now, None, client_id))
    async with open_world() as world, _known(world) as known:
        return await inspect_thing(thing, Surroundings(now, known, client_id))


def _client_id(state: Path, client: str) -> str:
    try:
        return profile_of(state, client).client_id
    except ProfileError:  # nobody has to have a client's keys to ask about it
        return client


@asynccontextmanager
async def _known(world: OpenWorld) -> AsyncIterator[Known]:
    """What the world's token server decides by."""
    ring = await world.signing_keys.ring()
    keys = usable_keys(json.loads(ring.jwks(system_clock()))["keys"])
    anchors = await world.anchors.anchors()
    async with httpx2.AsyncClient(timeout=_TIMEOUT) as http:
        source = CrlSource(http, system_clock, world.tokens_config.crl_max_age)

        async def lists(certificate: ValidatedCertificate) -> Sequence[x509.CertificateRevocationList]:
            own = await _own_crl(world, certificate)
            return [own] if own is not None else [await source.get(url) for url in certificate.crl_urls]

        yield Known(
            world.tokens_config,
            world.registry,
            anchors,
            keys,
            lists,
            world.delegations,
            world.look_ups,
            world.consents,
            world.altinn_keys,
        )


async def _own_crl(world: OpenWorld, certificate: ValidatedCertificate) -> x509.CertificateRevocationList | None:
    """The CRL of the world's own CA, straight from it, for nobody may be serving it; None for another CA's."""
    if world.pki is None:
        return None
    for name, authority in (await world.pki.authorities()).items():
        if authority.certificate == certificate.issuer:
            return x509.load_der_x509_crl((await world.pki.crl(name)).der)
    return None


# -- on the terminal ----------------------------------------------------------------------------------------------


def _print(out: Console, report: Report, indent: str = "") -> None:
    out.print(Text(f"{indent}{report.title}", "bold"))
    _print_content(out, report.content, f"{indent}  ")
    for part in report.parts:
        out.print()
        _print(out, part, f"{indent}  ")
    if report.findings:
        out.print()
    for finding in report.findings:
        _print_finding(out, finding, indent)
    for note in report.notes:
        out.print(Text(f"{indent}  {note}", "dim"))
    if report.verdict is not None:
        text, style = _VERDICTS[report.verdict]
        out.print()
        out.print(Text(f"{indent}{text}", style))


def _print_content(out: Console, content: Mapping[str, Any], indent: str) -> None:
    for name, value in content.items():
        if isinstance(value, Mapping):
            out.print(Text(f"{indent}{name}", "dim"))
            _print_content(out, value, f"{indent}  ")
        else:
            out.print(Text(f"{indent}{name}: ", "dim"), Text(_shown(name, value)), sep="")


def _shown(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    text = json.dumps(value, ensure_ascii=False)
    if name in _TIMES and isinstance(value, int | float) and 0 <= value <= _YEAR_9999:
        return f"{text} ({dt.datetime.fromtimestamp(value, dt.UTC):%Y-%m-%d %H:%M:%S} UTC)"
    return text


def _print_finding(out: Console, finding: Finding, indent: str) -> None:
    mark, style = _MARKS[finding.outcome]
    code = f"{finding.code or finding.reason} " if finding.outcome is Outcome.FAILED and finding.reason else ""
    line = (Text(f"{indent}{mark} ", style), Text(f"{finding.check}: ", "dim"), Text(code, "bold"), prose(finding.text))
    out.print(*line, sep="")
    _print_content(out, finding.facts, f"{indent}    ")
    if finding.remedy is not None:
        out.print(Text(f"{indent}    → ", "green"), prose(finding.remedy), sep="")
