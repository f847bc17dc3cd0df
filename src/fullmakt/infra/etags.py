"""ETags in the headers of a request (RFC 9110 §8.8.3, §13.1.1, §13.1.2)."""

from __future__ import annotations

import re

from starlette.datastructures import Headers

from fullmakt.wire.altinn.problems import BindingError

ANY = "*"
"""What stands where any version will do. No tag looks like it."""

_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_TAGS = re.compile(rf"[\s,]*+{_TAG}(?:\s*+,[\s,]*+{_TAG})*+[\s,]*+")
_EACH = re.compile(_TAG)


def tags_in(headers: Headers, name: str) -> tuple[str, ...]:
    """The tags of ``If-Match`` or ``If-None-Match`` as they stand, quotes and ``W/`` and all; ``ANY`` alone for ``*``.

    Nothing when the header is not there, or empty.

    Raises:
        BindingError: the header can not be read.
    """
    value = ", ".join(headers.getlist(name)).strip()
    if value in {"", ANY}:
        return (value,) if value else ()
    if not _TAGS.fullmatch(value):
        raise BindingError({"conditions": [f"Invalid {name} header."]})
    return tuple(_EACH.findall(value))
