"""ETags: a strong one for each version of a system (RFC 9110 §8.8.3, §13.1.1). The real service has none."""

from __future__ import annotations

import re

from starlette.datastructures import Headers

from fullmakt.altinn.systemusers.register.model import ANY_VERSION, Versions
from fullmakt.wire.altinn.problems import BindingError

_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_TAGS = re.compile(rf"[\s,]*+{_TAG}(?:\s*+,[\s,]*+{_TAG})*+[\s,]*+")
_EACH = re.compile(_TAG)
_OURS = re.compile(r'"([1-9][0-9]{0,18})"', re.ASCII)


def etag(version: int) -> str:
    """The tag of a version."""
    return f'"{version}"'


def read_match(headers: Headers) -> Versions:
    """What ``If-Match`` asks of the system; any version will do where it is not there. A weak tag matches nothing.

    Raises:
        BindingError: the header can not be read.
    """
    value = ", ".join(headers.getlist("If-Match")).strip()
    if value in {"", "*"}:
        return ANY_VERSION
    if not _TAGS.fullmatch(value):
        raise BindingError({"conditions": ["Invalid If-Match header."]})
    ours = (_OURS.fullmatch(tag) for tag in _EACH.findall(value))
    return Versions(frozenset(int(tag[1]) for tag in ours if tag))
