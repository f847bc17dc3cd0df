"""Altinn's tokens: Maskinporten's exchanged for them, and both kept fresh.

    ALTINN = "https://platform.tt02.altinn.no/authentication"
    AltinnClient(credentials, ALTINN).token("altinn:instances.read")
    httpx2.Client(auth=AltinnAuth(credentials, ALTINN, "altinn:instances.read"))

What is asked for is asked of Maskinporten, and stands in Altinn's token too; so does the system user. A client of
Maskinporten's may take the place of credentials, to share its tokens.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeAlias, Unpack

import httpx2

from fullmakt.client.altinn_exchange import AltinnExchange
from fullmakt.client.auth import MaskinportenAuth
from fullmakt.client.credentials import Credentials
from fullmakt.client.grant import Asked
from fullmakt.client.store import TokenStore
from fullmakt.client.tokens import DEFAULT_TIMEOUT, AsyncMaskinportenClient, MaskinportenClient

DEFAULT_REFRESH_MARGIN = 60.0
"""Seconds before its expiry that Altinn's token is replaced; it lives for thirty minutes."""

Source: TypeAlias = Credentials | MaskinportenClient | AsyncMaskinportenClient
"""Who asks Maskinporten: credentials, or a client, to share its tokens."""


class AltinnClient(MaskinportenClient):
    """Altinn's tokens, for threads; asked as ``MaskinportenClient`` is, with the same arguments and errors.

    url: Altinn's token issuer, such as ``https://platform.altinn.no/authentication``.
    refresh_margin: seconds before its expiry that a token is replaced.
    http, timeout, sleep: as for ``MaskinportenClient``; both servers are called with ``http``, and without it with that
        of ``source``, if it is a client of the same kind.
    test: has Digdir pass for the test service owner ``ttd``, in Altinn's test environments.

    Raises:
        ExchangeRefusedError: from ``token``, when Altinn does not take Maskinporten's token.
    """

    def __init__(
        self,
        source: Source,
        url: str,
        *,
        refresh_margin: float = DEFAULT_REFRESH_MARGIN,
        timeout: float = DEFAULT_TIMEOUT,
        http: httpx2.Client | None = None,
        sleep: Callable[[float], None] = time.sleep,
        test: bool = False,
    ) -> None:
        credentials, store = _over(source, url, refresh_margin, test=test)
        line = http or (source.http if isinstance(source, MaskinportenClient) else None)
        super().__init__(credentials, timeout=timeout, http=line, sleep=sleep, store=store)


class AsyncAltinnClient(AsyncMaskinportenClient):
    """``AltinnClient`` for asyncio: same arguments, same tokens, same errors."""

    def __init__(
        self,
        source: Source,
        url: str,
        *,
        refresh_margin: float = DEFAULT_REFRESH_MARGIN,
        timeout: float = DEFAULT_TIMEOUT,
        http: httpx2.AsyncClient | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        test: bool = False,
    ) -> None:
        credentials, store = _over(source, url, refresh_margin, test=test)
        line = http or (source.http if isinstance(source, AsyncMaskinportenClient) else None)
        super().__init__(credentials, timeout=timeout, http=line, sleep=sleep, store=store)


class AltinnAuth(MaskinportenAuth):
    """``MaskinportenAuth`` with Altinn's tokens: sends one with every request, and a new one where it is not taken.

    ``source`` and ``url`` are as for ``AltinnClient``, scope and the rest as for ``TokenRequest.of``. To share tokens,
    put a ``MaskinportenAuth`` on an ``AltinnClient``.
    """

    def __init__(self, source: Source, url: str, scope: str | Iterable[str], **asked: Unpack[Asked]) -> None:
        in_tasks = isinstance(source, AsyncMaskinportenClient)
        super().__init__(AsyncAltinnClient(source, url) if in_tasks else AltinnClient(source, url), scope, **asked)


def _over(source: Source, url: str, margin: float, *, test: bool) -> tuple[Credentials, TokenStore]:
    """A store of Altinn's tokens over that of Maskinporten's."""
    client = MaskinportenClient(source) if isinstance(source, Credentials) else source
    store = TokenStore(client.credentials, clock=client.store.clock, refresh_margin=margin)
    store.exchange = AltinnExchange(url, client.store, store.cache, test=test)
    return client.credentials, store
