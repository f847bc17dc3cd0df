"""The whole house in one process, called over ASGI."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2

from fullmakt.serve.app import create
from fullmakt.serve.assembly import Assembly, assemble
from fullmakt.serve.settings import Settings


@asynccontextmanager
async def whole_house(
    database_url: str, state: Path, peer: str = "127.0.0.1", **settings: Any
) -> AsyncIterator[tuple[Assembly, httpx2.AsyncClient]]:
    """Every system, started, and a caller at ``peer``."""
    assembly = assemble(Settings.model_validate({"state": state, **settings}), database_url)
    try:
        await assembly.start()
        transport = httpx2.ASGITransport(app=create(assembly), client=(peer, 50_000))
        async with httpx2.AsyncClient(transport=transport) as http:
            yield assembly, http
    finally:
        await assembly.stop()
