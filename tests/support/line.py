"""The line to PostgreSQL, which a test can freeze: as when the server is stopped but its machine still answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

SOCKET = ".s.PGSQL.5432"


class Line:
    """Carries bytes between clients and the server; while it is frozen, connections are accepted and nothing comes."""

    def __init__(self, server: Path) -> None:
        self._server = server
        self._flows = asyncio.Event()
        self._flows.set()
        self._pumps: set[asyncio.Task[None]] = set()

    def freeze(self) -> None:
        """Let nothing through."""
        self._flows.clear()

    def thaw(self) -> None:
        """Let everything through, what has piled up first."""
        self._flows.set()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        server_reader, server_writer = await asyncio.open_unix_connection(str(self._server))
        for source, target in ((reader, server_writer), (server_reader, writer)):
            pump = asyncio.create_task(self._pump(source, target))
            self._pumps.add(pump)
            pump.add_done_callback(self._pumps.discard)

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while part := await source.read(65_536):
                await self._flows.wait()
                target.write(part)
                await target.drain()
        except ConnectionError:
            pass
        finally:
            target.close()

    async def close(self) -> None:
        """End every connection."""
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)


@asynccontextmanager
async def line_to(database_url: str, folder: Path) -> AsyncIterator[tuple[Line, str]]:
    """A line to the database, and the URL at its other end; the socket lies in ``folder``."""
    host = parse_qs(urlsplit(database_url).query)["host"][0]
    line = Line(Path(host) / SOCKET)
    server = await asyncio.start_unix_server(line.accept, folder / SOCKET)
    try:
        yield line, database_url.replace(host, str(folder))
    finally:
        server.close()
        await line.close()
