"""Where tokens are not signed by eights, whoever runs the server is told; a developer who tries it out is not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from fullmakt.serve.assembly import assemble
from fullmakt.serve.settings import Settings

NO_PKI = {"enabled": False}
SERVED = {"demo_world": False}
"""What ``fullmakt serve`` sets."""


async def told(database_url: str, settings: dict[str, Any], *, missing: str | None = None) -> list[str]:
    """The levels at which the log tells, as a server starts, why it signs one by one."""
    assembly = assemble(Settings.model_validate({"pki": NO_PKI, **settings}), database_url)
    if missing is not None:
        assembly = replace(assembly, no_multi_buffer=missing)
    try:
        with capture_logs() as logs:
            await assembly.start()
    finally:
        await assembly.stop()
    return [line["log_level"] for line in logs if line["event"] == "signing_one_by_one" and line["cause"]]


async def test_a_library_that_was_only_looked_for_is_told_of_where_an_operator_serves(
    database_url: str, tmp_path: Path
) -> None:
    missing = "there is no libcrypto_mb"
    tried, served = ({"state": tmp_path, "insecure": insecure} for insecure in ({}, SERVED))
    assert set(await told(database_url, tried, missing=missing)) <= {"debug"}
    assert await told(database_url, served, missing=missing) == ["info"]


@pytest.mark.parametrize("insecure", [{}, SERVED], ids=["up", "serve"])
async def test_a_library_that_the_settings_name_and_that_does_not_load_is_a_warning(
    database_url: str, tmp_path: Path, insecure: dict[str, bool]
) -> None:
    library = tmp_path / "libcrypto_mb.so"
    library.write_bytes(b"no library")
    settings = {"state": tmp_path, "insecure": insecure, "maskinporten": {"multi_buffer": library}}
    assert await told(database_url, settings) == ["warning"]


async def test_nothing_is_told_where_it_is_switched_off(database_url: str, tmp_path: Path) -> None:
    settings = {"state": tmp_path, "insecure": SERVED, "maskinporten": {"multi_buffer": "off"}}
    assert await told(database_url, settings) == []
