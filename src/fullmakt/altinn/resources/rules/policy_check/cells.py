"""Rules seen as *cells*: one for each combination of an alternative for each category of attributes.

A cell covers another when it asks for no more than that one does: whatever request is in the covered cell is in the
covering one too. Cells are found by what they ask for, and what covers a cell by leaving out some of what it asks for,
so that the time is linear in the number of rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from fullmakt.altinn.resources.rules.targets import DECIDING, Alternative, ByCategory, combinations, matches
from fullmakt.wire.altinn.policy import Effect, Match, Rule
from fullmakt.wire.altinn.xacml_names import STRING_EQUAL, STRING_EQUAL_IGNORE_CASE

MAX_CELLS_OF_A_RULE = 1_000
"""A rule of more is compared with no other."""
MAX_CELLS = 500_000
"""Rules that come after as many are compared with no others."""
_MOST_WEAKENED = 4

_Wish = tuple[str, str, str, str, str]
_Part = frozenset[_Wish]
"""What a cell asks for in one category; empty: nothing."""
Cell = tuple[int, int, int, int]
"""The parts for subject, resource, action and whatever else, by number."""


class Cells:
    """The cells of ``rules``, each with its alternatives, and which of the rules cover which of them.

    A rule with a condition, or one that is Indeterminate when an attribute is missing, covers nothing.
    """

    def __init__(self, rules: Sequence[tuple[Rule, ByCategory]]) -> None:
        self._numbers: dict[_Part, int] = {}
        self._weaker: dict[int, tuple[int, ...]] = {}
        self._coverers: dict[tuple[Cell, Effect], list[int]] = {}
        self._left = MAX_CELLS
        self.of_rule = [list(self._cells(by_category)) for _, by_category in rules]
        for position, (rule, _) in enumerate(rules):
            if rule.condition is None and not any(match.must_be_present for match in matches(rule.target)):
                for cell in self.of_rule[position]:
                    found = self._coverers.setdefault((cell, rule.effect), [])
                    if len(found) < 2 and position not in found:  # the first, and one that is not the first
                        found.append(position)
        self._parts = list(self._numbers)

    def equal(self, cell: Cell, effect: Effect) -> int | None:
        """The position of the first rule of that effect with that very cell."""
        found = self._coverers.get((cell, effect))
        return found[0] if found else None

    def is_covered(self, cell: Cell, effect: Effect, *, before: int | None = None) -> bool:
        """True when a rule of that effect covers the cell; one of those that stand ``before`` it, if that is given."""
        found = (self._coverers.get((one, effect)) for one in self._covering(cell))
        return any(positions is not None and (before is None or positions[0] < before) for positions in found)

    def is_repeated(self, cell: Cell, effect: Effect, position: int) -> bool:
        """True when a rule other than the one at ``position`` says the same, earlier, or says more, anywhere."""
        for one in self._covering(cell):
            positions = self._coverers.get((one, effect), ())
            if any(other < position if one == cell else other != position for other in positions):
                return True
        return False

    def _cells(self, by_category: ByCategory) -> Iterator[Cell]:
        number = combinations(by_category)
        if number > min(MAX_CELLS_OF_A_RULE, self._left):
            return
        self._left -= number
        deciding = [by_category.get(category, ((),)) for category in DECIDING]
        others = [kept for category, kept in by_category.items() if category not in DECIDING]
        rest = [tuple(match for one in together for match in one) for together in product(*others)]
        numbered = [[self._number(alternative) for alternative in kept] for kept in (*deciding, rest)]
        yield from product(numbered[0], numbered[1], numbered[2], numbered[3])

    def _number(self, alternative: Alternative) -> int:
        part = frozenset([_wish(match) for match in alternative])
        return self._numbers.setdefault(part, len(self._numbers))

    def _covering(self, cell: Cell) -> Iterator[Cell]:
        """The cells, itself first, that ask for no more than this one, as far as there are any."""
        weaker = [self._weaker_parts(number) for number in cell]
        yield from product(weaker[0], weaker[1], weaker[2], weaker[3])

    def _weaker_parts(self, number: int) -> tuple[int, ...]:
        known = self._weaker.get(number)
        if known is None:
            part = self._parts[number]
            choices = [(wish, *_weaker_wishes(wish)) for wish in part] if len(part) <= _MOST_WEAKENED else []
            found = (frozenset(wish for wish in chosen if wish is not None) for chosen in product(*choices))
            numbers = (self._numbers.get(one) for one in (part, frozenset[_Wish](), *found))
            known = tuple(dict.fromkeys(one for one in numbers if one is not None))
            self._weaker[number] = known
        return known


def _wish(match: Match) -> _Wish:
    value = match.value.lower() if match.function == STRING_EQUAL_IGNORE_CASE else match.value
    return match.category, match.attribute_id, match.data_type, match.function, value


def _weaker_wishes(wish: _Wish) -> Iterator[_Wish | None]:
    """Nothing at all, or the same whatever its case."""
    category, attribute_id, data_type, function, value = wish
    if function == STRING_EQUAL:
        yield category, attribute_id, data_type, STRING_EQUAL_IGNORE_CASE, value.lower()
    yield None
