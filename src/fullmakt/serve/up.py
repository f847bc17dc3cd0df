"""``fullmakt up`` and ``fullmakt serve``: from nothing to a running product, telling what happens on the way."""

from __future__ import annotations

import asyncio
import functools
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import httpx2
import uvicorn
from rich.console import Console
from rich.table import Table
from sqlalchemy.exc import OperationalError
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from fullmakt.infra.migrations import migrate
from fullmakt.infra.telemetry import configure_logging
from fullmakt.serve.app import create, in_worker
from fullmakt.serve.assembly import assemble
from fullmakt.serve.database import as_world, database_url
from fullmakt.serve.place import remember_served
from fullmakt.serve.protocol import BoundedHttpProtocol
from fullmakt.serve.settings import ConfigError, Settings
from fullmakt.serve.settings_files import check_files
from fullmakt.serve.systems import MIGRATIONS
from fullmakt.serve.tls import prepare_tls, tls_options
from fullmakt.world.demo import apply_demo

READY_TIMEOUT = 30.0
"""Seconds for the server to say that it is ready, before we say that something is wrong."""


class StartError(Exception):
    """It could not start; the message says why."""


class Progress:
    """One line for each step, with the time that it took."""

    def __init__(self, console: Console) -> None:
        self.console = console

    @contextmanager
    def step(self, doing: str, done: str | Callable[[], str]) -> Iterator[None]:
        """Show ``doing`` while the block runs, then ``done``; a failure leaves a red line and goes on up."""
        started = time.perf_counter()
        with self.console.status(doing):
            try:
                yield
            except BaseException:
                self.console.print(f"[red]✗[/] {doing}")
                raise
        text = done if isinstance(done, str) else done()
        seconds = f"[dim]{time.perf_counter() - started:.1f} s[/]"
        self.console.print(f"[green]✓[/] {text} {seconds}", soft_wrap=True, highlight=False)


def up(settings: Settings, console: Console) -> None:
    """Start the database, migrate, apply the demo world, serve until stopped.

    Raises:
        ConfigError: the port is taken, or a file that the settings name can not be used.
        StateInUseError, OrphansError, PostgresStartError: see ``EmbeddedPostgres``.
        DatabaseTooNewError: a newer program has been at the database.
        StartError: the database does not answer, or the systems do not start.
        MasterKeyError: the master key is not the one that the world's secrets are sealed under.
    """
    configure_logging(json_lines=settings.logs_json, level=settings.log.level)
    progress = Progress(console)
    check_files(settings)
    listener = _listen(settings)
    settings = settings.model_copy(update={"port": listener.getsockname()[1]})
    if settings.ends_tls:  # for commands that are run without saying so
        settings = settings.model_copy(update={"url": settings.base_url})
    _make_state_folder(settings.state)
    with _terminable(), _database(settings, progress) as url:
        _prepare(settings, url, progress)
        remember_served(settings)
        threading.Thread(target=_announce, args=(settings, console), daemon=True).start()
        with suppress(KeyboardInterrupt):  # uvicorn has shut down in good order, and passes the signal on
            _serve(settings, url, listener)
        console.print("[dim]stopping[/]")
    console.print("[green]✓[/] stopped; your world is kept in", str(settings.state))


def _make_state_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):  # to see whether one can write there, whatever the reason why not
            pass
    except OSError as error:
        raise StartError(f"the state folder {folder}: {error.strerror}; choose another with FULLMAKT_STATE") from None


@contextmanager
def _database(settings: Settings, progress: Progress) -> Iterator[str]:
    with ExitStack() as stack:
        with progress.step("starting PostgreSQL", "PostgreSQL is running"):
            url = stack.enter_context(database_url(settings, hold=True))
        yield url


def _prepare(settings: Settings, url: str, progress: Progress) -> None:
    applied: list[str] = []
    with progress.step("migrating", lambda: f"schema is up to date ({len(applied)} changes applied)"):
        try:
            applied += migrate(url, MIGRATIONS)
        except OperationalError as error:
            raise StartError(f"the database does not answer: {error.orig}") from None
    if settings.serves("maskinporten"):
        asyncio.run(_open_signing_keys(settings, url))
    if settings.has_demo_world:
        summary: list[str] = []
        with progress.step("applying the demo world", lambda: f"demo world: {summary[0]}"):
            summary.append(asyncio.run(_apply_demo(settings, url)))


async def _open_signing_keys(settings: Settings, url: str) -> None:
    """Find out whether the master key is that of the other nodes, before any process serves."""
    assembly = assemble(settings, url)
    try:
        await assembly.signing_keys.ring()
    finally:
        await assembly.close()


async def _apply_demo(settings: Settings, url: str) -> str:
    assembly = assemble(settings, url)
    try:
        if assembly.pki is not None:
            await assembly.pki.ensure()
        return await apply_demo(as_world(assembly))
    finally:
        await assembly.close()


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        hint = "choose another with FULLMAKT_PORT"
        raise ConfigError([f"port {settings.port} on {settings.host}: {error.strerror}; {hint}"]) from None
    listener.set_inheritable(True)
    return listener


def server_options(request_timeout: int) -> dict[str, Any]:
    """How uvicorn is run; the bench runs what it compares with in the same way."""
    return {
        "loop": "uvloop" if sys.platform != "win32" else "asyncio",
        "http": functools.partial(BoundedHttpProtocol, request_timeout=request_timeout),
        "ws": "none",
        "lifespan": "on",
        "access_log": False,
        "log_config": None,
        "proxy_headers": False,  # nothing here depends on who asks, save the peer that asks for metrics
        "server_header": False,
        "date_header": False,
        "timeout_graceful_shutdown": 10,
        "backlog": 4096,
    }


def _serve(settings: Settings, url: str, listener: socket.socket) -> None:
    """Serve until a signal comes. One process serves by itself; more are looked after by uvicorn's supervisor."""
    options = server_options(settings.request_timeout)
    if settings.ends_tls:
        tls = asyncio.run(prepare_tls(settings, url))
        options |= tls_options(tls, settings.request_timeout)
        if settings.workers == 1 and sys.platform != "win32":  # more of them are renewed by their supervisor
            signal.signal(signal.SIGHUP, lambda _signal, _frame: tls.reload())
    if settings.workers == 1:
        config = uvicorn.Config(create(assemble(settings, url)), **options)
        uvicorn.Server(config).run(sockets=[listener])
        return
    metrics = settings.state / "metrics"
    shutil.rmtree(metrics, ignore_errors=True)
    metrics.mkdir(parents=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(metrics.resolve())
    config = uvicorn.Config(
        functools.partial(in_worker, settings, url),
        factory=True,
        workers=settings.workers,
        **options,
    )
    supervisor = Multiprocess(config, sockets=[listener])
    supervisor.run()
    if any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes):
        raise StartError("the systems did not start; the log above says why")


@contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM unwind the stack as Ctrl-C does, so that the database is stopped too."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    with suppress(KeyboardInterrupt):
        yield
    signal.signal(signal.SIGTERM, before)


def _announce(settings: Settings, console: Console) -> None:
    """Wait until every system is ready, then say where each is and what to try."""
    scheme = "https" if settings.ends_tls else "http"
    url = f"{scheme}://{_reachable(settings.host)}:{settings.port}/readyz"
    deadline = time.monotonic() + READY_TIMEOUT
    gap = threading.Event()
    while time.monotonic() < deadline:
        try:
            # Our own port, by an address that our certificate need not name.
            if httpx2.get(url, timeout=2, verify=not settings.ends_tls).status_code == 200:
                _welcome(settings, console)
                return
        except httpx2.HTTPError:
            pass
        gap.wait(0.05)
    console.print(f"[red]✗[/] not ready after {READY_TIMEOUT:.0f} seconds; see {url}")


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)


def _welcome(settings: Settings, console: Console) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    urls = {"front page": f"{settings.base_url}/", **settings.system_urls}
    for name, url in urls.items():
        table.add_row(f"[bold]{name}[/]", f"[cyan]{url}[/]")
    console.print()
    console.print(table, soft_wrap=True)
    console.print(f"\n[green]Ready[/] at [bold]{settings.base_url}[/]. Try, in another terminal:\n")
    command = command_name()
    examples = [f"{command} world show"]
    if settings.has_demo_world:
        asks = "--client demo-bank --scope fullmakt:whoami"
        examples += [f"{command} token {asks}", f"{command} call {settings.base_url}/examples/whoami {asks}"]
    for example in examples:
        console.print(f"  {example}", soft_wrap=True, highlight=False)
    console.print("\n[dim]Ctrl-C stops it.[/]")


def command_name() -> str:
    """How the user runs this command from here: its name when it is on the PATH, else its path from this folder."""
    found = shutil.which("fullmakt")
    own = Path(sys.argv[0])
    if found is not None or own.name != "fullmakt":
        return "fullmakt"
    try:
        return str(own.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(own)
