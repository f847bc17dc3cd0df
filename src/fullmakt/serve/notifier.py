"""Carries notifications to their receivers over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import httpx2

_TIMEOUT = 10.0
_ATTEMPTS = 4
"""Addresses of one name that are tried."""
_UNICAST, _NAT64 = IPv6Network("2000::/3"), IPv6Network("64:ff9b::/96")

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host, for a port. Raises ``OSError`` when there are none."""


async def addresses_of(host: str, port: int) -> Sequence[str]:
    """What the machine's resolver says, each once."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


class HttpNotifier:
    """Posts to URLs that others have chosen.

    Where ``anywhere`` is false, only https is spoken, and only to addresses of the whole Internet: not to this machine,
    and not to its neighbours. A name is looked up once, and what is connected to is an address that has been looked at:
    whoever answers for the name can not answer otherwise a moment later. The certificate must be the name's all the
    same. Nobody is followed elsewhere, and what is answered beside the status is not read.
    """

    def __init__(self, client: httpx2.AsyncClient, *, anywhere: bool, resolve: Resolve = addresses_of) -> None:
        self._client = client
        self._anywhere = anywhere
        self._resolve = resolve

    async def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Post ``body`` to ``url``; the HTTP status of the answer.

        Raises:
            OSError: nobody answered in time, or the URL is not one to send to.
        """
        try:
            async with asyncio.timeout(_TIMEOUT):
                parsed = httpx2.URL(url)
                if self._anywhere:
                    return await self._post(parsed, body, headers)
                return await self._post_outside(parsed, body, headers)
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            raise ConnectionError(type(error).__name__) from error

    async def _post_outside(self, url: httpx2.URL, body: bytes, headers: Mapping[str, str]) -> int:
        name = url.raw_host.decode("ascii")
        if url.scheme != "https" or not name:
            raise ConnectionRefusedError("notifications go over https")
        found = await self._resolve(name, url.port or 443)
        if not found or not all(map(_is_global, found)):
            raise ConnectionRefusedError("notifications do not go to addresses of our own network")
        # Connections are kept by address, and were made with one name's certificate: another's is not to use them.
        named = {**headers, "host": url.netloc.decode("ascii"), "connection": "close"}
        *others, last = found[:_ATTEMPTS]
        for address in others:
            with contextlib.suppress(httpx2.ConnectError):
                return await self._post(url.copy_with(host=address), body, named, name)
        return await self._post(url.copy_with(host=last), body, named, name)

    async def _post(self, url: httpx2.URL, body: bytes, headers: Mapping[str, str], name: str | None = None) -> int:
        """Post to what ``url`` leads to, whose certificate is ``name``'s."""
        extensions = {} if name is None else {"sni_hostname": name}
        async with self._client.stream(
            "POST", url, content=body, headers=dict(headers), follow_redirects=False, extensions=extensions
        ) as response:
            return response.status_code


def _is_global(address: str) -> bool:
    """True for an address of the whole Internet; one that leads on to an IPv4 address is what that is."""
    known = ip_address(address.partition("%")[0])
    if isinstance(known, IPv6Address):
        inner = known.ipv4_mapped or known.sixtofour or (IPv4Address(known.packed[-4:]) if known in _NAT64 else None)
        if inner is None:
            return known in _UNICAST and known.is_global
        known = inner
    return known.is_global and not known.is_multicast
