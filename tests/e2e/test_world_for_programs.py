"""``fullmakt world show --json`` is all that a program in any language needs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support.running import Running

PROGRAM = Path(__file__).parent / "programs" / "get_token.py"


@pytest.fixture(scope="module")
def world(server: Running) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(server.command("world", "show", "--json").stdout)
    return document


def test_a_program_without_our_sdk_gets_a_token_and_calls_an_api(world: dict[str, Any], tmp_path: Path) -> None:
    # -I and an empty folder: nothing of ours is importable by accident.
    got = subprocess.run(
        [sys.executable, "-I", PROGRAM, "demo-bank", "fullmakt:whoami"],
        input=json.dumps(world), capture_output=True, text=True, cwd=tmp_path, timeout=20, check=True,
    )  # fmt: skip
    token = json.loads(got.stdout)["access_token"]
    answer = httpx2.get(world["systems"]["whoami"], headers={"Authorization": f"Bearer {token}"}).json()
    client = next(client for client in world["clients"] if client["alias"] == "demo-bank")
    assert (answer["client_id"], answer["consumer"]) == (client["client_id"], client["organisation"])


def declared(world: dict[str, Any]) -> list[dict[str, Any]]:
    """The clients of the demo world, without those that others make and remove meanwhile."""
    return [client for client in world["clients"] if client["alias"].startswith("demo-")]


def test_every_client_has_what_it_authenticates_with(world: dict[str, Any]) -> None:
    for client in declared(world):
        files = {"key": ["key_file"], "certificate": ["certificate_file", "password_file"]}[client["authentication"]]
        assert all(Path(client[file]).is_file() for file in files), client["alias"]


def test_every_system_is_named_with_its_url(server: Running, world: dict[str, Any]) -> None:
    assert world["systems"].keys() >= {"maskinporten", "selvbetjening", "register", "pki", "whoami"}
    assert all(url.startswith(server.url) for url in world["systems"].values())
    assert world["issuer"] == world["systems"]["maskinporten"] == server.issuer


def test_the_same_is_listed_for_people(server: Running, world: dict[str, Any]) -> None:
    shown = server.command("world", "show").stdout
    assert [client["alias"] for client in declared(world) if client["alias"] not in shown] == []
    assert all(organisation["name"] in shown for organisation in world["organisations"])
    assert "key_file" not in shown
