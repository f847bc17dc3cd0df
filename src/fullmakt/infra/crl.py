"""Certificate revocation lists, fetched where certificates say they lie and remembered while they are good.

Whether a list is authentic, fresh and says anything of a certificate is for ``jose.chains.check_revocation``. The
addresses come from certificates that a trusted CA signed, so no stranger chooses where we connect to.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import dataclass, replace
from typing import TypeVar

import httpx2
import structlog
from cryptography import x509

from fullmakt.infra.unavailable import UnavailableError
from fullmakt.kernel.clock import Clock
from fullmakt.kernel.single_flight import SingleFlight

MAX_CRL_BYTES = 5 * 1024 * 1024
MAX_REMEMBERED = 64
"""Lists kept at a time; a hierarchy has one or two."""
RETRY_AFTER = dt.timedelta(seconds=10)
"""After a fetch that failed, or brought a list that did not hold, nobody tries that address again for so long."""

_log = structlog.get_logger("fullmakt.crl")

_Value = TypeVar("_Value")


class CrlUnavailableError(UnavailableError):
    """There is no CRL to be had from the address; the message says why."""


@dataclass(frozen=True, slots=True)
class _Remembered:
    crl: x509.CertificateRevocationList
    fetched_at: dt.datetime
    fresh_until: dt.datetime
    """Good enough not to ask again."""
    usable_until: dt.datetime
    """Good enough when asking again fails."""


class CrlSource:
    """Fetches CRLs over HTTP.

    ``max_age`` (seconds) bounds how long a revocation can go unseen; a list that says less is fetched sooner. When a
    fetch fails, or takes longer than ``timeout`` seconds, the list at hand is served until its own ``nextUpdate``.
    Each address is fetched once at a time.
    """

    def __init__(self, client: httpx2.AsyncClient, clock: Clock, max_age: float = 3600, timeout: float = 5) -> None:
        self._client = client
        self._clock = clock
        self._max_age = dt.timedelta(seconds=max_age)
        self._timeout = timeout
        self._remembered: dict[str, _Remembered] = {}
        self._failed: dict[str, tuple[dt.datetime, CrlUnavailableError]] = {}
        self._flights: SingleFlight[x509.CertificateRevocationList] = SingleFlight()

    async def get(self, url: str) -> x509.CertificateRevocationList:
        """The CRL at ``url`` (http or https), from memory or fetched. Its signature is not checked.

        Raises:
            CrlUnavailableError: it can not be fetched or read, and none is at hand that is still good.
        """
        now = self._clock()
        remembered = self._remembered.get(url)
        if remembered and now < remembered.fresh_until:
            return remembered.crl
        try:
            return await self._fetch_once(url, now)
        except CrlUnavailableError:
            if remembered and now < remembered.usable_until:
                return remembered.crl
            raise

    def forget(self, url: str) -> None:
        """Do not rely on the list from ``url``, which did not hold: its issuer may mend it.

        Until ``RETRY_AFTER`` from when it was fetched it is handed out all the same, and judged the same: a bad list
        must not make every request fetch it anew.
        """
        bad = self._remembered.get(url)
        if bad is not None:
            until = bad.fetched_at + RETRY_AFTER
            self._remembered[url] = replace(bad, fresh_until=until, usable_until=until)

    async def _fetch_once(self, url: str, now: dt.datetime) -> x509.CertificateRevocationList:
        failed_at, failure = self._failed.get(url, (None, None))
        if failed_at and failure and now < failed_at + RETRY_AFTER:
            raise CrlUnavailableError(str(failure)) from failure
        return await self._flights.run_async(url, lambda: self._fetch_and_remember(url))

    async def _fetch_and_remember(self, url: str) -> x509.CertificateRevocationList:
        try:
            crl = await self._fetch(url)
        except CrlUnavailableError as failure:
            _keep(self._failed, url, (self._clock(), failure))
            _log.warning("crl_unavailable", cause=ascii(str(failure)), detail=ascii(str(failure.__cause__ or "")))
            raise
        now = self._clock()
        next_update = crl.next_update_utc or now
        self._failed.pop(url, None)
        _keep(self._remembered, url, _Remembered(crl, now, min(next_update, now + self._max_age), next_update))
        return crl

    async def _fetch(self, url: str) -> x509.CertificateRevocationList:
        if not url.lower().startswith(("http://", "https://")):
            raise CrlUnavailableError("a CRL is fetched over http or https only")
        try:
            async with asyncio.timeout(self._timeout):
                return _parse(await self._download(url), url)
        except (TimeoutError, httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise CrlUnavailableError(f"{url} does not answer ({type(error).__name__})") from error

    async def _download(self, url: str) -> bytes:
        body = bytearray()
        # Uncompressed, so that a few bytes can not swell to more than the limit in one part.
        headers = {"Accept-Encoding": "identity"}
        async with self._client.stream("GET", url, headers=headers, follow_redirects=False) as response:
            if response.status_code != httpx2.codes.OK:
                raise CrlUnavailableError(f"{url} answers {response.status_code}")
            async for part in response.aiter_raw():
                body += part
                if len(body) > MAX_CRL_BYTES:
                    raise CrlUnavailableError(f"{url} sends more than {MAX_CRL_BYTES} bytes")
        return bytes(body)


def _keep(memory: dict[str, _Value], url: str, value: _Value) -> None:
    memory.pop(url, None)
    memory[url] = value
    while len(memory) > MAX_REMEMBERED:
        del memory[next(iter(memory))]


def _parse(body: bytes, url: str) -> x509.CertificateRevocationList:
    try:
        crl = x509.load_der_x509_crl(body)
        crl.next_update_utc  # noqa: B018 - the library parses late: what is kept must be readable
    except (ValueError, TypeError, x509.InvalidVersion) as error:
        raise CrlUnavailableError(f"{url} sends something that is not a DER CRL (RFC 5280 §4.2.1.13)") from error
    return crl
