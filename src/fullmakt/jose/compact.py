"""The compact serialization of a JWS, taken apart but not yet believed (RFC 7515 §3.1, §7.1)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from fullmakt.jose.strict_json import StrictJsonError, loads_object

MAX_JWT_BYTES = 64 * 1024
"""Room for a certificate chain in the header (maskinporten.md §1.5: allow at least 64 KiB)."""

_SHORT = 200
"""A header without certificates: its parsed form is remembered."""

_TO_BASE64 = bytes.maketrans(b"-_+/=", b"+/!!!")
"""base64url's letters into base64's, and what base64url does not have into what no decoder takes."""


class MalformedJwtError(ValueError):
    """The text is not a compact JWS of JSON objects. The message says why and never repeats the token."""


class UnverifiedJws(NamedTuple):
    """A JWS that parses. Nothing in it is to be believed until a key has verified it."""

    unverified_header: Mapping[str, Any]
    unverified_payload: dict[str, Any]
    signing_input: bytes
    signature: bytes
    header_segment: bytes
    """The header as it came, a key for caches of what was worked out from it."""


def b64url_decode(segment: bytes) -> bytes:
    """Decode base64url without padding (RFC 7515 §2).

    Raises:
        MalformedJwtError: a character outside the alphabet, or an impossible length.
    """
    try:
        return binascii.a2b_base64(segment.translate(_TO_BASE64) + b"=" * (-len(segment) % 4), strict_mode=True)
    except binascii.Error as error:
        raise MalformedJwtError("a part is not base64url without padding") from error


def b64url_encode(data: bytes) -> bytes:
    """Encode as base64url without padding (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _header(segment: bytes) -> Mapping[str, Any]:
    return _short_header(segment) if len(segment) <= _SHORT else loads_object(b64url_decode(segment))


@lru_cache(maxsize=4096)
def _short_header(segment: bytes) -> Mapping[str, Any]:
    """A client's header is the same from grant to grant, and so is an issuer's from token to token."""
    return loads_object(b64url_decode(segment))


def parse_compact(token: str | bytes) -> UnverifiedJws:
    """Take a compact JWS apart.

    Raises:
        MalformedJwtError: longer than ``MAX_JWT_BYTES``, not three base64url parts, or header or payload is not a
            strict JSON object.
    """
    try:
        raw = token.encode("ascii") if isinstance(token, str) else token
    except UnicodeEncodeError as error:
        raise MalformedJwtError("a JWT is ASCII") from error
    if len(raw) > MAX_JWT_BYTES:
        raise MalformedJwtError(f"a JWT is at most {MAX_JWT_BYTES} bytes")
    parts = raw.split(b".")
    if len(parts) != 3:
        raise MalformedJwtError(f"a compact JWS has three parts, not {len(parts)}")
    header_segment, payload_segment, signature_segment = parts
    try:
        header = _header(header_segment)
        payload = loads_object(b64url_decode(payload_segment))
    except StrictJsonError as error:
        raise MalformedJwtError(f"header or payload: {error}") from error
    return UnverifiedJws(
        unverified_header=header,
        unverified_payload=payload,
        signing_input=raw[: len(header_segment) + 1 + len(payload_segment)],
        signature=b64url_decode(signature_segment),
        header_segment=header_segment,
    )
