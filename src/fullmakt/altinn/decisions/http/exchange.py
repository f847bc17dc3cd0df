"""One POST in, one answer out, with as little between them as there can be."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive, Scope, Send

from fullmakt.infra.altinn import Handler
from fullmakt.infra.http import problem
from fullmakt.jose.strict_json import StrictJsonError, loads

Endpoint = Callable[["Post"], Awaitable["Answer"]]
Header = tuple[bytes, bytes]
JSON_HEADERS: tuple[Header, ...] = ((b"content-type", b"application/json; charset=utf-8"),)


class Post:
    """A request whose body has been read."""

    __slots__ = ("body", "headers")

    def __init__(self, headers: Headers, body: bytes) -> None:
        self.headers = headers
        self.body = body

    def json(self) -> Any:
        """The body.

        Raises:
            StrictJsonError: not JSON, or JSON that different readers would read differently.
        """
        return loads(self.body)


class Answer:
    """What is sent."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, body: bytes, status: int = 200, headers: tuple[Header, ...] = JSON_HEADERS) -> None:
        self.body = body
        self.status = status
        self.headers = headers

    @classmethod
    def json(cls, document: Any) -> Answer:
        """A JSON document."""
        return cls(orjson.dumps(document))


async def _read(receive: Receive) -> bytes:
    body = b""
    while True:
        message: Message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        part: bytes = message.get("body", b"")
        body += part
        if not message.get("more_body", False):
            return body


async def answer(
    endpoint: Endpoint, scope: Scope, receive: Receive, send: Send, handlers: Mapping[type[Exception], Handler]
) -> None:
    """Serve a POST; errors are rendered as ``handlers`` says."""
    if scope["method"] != "POST":
        await problem(405, "there is nothing here for such a request", {"Allow": "POST"})(scope, receive, send)
        return
    try:
        given = await endpoint(Post(Headers(scope=scope), await _read(receive)))
    except Exception as error:
        handler = next((handlers[kind] for kind in type(error).__mro__ if kind in handlers), None)
        if handler is None:
            raise
        response = await handler(Request(scope, receive), error)
        await response(scope, receive, send)
        return
    headers = [*given.headers, (b"content-length", b"%d" % len(given.body))]
    await send({"type": "http.response.start", "status": given.status, "headers": headers})
    await send({"type": "http.response.body", "body": given.body})


__all__ = ["JSON_HEADERS", "Answer", "Endpoint", "Post", "StrictJsonError", "answer"]
