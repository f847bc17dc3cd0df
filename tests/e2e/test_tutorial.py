"""The tutorial's commands, typed as they stand there, print what it says that they print."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.running import Running, clean_environment, running

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorials" / "first-token.md"
BLOCKS = re.compile(r"^```(sh)?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NOT_TYPED = ("git clone", ". .venv")
MARK = "--8<--"


@pytest.fixture
def own_server(world_state: Path) -> Iterator[Running]:
    """A server that the tutorial may change."""
    with running(world_state) as server:
        yield server


def blocks() -> Iterator[tuple[str, str]]:
    """Each thing to type, and what is shown of its output."""
    typed = ""
    for language, text in BLOCKS.findall(TUTORIAL.read_text(encoding="utf-8")):
        if language == "sh":
            if typed:
                yield typed, ""
            typed = "" if text.startswith(NOT_TYPED) else text
        elif typed:
            yield typed, text
            typed = ""


def pattern(shown: str) -> str:
    """What the output must match: an ellipsis stands for anything, and a line for itself."""
    return ".*?".join(re.escape(part.strip("\n")) for part in shown.split("…"))


def test_every_command_prints_what_the_tutorial_shows(own_server: Running, tmp_path: Path) -> None:
    typed = list(blocks())
    assert len(typed) > 8
    script = f"\necho '{MARK}'\n".join(commands for commands, _ in typed)
    environment = clean_environment(STATE=str(own_server.state))
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])
    done = subprocess.run(
        ["bash", "-c", script.replace("http://localhost:8080", own_server.url)],
        cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120,
        check=True,
    )  # fmt: skip
    assert "Traceback" not in done.stdout
    outputs = done.stdout.replace(own_server.url, "http://localhost:8080").split(f"{MARK}\n")
    assert len(outputs) == len(typed)
    for (commands, shown), output in zip(typed, outputs, strict=True):
        assert re.search(pattern(shown), output, re.DOTALL), f"{commands}\nprinted\n{output}"
