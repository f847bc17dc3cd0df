"""What comes before the body has a limit too, and who passes it hurts nobody else."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest

from fullmakt.serve.protocol import MAX_HEAD_BYTES
from tests.support.running import Running, running

PIECE = 64 * 1024
START = b"POST /maskinporten/token HTTP/1.1\r\nHost: localhost\r\n"


def endless_query() -> Iterator[bytes]:
    yield b"POST /maskinporten/token?assertion="
    yield from (b"a" * PIECE for _ in range(100))


def endless_header() -> Iterator[bytes]:
    yield START + b"X-Long: "
    yield from (b"a" * PIECE for _ in range(100))


def endless_headers() -> Iterator[bytes]:
    yield START
    yield from (b"X-%d: " % number + b"a" * PIECE + b"\r\n" for number in range(100))


def exchange(server: Running, pieces: Iterable[bytes]) -> tuple[bytes, int]:
    """Send until the server closes; its answer, and how much it let us send."""
    sent, answer = 0, b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        with suppress(BrokenPipeError, ConnectionResetError):
            for piece in pieces:
                connection.sendall(piece)
                sent += len(piece)
        with suppress(ConnectionResetError):
            while part := connection.recv(PIECE):
                answer += part
    return answer, sent


@pytest.mark.parametrize("pieces", [endless_query, endless_header, endless_headers])
def test_a_head_that_does_not_end_is_refused_and_the_connection_closed(server: Running, pieces: object) -> None:
    assert callable(pieces)
    answer, sent = exchange(server, pieces())
    assert answer == b"" or answer.startswith(b"HTTP/1.1 431 ")  # a reset may overtake it
    assert sent < 100 * PIECE
    assert httpx2.get(f"{server.url}/healthz").status_code == 200


def test_a_grant_of_sixty_thousand_bytes_in_the_query_string_is_read(server: Running) -> None:
    with httpx2.Client() as client:
        for _ in range(2 * MAX_HEAD_BYTES // 60_000 + 1):  # on one connection: each head counts for itself
            answer = client.post(
                f"{server.issuer}token?grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion={'a' * 60_000}",
                headers={"content-type": "application/x-www-form-urlencoded"},
            )
            assert answer.json()["error_description"].startswith("Invalid assertion. Invalid parameter value")


def test_an_upgrade_to_websocket_is_answered_as_if_it_had_not_been_asked_for(server: Running) -> None:
    answer = httpx2.get(f"{server.url}/healthz", headers={"Connection": "Upgrade", "Upgrade": "websocket"})
    assert answer.status_code == 200


@pytest.mark.parametrize("begun", [b"", START, START + b"Content-Length: 9\r\n\r\nassert"])
def test_a_request_that_does_not_come_whole_in_time_is_ended(slow_server: Running, begun: bytes) -> None:
    answer, _ = exchange(slow_server, [begun])
    assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert "Traceback" not in slow_server.output


@pytest.fixture(scope="module")
def slow_server(applied_state: Path) -> Iterator[Running]:
    """A server with no patience."""
    with running(applied_state, REQUEST_TIMEOUT="1") as server:
        yield server
