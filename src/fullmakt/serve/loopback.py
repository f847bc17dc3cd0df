"""What leads to this machine and no other."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from starlette.types import Scope

_NAMES = {"localhost", "localhost.localdomain", "ip6-localhost"}
_BY_PROXIES = {b"forwarded", b"via", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip"}


def is_loopback(host: str | None) -> bool:
    """True for a name or an address that leads to this machine and no other."""
    if host is None:
        return False
    if host in _NAMES or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def asked_from_here(scope: Scope) -> bool:
    """True when somebody on this machine asks, as far as a request can show.

    The peer's address does not settle it: a proxy on this machine asks for others, and so does a browser that a page
    elsewhere made believe that its name leads here. So the request must also name us by a loopback name, and carry no
    trace of a proxy.
    """
    peer = scope.get("client")
    if peer is None or not is_loopback(peer[0]):
        return False
    names = {name for name, _ in scope["headers"]}
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    return not names & _BY_PROXIES and len(hosts) == 1 and is_loopback(_host_name(hosts[0]))


def _host_name(header: bytes) -> str | None:
    try:
        return urlsplit(f"//{header.decode('ascii')}").hostname
    except ValueError:
        return None
