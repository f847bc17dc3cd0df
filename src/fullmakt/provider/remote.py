"""The issuer's keys, fetched over HTTP and kept as long as the issuer says.

``key_cache`` decides and ``jwks`` speaks the protocol, neither doing I/O; this joins them to httpx2, for threads and
for asyncio, with one cache between them.
"""

from __future__ import annotations

import threading
from collections.abc import Generator

import httpx2

from fullmakt.jose.keys import PublicKey
from fullmakt.kernel.clock import Clock, system_clock
from fullmakt.kernel.sans_io import drive, drive_async
from fullmakt.kernel.single_flight import SingleFlight
from fullmakt.provider.jwks import KeysNotFetchedError, fetch_keys
from fullmakt.provider.key_cache import FetchedKeys, KeyCache, KeyCacheLimits

DEFAULT_TIMEOUT = 5.0
"""Seconds for each step of fetching keys: requests wait for it."""

_Fetch = Generator[httpx2.Request, httpx2.Response, FetchedKeys]
_FAILURES = (httpx2.HTTPError, httpx2.InvalidURL, KeysNotFetchedError)


class RemoteKeys:
    """The keys that an issuer publishes. Share one between verifiers, threads and tasks.

    They are fetched when first needed, kept as ``limits`` and the issuer say, fetched again when a token names a key
    that is not among them (once for all who wait, and not often), and serve on while the issuer is out.

    issuer: as in ``iss``, letter for letter; its metadata tells where the keys are, unless ``jwks_uri`` does.
    http, sync_http: what to send with, for tests and proxies; without them a client is opened for each fetch.
    """

    def __init__(
        self,
        issuer: str,
        *,
        jwks_uri: str | None = None,
        limits: KeyCacheLimits | None = None,
        clock: Clock = system_clock,
        timeout: float = DEFAULT_TIMEOUT,
        http: httpx2.AsyncClient | None = None,
        sync_http: httpx2.Client | None = None,
    ) -> None:
        self._issuer = issuer
        self._jwks_uri = jwks_uri
        self._cache = KeyCache(limits or KeyCacheLimits())
        self._clock = clock
        self._timeout = timeout
        self._http = http
        self._sync_http = sync_http
        self._flight: SingleFlight[None] = SingleFlight()
        self._lock = threading.Lock()
        self.last_error: str | None = None
        """Why the last fetch failed, for the API's own log and health page; None when it did not."""

    async def find(self, kid: str) -> PublicKey | None:
        """The issuer's key with this id, None when it has no such key.

        Raises:
            IssuerUnavailableError: no keys are known and none can be fetched.
        """
        if self._should_fetch(kid):
            await self._flight.run_async("keys", lambda: self._refresh(kid))
        return self._known(kid)

    def find_sync(self, kid: str) -> PublicKey | None:
        """As ``find``, for threads."""
        if self._should_fetch(kid):
            self._flight.run("keys", lambda: self._refresh_sync(kid))
        return self._known(kid)

    def _should_fetch(self, kid: str) -> bool:
        with self._lock:
            return self._cache.should_fetch(kid, self._clock())

    def _known(self, kid: str) -> PublicKey | None:
        with self._lock:
            return self._cache.key(kid, self._clock())

    def _begin(self, kid: str) -> _Fetch | None:
        """The conversation to have; None when somebody's has just ended, and with it the need."""
        with self._lock:
            now = self._clock()
            if not self._cache.should_fetch(kid, now):
                return None
            forced = self._cache.fetching(now)
        return fetch_keys(self._issuer, self._jwks_uri, pass_caches=forced)

    async def _refresh(self, kid: str) -> None:
        fetch = self._begin(kid)
        if fetch is None:
            return
        try:
            if self._http is not None:
                self._succeeded(await drive_async(fetch, self._http.send))
            else:
                async with httpx2.AsyncClient(timeout=self._timeout) as http:
                    self._succeeded(await drive_async(fetch, http.send))
        except _FAILURES as error:
            self._failed(error)
        finally:
            self._ended()

    def _refresh_sync(self, kid: str) -> None:
        fetch = self._begin(kid)
        if fetch is None:
            return
        try:
            if self._sync_http is not None:
                self._succeeded(drive(fetch, self._sync_http.send))
            else:
                with httpx2.Client(timeout=self._timeout) as http:
                    self._succeeded(drive(fetch, http.send))
        except _FAILURES as error:
            self._failed(error)
        finally:
            self._ended()

    def _succeeded(self, fetched: FetchedKeys) -> None:
        with self._lock:
            self._cache.store(fetched, self._clock())
            self.last_error = None

    def _ended(self) -> None:
        with self._lock:
            self._cache.fetched()

    def _failed(self, error: Exception) -> None:
        with self._lock:
            self._cache.failed(self._clock())
            self.last_error = f"{type(error).__name__}: {error}"
