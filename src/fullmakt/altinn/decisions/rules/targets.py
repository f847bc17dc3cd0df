"""Whether a target asks for what is asked, one category at a time (altinn-authorization.md §8)."""

from __future__ import annotations

from enum import Enum

from fullmakt.altinn.decisions.model import Question
from fullmakt.altinn.decisions.rules.functions import IncomparableError, compare
from fullmakt.wire.altinn.policy import AllOf, Match, Target

Block = tuple[AllOf, ...]
"""Alternatives, each reduced to the matches of one category; one of them is enough."""
Blocks = tuple[Block, ...]
"""All of them must hold. Altinn's rule makes one block of all that a target says about a category."""


class Matched(Enum):
    """What comes of comparing."""

    YES = "yes"
    NO = "no"
    MISSING = "missing"
    """An attribute that must be present is not."""
    ERROR = "error"
    """A function that nobody knows, or that can not take what it was given."""


def by_category(target: Target, *, strict: bool) -> dict[str, Blocks]:
    """A target, taken apart. ``strict``: every AnyOf must be met, as XACML 3.0 §7.6 has it, instead of any of them."""
    blocks: dict[str, list[Block]] = {}
    for any_of in target:
        alternatives: dict[str, list[AllOf]] = {}
        for all_of in any_of:
            for category in dict.fromkeys(match.category for match in all_of):
                part = tuple([match for match in all_of if match.category == category])
                alternatives.setdefault(category, []).append(part)
        for category, parts in alternatives.items():
            blocks.setdefault(category, []).append(tuple(parts))
    if strict:
        return {category: tuple(parts) for category, parts in blocks.items()}
    return {
        category: (tuple(dict.fromkeys(part for block in parts for part in block)),)
        for category, parts in blocks.items()
    }


def match_blocks(question: Question, blocks: Blocks | None) -> Matched:
    """What a category of a target comes to; None, a category that the target never mentions, matches anything."""
    if not blocks:
        return Matched.YES
    if len(blocks) == 1:
        return _match_block(question, blocks[0])
    results = {_match_block(question, block) for block in blocks}
    for result in (Matched.NO, Matched.ERROR, Matched.MISSING):
        if result in results:
            return result
    return Matched.YES


def _match_block(question: Question, block: Block) -> Matched:
    worst = Matched.NO
    for all_of in block:
        result = _match_all_of(question, all_of)
        if result is Matched.YES:
            return result
        if result is Matched.ERROR or worst is Matched.NO:
            worst = result
    return worst


def _match_all_of(question: Question, all_of: AllOf) -> Matched:
    worst = Matched.YES
    for match in all_of:
        result = match_one(question, match)
        if result is Matched.ERROR:
            return result
        if result is Matched.MISSING or worst is Matched.YES:
            worst = result
    return worst


def match_one(question: Question, match: Match) -> Matched:
    """Whether some value of the attribute meets the match; types must be the same (§8)."""
    found = False
    error = False
    comparable = match.data_type == match.designated_type
    for attributes in question.categories.get(match.category, ()):
        for value, data_type in attributes.by_id.get(match.attribute_id, ()):
            found = True
            if not comparable or data_type != match.data_type:
                continue
            try:
                if compare(match.function, match.value, value):
                    return Matched.YES
            except IncomparableError:
                error = True
    if error:
        return Matched.ERROR
    return Matched.MISSING if match.must_be_present and not found else Matched.NO
