"""An ASGI app on a socket of its own, for clients that open their connections themselves."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from tests.support.fake_issuer import Asgi


class _Server(uvicorn.Server):
    """Says when it is up."""

    def __init__(self, app: Asgi) -> None:
        super().__init__(uvicorn.Config(app, interface="asgi3", lifespan="off", log_level="warning"))
        self.up = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()


@contextmanager
def served(app: Asgi, listening: socket.socket) -> Iterator[None]:
    """The app answers on ``listening`` for as long as the block lasts."""
    server = _Server(app)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listening])))
    thread.start()
    try:
        assert server.up.wait(10)
        yield
    finally:
        server.should_exit = True
        thread.join()


def url_of(listening: socket.socket) -> str:
    """The URL of what listens there."""
    return f"http://127.0.0.1:{listening.getsockname()[1]}/"
