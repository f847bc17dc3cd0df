"""What may be asked of the PKI, and how its certificates are named."""

from __future__ import annotations

import datetime as dt

import pytest
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from fullmakt.jose.certificates import organisation_number
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.pki import rules
from fullmakt.pki.errors import InvalidRequestError
from fullmakt.pki.model import Seid, format_serial, parse_serial

NOW = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)
ORGNO = OrgNumber("910753614")


def test_the_old_shape_names_the_organisation_in_serial_number() -> None:
    subject = rules.organisation_subject(ORGNO, "Skarpnes og Ula", 1)
    assert subject.rfc4514_string() == "2.5.4.5=910753614,CN=Skarpnes og Ula,O=Skarpnes og Ula,C=NO"


def test_the_new_shape_names_the_organisation_in_organization_identifier() -> None:
    subject = rules.organisation_subject(ORGNO, "Skarpnes og Ula", 2)
    assert (
        rules.distinguished_name(subject)
        == "organizationIdentifier=NTRNO-910753614,CN=Skarpnes og Ula,O=Skarpnes og Ula,C=NO"
    )
    assert not subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)


@pytest.mark.parametrize("name", ["", "  ", "x" * 65, "ø" * 33, "a\0b", "a\nb", "\ud800", "Liar - 974760673"])
def test_a_name_that_no_certificate_should_hold_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequestError):
        rules.organisation_subject(ORGNO, name, 2)


@settings(deadline=None)
@given(st.text(max_size=70), st.sampled_from([1, 2]))
def test_whatever_the_name_the_certificate_speaks_for_its_organisation(name: str, seid: Seid) -> None:
    try:
        subject = rules.organisation_subject(ORGNO, name, seid)
    except InvalidRequestError:
        return
    assert organisation_number(subject) == ORGNO


@pytest.mark.parametrize("days", [0, -1, rules.MAX_DAYS + 1])
def test_a_certificate_is_valid_for_a_day_to_five_years(days: int) -> None:
    with pytest.raises(InvalidRequestError, match="1 to 1825 days"):
        rules.validity(NOW, days, expired=False)


@pytest.mark.parametrize("days", [1, rules.DEFAULT_DAYS, rules.MAX_DAYS])
def test_a_good_certificate_is_valid_now_and_an_expired_one_ended_a_day_ago(days: int) -> None:
    start, end = rules.validity(NOW, days, expired=False)
    assert start < NOW < end
    assert end - start == dt.timedelta(days=days)
    assert rules.validity(NOW, days, expired=True)[1] == NOW - dt.timedelta(days=1)


def test_the_issuer_is_chosen_by_profile_and_environment() -> None:
    names = [
        rules.issuing_authority(seid, wrong_environment=wrong).name for seid in (1, 2) for wrong in (False, True)
    ]  # fmt: skip
    assert names == ["test-seid1", "production-seid1", "test-seid2", "production-seid2"]
    with pytest.raises(InvalidRequestError, match="1 or 2"):
        rules.issuing_authority(3, wrong_environment=False)  # type: ignore[arg-type]


def test_an_issuer_stands_before_those_that_it_signs() -> None:
    names = list(rules.AUTHORITIES)
    assert all(names.index(profile.issuer) <= names.index(name) for name, profile in rules.AUTHORITIES.items())


@pytest.mark.parametrize("text", ["0x0AFF", "0a:ff", "AFF", " 0aff\n", "00000AFF"])
def test_a_serial_number_is_read_as_openssl_and_others_print_it(text: str) -> None:
    assert parse_serial(text) == "0AFF"


@pytest.mark.parametrize("text", ["", "x", "-1", "F" * 41, "1\0", "٣", "\ud800", "0x"])
def test_what_is_not_hexadecimal_is_no_serial_number(text: str) -> None:
    with pytest.raises(InvalidRequestError):
        parse_serial(text)


@settings(deadline=None)
@given(st.integers(0, 2**160 - 1))
def test_a_serial_number_reads_back(number: int) -> None:
    assert int(parse_serial(format_serial(number)), 16) == number
