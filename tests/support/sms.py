"""A gateway for text messages on a real socket, that does as a test wants."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Gateway:
    """A server that answers each request as the script has it: a status, ``drop`` or ``silence``; the last again."""

    script: Sequence[int | str]
    heads: list[str] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = dict(line.split(": ", 1) for line in head.lower().splitlines()[1:] if line)
        self.bodies.append(json.loads(await reader.readexactly(int(lines["content-length"]))))
        self.heads.append(head)
        told = self.script[min(len(self.heads), len(self.script)) - 1]
        if told == "silence":
            await reader.read()  # until the other side gives up
        elif told != "drop":
            more = "Location: /elsewhere\r\n" if told == 302 else ""
            writer.write(f"HTTP/1.1 {told} X\r\n{more}Content-Length: 2\r\nConnection: close\r\n\r\nno".encode())
        writer.close()

    def header(self, name: str) -> str | None:
        """A header of the last request."""
        named = [line for line in self.heads[-1].splitlines() if line.lower().startswith(f"{name}: ")]
        return named[0].partition(": ")[2] if named else None


@asynccontextmanager
async def gateway(*script: int | str) -> AsyncIterator[Gateway]:
    serving = Gateway(script)
    server = await asyncio.start_server(serving.serve, "127.0.0.1", 0)
    serving.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/texts"
    async with server:
        yield serving
