"""Calls to Altinn about consents, without I/O: a call out, its response in; and who carries them out."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any, NamedTuple, TypeAlias, TypeVar

import httpx2

from fullmakt.client.access_token import MAX_RESPONSE_BYTES
from fullmakt.client.auth import MaskinportenAuth
from fullmakt.client.consent_errors import ConsentUnavailableError, UnexpectedConsentResponseError, refusal_of
from fullmakt.client.credentials import Credentials
from fullmakt.client.grant import Asked
from fullmakt.client.tokens import AsyncMaskinportenClient, MaskinportenClient
from fullmakt.jose.strict_json import StrictJsonError, loads_object
from fullmakt.kernel.sans_io import drive, drive_async

T = TypeVar("T")
Source: TypeAlias = Credentials | MaskinportenClient | AsyncMaskinportenClient
"""Who asks Maskinporten: credentials, or a client, to share its tokens."""


class Call(NamedTuple):
    """A request to send, and the scope whose token goes with it; None for a request that needs no token."""

    request: httpx2.Request
    scope: str | None


Calls: TypeAlias = Generator[Call, httpx2.Response, T]
"""A conversation that ends in a ``T``."""


def call(
    method: str,
    url: str,
    scope: str | None,
    *,
    params: Mapping[str, Any] | None = None,
    document: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Calls[httpx2.Response]:
    """Send, and give back a success.

    Raises:
        ConsentError: of the class that says why.
        MaskinportenError: there is no token to be had.
    """
    request = httpx2.Request(method, url, params=params or None, json=document, headers=dict(headers or {}))
    try:
        response = yield Call(request, scope)
    except (httpx2.TransportError, httpx2.DecodingError) as error:
        raise ConsentUnavailableError(f"no answer from Altinn ({type(error).__name__})") from error
    if not response.is_success:
        raise refusal_of(response)
    return response


def document_of(response: httpx2.Response) -> dict[str, Any]:
    """The JSON object in a success.

    Raises:
        UnexpectedConsentResponseError: there is none.
    """
    try:
        return loads_object(response.content[:MAX_RESPONSE_BYTES])
    except StrictJsonError as error:
        raise unexpected(response, "no JSON object") from error


def unexpected(response: httpx2.Response, what: str) -> UnexpectedConsentResponseError:
    """An answer that can not be made sense of. It is not repeated: there is no telling what it holds."""
    status = response.status_code
    return UnexpectedConsentResponseError(f"Altinn answered {status} with {what}", status=status)


class Line:
    """Carries calls out for threads. ``http`` is what to send with; without it, a client is opened for each call."""

    def __init__(
        self, source: Source | None, consumer_org: str | None, timeout: float, http: httpx2.Client | None
    ) -> None:
        self._auth = Tokens(source, consumer_org)
        self._timeout = timeout
        self._http = http

    def run(self, calls: Calls[T]) -> T:
        """The end of the conversation."""
        if self._http is not None:
            return self._drive(calls, self._http)
        with httpx2.Client(timeout=self._timeout) as http:
            return self._drive(calls, http)

    def _drive(self, calls: Calls[T], http: httpx2.Client) -> T:
        return drive(calls, lambda one: http.send(one.request, auth=self._auth.of(one.scope), follow_redirects=False))


class AsyncLine:
    """``Line`` for asyncio."""

    def __init__(
        self, source: Source | None, consumer_org: str | None, timeout: float, http: httpx2.AsyncClient | None
    ) -> None:
        self._auth = Tokens(source, consumer_org)
        self._timeout = timeout
        self._http = http

    async def run(self, calls: Calls[T]) -> T:
        """The end of the conversation."""
        if self._http is not None:
            return await self._drive(calls, self._http)
        async with httpx2.AsyncClient(timeout=self._timeout) as http:
            return await self._drive(calls, http)

    async def _drive(self, calls: Calls[T], http: httpx2.AsyncClient) -> T:
        async def perform(one: Call) -> httpx2.Response:
            return await http.send(one.request, auth=self._auth.of(one.scope), follow_redirects=False)

        return await drive_async(calls, perform)


class Tokens:
    """The tokens of one source, each for one scope: no call carries more than it needs."""

    def __init__(self, source: Source | None, consumer_org: str | None) -> None:
        self._source = MaskinportenClient(source) if isinstance(source, Credentials) else source
        self._asked: Asked = {} if consumer_org is None else {"consumer_org": consumer_org}
        self._auths: dict[str, MaskinportenAuth] = {}

    def of(self, scope: str | None) -> MaskinportenAuth | None:
        """What puts the token on a request; None where no token is needed, or nobody to get one from."""
        if scope is None or self._source is None:
            return None
        auth = self._auths.get(scope)
        if auth is None:
            auth = self._auths[scope] = MaskinportenAuth(self._source, scope, **self._asked)
        return auth
