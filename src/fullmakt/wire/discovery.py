"""Authorization server metadata, as far as clients and APIs read it: where it is, and what must be true of it.

Source: RFC 8414 §3 and §3.3; maskinporten.md §1.3, §1.6.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

OAUTH = ".well-known/oauth-authorization-server"
OPENID = ".well-known/openid-configuration"


class InvalidMetadataError(ValueError):
    """The document is not the metadata of the issuer that was asked for; the message says how it differs."""


@dataclass(frozen=True, slots=True)
class IssuerMetadata:
    """What the SDKs need of an issuer's metadata; a URL that the document leaves out is None."""

    issuer: str
    token_endpoint: str | None
    jwks_uri: str | None

    @classmethod
    def read(cls, document: Mapping[str, Any], *, issuer: str | None) -> Self:
        """Check a metadata document; ``issuer`` is who it must be from, None to trust where it was fetched.

        Raises:
            InvalidMetadataError: another issuer (RFC 8414 §3.3), no issuer, or a URL that is no URL or gives up TLS.
        """
        named = document.get("issuer")
        if not isinstance(named, str) or not _is_http(named):
            raise InvalidMetadataError("the metadata document names no issuer")
        if issuer is not None and named != issuer:
            raise InvalidMetadataError(f"the metadata document is of {named!r}, not of {issuer!r}, letter for letter")
        return cls(named, _url(document, "token_endpoint", named), _url(document, "jwks_uri", named))


def metadata_urls(issuer: str) -> tuple[str, ...]:
    """Where an issuer's metadata may be, in the order to try.

    Appended to the issuer, as Maskinporten does; inserted before its path, as RFC 8414 §3.1 has it; and OpenID
    Connect's document, which is all that Skyporten publishes.
    """
    parts = urlsplit(issuer)
    base = issuer.rstrip("/")
    path = parts.path.rstrip("/")
    inserted = f"{parts.scheme}://{parts.netloc}/{OAUTH}{path}"
    return tuple(dict.fromkeys((f"{base}/{OAUTH}", inserted, f"{base}/{OPENID}")))


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc) and url.isprintable()


def _url(document: Mapping[str, Any], name: str, issuer: str) -> str | None:
    value = document.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not _is_http(value):
        raise InvalidMetadataError(f"{name} in the metadata document is not a URL")
    if issuer.startswith("https:") and not value.startswith("https:"):
        raise InvalidMetadataError(f"{name} in the metadata document leaves TLS")
    return value
