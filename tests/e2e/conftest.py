"""One running server for each worker of the test run, for the tests that leave it as it was."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.running import Running, running, state_folder


@pytest.fixture
def state() -> Iterator[Path]:
    """An empty state folder of the test's own; a database left running in it is stopped."""
    with state_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def server() -> Iterator[Running]:
    """``fullmakt up`` with the demo world, shared: to be read, not changed."""
    with state_folder() as folder, running(folder) as started:
        yield started


@pytest.fixture(scope="session")
def applied_state() -> Iterator[Path]:
    """A state folder that was served and stopped."""
    with state_folder() as folder:
        with running(folder):
            pass
        yield folder


@pytest.fixture
def world_state(applied_state: Path, state: Path) -> Path:
    """A state folder of the test's own with the demo world in it, quicker than an empty one to begin with."""
    subprocess.run(["cp", "-a", f"{applied_state}/.", state], check=True)  # the database has an owner of its own
    return state
