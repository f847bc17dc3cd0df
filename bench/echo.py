"""``python -m bench.echo PORT``: reads JSON and writes it back, on the same server with the same options as ours.

What it does a second is the most that any decision point could that is behind this HTTP server.
"""

from __future__ import annotations

import socket
import sys
from typing import Any

import orjson
import uvicorn
from starlette.types import Receive, Scope, Send

from fullmakt.serve.up import server_options


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """The body, parsed and written anew; an empty one is an empty object."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    document: Any = orjson.loads(body or b"{}")
    answer = orjson.dumps(document)
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


def main() -> None:
    """Serve until stopped."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", int(sys.argv[1])))
    uvicorn.Server(uvicorn.Config(echo, **server_options(30))).run(sockets=[listener])


if __name__ == "__main__":
    main()
