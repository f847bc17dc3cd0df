"""HTTP as uvicorn speaks it, with a limit to what comes before the body."""

from __future__ import annotations

from asyncio import BaseTransport
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES = 128 * 1024
"""Request line and headers: room for a grant of 64 KiB in the query string (maskinporten.md §1.5), and for what proxies
add. A head that comes in one piece may be as large as that piece, 256 KiB at the most."""

_REFUSAL = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-type: text/plain; charset=utf-8\r\n"
    b"content-length: 0\r\n"
    b"connection: close\r\n\r\n"
)


class BoundedHttpProtocol(HttpToolsProtocol):
    """Refuses a request whose head does not end (431).

    httptools has no such limit, and gathers what has come by copying it: a hundred megabytes of query string keep the
    event loop busy for ten seconds (measured 2026-11-21), whoever sends them.
    """

    _head: int | None = 0
    """Bytes of the head so far; None once it has ended."""

    def connection_made(self, transport: BaseTransport) -> None:
        """As the base has it."""
        super().connection_made(transport)  # type: ignore[arg-type]
        self._head = 0

    def data_received(self, data: bytes) -> None:
        """Feed the parser, unless this head has been going on for too long."""
        if self._head is not None:
            self._head += len(data)
            if self._head - len(data) > MAX_HEAD_BYTES:
                return  # refused, and closing
        super().data_received(data)
        if self._head is not None and self._head > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.transport.write(_REFUSAL)
            self.transport.close()

    def on_message_begin(self) -> None:
        """A request begins, on a new connection or one that is kept alive."""
        self._head = 0 if self._head is None else self._head
        super().on_message_begin()

    def on_headers_complete(self) -> Any:
        """The head has ended."""
        self._head = None
        super().on_headers_complete()
