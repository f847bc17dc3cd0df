"""The ``x5c`` header read, and the organisation number found in a subject."""

from __future__ import annotations

import base64

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fullmakt.jose.certificates import (
    MAX_CERTIFICATES,
    CertificateRejectedError,
    MalformedX5cError,
    Rejection,
    encode_x5c,
    organisation_number,
    parse_x5c,
    printable,
)
from fullmakt.jose.chains import TrustAnchors, validate_chain
from tests.support import certificates as make
from tests.support.certificates import NOW

ROOT = make.root()
LEAF = ROOT.leaf()
DER = LEAF.public_bytes(Encoding.DER)
ANCHORS = TrustAnchors((ROOT.certificate,), (), ("*",))


def test_certificates_are_read_in_their_order() -> None:
    assert parse_x5c(make.x5c(LEAF, ROOT.certificate)) == (LEAF, ROOT.certificate)


def test_a_certificate_that_stands_twice_is_read_once() -> None:
    assert parse_x5c(make.x5c(LEAF, ROOT.certificate, LEAF, ROOT.certificate)) == (LEAF, ROOT.certificate)


def test_what_we_write_is_what_clients_write() -> None:
    assert encode_x5c([LEAF, ROOT.certificate]) == make.x5c(LEAF, ROOT.certificate)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (make.x5c(LEAF)[0], "an array"),
        (None, "an array"),
        ({}, "an array"),
        ([], "an array"),
        (tuple(make.x5c(LEAF)), "an array"),
        ([7], r"x5c\[0\] is not a string"),
        ([*make.x5c(LEAF), [DER]], r"x5c\[1\] is not a string"),
        ([base64.urlsafe_b64encode(b"\xff\xfe" + DER).decode()], "not base64url"),
        (["æ"], "is not base64"),
        (["\ud800"], "is not base64"),
        ([""], "is not a DER certificate"),
        ([base64.b64encode(DER[:-1]).decode()], "is not a DER certificate"),
        ([base64.b64encode(DER + b"\0").decode()], "is not a DER certificate"),
        ([base64.b64encode(LEAF.public_bytes(Encoding.PEM)).decode()], "is not a DER certificate"),
    ],
)
def test_anything_but_an_array_of_base64_der_is_malformed(value: object, problem: str) -> None:
    with pytest.raises(MalformedX5cError, match=problem):
        parse_x5c(value)


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r", " ", "\t"])
def test_white_space_in_base64_is_passed_over(line_end: str) -> None:
    assert parse_x5c([base64.encodebytes(DER).decode().replace("\n", line_end)]) == (LEAF,)


def test_more_than_ten_certificates_are_not_even_read() -> None:
    with pytest.raises(CertificateRejectedError, match="x5c holds 50 certificates: 10 is the most") as caught:
        parse_x5c(["?"] * 50)
    assert caught.value.reason == Rejection.CHAIN_TOO_LONG
    assert len(parse_x5c(make.x5c(LEAF) * MAX_CERTIFICATES)) == 1


def test_a_serial_number_below_one_is_malformed() -> None:
    """RFC 5280 §4.1.2.2; the library reads it and warns."""
    serial = LEAF.serial_number.to_bytes(20).lstrip(b"\0")
    negative = DER.replace(serial, bytes([serial[0] | 0x80]) + serial[1:], 1)
    with pytest.raises(MalformedX5cError):
        parse_x5c([base64.b64encode(negative).decode()])


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=12) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=20,
)
MUTATED_DER = st.builds(
    lambda position, replacement: DER[:position] + replacement + DER[position + len(replacement) :],
    st.integers(0, len(DER) - 1),
    st.binary(min_size=1, max_size=4),
)


@settings(deadline=None)
@given(ANY_JSON)
def test_no_header_gets_past_but_certificates(value: object) -> None:
    with pytest.raises((MalformedX5cError, CertificateRejectedError)):
        parse_x5c(value)


@settings(max_examples=600, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(MUTATED_DER | st.binary(max_size=60), min_size=1, max_size=3))
def test_damaged_certificates_are_refused_in_one_of_two_ways(ders: list[bytes]) -> None:
    try:
        chain = parse_x5c([base64.b64encode(der).decode() for der in ders])
        validated = validate_chain(chain, ANCHORS, NOW)
    except (MalformedX5cError, CertificateRejectedError) as error:
        message = str(error)
    else:
        message = "" if validated.leaf == LEAF else "a damaged certificate was trusted\n"
    assert message.isprintable()


def subject(*attributes: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(oid, value, _validate=False) for oid, value in attributes])


O, SERIAL, IDENTIFIER = NameOID.ORGANIZATION_NAME, NameOID.SERIAL_NUMBER, NameOID.ORGANIZATION_IDENTIFIER  # noqa: E741


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (make.SEID1, "910753614"),
        (make.SEID2, "910753614"),
        (subject((SERIAL, "123456789"), (O, "A - 223456789"), (IDENTIFIER, "NTRNO-323456789")), "123456789"),
        (subject((IDENTIFIER, "NTRNO-323456789"), (O, "A - 223456789")), "223456789"),
        (subject((SERIAL, "UN:NO-123456789"), (IDENTIFIER, "PSDNO-FSA-323456789")), "323456789"),
        (subject((SERIAL, "1234567890"), (IDENTIFIER, "323456789")), "323456789"),
        (subject((O, "BRØNNØYSUND-974760673")), "974760673"),
        (subject((O, "A -. 974760673")), "974760673"),
        (subject((O, "Del-A"), (O, "Del-B - 974760673")), "974760673"),
        (subject((O, "974760673")), None),
        (subject((O, "A 974760673")), None),
        (subject((O, "A - 9747606731")), None),
        (subject((O, "A - 974760673 AS")), None),
        (subject((O, "A - ٩٧٤٧٦٠٦٧٣")), None),
        (subject((O, "A\n- 974760673")), None),
        (subject((SERIAL, "974760673\n")), None),
        (subject((SERIAL, " 974760673")), None),
        (subject((NameOID.COMMON_NAME, "A - 974760673")), None),
        (subject((O, "A" + "-" * 600 + "974760673")), None),
        (x509.Name([]), None),
    ],
)
def test_the_organisation_number_is_the_first_hit(name: x509.Name, expected: str | None) -> None:
    assert organisation_number(name) == expected


@settings(deadline=None)
@given(st.text(max_size=80))
def test_a_name_becomes_one_printable_line(text: str) -> None:
    assert printable(subject((O, text.encode(errors="ignore").decode()))).isprintable()
