"""URLs and numbers as they are checked, masked and added to. Pure (consent.md §2.2, §2.6, §4.4, §4.8)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import SplitResult, quote, urlencode, urlsplit

from fullmakt.altinn.consents.srr.domains import FORBIDDEN_SCHEMES
from fullmakt.kernel.text import is_line

MAX_URL = 2_048
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*", re.ASCII)
_WEB = frozenset({"http", "https"})


def redirect_parts(url: str) -> SplitResult | None:
    """The parts of a URL that a browser may be sent to; None when it may not be.

    It has to be absolute (RFC 3986 §4.3): http or https with a host and without user info, or the scheme of an app.
    What ``FORBIDDEN_SCHEMES`` has is no app's. What browsers read otherwise than RFC 3986 (backslashes, white space,
    control characters) is refused.
    """
    if not url or len(url) > MAX_URL or not is_line(url) or any(c.isspace() or c == "\\" for c in url):
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port  # a port that is none
    except ValueError:
        return None
    scheme = parts.scheme.lower()
    if not _SCHEME.fullmatch(scheme) or scheme in FORBIDDEN_SCHEMES:
        return None
    if scheme in _WEB and (not parts.hostname or "@" in parts.netloc):
        return None
    return parts if len(url) > len(scheme) + 1 else None


def is_web(url: str) -> bool:
    """True of such a URL whose scheme is http or https."""
    parts = redirect_parts(url)
    return parts is not None and parts.scheme.lower() in _WEB


def with_members(url: str, members: Mapping[str, str]) -> str:
    """``url`` with form-encoded members more (§4.8)."""
    return with_query(url, urlencode(members))


def with_query(url: str, query: str) -> str:
    """``url`` with an encoded query more: after ``?`` or ``&``, and inside the fragment where that is a route
    (``…/#/route``)."""
    before, mark, fragment = url.partition("#")
    if mark and fragment.startswith(("/", "!/")):
        return f"{before}#{_added(fragment, query)}"
    return f"{_added(before, query)}{mark}{fragment}"


def _added(url: str, query: str) -> str:
    if "?" not in url:
        return f"{url}?{query}"
    return f"{url}{query}" if url.endswith(("?", "&")) else f"{url}&{query}"


def encoded_twice(text: str) -> str:
    """Percent-encoded, and that percent-encoded again, as Altinn 2 does with error messages (§2.6)."""
    return quote(quote(text, safe=""), safe="")


def masked(number: str) -> str:
    """A national identity number as it is shown to others: six digits, and five stars (§2.2)."""
    return f"{number[:6]}*****" if len(number) == 11 else number
