"""The conversation with a token server, without I/O: requests and pauses out, responses in, a token at the end."""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator
from typing import TypeAlias

import httpx2

from fullmakt.client.access_token import AccessToken, read_response
from fullmakt.client.credentials import Credentials
from fullmakt.client.errors import DiscoveryError, TemporarilyUnavailableError
from fullmakt.client.grant import TokenRequest, build_grant, grant_form
from fullmakt.client.retry import TRANSIENT, Pause, pause_before_retry, retry_after
from fullmakt.jose.strict_json import StrictJsonError, loads_object
from fullmakt.kernel.clock import Clock, NewId
from fullmakt.wire.discovery import InvalidMetadataError, IssuerMetadata, metadata_urls

Step: TypeAlias = httpx2.Request | Pause
Reply: TypeAlias = httpx2.Response | None

METADATA_MAX_AGE = dt.timedelta(hours=1)
"""Real clients keep the metadata document for five minutes to a day (maskinporten.md §1.3)."""


class Exchange:
    """Fetches tokens for one client, and remembers where its token server is."""

    def __init__(self, credentials: Credentials, clock: Clock, new_id: NewId) -> None:
        self._credentials = credentials
        self._clock = clock
        self._new_id = new_id
        self._metadata: IssuerMetadata | None = None
        self._metadata_until: dt.datetime | None = None

    def token(self, request: TokenRequest) -> Generator[Step, Reply, AccessToken]:
        """Fetch a token, trying once more when the server can not be reached or asks for it; a retry has its own grant.

        Raises:
            MaskinportenError: no token, of the class that says why.
        """
        try:
            return (yield from self._attempt(request))
        except TemporarilyUnavailableError as error:
            pause = pause_before_retry(error.retry_after)
            if pause is None:
                raise
        yield pause
        return (yield from self._attempt(request))

    def _attempt(self, request: TokenRequest) -> Generator[Step, Reply, AccessToken]:
        metadata = yield from self._server()
        if metadata.token_endpoint is None:
            raise DiscoveryError(f"the metadata of {metadata.issuer} names no token_endpoint")
        now = self._clock()
        assertion = build_grant(self._credentials, request, audience=metadata.issuer, now=now, jti=self._new_id())
        form = grant_form(assertion)
        response = yield from send("POST", metadata.token_endpoint, form)
        return read_response(response, now)

    def _server(self) -> Generator[Step, Reply, IssuerMetadata]:
        """The metadata, from memory while it is fresh, and beyond that for as long as no other can be had."""
        known, until = self._metadata, self._metadata_until
        if known is not None and until is not None and self._clock() < until:
            return known
        try:
            self._metadata = yield from self._discover()
        except (TemporarilyUnavailableError, DiscoveryError):
            if known is None:
                raise
            return known
        self._metadata_until = self._clock() + METADATA_MAX_AGE
        return self._metadata

    def _discover(self) -> Generator[Step, Reply, IssuerMetadata]:
        issuer, given = self._credentials.issuer, self._credentials.metadata_url
        for url in (given,) if given is not None else metadata_urls(issuer):
            response = yield from send("GET", url)
            if response.status_code == httpx2.codes.NOT_FOUND:
                continue
            if response.status_code != httpx2.codes.OK:
                raise DiscoveryError(f"{url} answered {response.status_code}", status=response.status_code)
            try:
                return IssuerMetadata.read(loads_object(response.content), issuer=issuer)
            except (InvalidMetadataError, StrictJsonError) as error:
                raise DiscoveryError(f"{url}: {error}") from error
        raise DiscoveryError(f"{given or issuer} publishes no metadata")


def send(
    method: str,
    url: str,
    form: dict[str, str] | None = None,
    *,
    authorization: str | None = None,
    accept: str = "application/json",
) -> Generator[Step, Reply, httpx2.Response]:
    """Send, and tell apart an answer from the lack of one.

    Raises:
        TemporarilyUnavailableError: no connection, no answer in time, or, for a document, a status to come again after.
        DiscoveryError: the URL is none.
    """
    try:
        headers = {"Accept": accept} | ({} if authorization is None else {"Authorization": authorization})
        request = httpx2.Request(method, url, data=form, headers=headers)
        response = yield request
    except (httpx2.InvalidURL, httpx2.UnsupportedProtocol) as error:
        raise DiscoveryError(f"{url!r} is not a URL that can be called") from error
    except (httpx2.TransportError, httpx2.DecodingError) as error:
        raise TemporarilyUnavailableError(f"no answer from {url} ({type(error).__name__})") from error
    if response is None:
        raise TypeError("a request must be replied to with a response")
    status = response.status_code
    if method == "GET" and (status in TRANSIENT or status >= httpx2.codes.INTERNAL_SERVER_ERROR):
        wait = retry_after(response.headers)
        raise TemporarilyUnavailableError(f"{url} answered {status}", status=status, retry_after=wait)
    return response
