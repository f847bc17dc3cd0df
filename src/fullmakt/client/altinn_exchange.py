"""The conversation for an Altinn token, without I/O: Maskinporten's token first, then Altinn's for it.

Source: altinn-authentication.md §2 (exchange), §4 (refresh).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator

import httpx2

from fullmakt.client.access_token import MAX_LIFETIME, MAX_RESPONSE_BYTES, AccessToken
from fullmakt.client.cache import TokenCache
from fullmakt.client.errors import (
    ExchangeRefusedError,
    MaskinportenError,
    TemporarilyUnavailableError,
    UnexpectedResponseError,
)
from fullmakt.client.exchange import Reply, Step, send
from fullmakt.client.grant import TokenRequest
from fullmakt.client.retry import pause_before_retry
from fullmakt.client.store import TokenStore
from fullmakt.jose.compact import MalformedJwtError, parse_compact


class AltinnExchange:
    """Fetches Altinn's tokens for one client of Maskinporten's, whose tokens are those of ``behind``.

    A token is replaced by exchanging a Maskinporten token that is good now, so that it says what holds now: a scope
    that was taken back is gone with the next token. Only while Maskinporten can not be reached is the old one
    refreshed, which repeats what it said. ``cache`` is where Altinn's tokens are kept.
    """

    def __init__(self, url: str, behind: TokenStore, cache: TokenCache, *, test: bool = False) -> None:
        self._exchange_url = f"{url.rstrip('/')}/api/v1/exchange/maskinporten{'?test=true' if test else ''}"
        self._refresh_url = f"{url.rstrip('/')}/api/v1/refresh"
        self._behind = behind
        self._cache = cache

    def token(self, request: TokenRequest) -> Generator[Step, Reply, AccessToken]:
        """Fetch Altinn's token, by way of Maskinporten's.

        Raises:
            ExchangeRefusedError: Altinn does not take Maskinporten's token.
            MaskinportenError: no token of Maskinporten's, or no answer from Altinn.
        """
        at_hand = self._behind.fresh(request)
        try:
            token = at_hand or (yield from self._maskinporten(request))
        except TemporarilyUnavailableError as error:
            return (yield from self._refreshed(request, error))
        try:
            return (yield from self._persistently(self._exchange_url, token))
        except ExchangeRefusedError as error:
            if at_hand is None or error.status != httpx2.codes.UNAUTHORIZED:
                raise
        # Maskinporten's token was from memory, and its key or its time may have run out: a new one is asked for.
        self._behind.cache.discard(request, token)
        return (yield from self._persistently(self._exchange_url, (yield from self._maskinporten(request))))

    def _maskinporten(self, request: TokenRequest) -> Generator[Step, Reply, AccessToken]:
        token = yield from self._behind.exchange.token(request)
        self._behind.cache.store(request, token)
        return token

    def _refreshed(
        self, request: TokenRequest, why: TemporarilyUnavailableError
    ) -> Generator[Step, Reply, AccessToken]:
        old = self._cache.still_usable(request, self._behind.clock())
        if old is None:
            raise why
        try:
            return (yield from self._ask(self._refresh_url, old))
        except MaskinportenError:
            raise why from None

    def _persistently(self, url: str, token: AccessToken) -> Generator[Step, Reply, AccessToken]:
        """Ask, and once more when there is no answer or Altinn says to come again."""
        try:
            return (yield from self._ask(url, token))
        except TemporarilyUnavailableError as error:
            pause = pause_before_retry(error.retry_after)
            if pause is None:
                raise
        yield pause
        return (yield from self._ask(url, token))

    def _ask(self, url: str, token: AccessToken) -> Generator[Step, Reply, AccessToken]:
        now = self._behind.clock()
        response = yield from send("GET", url, authorization=token.authorization, accept="text/plain")
        return _read(response, token, now)


def _read(response: httpx2.Response, of: AccessToken, asked_at: dt.datetime) -> AccessToken:
    """The token in an answer: bare text, or a JSON string."""
    if response.status_code != httpx2.codes.OK:
        raise ExchangeRefusedError.of(str(response.url), response.status_code)
    text = response.content[:MAX_RESPONSE_BYTES].decode("ascii", errors="replace").strip().strip('"')
    lifetime = _lifetime(text)
    if lifetime is None:
        # What it holds instead is not repeated: there is no telling what that is.
        raise UnexpectedResponseError(f"{response.url} answered 200 with no token", status=response.status_code)
    return AccessToken(value=text, scopes=of.scopes, expires_at=asked_at + lifetime, issued_at=asked_at)


def _lifetime(token: str) -> dt.timedelta | None:
    """How long the token lives by its own account, since the answer says nothing of it; None when it is none."""
    try:
        claims = parse_compact(token).unverified_payload
    except MalformedJwtError:
        return None
    issued_at, expires_at = claims.get("iat"), claims.get("exp")
    if not isinstance(issued_at, int) or not isinstance(expires_at, int):
        return None
    seconds = expires_at - issued_at
    return dt.timedelta(seconds=seconds) if 0 < seconds <= MAX_LIFETIME else None
