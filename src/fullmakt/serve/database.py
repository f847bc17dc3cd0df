"""The database of a process: the one that is set, or a PostgreSQL of our own in the state folder."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager

import structlog

from fullmakt.cli.context import OpenWorld
from fullmakt.infra.embedded import EmbeddedPostgres, OrphansError, PostgresStartError
from fullmakt.infra.migrations import migrate
from fullmakt.infra.telemetry import configure_logging
from fullmakt.serve.assembly import Assembly, assemble
from fullmakt.serve.own_keys import OwnAltinnKeys
from fullmakt.serve.place import settings_of_state
from fullmakt.serve.settings import Settings
from fullmakt.serve.systems import MIGRATIONS

_LOOK_AFTER = 1.0
"""Seconds between looks at whether PostgreSQL lives."""

_log = structlog.get_logger("fullmakt.serve")


@contextmanager
def database_url(settings: Settings, *, hold: bool = False) -> Iterator[str]:
    """The URL of the settings' database, started when it is ours and not running.

    Raises:
        StateInUseError: with ``hold``, when another process serves from the state folder.
    """
    if settings.database_url is not None:
        yield settings.database_url
        return
    with EmbeddedPostgres(settings.state.resolve(), hold=hold) as server, ExitStack() as stack:
        if hold:
            stack.enter_context(_kept_alive(server))
        yield server.url()


@contextmanager
def _kept_alive(server: EmbeddedPostgres) -> Iterator[None]:
    """Start PostgreSQL again should it die: nobody else looks after the one in a state folder."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(_LOOK_AFTER):
            try:
                if server.revive():
                    _log.warning("postgresql_had_died_and_runs_again")
            except (PostgresStartError, OSError, OrphansError):
                _log.exception("postgresql_died_and_does_not_start")

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def as_world(assembly: Assembly) -> OpenWorld:
    """The assembly as commands see it."""
    return OpenWorld(
        state=assembly.settings.state.resolve(),
        issuer=assembly.settings.issuer,
        systems=assembly.systems,
        database=assembly.database,
        parties=assembly.parties,
        rights=assembly.rights,
        system_users=assembly.altinn.system_users.declarations,
        consent_registers=assembly.altinn.consents,
        decisions=assembly.altinn.decisions,
        selfservice=assembly.selfservice,
        signing_keys=assembly.signing_keys,
        pki=assembly.pki,
        registry=assembly.registry,
        anchors=assembly.anchors,
        delegations=assembly.delegated,
        look_ups=assembly.look_ups,
        consents=assembly.consents,
        altinn_keys=OwnAltinnKeys(assembly.altinn.keys),
        tokens_config=assembly.tokens.config,
    )


@asynccontextmanager
async def open_world() -> AsyncIterator[OpenWorld]:
    """Open the world of the settings for a command, which makes an empty database ready and migrates no other.

    What is logged meanwhile goes to standard error: standard output is the command's own, for programs to read.

    Raises:
        DatabaseTooNewError, DatabaseTooOldError: the database is another program's.
    """
    settings = settings_of_state()
    configure_logging(json_lines=settings.logs_json, level=settings.log.level)
    with database_url(settings) as url:
        migrate(url, MIGRATIONS, if_empty=True)
        assembly = assemble(settings, url)
        try:
            if assembly.pki is not None:
                await assembly.pki.ensure()
            await assembly.rights.resources.ensure_platform_resources()
            yield as_world(assembly)
        finally:
            await assembly.close()
