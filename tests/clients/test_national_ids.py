"""``NationalId`` and NAV's own validator agree on thousands of numbers."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

from fullmakt.kernel.identifiers import InvalidIdentifierError, NationalId
from tests.clients.conftest import Program

K1, K2 = (3, 7, 6, 1, 8, 9, 4, 5, 2), (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)


def with_check_digits(nine: str) -> str | None:
    """The number that begins so; None when there is none."""
    number = nine
    for weights in (K1, K2):
        digit = -sum(int(digit) * weight for digit, weight in zip(number, weights, strict=True)) % 11
        if digit == 10:
            return None
        number += str(digit)
    return number


def numbers(seed: int) -> Iterator[str]:
    """Whole and broken numbers of every kind: ordinary, D-numbers, Tenor's month + 80, NAV's + 40, and at random."""
    dice = random.Random(seed)
    for day_added, month_added in itertools.product((0, 40), (0, 40, 80)):
        for _ in range(500):
            day, month = dice.randint(0, 32) + day_added, dice.randint(0, 13) + month_added
            number = with_check_digits(f"{day:02}{month:02}{dice.randint(0, 99):02}{dice.randint(0, 999):03}")
            if number is not None:
                yield number
                yield number[:10] + str((int(number[10]) + dice.randint(1, 9)) % 10)
    for _ in range(2_000):
        number = with_check_digits(f"{dice.randrange(10**9):09}")
        yield from [number] if number else []
        yield f"{dice.randrange(10**11):011}"
    yield from (
        "",
        "1",
        "0" * 11,
        "1234567890",
        "123456789012",
        "1234567890a",
        "１２３４５６７８９０１",
        " 12345678901",
    )


def is_taken(number: str) -> bool:
    try:
        NationalId(number)
    except InvalidIdentifierError:
        return False
    return True


def has_a_birth_year(number: str) -> bool:
    """Whether the individual number is of a series that was ever given out to people born in such a year.

    Skatteetaten: 000-499 for 1900-1999, 500-749 for 1854-1899, 500-999 for 2000-2039, 900-999 for 1940-1999.
    """
    year, individual = int(number[4:6]), int(number[6:9])
    if individual <= 499 or year <= 39:
        return True
    return individual >= 900 or (individual <= 749 and year >= 54)


def has_the_check_digits_of_today(number: str) -> bool:
    """NAV's takes what is given out from 2032 on, too: there the first check digit may be one to three off."""
    return with_check_digits(number[:9]) == number


def test_both_take_the_same_numbers_save_those_that_nobody_has_been_given(program: Program) -> None:
    asked = list(numbers(seed=20_261_121))
    verdicts = dict(zip(asked, program("fnrvalidator.mjs", asked), strict=True))
    taken = [number for number in asked if is_taken(number)]
    assert len(asked) > 5_000
    assert len(taken) > 1_000
    assert {(int(number[0]) >= 4, int(number[2]) // 4) for number in taken} == set(
        itertools.product((False, True), (0, 1, 2))
    )
    assert [number for number in taken if not verdicts[number]] == []
    differing = [number for number, theirs in verdicts.items() if theirs and not is_taken(number)]
    assert [each for each in differing if has_a_birth_year(each) and has_the_check_digits_of_today(each)] == []
