"""JSON as a security token may hold it: one object, no name twice, no NaN, text that UTF-8 can carry.

Sources: RFC 7515 §5.2 (duplicate names), RFC 8259 §8.1 (encoding), RFC 7493 (I-JSON).
"""

from __future__ import annotations

import json
from typing import Any, NoReturn


class StrictJsonError(ValueError):
    """The bytes are not one strict JSON object."""


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise StrictJsonError("a member name stands twice")
    return members


def _no_constant(name: str) -> NoReturn:
    raise StrictJsonError(f"{name} is not JSON")


_decode = json.JSONDecoder(object_pairs_hook=_unique_names, parse_constant=_no_constant).decode


def loads_object(data: bytes) -> dict[str, Any]:
    """Read one JSON object.

    Deep nesting is refused by the interpreter's own recursion limit; the caller bounds the length.

    Raises:
        StrictJsonError: not UTF-8, not JSON, not an object, a name twice, NaN or Infinity, nested too deep, a number
            of thousands of digits, or a lone surrogate.
    """
    try:
        value = _decode(data.decode())
        if b"\\u" in data:
            json.dumps(value, ensure_ascii=False).encode()  # raises on a lone surrogate: no UTF-8 can carry it on
    except StrictJsonError:
        raise
    except (ValueError, RecursionError) as error:
        raise StrictJsonError(type(error).__name__) from error
    if not isinstance(value, dict):
        raise StrictJsonError("not a JSON object")
    return value
