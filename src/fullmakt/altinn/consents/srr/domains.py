"""Where a browser may be sent when consent has been answered, and the patterns that say so (consent.md §2.6).

A pattern is compared with scheme and host, never with a path. What a browser and this program might read differently
is not compared at all: it is refused, with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address

MAX_URL = 2_000
"""Characters of a URL."""
MAX_PATTERN = 300
"""Characters of a pattern."""

_LONGEST_HOST = 253
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,63}", re.ASCII)
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?", re.ASCII)
_PORT = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)
_APP_HOST = re.compile(r"[a-z0-9._-]{0,253}", re.ASCII)
_LOOKS_NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_DEFAULT_PORTS = {"http": 80, "https": 443}
FORBIDDEN_SCHEMES = frozenset(
    {
        "about", "blob", "chrome", "content", "data", "feed", "file", "filesystem", "ftp", "intent", "jar",
        "javascript", "livescript", "mailto", "mocha", "res", "vbscript", "view-source", "ws", "wss",
    }
)  # fmt: skip
"""Schemes that run what they carry, reach into the device, or lead to no page and no app: in neither form of
consent is anybody sent there."""


class InvalidDestinationError(ValueError):
    """Nobody is sent there, whatever is allowed. ``reason`` is machine-readable."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class InvalidPatternError(ValueError):
    """The text is no pattern. ``reason`` is machine-readable; ``pattern`` what was given, cut short."""

    def __init__(self, reason: str, pattern: str) -> None:
        super().__init__(f"{pattern[:60]!r} is no pattern of a domain: {reason}")
        self.reason = reason
        self.pattern = pattern[:60]


@dataclass(frozen=True, slots=True)
class Destination:
    """What a pattern is compared with: ``scheme`` and ``host`` in lower case. ``port`` is None where it is the scheme's
    own."""

    scheme: str
    host: str
    port: int | None = None

    @property
    def is_web(self) -> bool:
        """True of a web page; an app's link has a scheme of the app's own."""
        return self.scheme in _DEFAULT_PORTS


@dataclass(frozen=True, slots=True)
class DomainPattern:
    """``bank.no``, ``https://bank.no``, ``*.bank.no``, ``myapp://consent``.

    ``scheme`` None stands for http and https. ``subdomains`` matches every host below ``host``, and not that itself. A
    port is matched by that port; without one, the scheme's own is meant, or any on a loopback host, where programs take
    the port that is free (RFC 8252 §7.3). An app's scheme without a host stands for each of its links.
    """

    host: str
    scheme: str | None = None
    port: int | None = None
    subdomains: bool = False

    def matches(self, destination: Destination) -> bool:
        """True when the destination is what the pattern allows."""
        if self.scheme is None:
            if not destination.is_web:
                return False
        elif self.scheme != destination.scheme:
            return False
        if self.port != destination.port and not (self.port is None and _is_loopback(destination)):
            return False
        if self.subdomains:
            return destination.host.endswith(f".{self.host}")
        return self.host == destination.host or (not self.host and not destination.is_web)

    def __str__(self) -> str:
        scheme = f"{self.scheme}://" if self.scheme else ""
        port = f":{self.port}" if self.port else ""
        return f"{scheme}{'*.' if self.subdomains else ''}{self.host}{port}"


def matches_any(patterns: Iterable[DomainPattern], destination: Destination) -> bool:
    """True when one of the patterns allows the destination."""
    return any(pattern.matches(destination) for pattern in patterns)


def destination_of(url: str) -> Destination:
    """The scheme and the host of an absolute URL, or of an app's link.

    Raises:
        InvalidDestinationError: the URL is none, or is written so that one could be taken for another: a user name, an
            escaped or non-ASCII host (an internationalised one is written ``xn--…``), an IPv6 address, a final dot.
    """
    if len(url) > MAX_URL:
        raise InvalidDestinationError("too_long")
    if "\\" in url or not url.isprintable() or any(character.isspace() for character in url):
        raise InvalidDestinationError("unsafe_character")
    scheme, separator, rest = url.partition("://")
    if not separator or not _SCHEME.fullmatch(scheme):
        raise InvalidDestinationError(_why_not_absolute(url))
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    return _destination(scheme.lower(), authority.lower() if authority.isascii() else authority)


def parse_pattern(text: str) -> DomainPattern:
    """The pattern that is written so; letter case does not matter.

    Raises:
        InvalidPatternError: it has a path, a ``*`` anywhere but in ``*.`` before a domain, or no host to be sent to.
    """
    try:
        return _pattern(text)
    except InvalidDestinationError as error:
        raise InvalidPatternError(error.reason, text) from error


def _pattern(text: str) -> DomainPattern:
    if len(text) > MAX_PATTERN:
        raise InvalidDestinationError("too_long")
    if not text.isascii():
        raise InvalidDestinationError("not_ascii")
    if "\\" in text or not text.isprintable() or " " in text:
        raise InvalidDestinationError("unsafe_character")
    head, separator, tail = text.lower().partition("://")
    scheme, authority = (head, tail) if separator else (None, head)
    if scheme is not None and not _SCHEME.fullmatch(scheme):
        raise InvalidDestinationError("bad_scheme")
    if re.search(r"[/?#]", authority):
        raise InvalidDestinationError("has_path")
    subdomains, host = authority.startswith("*."), authority.removeprefix("*.")
    if "*" in host:
        raise InvalidDestinationError("misplaced_wildcard")
    found = _destination(scheme or "https", host)
    if subdomains and (not found.is_web or "." not in found.host or _is_address(found.host)):
        raise InvalidDestinationError("wildcard_too_wide")
    return DomainPattern(found.host, scheme, found.port, subdomains)


def _why_not_absolute(url: str) -> str:
    scheme = url.partition(":")[0].lower()
    return "forbidden_scheme" if ":" in url and scheme in FORBIDDEN_SCHEMES else "not_absolute"


def _destination(scheme: str, authority: str) -> Destination:
    """What ``authority``, in lower case, comes to."""
    if scheme in FORBIDDEN_SCHEMES:
        raise InvalidDestinationError("forbidden_scheme")
    if "@" in authority:
        raise InvalidDestinationError("user_information")
    if "%" in authority:
        raise InvalidDestinationError("escaped_host")
    if "[" in authority or "]" in authority:
        raise InvalidDestinationError("ipv6_address")
    if not authority.isascii():
        raise InvalidDestinationError("not_ascii")
    if scheme not in _DEFAULT_PORTS:
        if not _APP_HOST.fullmatch(authority):
            raise InvalidDestinationError("bad_host")
        return Destination(scheme, authority)
    host, separator, digits = authority.partition(":")
    return Destination(scheme, _web_host(host), _port(scheme, digits) if separator else None)


def _port(scheme: str, digits: str) -> int | None:
    if not _PORT.fullmatch(digits) or int(digits) > 65_535:
        raise InvalidDestinationError("bad_port")
    return None if int(digits) == _DEFAULT_PORTS[scheme] else int(digits)


def _web_host(host: str) -> str:
    if host.endswith("."):
        raise InvalidDestinationError("dot_at_the_end")
    labels = host.split(".")
    if len(host) > _LONGEST_HOST or not all(map(_LABEL.fullmatch, labels)):
        raise InvalidDestinationError("bad_host")
    if _LOOKS_NUMERIC.fullmatch(labels[-1]) and not _is_address(host):
        raise InvalidDestinationError("bad_address")  # browsers read 2130706433 and 0x7f.1 as addresses
    return host


def _is_loopback(destination: Destination) -> bool:
    """True for what leads no further than the machine that the browser is on."""
    host = destination.host
    if not destination.is_web:
        return False
    return host == "localhost" or host.endswith(".localhost") or (_is_address(host) and IPv4Address(host).is_loopback)


def _is_address(host: str) -> bool:
    try:
        return str(IPv4Address(host)) == host
    except AddressValueError:
        return False
