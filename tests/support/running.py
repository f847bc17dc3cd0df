"""``fullmakt up`` as a process of its own, with its own state folder, port and PostgreSQL; and commands beside it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from fullmakt.infra.embedded import EmbeddedPostgres
from tests.support.folders import new_folder

START_TIMEOUT = 60.0
STOP_TIMEOUT = 30.0
COMMAND = (sys.executable, "-m", "fullmakt.serve.main")


class DidNotStartError(Exception):
    """The server ended, or said nothing of being ready; the message holds all that it printed."""


class Running:
    """A server that has said that it is ready."""

    def __init__(self, process: subprocess.Popen[str], state: Path, env: Mapping[str, str]) -> None:
        self.process = process
        self.state = state
        self.url = ""
        self._env = env
        self._printed: list[str] = []
        self._ready = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._printed.append(line)
            if line.startswith("Ready at "):
                self.url = line.split()[2].rstrip(".")
                self._ready.set()
        self._ready.set()  # it has ended: whoever waits need not any longer

    @property
    def output(self) -> str:
        """What it has printed, logs included."""
        return "".join(self._printed)

    def wait_until_ready(self) -> None:
        """Return when it has printed where it is.

        Raises:
            DidNotStartError: it ended first, or took too long.
        """
        if not self._ready.wait(START_TIMEOUT) or not self.url:
            raise DidNotStartError(self.output)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return urlsplit(self.url).port or 80

    @property
    def issuer(self) -> str:
        """Its token server's issuer."""
        return f"{self.url}/maskinporten/"

    @property
    def database_pid(self) -> int:
        """The process id of its PostgreSQL's main process."""
        return postmaster(self.state)

    def command(self, *arguments: str, code: int | None = 0) -> subprocess.CompletedProcess[str]:
        """Run ``fullmakt`` with ``arguments`` on this server's state; ``code`` is the exit code to insist on."""
        done = command(*arguments, env=self._env)
        assert code in (None, done.returncode), done.stdout + done.stderr
        return done

    def interrupted(self, *arguments: str, at: str) -> int:
        """Run ``fullmakt`` with ``arguments``, and press Ctrl-C when a line begins with ``at``; the exit code."""
        return interrupted(*arguments, at=at, env=self._env)

    def token(self, client: str = "demo-bank", scope: str = "fullmakt:whoami") -> str:
        """An access token, by way of ``fullmakt token``."""
        return self.command("token", "--client", client, "--scope", scope).stdout.strip()

    def stop(self, by: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal, wait for the end, and tell the exit code."""
        self.process.send_signal(by)
        return self.wait()

    def wait(self) -> int:
        """Wait for the end, and tell the exit code."""
        code = self.process.wait(STOP_TIMEOUT)
        self._reader.join(STOP_TIMEOUT)
        return code


def clean_environment(**settings: str) -> dict[str, str]:
    """This process's environment without its own settings of Fullmakt, and with ``FULLMAKT_<name>`` as given.

    How wide the terminal is in which the tests run does not concern what they run.
    """
    env = {name: value for name, value in os.environ.items() if not name.startswith(("FULLMAKT_", "COLUMNS"))}
    return env | {"PYTHONUNBUFFERED": "1"} | {f"FULLMAKT_{name}": value for name, value in settings.items()}


def command(*arguments: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run ``fullmakt`` with ``arguments`` in a process of its own."""
    return subprocess.run(
        [*COMMAND, *arguments], env=env, capture_output=True, text=True, timeout=STOP_TIMEOUT, check=False
    )


def interrupted(*arguments: str, at: str, env: Mapping[str, str]) -> int:
    """Run ``fullmakt`` in a process of its own, and press Ctrl-C when a line begins with ``at``; the exit code."""
    with subprocess.Popen(
        [*COMMAND, *arguments], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        said = [next((line for line in process.stdout if line.startswith(at)), "")]
        assert said[0], f"nothing begins with {at}"
        process.send_signal(signal.SIGINT)
        said += process.stdout
        code = process.wait(STOP_TIMEOUT)
    assert "Traceback" not in "".join(said)
    return code


def start(state: Path, *, port: int = 0, **settings: str) -> Running:
    """Start a server on ``port`` (0 takes a free one) and wait until it is ready. Whoever starts it stops it.

    Raises:
        DidNotStartError: with what it printed.
    """
    env = clean_environment(STATE=str(state), **settings)
    process = subprocess.Popen(
        [*COMMAND, "up", "--port", str(port)], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    server = Running(process, state, env)
    try:
        server.wait_until_ready()
    except BaseException:
        kill(process)
        raise
    return server


@contextmanager
def running(state: Path, *, port: int = 0, **settings: str) -> Iterator[Running]:
    """A server for as long as the block lasts; what is left of it is killed, its database too."""
    server = start(state, port=port, **settings)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.stop()
        kill(server.process)


def kill(process: subprocess.Popen[str]) -> None:
    """Make an end of a process that may have ended."""
    if process.poll() is None:
        process.kill()
    process.wait(STOP_TIMEOUT)
    if process.stdout is not None:
        process.stdout.close()


@contextmanager
def state_folder() -> Iterator[Path]:
    """A folder for a world, gone afterwards together with a PostgreSQL that was left running in it."""
    folder = new_folder("fullmakt-e2e-")
    try:
        yield folder
    finally:
        stop_database(folder)
        shutil.rmtree(folder)


def stop_database(folder: Path) -> None:
    """Stop PostgreSQL in every state folder below ``folder``."""
    for file in list(folder.rglob("postmaster.pid")):
        with EmbeddedPostgres(file.parent.parent):
            pass  # it attaches, and stops what it holds


def postmaster(state: Path) -> int:
    """The process id of the PostgreSQL in a state folder."""
    return int((state / "postgres" / "postmaster.pid").read_text().split()[0])
