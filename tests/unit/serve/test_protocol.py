"""A request that does not come whole in time is ended, and one that does is not, however long it is thought about."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Coroutine
from typing import Any

import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from fullmakt.serve.protocol import GOODBYE_TIMEOUT, BoundedHttpProtocol, TlsHttpProtocol

HEAD = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\n"
LATE = b"HTTP/1.1 408 Request Timeout\r\n"


class HandLoop:
    """An event loop whose clock is moved by hand; tasks run on the real one."""

    def __init__(self) -> None:
        self.now = 0.0
        self._timers: list[tuple[asyncio.TimerHandle, Callable[[], None]]] = []

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(self.now + delay, callback, (), asyncio.get_running_loop())
        self._timers.append((handle, callback))
        return handle

    def create_task(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return asyncio.get_running_loop().create_task(coroutine)

    @property
    def waiting(self) -> int:
        return sum(not handle.cancelled() for handle, _ in self._timers)

    def advance(self, seconds: float) -> None:
        self.now += seconds
        due = [each for each in self._timers if each[0].when() <= self.now]
        self._timers = [each for each in self._timers if each not in due]
        for handle, callback in due:
            if not handle.cancelled():
                callback()


class Wire(asyncio.Transport):
    """The other end of a connection: what was written to it, and whether it was closed."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Connection:
    """A connection to a server that answers with the body it got, once it may."""

    protocol_class = BoundedHttpProtocol

    def __init__(self, wire: Wire | None = None) -> None:
        self.loop, self.wire = HandLoop(), wire or Wire()
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self._state = ServerState()
        self.protocol = self.protocol_class(
            config=uvicorn.Config(self._echo, interface="asgi3", ws="none", lifespan="off", log_config=None),
            server_state=self._state,
            app_state={},
            _loop=self.loop,
            request_timeout=30,
        )
        self.protocol.connection_made(self.wire)

    async def _echo(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        body = await request.body()
        await self.may_answer.wait()
        await PlainTextResponse(body)(scope, receive, send)

    def receive(self, data: bytes) -> None:
        self.protocol.data_received(data)

    async def settle(self) -> None:
        await asyncio.gather(*self._state.tasks)


async def test_a_connection_on_which_nothing_comes_is_ended() -> None:
    connection = Connection()
    connection.loop.advance(29.9)
    assert not connection.wire.closed
    connection.loop.advance(0.1)
    assert connection.wire.written.startswith(LATE)
    assert connection.wire.closed


async def test_a_head_that_trickles_is_ended() -> None:
    connection = Connection()
    for byte in HEAD[:30]:
        connection.receive(bytes([byte]))
        assert not connection.wire.closed
        connection.loop.advance(1)
    assert connection.wire.written.startswith(LATE)
    assert connection.wire.closed


async def test_a_body_that_trickles_is_ended_and_its_app_told() -> None:
    connection = Connection()
    connection.receive(HEAD + b"ab")
    connection.loop.advance(30)
    assert connection.wire.written.startswith(LATE)
    assert connection.wire.closed
    connection.protocol.connection_lost(None)
    await asyncio.gather(*connection._state.tasks, return_exceptions=True)
    assert b"ab" not in connection.wire.written


async def test_an_answer_may_take_as_long_as_it_takes() -> None:
    connection = Connection()
    connection.may_answer.clear()
    connection.receive(HEAD + b"abcd")
    connection.loop.advance(3_600)
    assert not connection.wire.closed
    connection.may_answer.set()
    await connection.settle()
    assert connection.wire.written.endswith(b"abcd")


async def test_each_request_on_a_kept_connection_has_its_own_time_and_one_timer_watches_them() -> None:
    connection = Connection()
    for _ in range(5):
        connection.receive(HEAD + b"ab")
        connection.loop.advance(4)
        connection.receive(b"cd")
        await connection.settle()
        assert connection.loop.waiting <= 2  # ours, and uvicorn's for an idle connection
    assert connection.wire.written.count(b"HTTP/1.1 200 OK") == 5
    connection.receive(HEAD)
    for _ in range(29):
        connection.loop.advance(1)
        assert not connection.wire.closed
    connection.loop.advance(1)
    assert connection.wire.written.count(LATE) == 1
    assert connection.wire.closed


async def test_a_lost_connection_leaves_no_timer() -> None:
    connection = Connection()
    connection.protocol.connection_lost(None)
    assert connection.loop.waiting == 0


# -- over TLS ----------------------------------------------------------------------------------------------------------

LEAF, ISSUER = b"a leaf", b"its issuer"


class Session:
    """What a handshake came to: ``ssl.SSLObject``, as Python has it from 3.13 on."""

    def __init__(self, *chain: bytes) -> None:
        self._chain = chain

    def getpeercert(self, *, binary_form: bool) -> bytes | None:
        assert binary_form
        return self._chain[0] if self._chain else None

    def get_unverified_chain(self) -> list[bytes]:
        return list(self._chain)

    def version(self) -> str:
        return "TLSv1.3"


class TlsWire(Wire):
    """A connection over TLS that is made with a chain of certificates."""

    def __init__(self, *chain: bytes) -> None:
        super().__init__()
        self.session = Session(*chain)
        self.aborted = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self.session if name == "ssl_object" else default

    def get_write_buffer_size(self) -> int:
        return 0

    def abort(self) -> None:
        self.aborted = True


class TlsConnection(Connection):
    """A connection over TLS, to a server that keeps what it is told of it."""

    protocol_class = TlsHttpProtocol

    def __init__(self, *chain: bytes) -> None:
        self.told: list[Any] = []
        super().__init__(TlsWire(*chain))

    async def _echo(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.told.append(scope["extensions"]["tls"])
        await super()._echo(scope, receive, send)


async def test_each_request_is_told_what_its_connection_was_made_with() -> None:
    connection = TlsConnection(LEAF, ISSUER)
    for _ in range(2):
        connection.receive(HEAD + b"abcd")
        await connection.settle()
    assert connection.wire.written.count(b"HTTP/1.1 200 OK") == 2
    for told in connection.told:
        assert [ssl.PEM_cert_to_DER_cert(one) for one in told["client_cert_chain"]] == [LEAF]  # resumed or not
        assert told["tls_version"] == 0x0304


async def test_a_connection_without_a_certificate_says_so() -> None:
    connection = TlsConnection()
    connection.receive(HEAD + b"abcd")
    await connection.settle()
    assert [told["client_cert_chain"] for told in connection.told] == [[]]


async def test_an_idle_connection_has_a_moment_to_say_goodbye_in_when_the_server_stops() -> None:
    connection = TlsConnection()
    wire = connection.wire
    assert isinstance(wire, TlsWire)
    connection.protocol.shutdown()
    assert (wire.closed, wire.aborted) == (True, False)
    connection.loop.advance(GOODBYE_TIMEOUT)
    assert wire.aborted


async def test_an_answer_under_way_is_not_cut_off_when_the_server_stops() -> None:
    connection = TlsConnection()
    connection.may_answer.clear()
    connection.receive(HEAD + b"abcd")
    connection.protocol.shutdown()
    connection.loop.advance(3_600)
    wire = connection.wire
    assert isinstance(wire, TlsWire)
    assert not wire.aborted
    connection.may_answer.set()
    await connection.settle()
    assert wire.written.endswith(b"abcd")
