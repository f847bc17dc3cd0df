"""Carries notifications to their receivers over HTTP."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx2

_TIMEOUT = 10.0


class HttpNotifier:
    """Posts to URLs that others have chosen.

    Where ``anywhere`` is false, only https is spoken, and only to addresses of the whole Internet: not to this machine,
    and not to its neighbours. Nobody is followed elsewhere, and what is answered beside the status is not read.
    """

    def __init__(self, client: httpx2.AsyncClient, *, anywhere: bool) -> None:
        self._client = client
        self._anywhere = anywhere

    async def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Post ``body`` to ``url``; the HTTP status of the answer.

        Raises:
            OSError: nobody answered in time, or the URL is not one to send to.
        """
        try:
            async with asyncio.timeout(_TIMEOUT):
                await self._check(url)
                async with self._client.stream(
                    "POST", url, content=body, headers=dict(headers), follow_redirects=False
                ) as response:
                    return response.status_code
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            raise ConnectionError(type(error).__name__) from error

    async def _check(self, url: str) -> None:
        if self._anywhere:
            return
        parts = urlsplit(url)
        if parts.scheme.lower() != "https" or not parts.hostname:
            raise ConnectionRefusedError("notifications go over https")
        found = await asyncio.get_running_loop().getaddrinfo(parts.hostname, parts.port or 443)
        if not found or not all(_is_global(str(one[4][0])) for one in found):
            raise ConnectionRefusedError("notifications do not go to addresses of our own network")


def _is_global(address: str) -> bool:
    known = ipaddress.ip_address(address.partition("%")[0])
    return (getattr(known, "ipv4_mapped", None) or known).is_global
