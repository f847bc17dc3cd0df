"""``fullmakt pki``: enterprise certificates for tests, good ones and ones that must be refused."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

import typer

from fullmakt.cli.context import NoWorldError, OpenWorld, in_world
from fullmakt.cli.terminal import fail
from fullmakt.infra.secrets import MasterKeyError
from fullmakt.kernel.clock import system_clock
from fullmakt.kernel.identifiers import InvalidIdentifierError, OrgNumber
from fullmakt.pki import exports
from fullmakt.pki.errors import InvalidRequestError, NotSetUpError, PkiError
from fullmakt.pki.model import Authority, CertificateRecord, Environment, Seid
from fullmakt.pki.rules import DEFAULT_DAYS
from fullmakt.pki.service import Pki

app = typer.Typer(help="Issue and revoke enterprise certificates of the world's own CAs.", no_args_is_help=True)

_PASSWORD = "changeit"
_TRUST_STORE = "truststore.jks"

PasswordOption = Annotated[
    str, typer.Option(help="Of the key store and the trust store.", envvar="FULLMAKT_PKI_PASSWORD", show_envvar=True)
]
OutOption = Annotated[Path, typer.Option(help="The folder to write to.", file_okay=False)]


@dataclass(frozen=True, slots=True)
class CertificateOrder:
    """What ``fullmakt pki issue`` was asked for."""

    orgno: OrgNumber
    name: str
    seid: Seid
    days: int
    expired: bool = False
    revoked: bool = False
    wrong_environment: bool = False

    @property
    def file_stem(self) -> str:
        """Says what is in the file: ``910753614-seid2-expired``, for instance."""
        faults = {"expired": self.expired, "revoked": self.revoked, "wrong-environment": self.wrong_environment}
        return "-".join([self.orgno, f"seid{self.seid}", *(fault for fault, has_it in faults.items() if has_it)])


@app.command()
def issue(
    orgnr: Annotated[str, typer.Argument(metavar="ORGNR", help="The organisation number, nine digits.")],
    name: Annotated[str, typer.Option(help="The organisation's name, at most 64 characters.")] = "",
    seid: Annotated[int, typer.Option(min=1, max=2, help="The SEID profile: which shape the subject has.")] = 2,
    out: OutOption = Path(),
    password: PasswordOption = _PASSWORD,
    days: Annotated[int, typer.Option(help="For how many days it is valid.")] = DEFAULT_DAYS,
    expired: Annotated[bool, typer.Option("--expired", help="It expired yesterday.")] = False,
    revoked: Annotated[bool, typer.Option("--revoked", help="It is on the CRL.")] = False,
    wrong_environment: Annotated[
        bool, typer.Option("--wrong-environment", help="From the twin of production's CAs, which nobody trusts.")
    ] = False,
) -> None:
    """Issue a certificate: private key and chain in PEM, a PKCS#12 key store, and a Java trust store of the CAs."""

    async def run(pki: Pki) -> None:
        orgno = OrgNumber(orgnr)
        profile: Seid = 1 if seid == 1 else 2
        order = CertificateOrder(
            orgno, name or f"Organisation {orgno}", profile, days, expired, revoked, wrong_environment
        )
        record, files = await issue_to_files(pki, order, out, password)
        typer.echo(f"serial {record.serial}, valid until {record.not_after:%Y-%m-%d}: {record.subject}")
        for file in files:
            typer.echo(f"  {file}")

    with_pki(run)


@app.command()
def revoke(
    serial: Annotated[str, typer.Argument(metavar="SERIAL", help="In hexadecimal, as `list` shows it.")],
) -> None:
    """Revoke a certificate; the CRL says so at once."""

    async def run(pki: Pki) -> None:
        record = await pki.revoke(serial)
        typer.echo(f"{record.serial} of {record.orgno} is revoked since {record.revoked_at:%Y-%m-%dT%H:%M:%SZ}")

    with_pki(run, make=False)


@app.command("list")
def list_certificates(
    orgnr: Annotated[str | None, typer.Argument(metavar="[ORGNR]", help="Of this organisation alone.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At the most so many.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """List the certificates issued, newest first."""

    async def run(pki: Pki) -> None:
        records = await pki.certificates(OrgNumber(orgnr) if orgnr else None, limit=limit)
        documents = [describe(record, system_clock()) for record in records]
        if as_json:
            typer.echo(json.dumps(documents, indent=2, ensure_ascii=False))
        for document in () if as_json else documents:
            typer.echo("{serial}  {status:7}  until {not_after:.10}  {authority}\n  {subject}".format_map(document))

    with_pki(run, make=False)


@app.command()
def ca(
    out: Annotated[Path | None, typer.Option(help="Write files there instead.", file_okay=False)] = None,
    password: PasswordOption = _PASSWORD,
) -> None:
    """Print the CAs that are trusted, in PEM; or write them to files, with a Java trust store."""

    async def run(pki: Pki) -> None:
        if out is None:
            typer.echo(exports.pem_bundle(authority.certificate for authority in await trusted(pki)), nl=False)
            return
        for file in await export_authorities(pki, out, password):
            typer.echo(file)

    with_pki(run)


async def issue_to_files(
    pki: Pki, order: CertificateOrder, folder: Path, password: str
) -> tuple[CertificateRecord, Sequence[Path]]:
    """Issue a certificate and write it to ``folder``; a key that lies there is never overwritten.

    Raises:
        PkiError: it can not be issued, or there are such files already; nothing was issued then.
        OSError: the folder can not be written to.
    """
    exports.check_password(password)
    key, chain, store = (folder / f"{order.file_stem}{suffix}" for suffix in (".key.pem", ".chain.pem", ".p12"))
    make_room(key, chain, store)
    issued = await pki.issue(
        order.orgno,
        order.name,
        seid=order.seid,
        days=order.days,
        expired=order.expired,
        revoked=order.revoked,
        wrong_environment=order.wrong_environment,
    )
    public = {
        chain: exports.pem_bundle(issued.chain),
        folder / _TRUST_STORE: exports.java_trust_store(await trusted(pki), password),
    }
    write_files(public, secret={key: issued.key.to_pem(), store: exports.pkcs12(issued, password)})
    return issued.record, (key, store, *public)


async def export_authorities(pki: Pki, folder: Path, password: str) -> Sequence[Path]:
    """Write the trusted CAs to ``folder``: ``bundle.pem``, a ``.cer`` for each, and a Java trust store.

    Raises:
        PkiError: the password is too short.
        OSError: the folder can not be written to.
    """
    authorities = await trusted(pki)
    files = {
        folder / "bundle.pem": exports.pem_bundle(authority.certificate for authority in authorities),
        folder / _TRUST_STORE: exports.java_trust_store(authorities, password),
        **{folder / f"{authority.profile.name}.cer": exports.der(authority.certificate) for authority in authorities},
    }
    write_files(files)
    return tuple(files)


async def trusted(pki: Pki) -> Sequence[Authority]:
    """The CAs of the test hierarchy, the root first."""
    authorities = (await pki.authorities()).values()
    return [authority for authority in authorities if authority.profile.environment is Environment.TEST]


def describe(record: CertificateRecord, now: dt.datetime) -> dict[str, str]:
    """A certificate in words, for the terminal and for JSON; ``status`` is issued, expired or revoked."""
    expired = record.not_after <= now
    return {
        "serial": record.serial,
        "orgno": record.orgno,
        "subject": record.subject,
        "authority": record.authority,
        "not_before": f"{record.not_before:%Y-%m-%dT%H:%M:%SZ}",
        "not_after": f"{record.not_after:%Y-%m-%dT%H:%M:%SZ}",
        "status": "revoked" if record.revoked_at else "expired" if expired else "issued",
    }


def make_room(*files: Path) -> None:
    """Make the folders of ``files``, before there is a certificate that could not be written to them.

    Raises:
        InvalidRequestError: one of the files exists.
        OSError: a folder can not be made.
    """
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.exists():
            raise InvalidRequestError(f"{file} exists: move it away, or name another folder with --out")


def write_files(public: Mapping[Path, bytes], secret: Mapping[Path, bytes] = MappingProxyType({})) -> None:
    """Write files, the secret ones anew and for their owner alone."""
    for file in (*public, *secret):
        file.parent.mkdir(parents=True, exist_ok=True)
    for file, content in secret.items():
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
    for file, content in public.items():
        file.write_bytes(content)


def with_pki(action: Callable[[Pki], Awaitable[None]], *, make: bool = True) -> None:
    """Open the world, run ``action`` on its PKI, and turn what it refuses into a message and exit code 2."""

    async def run(world: OpenWorld) -> None:
        if world.pki is None:
            raise NotSetUpError("this world has no CAs of its own: the setting pki.enabled is off")
        await action(world.pki)

    try:
        in_world(run, make=make)
    except (NoWorldError, PkiError, InvalidIdentifierError, MasterKeyError) as error:
        fail(str(error))
    except BrokenPipeError:
        raise  # whoever reads has seen enough: typer ends in silence
    except OSError as error:
        fail(f"{error.filename or 'file'}: {error.strerror or type(error).__name__}")
