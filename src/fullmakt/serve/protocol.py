"""HTTP as uvicorn speaks it, with a limit to what comes before the body, and to how long a request takes to come."""

from __future__ import annotations

import ssl
from asyncio import BaseTransport, TimerHandle
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES = 128 * 1024
"""Request line and headers: room for a grant of 64 KiB in the query string (maskinporten.md §1.5), and for what proxies
add. A head that comes in one piece may be as large as that piece, 256 KiB at the most."""

REQUEST_TIMEOUT = 30.0
"""Seconds for a whole request to arrive; the setting is ``request_timeout``."""

GOODBYE_TIMEOUT = 1.0
"""Seconds that the other side of an idle TLS connection has to say goodbye in when the server stops."""

_TLS_VERSIONS = {"TLSv1.2": 0x0303, "TLSv1.3": 0x0304}

_REFUSAL = b"HTTP/1.1 %s\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_TOO_LARGE = _REFUSAL % b"431 Request Header Fields Too Large"
_TOO_SLOW = _REFUSAL % b"408 Request Timeout"


class BoundedHttpProtocol(HttpToolsProtocol):
    """Refuses a request whose head does not end (431), or that is not there whole in time (408).

    httptools has no limit to a head, and gathers what has come by copying it: a hundred megabytes of query string keep
    the event loop busy for ten seconds (measured 2026-11-21), whoever sends them. And uvicorn waits for ever for the
    next byte, so that anybody could hold as many connections as this process may have.

    ``request_timeout`` is in seconds, and counts from the request's first byte; for a connection's first request from
    when it was made. A kept connection's idle time is uvicorn's affair.
    """

    def __init__(self, *arguments: Any, request_timeout: float = REQUEST_TIMEOUT, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._request_timeout = request_timeout
        self._head: int | None = 0
        """Bytes of the head so far; None once it has ended."""
        self._since: float | None = None
        """When the request that is arriving began, by the loop's clock; None when none is."""
        self._watch: TimerHandle | None = None

    def connection_made(self, transport: BaseTransport) -> None:
        """A connection, on which a request has to come."""
        super().connection_made(transport)  # type: ignore[arg-type]
        self._expect_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended."""
        super().connection_lost(exc)
        if self._watch is not None:
            self._watch.cancel()

    def data_received(self, data: bytes) -> None:
        """Feed the parser, unless this head has been going on for too long."""
        if self._head is not None:
            self._head += len(data)
            if self._head - len(data) > MAX_HEAD_BYTES:
                return  # refused, and closing
        super().data_received(data)
        if self._head is not None and self._head > MAX_HEAD_BYTES:
            self._refuse(_TOO_LARGE)

    def on_message_begin(self) -> None:
        """A request begins, on a new connection or one that is kept alive."""
        self._head = 0 if self._head is None else self._head
        if self._since is None:
            self._expect_request()
        super().on_message_begin()

    def on_headers_complete(self) -> Any:
        """The head has ended."""
        self._head = None
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is there, whole."""
        self._since = None
        super().on_message_complete()

    def _expect_request(self) -> None:
        self._since = self.loop.time()
        if self._watch is None:
            self._watch = self.loop.call_later(self._request_timeout, self._look)

    def _look(self) -> None:
        """End a request that is late. One timer serves many requests: setting one for each would be felt."""
        self._watch = None
        if self._since is None or self.transport.is_closing():
            return
        left = self._since + self._request_timeout - self.loop.time()
        if left > 0:
            self._watch = self.loop.call_later(left, self._look)
        else:
            self._refuse(_TOO_SLOW)

    def _refuse(self, refusal: bytes) -> None:
        if self.transport.is_closing():
            return
        if self._may_speak():
            self.transport.write(refusal)
        self.transport.close()

    def _may_speak(self) -> bool:
        """True when no response is under way that this one would fall into."""
        under_way = self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete
        return not under_way and not self.pipeline


class TlsHttpProtocol(BoundedHttpProtocol):
    """The same over TLS: tells the app what the connection was made with (ASGI's TLS extension)."""

    def connection_made(self, transport: BaseTransport) -> None:
        """A connection whose handshake is over."""
        super().connection_made(transport)
        self._extensions = {"tls": _extension(transport.get_extra_info("ssl_object"))}

    def on_message_begin(self) -> None:
        """A request begins, and comes with what its connection was made with."""
        super().on_message_begin()
        self.scope["extensions"] = self._extensions  # type: ignore[typeddict-item]

    def shutdown(self) -> None:
        """The server stops: what is idle ends, though its client may be one that listens only when it has asked."""
        super().shutdown()
        if self.transport.is_closing() and not self.transport.get_write_buffer_size():
            self.loop.call_later(GOODBYE_TIMEOUT, self.transport.abort)


def _extension(connection: ssl.SSLObject) -> dict[str, Any]:
    """What a connection was made with, as ASGI's TLS extension has it.

    The chain is the caller's own certificate, and who reads it has to know its issuer. What was sent beside it Python
    hands out from 3.13 on, and a session that is resumed has it no more: whether a certificate held would change from
    one connection to the next.
    """
    leaf = connection.getpeercert(binary_form=True)
    return {
        "server_cert": None,
        "client_cert_chain": [] if leaf is None else [ssl.DER_cert_to_PEM_cert(leaf)],
        "client_cert_name": None,
        "client_cert_error": None,
        "tls_version": _TLS_VERSIONS.get(connection.version() or ""),
        "cipher_suite": None,
    }
