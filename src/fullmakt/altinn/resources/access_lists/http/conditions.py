"""ETags, and the headers that make a request depend on them (§12, RFC 9110 §13.1)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from starlette.datastructures import Headers

from fullmakt.altinn.resources.access_lists.model import AccessList, Conditions, Tags
from fullmakt.infra.etags import ANY, tags_in
from fullmakt.infra.opaque import opaque, unwrapped
from fullmakt.wire.altinn.problems import BindingError

_WEAK = re.compile(r'W/"([^"]*)"')
_VERSION = re.compile(r"[0-9]{1,19}", re.ASCII)


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
    tags = tags_in(headers, name)
    if not tags:
        return None
    if ANY in tags:
        return Tags(None)
    # A strong tag is none of ours, and matches nothing.
    return Tags(frozenset(_version(weak[1], name) for weak in map(_WEAK.fullmatch, tags) if weak is not None))


def _version(tag: str, name: str) -> int:
    try:
        document = unwrapped(tag)
    except ValueError:
        document = None
    version = str(document.get("version")) if isinstance(document, dict) else ""
    if not _VERSION.fullmatch(version):
        raise BindingError({"conditions": [f"Invalid {name} header. Invalid etag."]})
    return int(version)


def _date(values: Sequence[str]) -> datetime | None:
    if len(values) != 1:
        return None
    try:
        date = parsedate_to_datetime(values[0])
    except (ValueError, TypeError, OverflowError):
        return None
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date
