"""What a check says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fullmakt.wire.altinn.policy import Rule

MAX_OF_A_KIND = 100
"""A policy of a hundred thousand rules with one mistake in each need not be told a hundred thousand times; the report
counts them all."""


@dataclass(frozen=True, slots=True)
class Warned:
    """One warning: ``code`` is its name for programs; ``rule_id`` and ``line`` (0: no line) tell where."""

    code: str
    message: str
    rule_id: str | None = None
    line: int = 0


@dataclass(frozen=True, slots=True)
class PolicyReport:
    """What the check of a policy said. ``warnings`` holds at most a hundred of each code, ``counts`` how many there
    were; ``combinations`` is how many rules there would be if each had one subject, one resource and one action."""

    rules: int
    combinations: int
    warnings: Sequence[Warned] = ()
    counts: Mapping[str, int] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "rules": self.rules,
            "combinations": self.combinations,
            "counts": dict(self.counts),
            "warnings": [
                {"code": one.code, "message": one.message}
                | ({} if one.rule_id is None else {"ruleId": one.rule_id})
                | ({"line": one.line} if one.line else {})
                for one in self.warnings
            ],
        }


class Findings:
    """Gathers warnings."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._warned: list[Warned] = []

    def warn(self, code: str, message: str, rule: Rule | None = None) -> None:
        """Of the policy as a whole, or of one of its rules."""
        self._counts[code] += 1
        if self._counts[code] > MAX_OF_A_KIND:
            return
        self._warned.append(
            Warned(code, message) if rule is None else Warned(code, message, rule.rule_id[:_LONGEST_NAME], rule.line)
        )

    def in_order(self) -> list[Warned]:
        """By line, and on a line as they came."""
        return sorted(self._warned, key=lambda one: one.line)

    def counts(self) -> dict[str, int]:
        """How many of each code, those included that are not told one by one."""
        return dict(self._counts)


_LONGEST_NAME = 200
