"""JSON as a token, or an order to a registry, may hold it: one value, not too deep, no name twice, no NaN, real text.

Sources: RFC 7515 §5.2 (duplicate names), RFC 8259 §8.1 (encoding), RFC 7493 (I-JSON).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NoReturn

MAX_DEPTH = 32
"""Objects and arrays inside each other. The interpreter would stop at about a thousand, but who works on the value
later, deeper in the stack, would run into that limit where nobody expects it."""


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

    Raises:
        StrictJsonError: as ``loads``, or not an object.
    """
    value = loads(data)
    if not isinstance(value, dict):
        raise StrictJsonError("not a JSON object")
    return value


def loads(data: bytes) -> Any:
    """Read one JSON value.

    The caller bounds the length.

    Raises:
        StrictJsonError: not UTF-8, not JSON, a name twice, NaN or Infinity, nested deeper than ``MAX_DEPTH``, a number
            of thousands of digits, or a lone surrogate.
    """
    try:
        value = _decode(data.decode())
        if b"\\u" in data:
            json.dumps(value, ensure_ascii=False).encode()  # raises on a lone surrogate: no UTF-8 can carry it on
    except StrictJsonError:
        raise
    except (ValueError, RecursionError) as error:
        raise StrictJsonError(_what_is_wrong(error)) from error
    if data.count(b"{") + data.count(b"[") > MAX_DEPTH and _depth(value) > MAX_DEPTH:  # most have a few brackets
        raise StrictJsonError(f"nested deeper than {MAX_DEPTH}")
    return value


def _what_is_wrong(error: ValueError | RecursionError) -> str:
    """The fault and its place, and nothing of the text: it may be a token's."""
    match error:
        case json.JSONDecodeError():
            return f"{error.msg} (line {error.lineno}, column {error.colno})"
        case UnicodeDecodeError():
            return f"not UTF-8 (byte {error.start})"
        case UnicodeEncodeError():
            return "half a surrogate pair"
        case RecursionError():
            return f"nested deeper than {MAX_DEPTH}"
    return "a number of thousands of digits"


def _depth(value: Any) -> int:
    """How many objects and arrays lie inside each other, counted without recursion."""
    depth, level = 0, [value]
    while level:
        depth += 1
        level = [child for parent in level for child in _children(parent) if isinstance(child, dict | list)]
    return depth


def _children(container: Any) -> Iterable[Any]:
    return container.values() if isinstance(container, dict) else container
