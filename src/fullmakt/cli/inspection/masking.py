"""What may be shown of things from outside: no private key, no person's number, nothing that moves a cursor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fullmakt.cli.terminal import printable
from fullmakt.infra.telemetry import redact
from fullmakt.jose.keys import PRIVATE_MEMBERS

_LONGEST = 2_000
_MOST = 100
_SHORTENED = frozenset({"x5c", "n", "x", "y", "signature"})
_HIDDEN = "[private key]"


def masked(value: Any) -> Any:
    """``value`` (JSON) fit to be shown: eleven digits, tokens and private keys taken out, long lists and texts cut."""
    if isinstance(value, str):
        return redact(printable(value[:_LONGEST]))
    if isinstance(value, bool) or value is None or isinstance(value, float):
        return value
    if isinstance(value, int):
        if abs(value) >= 10**20:
            return "[a number of more than twenty digits]"
        text = redact(str(value))
        return value if text == str(value) else text
    if isinstance(value, Mapping):
        # Whatever has a key type is a key, wherever it stands; what else it calls "d" or "k" may be shown.
        private = PRIVATE_MEMBERS if "kty" in value else frozenset[str]()
        members = list(value.items())[:_MOST]
        return {str(masked(str(name))): _HIDDEN if name in private else _member(name, each) for name, each in members}
    if isinstance(value, list | tuple | set | frozenset):
        return [masked(each) for each in list(value)[:_MOST]]
    return masked(str(value))


def _member(name: object, value: Any) -> Any:
    if name == "x5c" and isinstance(value, list):
        return f"[{len(value)} certificates]" if len(value) != 1 else "[1 certificate]"
    if name in _SHORTENED and isinstance(value, str) and len(value) > 24:
        return f"{masked(value[:16])}…"
    return masked(value)
