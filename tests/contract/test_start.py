"""What an operator is told by a node that starts on a database of others, or without the demo world."""

from __future__ import annotations

import asyncio
from pathlib import Path

from fullmakt.serve.assembly import assemble
from fullmakt.serve.settings import Settings
from tests.support.running import clean_environment, command, running


async def _first_node(database_url: str, state: Path) -> None:
    assembly = assemble(Settings.model_validate({"state": state, "pki": {"enabled": False}}), database_url)
    try:
        await assembly.signing_keys.ring()
    finally:
        await assembly.close()


def test_a_node_with_another_master_key_than_the_others_refuses_in_words(database_url: str, tmp_path: Path) -> None:
    asyncio.run(_first_node(database_url, tmp_path / "first"))
    node = clean_environment(STATE=str(tmp_path / "second"), DATABASE_URL=database_url)
    done = command("serve", "--port", "0", env=node)
    assert done.returncode == 2
    assert "✗ the master key does not open" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_nobody_is_told_to_try_a_client_that_is_not_there(database_url: str, tmp_path: Path) -> None:
    with running(tmp_path, DATABASE_URL=database_url, INSECURE__DEMO_WORLD="false") as node:
        node.stop()
    assert "fullmakt world show" in node.output
    assert "demo-bank" not in node.output
