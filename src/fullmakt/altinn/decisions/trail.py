"""What the audit trail is told: of each decision, of each search, of each call that was refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson

from fullmakt.altinn.decisions.model import Decision
from fullmakt.altinn.decisions.searching import Found
from fullmakt.infra.audit import clean_text

DECISION, SEARCH, CALL = "decision:make", "decision:search", "decision:call"

_MAX_LISTED = 100
"""Values of a list that the trail holds."""

_NAME = 300
"""Characters of what the trail takes for a name."""


@dataclass(frozen=True, slots=True)
class Search:
    """A search, whatever its answer: one event tells of all the decisions in it.

    ``facts`` are what was asked, with the members of a decision's facts; ``reasons`` counts the decisions by their
    reason; ``found`` names what was found, ``looked_at`` is how many were decided about.
    """

    facts: Mapping[str, Any]
    looked_at: int
    reasons: Mapping[str, int]
    found: tuple[str, ...]

    @classmethod
    def of(cls, asked: Mapping[str, Any], found: Found) -> Search:
        """One page of a search."""
        return cls(asked, found.looked_at, found.reasons, tuple(found.permitted))

    @classmethod
    def of_actions(cls, decisions: Mapping[str, Decision], resource: str, party: UUID | None) -> Search:
        """All actions at once, for one subject, whom each decision names if it knows it."""
        named = (decision.facts["subject"] for decision in decisions.values() if "subject" in decision.facts)
        asked = {"searched": "action", "subject": next(named, None), "resource": resource, "party": party}
        reasons = Counter(str(decision.reason) for decision in decisions.values())
        permitted = tuple(action for action, decision in decisions.items() if decision)
        return cls(asked, len(decisions), reasons, permitted)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A caller was not let in to ``endpoint``, for ``reason``."""

    endpoint: str
    reason: str
    facts: Mapping[str, Any] = field(default_factory=dict)


Told = Decision | Search | Refusal


def event_of(told: Told, trace_id: str, actor: str) -> bytes:
    """The event as the trail takes it (``JournalEntry``)."""
    match told:
        case Decision():
            event = _decision(told)
        case Search():
            event = _search(told)
        case Refusal():
            event = {
                "action": CALL,
                "outcome": "deny",
                "reason": told.reason,
                "subject": _clean(told.endpoint),
                "facts": _cleaned(dict(told.facts)),
            }
    return orjson.dumps({**event, "trace_id": trace_id, "actor": _clean(actor)})


def _decision(decision: Decision) -> dict[str, Any]:
    facts = decision.facts
    return {
        "action": DECISION,
        "outcome": "permit" if decision.permitted else "deny",
        "reason": decision.reason,
        "subject": _asked(facts),
        "facts": {"decision": decision.outcome, **{name: _cleaned(value) for name, value in facts.items()}},
    }


def _search(search: Search) -> dict[str, Any]:
    return {
        "action": SEARCH,
        "outcome": "done",
        "reason": "",
        "subject": _asked(search.facts),
        "facts": {
            **{name: _cleaned(value) for name, value in search.facts.items()},
            "looked_at": search.looked_at,
            "permitted": len(search.found),
            "reasons": dict(search.reasons),
            "found": _cleaned(search.found),
        },
    }


def _asked(facts: Mapping[str, Any]) -> str:
    asked = f"{','.join(facts.get('action', ())[:5])} {facts.get('resource', '')}".strip()
    return _clean(asked[:_NAME])


@lru_cache(maxsize=8_192)
def _clean_name(text: str) -> str:
    """What one decision names, the next names too."""
    return clean_text(text)


def _clean(text: str) -> str:
    """Names are remembered; what is longer than a name is not, or callers could fill the memory with it."""
    return _clean_name(text) if len(text) <= _NAME else clean_text(text)


def _cleaned(value: Any) -> Any:
    """Facts for the trail; a UUID is nothing to clean."""
    if isinstance(value, str):
        return _clean(value)
    if isinstance(value, dict):
        return {name: _cleaned(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(one) for one in value[:_MAX_LISTED]]
    return value
