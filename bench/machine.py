"""The machine: its cores, what a process has used of it, and the limit that RSA and P-256 set to any token server."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

CORES = sorted(os.sched_getaffinity(0))
_TICK = os.sysconf("SC_CLK_TCK")
_RSA = re.compile(r"^rsa\s+2048 bits.*?([0-9.]+)\s+([0-9.]+)$", re.MULTILINE)
_P256 = re.compile(r"^ *256 bits ecdsa \(nistp256\).*?([0-9.]+)\s+([0-9.]+)$", re.MULTILINE)


def pin(pid: int, cores: Iterable[int]) -> None:
    """Keep a process, every thread of it, on some cores; one that has just ended is let be."""
    chosen = set(cores)
    for task in Path(f"/proc/{pid}/task").glob("*"):
        with suppress(ProcessLookupError):
            os.sched_setaffinity(int(task.name), chosen)


def load_core(workers: int) -> list[int]:
    """Where the load generator runs: a core without a worker, when there is one."""
    return CORES[-1:] if len(CORES) > workers else CORES


def family(pid: int) -> list[int]:
    """A process and all its descendants."""
    found = [pid]
    for parent in found:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            with suppress(OSError):
                found += map(int, children.read_text().split())
    return found


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time that processes, and those of their children that have ended, have used so far."""
    total = 0
    for pid in pids:
        with suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += sum(map(int, fields[11:15]))
    return total / _TICK


def resident_bytes(pids: Iterable[int]) -> int:
    """Memory that processes hold, what they share counted in parts (PSS)."""
    total = 0
    for pid in pids:
        with suppress(OSError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
    return total


@dataclass(frozen=True, slots=True)
class CryptoLimit:
    """Signatures made and checked a second on one core, by ``openssl speed``."""

    signatures: float
    verifications: float

    @property
    def tokens(self) -> float:
        """Tokens a second if a token cost nothing but to verify one signature and to make another."""
        return 1 / (1 / self.signatures + 1 / self.verifications)


def crypto_limit(*, ec: bool, seconds: int) -> CryptoLimit:
    """Measure on the core that the first worker runs on."""
    algorithm, row = ("ecdsap256", _P256) if ec else ("rsa2048", _RSA)
    command = ["taskset", "-c", str(CORES[0]), "openssl", "speed", "-seconds", str(seconds), algorithm]
    output = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    found = row.search(output)
    if found is None:
        raise RuntimeError(f"openssl speed printed no row for {algorithm}")
    return CryptoLimit(float(found[1]), float(found[2]))
