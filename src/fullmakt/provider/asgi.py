"""ASGI middleware: no request gets past it without a token that may do what the app behind it does.

Needs no framework; works with Starlette, FastAPI, Litestar, Django and any other ASGI app.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Collection, Iterable, MutableMapping
from typing import Any

from fullmakt.provider.authorization import bearer_token
from fullmakt.provider.errors import DEFAULT_REALM, BearerError
from fullmakt.provider.trusted import Verifier

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

POLICY_VIOLATION = 1008
"""The close code for servers that can not answer a WebSocket handshake with HTTP (RFC 6455 §7.4.1)."""


class BearerMiddleware:
    """Puts the ``VerifiedToken`` into ``scope["state"]["token"]`` (Starlette's ``request.state.token``), or refuses.

    A refusal is sent before a byte of the body is read, with the status and ``WWW-Authenticate`` of RFC 6750 §3.
    ``scopes`` and ``consumers`` are as for ``TokenVerifier.verify``; ``realm`` and ``resource_metadata`` go into the
    challenge. CORS middleware belongs outside this one, since a preflight carries no token.
    """

    def __init__(
        self,
        app: App,
        verifier: Verifier,
        *,
        scopes: Iterable[str] = (),
        consumers: Collection[str] | None = None,
        realm: str = DEFAULT_REALM,
        resource_metadata: str | None = None,
    ) -> None:
        self._app = app
        self._verifier = verifier
        self._scopes = scopes if isinstance(scopes, str) else tuple(scopes)
        self._consumers = consumers
        self._realm = realm
        self._resource_metadata = resource_metadata

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        try:
            token = await self._verifier.verify(
                bearer_token(_authorization(scope)), scopes=self._scopes, consumers=self._consumers
            )
        except BearerError as error:
            headers = error.headers(realm=self._realm, resource_metadata=self._resource_metadata)
            await _refuse(scope, receive, send, error, headers)
            return
        state = {**scope.get("state", {}), "token": token}
        await self._app({**scope, "state": state}, receive, send)


def _authorization(scope: Scope) -> list[str]:
    return [value.decode("latin-1") for name, value in scope["headers"] if name == b"authorization"]


async def _refuse(scope: Scope, receive: Receive, send: Send, error: BearerError, headers: dict[str, str]) -> None:
    prefix = ""
    if scope["type"] == "websocket":
        await receive()  # the handshake: it has to be taken before it can be refused
        if "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": error.reason})
            return
        prefix = "websocket."
    body = json.dumps(error.body()).encode()
    sent = {**headers, "Content-Type": "application/json", "Content-Length": str(len(body))}
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in sent.items()]
    await send({"type": f"{prefix}http.response.start", "status": error.status, "headers": raw})
    await send({"type": f"{prefix}http.response.body", "body": body})
