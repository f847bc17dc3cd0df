"""A mistake in the metadata stops the program instead of giving rights to somebody."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from fullmakt.altinn.parties.metadata.load import MetadataError, parse, published
from fullmakt.altinn.parties.metadata.model import LANGUAGES, Names
from fullmakt.wire.altinn.stable_ids import stable_id

NAME = {"nb": "Navn", "en": "Name"}
TABLES: dict[str, Any] = {
    "roles": {
        "ccr": {"dagl": {"name": "daglig-leder", "key_role": True, **NAME}},
        "cra": {"bank-lan": NAME},
        "altinn2": {"admai": {**NAME, "nn": "Namn"}},
        "altinn3": {"privatperson": {"code": "priv", "person": True, **NAME}},
    },
    "packages": {
        "group": [
            {
                "key": "g",
                "type": "Organisasjon",
                **NAME,
                "area": [
                    {"key": "a", **NAME, "packages": {"toll": NAME, "skatt": {**NAME, "delegable": False}}},
                ],
            }
        ]
    },
    "rights": {
        "bundles": {"all": {"areas": ["a"], "except": ["skatt"]}},
        "gives": [{"held": ["dagl"], "forms": ["AS"], "roles": ["admai"], "bundle": "all"}],
    },
    "forms": {"forms": {"AS": "Aksjeselskap"}},
}


def _with(*path: str | int, value: Any) -> dict[str, Any]:
    tables = copy.deepcopy(TABLES)
    at: Any = tables
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return tables


def test_small_metadata_is_read_whole() -> None:
    metadata = parse(**TABLES)
    assert metadata.key_roles == {"dagl"}
    assert metadata.role_by_code["admai"].names == Names("Navn", "Namn", "Name")
    assert metadata.packages["toll"].delegable
    assert not metadata.packages["skatt"].delegable
    [gift] = metadata.gifts
    assert gift.packages == {"toll"}
    assert gift.applies("dagl", "AS")
    assert not gift.applies("dagl", "FLI")
    assert not gift.applies("lede", "AS")


@pytest.mark.parametrize(
    ("tables", "fault"),
    [
        (_with("rights", "gives", 0, "held", value=["dalg"]), "role not defined: ['dalg']"),
        (_with("rights", "gives", 0, "roles", value=["admia"]), "role not defined: ['admia']"),
        (_with("rights", "gives", 0, "packages", value=["tol"]), "package not defined: ['tol']"),
        (_with("rights", "gives", 0, "forms", value=["A/S"]), "form not defined: ['A/S']"),
        (_with("rights", "gives", 0, "bundle", value="none"), "'none' is missing"),
        (_with("rights", "gives", 0, "except", value=["skatt"]), "there is no ['skatt'] to be excepted"),
        (_with("rights", "bundles", "all", "except", value=["tol"]), "there is no ['tol'] to be excepted"),
        (_with("rights", "bundles", "all", "areas", value=["b"]), "'b' is missing"),
        (_with("roles", "ccr", "dagl", value=NAME), "'name' is missing"),
        (_with("roles", "altinn2", "admai", value={"nb": "Navn"}), "'en' is missing"),
        (_with("roles", "altinn2", "dagl", value=NAME), "spelling defined twice: ['urn:altinn:rolecode:dagl']"),
        (_with("packages", "group", value=[]), "'a' is missing"),
        (_with("packages", "group", value=TABLES["packages"]["group"] * 2), "group defined twice: ['g']"),
        (_with("forms", value={}), "'forms' is missing"),
    ],
)
def test_what_contradicts_itself_is_refused(tables: dict[str, Any], fault: str) -> None:
    with pytest.raises(MetadataError) as refused:
        parse(**tables)
    assert str(refused.value) == fault


def test_everything_has_a_name_in_every_language() -> None:
    metadata = published()
    named: list[Names] = [
        *(role.names for role in metadata.roles),
        *(group.names for group in metadata.groups),
        *(area.names for area in metadata.areas),
        *(package.names for package in metadata.packages.values()),
    ]
    assert all(names.in_language(language).strip() for names in named for language in LANGUAGES)


def test_ids_are_the_same_for_ever() -> None:
    package = published().packages["skattegrunnlag"]
    assert package.id == stable_id("urn:altinn:accesspackage:skattegrunnlag")
    assert str(package.id) == "db092d3a-5723-587b-91f6-ea775988035a"


def test_metadata_is_read_once() -> None:
    assert published() is published()
