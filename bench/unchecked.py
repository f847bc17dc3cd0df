"""``python -m bench.unchecked PORT``: Lånekassen's API for anybody, on the same server with the same options."""

from __future__ import annotations

import socket
import sys

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from fullmakt.kernel.clock import system_clock
from fullmakt.lanekassen.config import LanekassenConfig
from fullmakt.lanekassen.http import app
from fullmakt.lanekassen.ledger import balances
from fullmakt.lanekassen.people import customers
from fullmakt.lanekassen.rules import Call
from fullmakt.lanekassen.service import BalanceService, Owed
from fullmakt.serve.router import Router
from fullmakt.serve.up import server_options


class Everybodys(BalanceService):
    """Answers whoever asks, and writes nothing down."""

    def __init__(self) -> None:
        self.config = LanekassenConfig()

    async def owed(self, call: Call) -> Owed:
        return Owed(call.person, balances(customers()[call.person].postings, system_clock()))


class _Ready:
    """What lies below ``/lanekassen``, and an empty answer for whoever waits for the server to be there."""

    def __init__(self, inner: ASGIApp) -> None:
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] != "/readyz":
            await self._inner(scope, receive, send)
        elif scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body", "body": b""})
        elif scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})


def main() -> None:
    """Serve until stopped."""
    api = app(Everybodys())
    router = Router({"http://localhost/lanekassen": api}, default_host="localhost", not_found=api)
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", int(sys.argv[1])))
    uvicorn.Server(uvicorn.Config(_Ready(router), **server_options(30))).run(sockets=[listener])


if __name__ == "__main__":
    main()
