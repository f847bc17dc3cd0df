"""ETags: a strong one for each version of a system (RFC 9110 §8.8.3, §13.1.1). The real service has none."""

from __future__ import annotations

import re

from starlette.datastructures import Headers

from fullmakt.altinn.systemusers.register.model import ANY_VERSION, Versions
from fullmakt.infra.etags import ANY, tags_in

_OURS = re.compile(r'"([1-9][0-9]{0,18})"', re.ASCII)


def etag(version: int) -> str:
    """The tag of a version."""
    return f'"{version}"'


def read_match(headers: Headers) -> Versions:
    """What ``If-Match`` asks of the system; any version will do where it is not there. A weak tag matches nothing.

    Raises:
        BindingError: the header can not be read.
    """
    tags = tags_in(headers, "If-Match")
    if not tags or ANY in tags:
        return ANY_VERSION
    ours = map(_OURS.fullmatch, tags)
    return Versions(frozenset(int(tag[1]) for tag in ours if tag))
