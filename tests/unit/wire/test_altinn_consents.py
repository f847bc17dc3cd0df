"""Consent as Maskinporten and Altinn write it to each other (consent.md §4.9, §4.10, §4.16)."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

import pytest

from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn.consents import Cause, ConsentQuestion, ConsentRight, FoundConsent, NoConsent

ID = UUID("77ed8698-e619-4066-9eb4-5c1eb3f165a1")
GIVER = "urn:altinn:person:identifier-no:21818297804"
FOUND = FoundConsent(
    id=ID,
    giver=GIVER,
    receiver=OrgNumber("313876144"),
    handled_by=None,
    consented=dt.datetime(2026, 1, 15, 10, 34, 39, 676_924, tzinfo=dt.UTC),
    valid_to=dt.datetime(2026, 1, 20, 10, 34, 34, 836_000, tzinfo=dt.UTC),
    rights=(ConsentRight("standard-samtykke", ("consent",), {"inntektsaar": "2024"}),),
)
AGREED = {
    "consented": "2026-01-15T10:34:39.676924+00:00",
    "validTo": "2026-01-20T10:34:34.836000+00:00",
    "consentRights": [
        {
            "action": ["consent"],
            "resource": [{"type": "urn:altinn:resource", "value": "standard-samtykke"}],
            "metadata": {"inntektsaar": "2024"},
        }
    ],
}


def test_the_question_is_the_body_of_the_look_up() -> None:
    assert ConsentQuestion(ID, GIVER, OrgNumber("313876144")).document() == {
        "id": str(ID),
        "from": GIVER,
        "to": "urn:altinn:organization:identifier-no:313876144",
    }


def test_the_answer_of_the_look_up() -> None:
    assert FOUND.document() == {
        "id": str(ID),
        "from": GIVER,
        "to": "urn:altinn:organization:identifier-no:313876144",
        "handledBy": None,
        **AGREED,
    }


def test_in_a_token_the_receiver_is_an_iso_6523_object() -> None:
    assert FOUND.element() == {
        "type": "urn:altinn:consent",
        "id": str(ID),
        "from": GIVER,
        "to": {"authority": "iso6523-actorid-upis", "ID": "0192:313876144"},
        **AGREED,
    }


def test_an_answer_is_read_as_it_was_written() -> None:
    assert FoundConsent.read(FOUND.document()) == FOUND
    with_supplier = FOUND.document() | {"handledBy": "urn:altinn:organization:identifier-no:310149942"}
    assert FoundConsent.read(with_supplier).handled_by == "310149942"
    without = FOUND.document()
    del without["consentRights"][0]["metadata"]
    assert FoundConsent.read(without).rights[0].metadata == {}


def without(name: str) -> dict[str, Any]:
    return {member: value for member, value in FOUND.document().items() if member != name}


@pytest.mark.parametrize(
    "document",
    [
        {},
        *(without(name) for name in ("id", "from", "to", "consented", "validTo", "consentRights")),
        FOUND.document() | {"id": "none"},
        FOUND.document() | {"from": 7},
        FOUND.document() | {"to": GIVER},
        FOUND.document() | {"to": "urn:altinn:organization:identifier-no:12345"},
        FOUND.document() | {"handledBy": {}},
        FOUND.document() | {"validTo": "2026-01-20T10:34:34"},
        FOUND.document() | {"validTo": None},
        FOUND.document() | {"consentRights": [{}]},
        FOUND.document() | {"consentRights": [7]},
        FOUND.document() | {"consentRights": None},
        FOUND.document() | {"consentRights": [{"action": ["consent"], "resource": []}]},
        FOUND.document() | {"consentRights": [{"action": [1], "resource": AGREED["consentRights"][0]["resource"]}]},  # type: ignore[index]
        FOUND.document() | {"consentRights": [{"action": [], "resource": [{"type": "x", "value": "y"}]}]},
    ],
    ids=lambda _: "",
)
def test_an_answer_that_is_none_is_told_apart(document: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        FoundConsent.read(document)


def test_the_causes_are_read_of_one_problem_and_of_several() -> None:
    assert NoConsent.read({"code": "AM-00014", "status": 400}).causes == (Cause.NOT_ACCEPTED,)
    several = {"code": "STD-00001", "problems": [{"code": "AM-00001"}, {"code": "AM-00013"}]}
    assert NoConsent.read(several).causes == (Cause.NOT_FOUND, Cause.EXPIRED)


@pytest.mark.parametrize(
    "problem", [{}, {"code": "AM-99999"}, {"code": 1}, {"problems": [1]}, {"code": "STD-00001", "problems": []}]
)
def test_a_problem_that_is_about_something_else_is_no_cause(problem: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not a valid Cause"):
        NoConsent.read(problem)


def test_each_cause_has_its_status_and_its_words() -> None:
    assert {cause: cause.status for cause in Cause} == dict.fromkeys(Cause, 400) | {Cause.NOT_FOUND: 404}
    assert len({cause.meaning for cause in Cause}) == len(Cause)
    assert "21818297804" not in repr(FOUND) + repr(ConsentQuestion(ID, GIVER, OrgNumber("313876144")))
