"""Tokens on request: from the cache, or fetched once for all who want the same; for threads and for asyncio."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Unpack

import httpx2

from fullmakt.client.access_token import AccessToken
from fullmakt.client.cache import DEFAULT_REFRESH_MARGIN
from fullmakt.client.credentials import Credentials
from fullmakt.client.errors import TemporarilyUnavailableError
from fullmakt.client.exchange import Reply, Step
from fullmakt.client.grant import Asked, TokenRequest
from fullmakt.client.retry import Pause
from fullmakt.client.store import TokenStore
from fullmakt.kernel.clock import Clock, NewId, new_uuid, system_clock
from fullmakt.kernel.sans_io import drive, drive_async

DEFAULT_TIMEOUT = 10.0
"""Seconds for each step of a request to the token server, as KS' clients have it (maskinporten.md §10)."""


class MaskinportenClient:
    """Tokens for one client of a token server, for threads. Share one; every thread may ask it at once.

    refresh_margin: seconds before its expiry that a token is replaced.
    http: what to send with, for proxies, tests or many tokens a minute; without it, a client is opened for each fetch.
    sleep: how to wait before a retry. store: that of another client, to share its tokens; it has its clock and margin.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        clock: Clock = system_clock,
        new_id: NewId = new_uuid,
        refresh_margin: float = DEFAULT_REFRESH_MARGIN,
        timeout: float = DEFAULT_TIMEOUT,
        http: httpx2.Client | None = None,
        sleep: Callable[[float], None] = time.sleep,
        store: TokenStore | None = None,
    ) -> None:
        self.credentials = credentials
        self.store = store or TokenStore(credentials, clock=clock, new_id=new_id, refresh_margin=refresh_margin)
        self._timeout = timeout
        self.http = http
        self._sleep = sleep

    def token(self, scope: str | Iterable[str], **asked: Unpack[Asked]) -> AccessToken:
        """A token for what ``TokenRequest.of`` describes: the one at hand, or a new one.

        Raises:
            ValueError: nobody can ask for that; see ``TokenRequest.of``.
            MaskinportenError: no token, of the class that says why.
        """
        return self.obtain(TokenRequest.of(scope, **asked))

    def for_tasks(self, *, http: httpx2.AsyncClient | None = None) -> AsyncMaskinportenClient:
        """The same client for asyncio, with the same tokens."""
        return AsyncMaskinportenClient(self.credentials, timeout=self._timeout, http=http, store=self.store)

    def obtain(self, request: TokenRequest) -> AccessToken:
        """``token`` for a request that has been made already."""
        return self.store.fresh(request) or self.store.flight.run(request, lambda: self._fetch(request))

    def _fetch(self, request: TokenRequest) -> AccessToken:
        token = self.store.fresh(request)  # perhaps somebody's fetch ended just before this one began
        if token is not None:
            return token
        try:
            token = self._converse(request)
        except TemporarilyUnavailableError as error:
            return self.store.make_do(request, error)
        self.store.cache.store(request, token)
        return token

    def _converse(self, request: TokenRequest) -> AccessToken:
        if self.http is not None:
            return self._drive(request, self.http)
        with httpx2.Client(timeout=self._timeout) as http:
            return self._drive(request, http)

    def _drive(self, request: TokenRequest, http: httpx2.Client) -> AccessToken:
        def perform(step: Step) -> Reply:
            if isinstance(step, Pause):
                self._sleep(step.seconds)
                return None
            return http.send(step, auth=None, follow_redirects=False)

        return drive(self.store.exchange.token(request), perform)


class AsyncMaskinportenClient:
    """``MaskinportenClient`` for asyncio: same arguments, same tokens, same errors."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        clock: Clock = system_clock,
        new_id: NewId = new_uuid,
        refresh_margin: float = DEFAULT_REFRESH_MARGIN,
        timeout: float = DEFAULT_TIMEOUT,
        http: httpx2.AsyncClient | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        store: TokenStore | None = None,
    ) -> None:
        self.credentials = credentials
        self.store = store or TokenStore(credentials, clock=clock, new_id=new_id, refresh_margin=refresh_margin)
        self._timeout = timeout
        self.http = http
        self._sleep = sleep

    async def token(self, scope: str | Iterable[str], **asked: Unpack[Asked]) -> AccessToken:
        """As ``MaskinportenClient.token``."""
        return await self.obtain(TokenRequest.of(scope, **asked))

    def for_threads(self, *, http: httpx2.Client | None = None) -> MaskinportenClient:
        """The same client for threads, with the same tokens."""
        return MaskinportenClient(self.credentials, timeout=self._timeout, http=http, store=self.store)

    async def obtain(self, request: TokenRequest) -> AccessToken:
        """``token`` for a request that has been made already."""
        token = self.store.fresh(request)
        return token or await self.store.flight.run_async(request, lambda: self._fetch(request))

    async def _fetch(self, request: TokenRequest) -> AccessToken:
        token = self.store.fresh(request)
        if token is not None:
            return token
        try:
            token = await self._converse(request)
        except TemporarilyUnavailableError as error:
            return self.store.make_do(request, error)
        self.store.cache.store(request, token)
        return token

    async def _converse(self, request: TokenRequest) -> AccessToken:
        if self.http is not None:
            return await self._drive(request, self.http)
        async with httpx2.AsyncClient(timeout=self._timeout) as http:
            return await self._drive(request, http)

    async def _drive(self, request: TokenRequest, http: httpx2.AsyncClient) -> AccessToken:
        async def perform(step: Step) -> Reply:
            if isinstance(step, Pause):
                await self._sleep(step.seconds)
                return None
            return await http.send(step, auth=None, follow_redirects=False)

        return await drive_async(self.store.exchange.token(request), perform)
