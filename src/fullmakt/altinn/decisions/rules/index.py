"""Finds the rules that can apply by the strings they name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from fullmakt.altinn.decisions.model import AttributeSet, Key, Question
from fullmakt.altinn.decisions.rules.functions import EXACT
from fullmakt.altinn.decisions.rules.rule import CompiledRule, can_err, matches_of
from fullmakt.altinn.decisions.rules.targets import Blocks, Matched, match_blocks
from fullmakt.wire.altinn.attributes import ACTION_CATEGORY, RESOURCE_CATEGORY, SUBJECT_CATEGORY
from fullmakt.wire.altinn.policy import AllOf, Match
from fullmakt.wire.altinn.xacml_names import STRING, STRING_EQUAL_IGNORE_CASE

_MAX_PLACES = 4_096
"""Places in the index that one rule may take; beyond it the rule is found by fewer of its strings."""

Anchor = Key | None
"""A string that a rule can be found by; None: it must always be looked at."""


class Entry(NamedTuple):
    """A rule at a place of the index. ``settled``: being found there is the whole comparison."""

    rule: CompiledRule
    settled: bool


class Bucket:
    """The rules of one resource and action, by what they ask of the subject."""

    __slots__ = ("_asking", "_by_subject", "_certain", "_subjects")

    def __init__(self) -> None:
        self._by_subject: dict[Anchor, list[Entry]] = {}
        self._subjects: frozenset[Key] = frozenset()
        self._certain = False
        self._asking: dict[tuple[Blocks | None, Blocks | None], None] = {}

    def add(self, rule: CompiledRule, anchor: Anchor, *, certain: bool, settled: bool) -> None:
        """Put a rule here; ``certain``: whoever finds this bucket asks for its resource and action."""
        self._by_subject.setdefault(anchor, []).append(Entry(rule, settled))
        if certain:
            self._certain = True
        else:
            self._asking[(rule.resource, rule.action)] = None

    def seal(self) -> None:
        """Make ready for look-ups, when all rules are there."""
        self._subjects = frozenset(key for key in self._by_subject if key is not None)

    def entries(self, subjects: Sequence[AttributeSet]) -> list[Entry]:
        """The rules that this subject can meet."""
        found = list(self._by_subject.get(None, ()))
        for attributes in subjects:
            for key in self._subjects & attributes.keys:  # takes as long as the smaller of the two
                found += self._by_subject[key]
        return found

    def asked_for(self, question: Question) -> bool:
        """Whether some rule here is for the question's resource and action, whoever may."""
        return self._certain or any(
            match_blocks(question, resource) is Matched.YES and match_blocks(question, action) is Matched.YES
            for resource, action in self._asking
        )


class RuleIndex:
    """All rules of a policy by resource, action and subject."""

    def __init__(self, rules: Sequence[CompiledRule]) -> None:
        self._frequency = Counter(key for rule in rules for key in _every_key(rule))
        self._buckets: dict[Anchor, dict[Anchor, Bucket]] = {}
        for rule in rules:
            self._place(rule)
        self._resources = frozenset(key for key in self._buckets if key is not None)
        for row in self._buckets.values():
            for bucket in row.values():
                bucket.seal()

    def buckets(self, question: Question) -> list[Bucket]:
        """Where the rules for a question's resource and action lie."""
        rows = [self._buckets[None]] if None in self._buckets else []
        for attributes in question.categories.get(RESOURCE_CATEGORY, ()):
            rows += [self._buckets[key] for key in self._resources & attributes.keys]
        actions: list[Anchor] = [None]
        for attributes in question.categories.get(ACTION_CATEGORY, ()):
            actions += attributes.keys
        return [bucket for row in rows for action in actions if (bucket := row.get(action)) is not None]

    def _place(self, rule: CompiledRule) -> None:
        resources, actions = self._anchors(rule.resource), self._anchors(rule.action)
        subjects = self._subject_anchors(rule)
        if len(resources) * len(actions) * len(subjects) > _MAX_PLACES:
            subjects = {None: False}
        if len(resources) * len(actions) > _MAX_PLACES:
            actions = {None: False}
        plain = rule.condition is None and all(category == SUBJECT_CATEGORY for category, _ in rule.others)
        for resource, resource_settled in resources.items():
            row = self._buckets.setdefault(resource, {})
            for action, action_settled in actions.items():
                bucket = row.setdefault(action, Bucket())
                certain = resource_settled and action_settled
                for subject, subject_settled in subjects.items():
                    settled = certain and subject_settled and plain
                    bucket.add(rule, subject, certain=certain, settled=settled)

    def _anchors(self, blocks: Blocks | None) -> dict[Anchor, bool]:
        """What a rule is found by in one category, each with whether that alone meets the category."""
        if not blocks:
            return {None: True}
        found: dict[Anchor, bool] = {}
        for all_of in blocks[0]:
            key = self._rarest(all_of)
            found[key] = found.get(key, False) or (len(all_of) == 1 and len(blocks) == 1 and key is not None)
        return found

    def _subject_anchors(self, rule: CompiledRule) -> dict[Anchor, bool]:
        others = dict(rule.others)
        if any(match.must_be_present or can_err(match) for blocks in others.values() for match in matches_of(blocks)):
            return {None: False}  # whether it is met or not, the rule may come to something
        return self._anchors(others.get(SUBJECT_CATEGORY))

    def _rarest(self, all_of: AllOf) -> Anchor:
        keys = [key for key in map(key_of, all_of) if key is not None]
        return min(keys, key=self._frequency.__getitem__, default=None)


def key_of(match: Match) -> Anchor:
    """The string that a match is found by, None when it is met by more than one, or never."""
    if match.data_type != STRING or match.designated_type != STRING:
        return None
    if match.function in EXACT:
        return (match.attribute_id, match.value, False)
    if match.function == STRING_EQUAL_IGNORE_CASE:
        return (match.attribute_id, match.value.lower(), True)
    return None


def _every_key(rule: CompiledRule) -> Iterator[Key]:
    parts: Iterable[Blocks | None] = (rule.resource, rule.action, *(blocks for _, blocks in rule.others))
    for blocks in parts:
        for match in matches_of(blocks):
            key = key_of(match)
            if key is not None:
                yield key
