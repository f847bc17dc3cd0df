"""Tokens put on requests: an ``httpx2.Auth`` for the clients of both kinds."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Iterable
from typing import Unpack

import httpx2

from fullmakt.client.access_token import AccessToken
from fullmakt.client.credentials import Credentials
from fullmakt.client.grant import Asked, TokenRequest
from fullmakt.client.tokens import AsyncMaskinportenClient, MaskinportenClient


class MaskinportenAuth(httpx2.Auth):
    """Sends a token with every request, and a new one where the API says that the token is not valid any more.

        httpx2.Client(auth=MaskinportenAuth(credentials, "provider:api.read"))
        httpx2.AsyncClient(auth=MaskinportenAuth(client, "provider:api.read", consumer_org="310000027"))

    source: credentials, or a client of either kind, to share its tokens. ``scope`` and the rest are as for
    ``TokenRequest.of``. One object serves any number of clients, threads and tasks. Tokens are not fetched through the
    client it is put on, so that its base URL, certificates and time limits stay the API's own.

    Raises:
        MaskinportenError: from the request that needed the token, when there is none to be had.
    """

    def __init__(
        self,
        source: Credentials | MaskinportenClient | AsyncMaskinportenClient,
        scope: str | Iterable[str],
        **asked: Unpack[Asked],
    ) -> None:
        self._request = TokenRequest.of(scope, **asked)
        client = MaskinportenClient(source) if isinstance(source, Credentials) else source
        self._store = client.store
        self._threads = client if isinstance(client, MaskinportenClient) else client.for_threads()
        self._tasks = client if isinstance(client, AsyncMaskinportenClient) else client.for_tasks()

    def sync_auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        """For ``httpx2.Client``."""
        at_hand = self._store.fresh(self._request)
        token = at_hand or self._threads.obtain(self._request)
        response = yield _with(token, request)
        if at_hand is not None and _is_stale(request, response):
            self._store.cache.discard(self._request, at_hand)
            yield _with(self._threads.obtain(self._request), request)

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        """For ``httpx2.AsyncClient``."""
        at_hand = self._store.fresh(self._request)
        token = at_hand or await self._tasks.obtain(self._request)
        response = yield _with(token, request)
        if at_hand is not None and _is_stale(request, response):
            self._store.cache.discard(self._request, at_hand)
            yield _with(await self._tasks.obtain(self._request), request)


def _with(token: AccessToken, request: httpx2.Request) -> httpx2.Request:
    request.headers["Authorization"] = token.authorization
    return request


def _is_stale(request: httpx2.Request, response: httpx2.Response) -> bool:
    """True when the API refuses the token itself (RFC 6750 §3.1), and the request can be sent once more.

    A body that is streamed has gone, and the caller's own code must send it again.
    """
    refused = response.status_code == httpx2.codes.UNAUTHORIZED
    invalid = "invalid_token" in response.headers.get("www-authenticate", "")
    return refused and invalid and isinstance(request.stream, httpx2.ByteStream)
