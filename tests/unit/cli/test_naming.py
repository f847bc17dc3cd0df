"""How parties and subjects are named at a terminal, and how they are named back."""

from __future__ import annotations

import re
from collections.abc import Collection
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fullmakt.cli.rights.naming import (
    MisnamedError,
    Names,
    key_of,
    label_of,
    names_in,
    number_of,
    party_attribute,
    plain,
    subject_attribute,
)
from fullmakt.kernel.identifiers import NationalId, OrgNumber
from fullmakt.wire.altinn.attributes import ORGANISATION, PARTY_UUID, PERSON, SYSTEM_USER, Attribute
from fullmakt.wire.altinn.parties import PartyIdentity, PartyKind

ID = UUID("5ccaebc5-dfb7-442a-ab5e-002898b902ae")
BANK = PartyIdentity(50, ID, PartyKind.ORGANISATION, "Demo Bank", orgno=OrgNumber("910753614"))
KARI = PartyIdentity(51, ID, PartyKind.PERSON, "Kari", user_id=1, national_id=NationalId("05895199925"))
REAL = "31123999935"


@pytest.mark.parametrize(
    ("text", "attribute"),
    [
        ("910753614", Attribute(ORGANISATION, "910753614")),
        ("05895199925", Attribute(PERSON, "05895199925")),
        (str(ID).upper(), Attribute(PARTY_UUID, str(ID))),
    ],
)
def test_a_party_is_named_by_number_or_uuid(text: str, attribute: Attribute) -> None:
    assert party_attribute(text) == subject_attribute(text) == attribute


@pytest.mark.parametrize(
    ("text", "attribute"),
    [
        (f"systemuser:{ID}", Attribute(SYSTEM_USER, str(ID))),
        ("urn:altinn:rolecode=dagl", Attribute("urn:altinn:rolecode", "dagl")),
        ("urn:altinn:person:identifier-no=05895199925", Attribute(PERSON, "05895199925")),
        ("urn:a=b=c", Attribute("urn:a", "b=c")),
    ],
)
def test_a_subject_may_be_more_than_a_party(text: str, attribute: Attribute) -> None:
    assert subject_attribute(text) == attribute
    with pytest.raises(MisnamedError):
        party_attribute(text)


@pytest.mark.parametrize(
    "text",
    ["", "x", "9107536", "05895199926", "urn:altinn:rolecode", "urn:a=", "systemuser:1", "a\0b", "\udcff", "9" * 400,
     "٩١٠٧٥٣٦١٤", "rolecode=dagl"],
)  # fmt: skip
def test_what_names_nobody_is_refused(text: str) -> None:
    with pytest.raises(MisnamedError):
        subject_attribute(text)
    with pytest.raises(MisnamedError):
        party_attribute(text)


@given(st.text() | st.from_regex(r"[0-9]{9,12}", fullmatch=True))
def test_any_text_is_a_name_or_is_refused_without_being_repeated(text: str) -> None:
    try:
        assert subject_attribute(text).value
    except MisnamedError as error:
        assert not re.search(r"[0-9]{11}", str(error))  # noqa: PT017 - most texts are refused, and some are not


def test_a_plain_name_is_given_back() -> None:
    assert plain("resource", "skd-mva") == "skd-mva"
    with pytest.raises(MisnamedError, match="resource"):
        plain("resource", "\x1b[2J")


def test_a_real_person_s_number_is_masked() -> None:
    real = PartyIdentity(1, ID, PartyKind.PERSON, "Real", user_id=2, national_id=NationalId(REAL))
    assert number_of(real) == "31*********"
    assert (label_of(KARI), label_of(BANK)) == ("Kari (05895199925)", "Demo Bank (910753614)")
    assert number_of(PartyIdentity(2, ID, PartyKind.PERSON, "Nobody")) == str(ID)


@pytest.mark.parametrize(
    ("reference", "key"),
    [
        (str(ID), str(ID)),
        (f"party:{ID}", str(ID)),
        ("910753614", "910753614"),
        ("organisation:910753614", "910753614"),
        (f"systemuser:{ID}", None),
        ("operator", None),
        ("05895199925", None),
    ],
)
def test_what_refers_to_a_party_is_known_for_it(reference: str, key: str | None) -> None:
    assert key_of(reference) == key


class Register:
    """A register with the bank in it; ``asked`` are the attributes that it was asked for."""

    def __init__(self) -> None:
        self.asked: list[Attribute] = []

    async def identify(self, attributes: Collection[Attribute]) -> dict[Attribute, PartyIdentity]:
        """The bank, by whatever it is called."""
        self.asked += attributes
        return {one: BANK for one in attributes if one.value in (str(ID), "910753614")}


async def test_the_parties_of_a_document_are_looked_up_at_once() -> None:
    register = Register()
    names = await names_in(register, {"party": str(ID), "by": ["organisation:910753614", "312044005", 3, None]})
    assert names.label(f"party:{ID}") == names.label("910753614") == "Demo Bank (910753614)"
    assert names.label("312044005") == "312044005"
    assert names.label("a\nb") == "a\N{REPLACEMENT CHARACTER}b"
    assert len(register.asked) == 3
    assert names.document()[str(ID)] == {"name": "Demo Bank", "number": "910753614"}


async def test_nobody_is_asked_when_nobody_is_referred_to() -> None:
    register = Register()
    assert await names_in(register, ["operator", {}]) == Names()
    assert register.asked == []
