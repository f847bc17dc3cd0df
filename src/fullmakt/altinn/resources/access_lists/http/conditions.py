"""ETags, and the headers that make a request depend on them (§12, RFC 9110 §13.1)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

import orjson
from starlette.datastructures import Headers

from fullmakt.altinn.resources.access_lists.model import AccessList, Conditions, Tags
from fullmakt.jose.strict_json import StrictJsonError, loads_object
from fullmakt.wire.altinn.problems import BindingError

_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_TAGS = re.compile(rf"[\s,]*+{_TAG}(?:\s*+,[\s,]*+{_TAG})*+[\s,]*+")
_WEAK = re.compile(r'W/"([^"]*)"|"[^"]*"')
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")
_VERSION = re.compile(r"[0-9]{1,19}", re.ASCII)


def opaque(value: object) -> str:
    """A value that goes to the client and comes back: base64url, without padding, of JSON."""
    return base64.urlsafe_b64encode(orjson.dumps(value)).rstrip(b"=").decode()


def unwrapped(text: str) -> bytes:
    """The JSON in an opaque value.

    Raises:
        ValueError: it is none.
    """
    if not _BASE64URL.fullmatch(text):
        raise ValueError("not base64url")
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise ValueError("not base64url") from error


def validators(of: AccessList) -> dict[str, str]:
    """The headers that tell a client which version it has."""
    return {
        "ETag": f'W/"{opaque({"version": str(of.version)})}"',
        "Last-Modified": format_datetime(of.updated.astimezone(UTC), usegmt=True),
    }


def read_conditions(headers: Headers) -> Conditions:
    """What the request's headers ask of the list. Of dates that can not be read, no notice is taken (RFC 9110 §13.1.3).

    Raises:
        BindingError: a header of ETags can not be read.
    """
    match, none_match = _tags(headers, "If-Match"), _tags(headers, "If-None-Match")
    if match is not None or none_match is not None:
        return Conditions(match, none_match)
    return Conditions(
        modified_since=_date(headers.getlist("If-Modified-Since")),
        unmodified_since=_date(headers.getlist("If-Unmodified-Since")),
    )


def _tags(headers: Headers, name: str) -> Tags | None:
    value = ", ".join(headers.getlist(name)).strip()
    if not value:
        return None
    if value == "*":
        return Tags(None)
    if not _TAGS.fullmatch(value):
        raise BindingError({"conditions": [f"Invalid {name} header."]})
    # A strong tag is none of ours, and matches nothing.
    return Tags(frozenset(_version(weak[1], name) for weak in _WEAK.finditer(value) if weak[1] is not None))


def _version(tag: str, name: str) -> int:
    try:
        version = loads_object(unwrapped(tag)).get("version")
    except (ValueError, StrictJsonError):
        version = None
    if not _VERSION.fullmatch(str(version)):
        raise BindingError({"conditions": [f"Invalid {name} header. Invalid etag."]})
    return int(str(version))


def _date(values: Sequence[str]) -> datetime | None:
    if len(values) != 1:
        return None
    try:
        date = parsedate_to_datetime(values[0])
    except (ValueError, TypeError, OverflowError):
        return None
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date
