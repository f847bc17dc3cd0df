"""The audit trail: an event for every decision and every change, in the transaction of what it tells of.

Facts never hold a token, a key, a password or a national identity number: name things by id, and mask people.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from string import ascii_letters, digits
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.infra.database import Database
from fullmakt.infra.telemetry import current_trace, redact

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LONGEST = 2_000
_WORD = ascii_letters + digits + "-_."
"""What tokens and numbers are written with."""

_INSERT = text(
    "INSERT INTO audit.event (at, system, action, outcome, reason, trace_id, actor, subject, facts) VALUES"
    " (:at, :system, :action, :outcome, :reason, :trace_id, :actor, :subject, CAST(:facts AS jsonb))"
)
_BY_TRACE = text(
    "SELECT at, system, action, outcome, reason, trace_id, actor, subject, facts FROM audit.event"
    " WHERE trace_id = :trace_id ORDER BY at, id LIMIT 1000"
)


def _trace_at_hand() -> str:
    trace = current_trace.get()
    return trace.trace_id if trace else ""


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One decision or change.

    ``action`` is ``subject:verb`` (``token:issue``, ``client:create``); ``outcome`` is ``permit``, ``deny`` or
    ``done``; ``reason`` the machine-readable name of the reason; ``actor`` who asked (client id,
    organisation, or ``operator``); ``subject`` what it concerns (client id, scope, …); ``facts`` what was compared.
    ``trace_id`` is that of the request being served, unless given.
    """

    at: datetime
    system: str
    action: str
    outcome: str
    trace_id: str = field(default_factory=_trace_at_hand)
    actor: str = ""
    subject: str = ""
    reason: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


def clean_text(text: str) -> str:
    """Text from outside, fit for the trail: no control characters, no tokens, no national identity numbers.

    What is longer than 2 000 characters is cut between two words: half a token, or half a number, could not be told for
    what it is.
    """
    if len(text) > _LONGEST:
        text = text[:_LONGEST].rstrip(_WORD) + "…"
    return redact(_CONTROL.sub(" ", text))


def clean_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts from outside, each text in them cleaned."""
    return {clean_text(name): _clean(value) for name, value in facts.items()}


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, Mapping):
        return clean_facts(value)
    if isinstance(value, list | tuple):
        return [_clean(one) for one in value[:100]]
    return value


async def record(connection: AsyncConnection, event: AuditEvent) -> None:
    """Write the event in the caller's transaction."""
    await connection.execute(
        _INSERT,
        {
            "at": event.at, "system": event.system, "action": event.action, "outcome": event.outcome,
            "reason": event.reason, "trace_id": event.trace_id, "actor": clean_text(event.actor),
            "subject": clean_text(event.subject),
            "facts": json.dumps(clean_facts(event.facts)),
        },
    )  # fmt: skip


async def refuse(
    database: Database,
    at: datetime,
    system: str,
    action: str,
    *,
    actor: str,
    subject: str,
    reason: str,
    facts: Mapping[str, Any],
) -> None:
    """Write down that somebody was refused, in a transaction of its own: there is no change for it to be part of."""
    denied = AuditEvent(at, system, action, "deny", actor=actor, subject=subject, reason=reason, facts=facts)
    async with database.transaction() as connection:
        await record(connection, denied)


async def events_of_trace(connection: AsyncConnection, trace_id: str) -> Sequence[AuditEvent]:
    """All events of one trace, oldest first (1 000 at the most)."""
    rows = (await connection.execute(_BY_TRACE, {"trace_id": trace_id})).mappings().all()
    return [AuditEvent(**row) for row in rows]
