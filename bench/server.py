"""The real server, ``fullmakt serve``, as an operator would run it, on chosen cores; and an echo to hold it against."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

import httpx2

from bench import machine

HOST = "localhost:18080"
"""The public host, whichever port a node listens on."""
URL = f"http://{HOST}"
ISSUER = f"{URL}/maskinporten/"
_READY_WITHIN = 60.0
_FULLMAKT = (sys.executable, "-m", "fullmakt.serve.main")


class Node:
    """A program that listens on ``port``, pinned to ``cores``: worker n to the n-th of them, as far as they go."""

    def __init__(
        self, folder: Path, port: int, program: Sequence[str], environment: dict[str, str], cores: list[int], ready: str
    ) -> None:
        self.port = port
        self._cores = cores
        self._ready = f"http://127.0.0.1:{port}{ready}"
        self._log = folder / f"server-{port}.log"
        self._process = subprocess.Popen(
            ["taskset", "-c", ",".join(map(str, cores)), *program],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=self._log.open("w"),
            stderr=subprocess.STDOUT,
        )
        self._wait()
        for worker, core in zip(self.serving, cores, strict=False):
            machine.pin(worker, [core])

    def _wait(self) -> None:
        deadline = time.monotonic() + _READY_WITHIN
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                if httpx2.get(self._ready, timeout=5).status_code == 200:
                    return
            except httpx2.HTTPError:
                time.sleep(0.05)
        self.stop()
        raise RuntimeError(f"the server did not get ready:\n{self._log.read_text()[-2_000:]}")

    @property
    def serving(self) -> list[int]:
        """The processes that answer requests."""
        everybody = machine.family(self._process.pid)
        return everybody if len(self._cores) == 1 else _busiest(everybody, len(self._cores))

    @property
    def cpu_seconds(self) -> float:
        """Processor time that the server, all its processes, has used so far."""
        return machine.cpu_seconds(machine.family(self._process.pid))

    @property
    def resident_bytes(self) -> int:
        """Memory that it holds."""
        return machine.resident_bytes(machine.family(self._process.pid))

    def stop(self) -> None:
        """Let it end in good order."""
        self._process.terminate()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()


class Server(Node):
    """The systems of Fullmakt that are named, with ``workers`` processes, on the database at ``url``.

    ``settings`` are further ones, as environment variables.
    """

    def __init__(
        self,
        folder: Path,
        url: str,
        *systems: str,
        workers: int = 1,
        ec: bool = False,
        cores: list[int] | None = None,
        settings: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        port = free_port()
        super().__init__(
            folder,
            port,
            [*_FULLMAKT, "serve", *(systems or ("maskinporten",))],
            {**environment(folder, url, port, workers=workers, ec=ec), **settings},
            cores or machine.CORES[:workers],
            "/readyz",
        )


class Echo(Node):
    """The bare echo of ``bench.echo``."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        program = [sys.executable, "-m", "bench.echo", str(port)]
        super().__init__(folder, port, program, dict(os.environ), machine.CORES[:1], "/")


class Unchecked(Node):
    """Lånekassen's API without a check, of ``bench.unchecked``."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        program = [sys.executable, "-m", "bench.unchecked", str(port)]
        super().__init__(folder, port, program, dict(os.environ), machine.CORES[:1], "/readyz")


def _busiest(pids: list[int], count: int) -> list[int]:
    """Workers have used more of the processor to start than those who look after them."""
    return sorted(sorted(pids, key=lambda pid: -machine.cpu_seconds([pid]))[:count])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(folder: Path, url: str, port: int, *, workers: int = 1, ec: bool = False) -> dict[str, str]:
    """What a server in production settings is told."""
    master_key = folder / "master.key"
    if not master_key.exists():
        master_key.write_text(secrets.token_hex(32))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FULLMAKT_")}
    return {
        **kept,
        "FULLMAKT_ENVIRONMENT": "production",
        "FULLMAKT_URL": URL,
        "FULLMAKT_PORT": str(port),
        "FULLMAKT_WORKERS": str(workers),
        "FULLMAKT_STATE": str(folder / f"state-{port}"),
        "FULLMAKT_DATABASE_URL": url,
        "FULLMAKT_MASTER_KEY_FILE": str(master_key),
        "FULLMAKT_LOG__LEVEL": "WARNING",
        "FULLMAKT_MASKINPORTEN__ALLOW_EC_KEYS": str(ec).lower(),
        "FULLMAKT_MASKINPORTEN__SIGNING_ALG": "ES256" if ec else "RS256",
    }
