"""Values that go out to a client and come back: places in a list, versions. The client reads nothing into them, and may
send back anything."""

from __future__ import annotations

from typing import Any

import orjson

from fullmakt.jose.compact import b64url_decode, b64url_encode
from fullmakt.jose.strict_json import loads

MAX_LENGTH = 32_768
"""Characters: what is longer fits no request line."""


def opaque(value: object) -> str:
    """base64url, without padding, of the value as JSON (altinn-resource-registry.md §12, §13)."""
    return b64url_encode(orjson.dumps(value)).decode()


def unwrapped(text: str) -> Any:
    """The value in an opaque one. It is JSON, and need not be of ours: match its shape.

    Raises:
        ValueError: it is none. The message repeats nothing of the text.
    """
    if len(text) > MAX_LENGTH or not text.isascii():
        raise ValueError("not an opaque value")
    return loads(b64url_decode(text.encode()))
