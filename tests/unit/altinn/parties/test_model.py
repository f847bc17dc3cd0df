"""Organisations, people and roles keep their invariants."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fullmakt.altinn.parties import rules
from fullmakt.altinn.parties.errors import InvalidPartyError
from fullmakt.altinn.parties.model import Organisation, Person, Role, feed_keys
from fullmakt.kernel.identifiers import NationalId, OrgNumber

BANK = OrgNumber("910753614")
SYNTHETIC = OrgNumber("310943223")
SEED = OrgNumber("999888777")
KARI = NationalId("05895199925")


def test_the_number_tells_whether_it_is_synthetic_and_whether_its_check_digit_fits() -> None:
    told = [
        (organisation.is_synthetic, organisation.is_unchecked)
        for organisation in (Organisation(orgno, "Navn") for orgno in (BANK, SYNTHETIC, SEED))
    ]
    assert told == [(False, False), (True, False), (False, True)]


@pytest.mark.parametrize(
    "name", ["", " ", " Bank", "Bank ", "Ba\x00nk", "Ba\nnk", "Ba\ud800nk", "Ba\u2028nk", "x" * 256]
)
def test_a_name_is_one_visible_line(name: str) -> None:
    for make in (lambda: Organisation(BANK, name), lambda: Person(KARI, name)):
        with pytest.raises(InvalidPartyError) as refused:
            make()
        assert refused.value.field == "name"


@given(st.text(max_size=300))
def test_a_name_without_fault_can_be_stored_and_sent(name: str) -> None:
    if rules.name_fault(name) is None:
        assert b"\x00" not in name.encode()
        assert len(name.splitlines()) == 1


@pytest.mark.parametrize("form", ["", "as", "A", "AKSJES", "A1"])
def test_a_form_is_a_code_of_enhetsregisteret(form: str) -> None:
    with pytest.raises(InvalidPartyError) as refused:
        Organisation(BANK, "Bank", form)
    assert refused.value.field == "form"


@pytest.mark.parametrize("code", ["", "D", "DAGL", "d", "1agl", "dagl ", "d" * 41])
def test_a_role_code_is_in_lower_case(code: str) -> None:
    with pytest.raises(InvalidPartyError) as refused:
        Role(KARI, code, BANK)
    assert refused.value.field == "code"


@pytest.mark.parametrize("code", ["dagl", "ffør", "a0212", "hadm", "x-y_z"])
def test_a_role_code_may_have_norwegian_letters_and_digits(code: str) -> None:
    assert Role(KARI, code, BANK).code == code


def test_the_feed_knows_an_organisation_by_both_its_names_and_a_person_by_one() -> None:
    uuid = UUID("0192f0c0-0000-7000-8000-000000000001")
    assert feed_keys(BANK, uuid) == (f"organisation:{BANK}", f"party:{uuid}")
    assert feed_keys(None, uuid) == (f"party:{uuid}",)


def test_nobody_is_above_or_over_themselves() -> None:
    with pytest.raises(InvalidPartyError, match="own parent"):
        Organisation(BANK, "Bank", parent=BANK)
    with pytest.raises(InvalidPartyError, match="no role in itself"):
        Role(BANK, "regn", BANK)


def test_a_person_s_number_stays_out_of_tracebacks() -> None:
    assert KARI not in f"{Person(KARI, 'Kari')!r} {Role(KARI, 'dagl', BANK)!r}"
