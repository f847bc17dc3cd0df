"""Finds access packages by words of their names. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher

from fullmakt.altinn.parties.metadata.model import Metadata, Package

MAX_TERM = 200
"""Characters of a search term that are read."""
_MAX_WORDS = 10
_ALIKE = 0.8
"""How alike two words are that are the same but for a slip of the pen."""
_WEIGHTS = {"name": 2.0, "area": 1.0}


@dataclass(frozen=True, slots=True)
class Found:
    """A package that was found: ``fields`` tells where (field, its text, score)."""

    package: Package
    fields: tuple[tuple[str, str, float], ...]

    @property
    def score(self) -> float:
        """How well it fits, more being better."""
        return round(sum(score for _, _, score in self.fields), 3)


def find(
    metadata: Metadata,
    term: str,
    *,
    language: str,
    party_type: str | None = None,
    strict: bool = False,
    fuzzy: bool = False,
) -> list[Found]:
    """Packages whose name, or whose area's name, has a word of ``term``; ``strict``: every word. The best come first.

    ``party_type`` keeps those for an ``Organisasjon`` or a ``Person``. ``fuzzy`` lets words be misspelled a little.
    """
    words = term[:MAX_TERM].casefold().split()[:_MAX_WORDS]
    found = []
    for group in metadata.groups:
        if party_type not in (None, group.type):
            continue
        for area in group.areas:
            for package in area.packages:
                texts = {"name": package.names.in_language(language), "area": area.names.in_language(language)}
                fields = _fields(texts, words, strict=strict, fuzzy=fuzzy)
                if fields:
                    found.append(Found(package, fields))
    return sorted(found, key=lambda one: (-one.score, one.package.name))


def _fields(
    texts: dict[str, str], words: Iterable[str], *, strict: bool, fuzzy: bool
) -> tuple[tuple[str, str, float], ...]:
    scores = dict.fromkeys(texts, 0.0)
    for word in words:
        hits = {name: _likeness(word, text.casefold(), fuzzy=fuzzy) for name, text in texts.items()}
        if strict and not any(hits.values()):
            return ()
        for name, likeness in hits.items():
            scores[name] += likeness * _WEIGHTS[name]
    return tuple((name, texts[name], score) for name, score in scores.items() if score)


def _likeness(word: str, text: str, *, fuzzy: bool) -> float:
    if word in text:
        return 1.0
    if not fuzzy:
        return 0.0
    best = max((SequenceMatcher(None, word, other).ratio() for other in text.split()), default=0.0)
    return best if best >= _ALIKE else 0.0
