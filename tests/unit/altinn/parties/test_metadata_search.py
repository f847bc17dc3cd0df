"""Packages are found by words of their names."""

from __future__ import annotations

import pytest

from fullmakt.altinn.parties.metadata.load import published
from fullmakt.altinn.parties.metadata.search import find


def _names(term: str, *, strict: bool = False, fuzzy: bool = False) -> list[str]:
    found = find(published(), term, language="nb", strict=strict, fuzzy=fuzzy)
    return [one.package.name for one in found]


def test_the_best_comes_first() -> None:
    assert _names("kunst underholdning")[0] == "kunst-og-underholdning"
    assert _names("merverdi") == ["merverdiavgift"]


def test_a_word_of_the_areas_name_will_do() -> None:
    assert "toll" in _names("regnskap")
    assert _names("regnskap").index("regnskap-okonomi-rapport") < _names("regnskap").index("toll")


def test_strict_wants_every_word() -> None:
    assert _names("underhold qqqqzzzz") == ["kunst-og-underholdning"]
    assert _names("underhold qqqqzzzz", strict=True) == []
    assert _names("UNDERHOLD kunst", strict=True) == ["kunst-og-underholdning"]


def test_fuzzy_forgives_a_slip() -> None:
    assert _names("underholdnig") == []
    assert _names("underholdnig", fuzzy=True) == ["kunst-og-underholdning"]


@pytest.mark.parametrize("term", ["", "   ", "\x00", "%", "a" * 100_000 + " b" * 100_000])
def test_what_names_nothing_finds_nothing(term: str) -> None:
    assert _names(term, fuzzy=True) == []


def test_people_and_organisations_can_be_kept_apart() -> None:
    person = find(published(), "attester", language="nb", party_type="Person")
    assert "innbygger-attester" in [found.package.name for found in person]
    assert "attester" not in [found.package.name for found in person]


def test_the_search_is_in_the_language_asked_for() -> None:
    assert [found.package.name for found in find(published(), "excise", language="en")] == ["saeravgifter"]
    assert find(published(), "excise", language="nn") == []
