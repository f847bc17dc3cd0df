"""Load: requests out, answers in, over keep-alive connections; only an answer with the one right status counts.

``closed_loop`` sends the next request of a connection when its last one is answered, and so finds the most that the
server can do. ``open_loop`` sends at a fixed rate whatever the server does, and counts a request's time from when it
was due: a server that stalls can not hide it (performance.md, rule 16).
"""

from __future__ import annotations

import itertools
import random
import select
import socket
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from time import perf_counter


@dataclass(slots=True)
class Run:
    """What came of a load. ``latencies`` in seconds, of answers with ``status``; ``others`` counts the rest by status
    line."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    others: dict[str, int] = field(default_factory=dict)
    status: int = 200

    @property
    def answers(self) -> int:
        """Answers with the right status."""
        return len(self.latencies)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answers / self.seconds

    def percentile(self, share: float) -> float:
        """The latency that ``share`` of the answers stayed within, in seconds."""
        ordered = sorted(self.latencies)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)]

    def note(self, answer: bytes, latency: float) -> None:
        """Count one answer."""
        if answer.startswith(b"HTTP/1.1 %d " % self.status):
            self.latencies.append(latency)
        else:
            status = answer.partition(b"\r\n")[0].decode("latin-1")
            self.others[status] = self.others.get(status, 0) + 1


class _Connection:
    """A connection with one request under way at a time."""

    __slots__ = ("_received", "since", "socket")

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = b""
        self.since = 0.0

    def send(self, request: bytes, since: float) -> None:
        self.since = since
        self.socket.sendall(request)

    def receive(self) -> bytes | None:
        """The answer when all of it is here."""
        part = self.socket.recv(65_536)
        if not part:
            raise ConnectionError("the server closed a connection")
        self._received += part
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return None
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(body) < length:
            return None
        answer, self._received = self._received, b""
        return answer


def ask(port: int, request: bytes) -> bytes:
    """The answer to one request: its body.

    Raises:
        RuntimeError: it is not 200.
    """
    connection = _Connection(port)
    try:
        connection.send(request, 0.0)
        while (answer := connection.receive()) is None:
            pass
    finally:
        connection.socket.close()
    if not answer.startswith(b"HTTP/1.1 200 "):
        raise RuntimeError(answer.decode("latin-1"))
    return answer.partition(b"\r\n\r\n")[2]


Feed = tuple[int, Iterable[bytes]]
"""A port, and the requests that go to it."""


def closed_loop(feeds: Sequence[Feed], connections: int, status: int = 200) -> Run:
    """Send every feed's requests to its port, ``connections`` at a time for each; ``status`` is the right one."""
    run = Run(status=status)
    with ExitStack() as stack, select.epoll() as poll:
        live: dict[int, tuple[_Connection, Iterator[bytes]]] = {}
        for port, requests in feeds:
            waiting = iter(requests)
            for _ in range(connections):
                connection = _Connection(port)
                stack.callback(connection.socket.close)
                poll.register(connection.socket, select.EPOLLIN)
                live[connection.socket.fileno()] = connection, waiting
        started = perf_counter()
        under_way = sum(_send_next(*pair) for pair in live.values())
        while under_way:
            for descriptor, _ in poll.poll():
                connection, waiting = live[descriptor]
                answer = connection.receive()
                if answer is not None:
                    run.note(answer, perf_counter() - connection.since)
                    under_way -= not _send_next(connection, waiting)
        run.seconds = perf_counter() - started
    return run


def _send_next(connection: _Connection, requests: Iterator[bytes]) -> bool:
    request = next(requests, None)
    if request is None:
        return False
    connection.send(request, perf_counter())
    return True


def open_loop(feeds: Sequence[Feed], connections: int, rate: float) -> Run:
    """Send the requests of one feed as they fall due: ``rate`` a second on average, at random (a Poisson process)."""
    [(port, requests)] = feeds
    run, waiting = Run(), deque(requests)
    with ExitStack() as stack:
        idle: deque[_Connection] = deque()  # used in turn: the server closes one that is idle for long
        busy: dict[socket.socket, _Connection] = {}
        for _ in range(connections):
            idle.append(_Connection(port))
            stack.callback(idle[-1].socket.close)
        started = perf_counter()
        gaps = (random.expovariate(rate) for _ in waiting)
        due = deque(itertools.accumulate(gaps, initial=started))
        due.popleft()
        while due or busy:
            now = perf_counter()
            while due and due[0] <= now and idle:
                connection = idle.popleft()
                connection.send(waiting.popleft(), due.popleft())
                busy[connection.socket] = connection
            pause = max(due[0] - now, 0.0) if due and idle else None
            for ready in select.select(list(busy), (), (), pause)[0]:
                connection = busy[ready]
                answer = connection.receive()
                if answer is not None:
                    run.note(answer, perf_counter() - connection.since)
                    del busy[ready]
                    idle.append(connection)
        run.seconds = perf_counter() - started
    return run
