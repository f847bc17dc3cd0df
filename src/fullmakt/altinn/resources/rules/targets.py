"""What a rule's target comes to for each category of attributes (altinn-authorization.md §8).

An ``AllOf`` may mix categories, and each category looks at its own matches only; and one alternative is enough for a
category, also where its alternatives stand in several ``AnyOf``. So a target is, for each category, a list of
alternatives: this is how Altinn decides, and what is read out of a policy must agree with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod

from fullmakt.wire.altinn.attributes import ACTION_CATEGORY, RESOURCE_CATEGORY, SUBJECT_CATEGORY
from fullmakt.wire.altinn.policy import Match, Rule, Target

Alternative = tuple[Match, ...]
"""Matches of one category that must hold together; empty where the target says nothing of the category."""

ByCategory = Mapping[str, tuple[Alternative, ...]]
"""The alternatives of a rule by category."""

DECIDING = (SUBJECT_CATEGORY, RESOURCE_CATEGORY, ACTION_CATEGORY)


def matches(target: Target) -> Iterator[Match]:
    """Every match in the target."""
    return (match for any_of in target for all_of in any_of for match in all_of)


def alternatives(rule: Rule) -> ByCategory:
    """The alternatives by category, each once, in their order; only categories that the target mentions."""
    found: dict[str, dict[Alternative, None]] = {}
    for any_of in rule.target:
        for all_of in any_of:
            by_category: dict[str, list[Match]] = {}
            for match in all_of:
                by_category.setdefault(match.category, []).append(match)
            for category, together in by_category.items():
                found.setdefault(category, {})[tuple(together)] = None
    return {category: tuple(kept) for category, kept in found.items()}


def combinations(by_category: ByCategory) -> int:
    """How many combinations of one alternative a category there are."""
    return prod(len(kept) for kept in by_category.values())
