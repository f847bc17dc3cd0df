"""What was found out about a thing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from fullmakt.cli.inspection.masking import masked
from fullmakt.maskinporten.tokens.model import Refusal


class Outcome(StrEnum):
    """How a check went."""

    PASSED = "passed"
    FAILED = "failed"
    UNCHECKED = "unchecked"


class Verdict(StrEnum):
    """What the checks come to."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNDECIDED = "undecided"
    """Nothing was found to be wrong, and not all could be checked."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what about, how it went, and in words.

    ``code`` and ``reason`` are those of the refusal that it leads to, ``facts`` what was compared, ``remedy`` what to
    do; names in texts stand between backticks.
    """

    check: str
    outcome: Outcome
    text: str
    code: str | None = None
    reason: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    remedy: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """A thing: what ``kind`` it is, what it says (``content``, masked), what was found, and what it consists of."""

    kind: str
    title: str
    content: Mapping[str, Any]
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    parts: tuple[Report, ...] = ()

    @property
    def verdict(self) -> Verdict | None:
        """None for a thing that nobody accepts or refuses."""
        outcomes = {finding.outcome for finding in self.findings}
        if Outcome.FAILED in outcomes:
            return Verdict.REFUSED
        if Outcome.UNCHECKED in outcomes:
            return Verdict.UNDECIDED
        return Verdict.ACCEPTED if outcomes else None

    def document(self) -> dict[str, Any]:
        """The report as JSON has it."""
        return {
            "kind": self.kind,
            "title": self.title,
            "verdict": self.verdict,
            "content": dict(self.content),
            "findings": [_finding_document(finding) for finding in self.findings],
            "notes": list(self.notes),
            "parts": [part.document() for part in self.parts],
        }


def _finding_document(finding: Finding) -> dict[str, Any]:
    return {
        "check": finding.check,
        "outcome": finding.outcome,
        "text": finding.text,
        "code": finding.code,
        "reason": finding.reason,
        "facts": dict(finding.facts),
        "remedy": finding.remedy,
    }


def passed(check: str, text: str) -> Finding:
    """The check found nothing wrong."""
    return Finding(check, Outcome.PASSED, str(masked(text)))


def unchecked(check: str, text: str) -> Finding:
    """The check could not be made; ``text`` says why."""
    return Finding(check, Outcome.UNCHECKED, str(masked(text)))


def failed(check: str, text: str, *, reason: str | None = None) -> Finding:
    """The check found something wrong for which the token server has no refusal."""
    return Finding(check, Outcome.FAILED, str(masked(text)), reason=reason)


_IN_TEXT = frozenset({"where", "problem", "detail"})
_SAYS_INSPECT = frozenset({"malformed_assertion", "invalid_certificate"})
"""Refusals whose remedy is to do what is being done."""


def refused(check: str, refusal: Refusal) -> Finding:
    """The check found what the token server would refuse in this way."""
    entry, facts = refusal.entry, refusal.facts
    text = entry.cause
    if "where" in facts:
        text = f"`{facts['where']}`: {facts['problem']}"
    elif "detail" in facts or "problem" in facts:
        text = str(facts.get("detail") or facts["problem"])
    return Finding(
        check,
        Outcome.FAILED,
        str(masked(text)),
        code=entry.code,
        reason=refusal.reason,
        facts={name: masked(value) for name, value in facts.items() if name not in _IN_TEXT},
        remedy=None if refusal.reason in _SAYS_INSPECT else entry.remedy,
    )
