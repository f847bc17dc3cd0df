"""What came of taking consents over: counted, and each that was not taken with the reason."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from rich.text import Text

from fullmakt.cli.rights.reasons import Meaning, meaning_of
from fullmakt.cli.terminal import console, printable, prose
from fullmakt.kernel.declarations import Outcome

_DONE = {
    Outcome.CREATED: "brought in",
    Outcome.CHANGED: "taken over",
    Outcome.UNCHANGED: "there already",
}
_TO_BE_DONE = {**_DONE, Outcome.CREATED: "to bring in", Outcome.CHANGED: "to take over"}
_MOST = 20
"""Consents that are told of one by one, for each reason; JSON has them all."""


def meaning(reason: str) -> Meaning:
    """What a reason means in words."""
    return meaning_of("consents", reason) or Meaning(reason)


@dataclass(frozen=True, slots=True)
class NotTaken:
    """One that was not taken. ``record`` is its number in the file, from 1."""

    reason: str
    consent_id: UUID | None = None
    record: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """JSON."""
        told = {} if self.record is None else {"record": self.record}
        consent_id = None if self.consent_id is None else str(self.consent_id)
        words = meaning(self.reason).document()
        return {**told, "id": consent_id, "reason": self.reason, **words, "facts": dict(self.facts)}

    def __str__(self) -> str:
        place = f"record {self.record}, " if self.record is not None else ""
        facts = ", ".join(f"{name}: {value}" for name, value in self.facts.items() if name not in {"why", "status"})
        return printable(f"{place}{self.consent_id or 'no id'}{f' ({facts})' if facts else ''}")


@dataclass
class Report:
    """``left`` counts those that nobody asked for one by one, by the reason for which they are not taken over."""

    dry_run: bool
    counts: Counter[Outcome] = field(default_factory=Counter)
    not_taken: list[NotTaken] = field(default_factory=list)
    left: Mapping[str, int] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """JSON."""
        return {
            "dry_run": self.dry_run,
            "counts": {str(outcome): self.counts[outcome] for outcome in Outcome},
            "not_taken": [one.document() for one in self.not_taken],
            "left": dict(self.left),
        }

    def print(self, *, as_json: bool) -> None:
        """To standard output."""
        if as_json:
            print(json.dumps(self.document(), indent=2, ensure_ascii=False))
            return
        out, words = console(), _TO_BE_DONE if self.dry_run else _DONE
        told = [f"{self.counts[outcome]} {words[outcome]}" for outcome in Outcome if self.counts[outcome]]
        if told or not self.not_taken:
            out.print(Text("✓ ", "green"), Text(", ".join(told) or "nothing to take over"), sep="")
        for reason in dict.fromkeys(one.reason for one in self.not_taken):
            these = [one for one in self.not_taken if one.reason == reason]
            out.print(Text("✗ ", "red"), Text(f"{len(these)} not taken: {reason}", "bold"), sep="")
            out.print(Text("  "), prose(meaning(reason).words), sep="")
            for one in these[:_MOST]:
                out.print(Text(f"  {one}", "dim"))
            if len(these) > _MOST:
                out.print(Text(f"  and {len(these) - _MOST} more; --json has them all", "dim"))
            if meaning(reason).remedy:
                out.print(Text("  → ", "green"), prose(meaning(reason).remedy), sep="")
        for reason, how_many in self.left.items():
            out.print(Text(f"  {how_many} left in Altinn 2's form alone ({reason}): {meaning(reason).words}", "dim"))
