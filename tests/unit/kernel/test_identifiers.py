"""Norwegian identifiers, against an independent library where there is one."""

from __future__ import annotations

import datetime as dt
import string

import pytest
import stdnum.no.fodselsnummer
import stdnum.no.orgnr
from hypothesis import example, given
from hypothesis import strategies as st

from fullmakt.kernel.identifiers import InvalidIdentifierError, Iso6523, NationalId, OrgNumber, ScopeName

digits = st.text(string.digits, min_size=0, max_size=12)


class TestOrgNumber:
    @given(st.text(string.digits, min_size=9, max_size=9))
    @example("991825827")
    @example("910753614")
    @example("999888777")
    @example("888666555")
    def test_the_check_digit_agrees_with_another_library(self, number: str) -> None:
        assert OrgNumber(number).has_valid_check_digit == stdnum.no.orgnr.is_valid(number)

    @given(st.integers(0, 99_999_999))
    def test_at_most_one_ninth_digit_fits(self, first_eight: int) -> None:
        fitting = [digit for digit in range(10) if OrgNumber(f"{first_eight:08}{digit}").has_valid_check_digit]
        assert len(fitting) <= 1

    @given(digits | st.text(max_size=12))
    @example("٩١٠٧٥٣٦١٤")
    @example("910753614\n")
    @example("91075361\x00")
    def test_anything_but_nine_ascii_digits_is_refused(self, text: str) -> None:
        if len(text) == 9 and text.isascii() and text.isdigit():
            assert OrgNumber(text) == text
        else:
            with pytest.raises(InvalidIdentifierError):
                OrgNumber(text)

    def test_it_is_written_with_the_icd_of_the_register(self) -> None:
        assert OrgNumber("910753614").iso6523 == "0192:910753614"


class TestIso6523:
    def test_a_number_with_its_register_is_read(self) -> None:
        assert Iso6523.parse("0192:910753614").orgno == "910753614"

    def test_the_sub_unit_form_keeps_the_parent(self) -> None:
        assert Iso6523.parse("0192:910753614:ER//991825827:1").orgno == "910753614"

    @pytest.mark.parametrize("text", ["", "910753614", "0192:", ":910753614", "0192::910753614", "a:b:c:d:e"])
    def test_what_is_not_two_to_four_elements_is_refused(self, text: str) -> None:
        with pytest.raises(InvalidIdentifierError, match="not an ISO 6523 identifier"):
            Iso6523.parse(text)

    def test_another_register_holds_no_organisation_number(self) -> None:
        with pytest.raises(InvalidIdentifierError, match="is not Enhetsregisteret"):
            _ = Iso6523.parse("0007:910753614").orgno

    def test_the_number_is_nine_digits(self) -> None:
        with pytest.raises(InvalidIdentifierError, match="nine digits"):
            _ = Iso6523.parse("0192:91075361").orgno


def _check_digit(number: str, weights: str) -> int:
    return -sum(int(digit) * int(weight) for digit, weight in zip(number, weights, strict=True)) % 11


def _with_check_digits(nine_digits: str) -> str | None:
    """The whole number, or None for the two in eleven that can have no check digits."""
    k1 = _check_digit(nine_digits, "376189452")
    k2 = _check_digit(f"{nine_digits}{k1}", "5432765432") if k1 < 10 else 10
    return f"{nine_digits}{k1}{k2}" if k2 < 10 else None


def _refusal(text: str) -> str:
    """What is said when ``text`` is refused as a national identity number."""
    try:
        NationalId(text)
    except InvalidIdentifierError as error:
        return str(error)
    return ""


@st.composite
def national_ids(draw: st.DrawFn, day_shift: int = 0, month_shift: int = 0) -> str:
    """Valid numbers, made from the rules of Skatteetaten and not by way of the code under test."""
    born = draw(st.dates(dt.date(1854, 1, 1), dt.date(2039, 12, 31)))
    ranges = [
        (0, 499) if 1900 <= born.year <= 1999 else None,
        (500, 749) if 1854 <= born.year <= 1899 else None,
        (500, 999) if 2000 <= born.year <= 2039 else None,
        (900, 999) if 1940 <= born.year <= 1999 else None,
    ]
    low, high = draw(st.sampled_from([one for one in ranges if one is not None]))
    start = f"{born.day + day_shift:02}{born.month + month_shift:02}{born.year % 100:02}"
    first = draw(st.integers(low, high))
    for individual in [*range(first, high + 1), *range(low, first)]:
        number = _with_check_digits(f"{start}{individual:03}")
        if number is not None:
            return number
    raise AssertionError("no number in the range has check digits")


class TestNationalId:
    @given(national_ids())
    def test_every_valid_number_is_taken(self, number: str) -> None:
        stdnum.no.fodselsnummer.get_birth_date(number)  # raises where the date, or its century, makes no sense
        national_id = NationalId(number)
        assert national_id == number
        assert not national_id.is_synthetic
        assert not national_id.is_d_number

    @given(national_ids(month_shift=80) | national_ids(month_shift=40))
    def test_synthetic_numbers_are_numbers(self, number: str) -> None:
        assert NationalId(number).is_synthetic

    @given(national_ids(day_shift=40) | national_ids(day_shift=40, month_shift=80))
    def test_d_numbers_are_numbers(self, number: str) -> None:
        assert NationalId(number).is_d_number

    @given(national_ids(), st.integers(0, 10), st.integers(1, 9))
    def test_one_wrong_digit_is_always_seen(self, number: str, at: int, by: int) -> None:
        wrong = f"{number[:at]}{(int(number[at]) + by) % 10}{number[at + 1 :]}"
        with pytest.raises(InvalidIdentifierError):
            NationalId(wrong)

    @given(st.text(string.digits, min_size=4, max_size=12))
    def test_a_refusal_never_repeats_the_number(self, text: str) -> None:
        assert text not in _refusal(text)

    @given(st.text(string.digits, min_size=11, max_size=11))
    def test_numbers_that_another_library_takes_are_taken(self, text: str) -> None:
        if stdnum.no.fodselsnummer.is_valid(text):
            assert NationalId(text) == text

    @pytest.mark.parametrize(
        ("number", "why"),
        [
            ("0589519992", "eleven digits"),
            ("058951999255", "eleven digits"),
            ("٠٥٨٩٥١٩٩٩٢٥", "eleven digits"),
            ("05895199926", "check digits"),
        ],
    )
    def test_the_reason_of_a_refusal_is_told(self, number: str, why: str) -> None:
        with pytest.raises(InvalidIdentifierError, match=why):
            NationalId(number)

    @pytest.mark.parametrize("start", ["32019000", "31029000", "00129000", "01009000", "29020100", "01014050"])
    def test_a_date_that_never_was_is_refused(self, start: str) -> None:
        numbers = [number for number in (_with_check_digits(f"{start}{last}") for last in range(10)) if number]
        assert numbers
        for number in numbers:
            with pytest.raises(InvalidIdentifierError, match="no real date"):
                NationalId(number)

    def test_the_number_stays_out_of_tracebacks(self) -> None:
        national_id = NationalId("05895199925")
        assert repr(national_id) == "NationalId(05*********)"
        assert str(national_id) == "05895199925"


class TestScopeName:
    @pytest.mark.parametrize(
        ("text", "prefix", "subscope"),
        [
            ("fullmakt:whoami", "fullmakt", "whoami"),
            ("lanekassen:lan/v1/saldoopplysninger", "lanekassen", "lan/v1/saldoopplysninger"),
            ("idporten:dcr/onbehalfof:write", "idporten", "dcr/onbehalfof:write"),
            ("nav:øst", "nav", "øst"),
        ],
    )
    def test_the_first_colon_parts_prefix_and_subscope(self, text: str, prefix: str, subscope: str) -> None:
        scope = ScopeName(text)
        assert (scope, scope.prefix, scope.subscope) == (text, prefix, subscope)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "whoami",
            ":whoami",
            "fullmakt:",
            "Fullmakt:x",
            "a b:c",
            "a:b c",
            'a:"',
            "a:\\",
            "a:\x00",
            f"a:{'b' * 254}",
        ],
    )
    def test_what_a_scope_parameter_could_not_carry_is_refused(self, text: str) -> None:
        with pytest.raises(InvalidIdentifierError, match="a scope is prefix:subscope"):
            ScopeName(text)

    @given(st.text(max_size=40))
    def test_a_scope_never_splits_a_list_of_scopes(self, text: str) -> None:
        try:
            scope = ScopeName(text)
        except InvalidIdentifierError:
            return
        assert f"{scope} other:scope".split() == [scope, "other:scope"]
