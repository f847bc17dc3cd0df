"""W3C Trace Context: the id that ties a request to its log lines, its audit event and its error text.

Source: https://www.w3.org/TR/trace-context/ §3.2; maskinporten.md §6.1 (``trace_id`` in ``error_description``).
"""

from __future__ import annotations

import os
import random
import re
from typing import NamedTuple, Self

_source = random.Random()  # noqa: S311 - unique, and no secret: the system's own randomness costs ten times as much
os.register_at_fork(after_in_child=_source.seed)
# Not the common one, which anybody may seed, as property tests do: the ids would come again.
_draw = _source.getrandbits
_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)


class Trace(NamedTuple):
    """One hop of a trace: ``trace_id`` (32 hex digits, the same on every hop) and this hop's own ``span_id`` (16)."""

    trace_id: str
    span_id: str
    flags: str = "01"

    @classmethod
    def start(cls) -> Self:
        """Begin a new trace."""
        ids = f"{_draw(192):048x}"
        return cls(ids[:32], ids[32:])

    @classmethod
    def continue_from(cls, traceparent: str | None) -> Self:
        """Go on from a caller's ``traceparent`` with a span of our own; begin anew when it is absent or malformed."""
        if not traceparent or len(traceparent) > 512:
            return cls.start()
        match = _TRACEPARENT.fullmatch(traceparent)
        if match is None:
            return cls.start()
        version, trace_id, parent_id, flags, more = match.groups()
        if version == "ff" or (version == "00" and more) or trace_id == "0" * 32 or parent_id == "0" * 16:
            return cls.start()
        return cls(trace_id, f"{_draw(64):016x}", flags)

    @property
    def traceparent(self) -> str:
        """The header to send to the next hop."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"
