"""What holds in Altinn 2's form of consent alone (consent.md §2)."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from fullmakt.altinn.consents.altinn2.rules import (
    accepted_url,
    declined_url,
    failed_url,
    is_name_of,
    is_seen_by,
    link_url,
    no_such_party,
    parameters,
    request_status,
)
from fullmakt.altinn.consents.model import Consent, EndReason, Form, Status
from fullmakt.kernel.identifiers import NationalId, OrgNumber
from fullmakt.wire.altinn.consents2 import ConsentClaims, ConsentedService, ErrorCode, local_time, read_time
from fullmakt.wire.altinn.parties import PartyIdentity, PartyKind

NOW = dt.datetime(2026, 5, 4, 10, 0, tzinfo=dt.UTC)
CODE = UUID("c44f284f-b43b-4355-925a-2add17439659")
GIVER, BANK, SUPPLIER, OTHER = (UUID(int=number) for number in range(1, 5))


def person(name: str) -> PartyIdentity:
    return PartyIdentity(1, GIVER, PartyKind.PERSON, name, national_id=NationalId("08027202285"))


def organisation(name: str, uuid: UUID = BANK) -> PartyIdentity:
    return PartyIdentity(2, uuid, PartyKind.ORGANISATION, name, orgno=OrgNumber("313876144"))


def consent(**changes: Any) -> Consent:
    made = Consent(
        id=CODE,
        form=Form.ALTINN2,
        giver=GIVER,
        receiver=BANK,
        valid_to=NOW + dt.timedelta(days=1),
        rights=(),
        redirect_url="https://bank.example/retur",
        created=NOW,
        created_by=BANK,
    )
    return replace(made, **changes)


@pytest.mark.parametrize(
    ("registered", "given", "fits"),
    [
        ("Kari Grønseth", "GRØNSETH", True),
        ("Kari Grønseth", "grønseth ", True),
        ("Kari Gro\u0308nseth", "Gr\u00f6nseth", True),
        ("Guro von der Lippe", "Lippe", True),
        ("Guro von der Lippe", "von der Lippe", False),
        ("Kari Grønseth", "Kari Grønseth", False),
        ("Kari Grønseth", "Kari", False),
        ("Kari Grønseth", "Gronseth", False),
        ("Kari Grønseth", "", False),
        ("Kari Berg-Hansen", "Hansen", False),
        ("Kari Berg-Hansen", "berg-hansen", True),
    ],
)
def test_a_persons_surname_has_to_be_as_in_the_register(registered: str, given: str, fits: bool) -> None:
    assert is_name_of(given, person(registered)) is fits


@pytest.mark.parametrize(
    ("given", "fits"), [("Banken  as", True), ("BANKEN AS", True), ("Banken", False), ("AS", False), (" ", False)]
)
def test_an_organisations_whole_name_has_to_be_as_in_the_register(given: str, fits: bool) -> None:
    assert is_name_of(given, organisation("Banken AS")) is fits


def test_an_error_about_a_number_repeats_no_markup_or_control_marks() -> None:
    assert "08027202285" in no_such_party("08027202285").message
    assert "<" not in no_such_party("<b>08027202285</b>").message
    assert "\u202e" not in no_such_party("\u202e08027202285").message
    assert no_such_party("08027202285").code is ErrorCode.NO_SUCH_PARTY


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, "Unopened"),
        ({"opened_at": NOW}, "Opened"),
        ({"status": Status.ACCEPTED, "answered_at": NOW}, "Accepted"),
        ({"status": Status.REJECTED, "answered_at": NOW}, "Rejected"),
        ({"status": Status.REVOKED, "answered_at": NOW, "ended_at": NOW, "end_reason": EndReason.REVOKED}, "Accepted"),
        ({"status": Status.DELETED, "ended_at": NOW}, "None"),
        ({"valid_to": NOW - dt.timedelta(days=1)}, "Unopened"),
    ],
    ids=["unopened", "opened", "accepted", "rejected", "revoked", "withdrawn", "past its time"],
)
def test_what_happens_after_a_yes_does_not_show_in_the_requests_status(changes: dict[str, Any], status: str) -> None:
    assert request_status(consent(**changes)) == status


def test_parameters_are_spelled_as_the_service_does_and_unknown_ones_dropped() -> None:
    found = list(parameters({"Navn": False, "Aar": False}, {"navn": "Banken", "AAR": "2025", "mer": "x"}, "5498_1"))
    assert found == [("Navn", "Banken"), ("Aar", "2025")]


@pytest.mark.parametrize("given", [{}, {"Navn": ""}], ids=["missing", "empty"])
def test_a_parameter_that_is_missing_or_empty_is_an_error_unless_the_service_lets_it_be(given: dict[str, str]) -> None:
    [error] = parameters({"Navn": False}, given, "5498_1")
    assert not isinstance(error, tuple)
    assert error.code is ErrorCode.METADATA
    assert list(parameters({"Navn": True}, given, "5498_1")) == [("Navn", "")]


def test_a_yes_brings_the_code_back() -> None:
    assert accepted_url(consent()) == f"https://bank.example/retur?AuthorizationCode={CODE}&Status=OK"


def test_a_no_brings_a_message_back_that_is_encoded_twice() -> None:
    assert declined_url(consent()) == (
        "https://bank.example/retur?Status=Failed&ErrorMessage=User%2520did%2520not%2520give%2520consent"
        f"&FailedAuthorizationCode={CODE}"
    )


@pytest.mark.parametrize(
    ("url", "begins"),
    [
        ("https://bank.example/retur?sak=1", "https://bank.example/retur?sak=1&AuthorizationCode="),
        ("https://bank.example/retur?", "https://bank.example/retur?AuthorizationCode="),
        ("https://bank.example/app#/lan", "https://bank.example/app#/lan?AuthorizationCode="),
        ("https://bank.example/app?a=b#/lan?c=d", "https://bank.example/app?a=b#/lan?c=d&AuthorizationCode="),
        ("https://bank.example/side#topp", f"https://bank.example/side?AuthorizationCode={CODE}&Status=OK#topp"),
        ("myapp://consent", "myapp://consent?AuthorizationCode="),
        ("https://bank.example/?x=%2526", "https://bank.example/?x=%2526&AuthorizationCode="),
    ],
)
def test_a_query_a_route_in_the_fragment_and_an_apps_link_are_kept(url: str, begins: str) -> None:
    assert accepted_url(consent(redirect_url=url)).startswith(begins)


def test_a_technical_failure_names_its_code_and_time() -> None:
    url = failed_url(consent(), "Det gikk galt & mer", "50000", NOW)
    assert url == (
        "https://bank.example/retur?Status=Failed&ErrorMessage=Det%2520gikk%2520galt%2520%2526%2520mer"
        f"&FailedAuthorizationCode={CODE}&ErrorCode=50000&Timestamp=2026-05-04T10%3A00%3A00"
    )


def test_a_declined_link_has_no_code_to_name() -> None:
    assert "FailedAuthorizationCode" not in link_url("https://bank.example/", None)
    assert link_url("https://bank.example/", "x").endswith("?AuthorizationCode=x&Status=OK")


def test_who_receives_handles_or_is_asked_sees_a_request_and_nobody_else() -> None:
    one = consent(handled_by=SUPPLIER)
    assert all(is_seen_by(one, organisation("X", uuid)) for uuid in (GIVER, BANK, SUPPLIER))
    assert not is_seen_by(one, organisation("X", OTHER))


def test_a_supplier_sees_what_it_has_asked_for_and_never_what_another_supplier_has() -> None:
    one, bank = consent(handled_by=SUPPLIER), organisation("Banken AS")
    assert is_seen_by(one, organisation("Leverandør", SUPPLIER), bank)
    assert not is_seen_by(one, organisation("Annen", OTHER), bank)
    assert not is_seen_by(consent(), organisation("Leverandør", SUPPLIER), bank)
    assert not is_seen_by(one, organisation("Leverandør", SUPPLIER), organisation("Annen bank", OTHER))


def test_neither_a_withdrawn_request_nor_one_of_altinn_3s_form_is_seen() -> None:
    assert not is_seen_by(consent(status=Status.DELETED, ended_at=NOW), organisation("Banken AS"))
    assert not is_seen_by(consent(form=Form.ALTINN3), organisation("Banken AS"))


def test_a_token_says_what_was_agreed_for_thirty_seconds() -> None:
    told = ConsentClaims(
        code=CODE,
        services=[ConsentedService("5498_1", {"Navn": "Banken AS"}), ConsentedService("4629_2", {"aar": "2025"})],
        offered_by="08027202285",
        covered_by="313876144",
        delegated=NOW,
        valid_to=NOW + dt.timedelta(days=1),
    )
    at = NOW + dt.timedelta(seconds=5, microseconds=999_999)
    assert told.claims(at) == {
        "Services": ["5498_1", "5498_1_Navn=Banken AS", "4629_2", "4629_2_aar=2025"],
        "AuthorizationCode": str(CODE),
        "OfferedBy": "08027202285",
        "CoveredBy": "313876144",
        "DelegatedDate": 1777888800,
        "ValidToDate": 1777975200,
        "iss": "altinn.no",
        "nbf": 1777888805,
        "iat": 1777888805,
        "exp": 1777888835,
    }
    assert "08027202285" not in repr(told)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2026-05-01T10:00:00.000Z", "2026-05-01T10:00:00"),
        ("2026-05-01T10:00:00.123+02:00", "2026-05-01T08:00:00.123"),
        ("2026-05-01 10:00:00", "2026-05-01T10:00:00"),
        ("2026-05-01", "2026-05-01T00:00:00"),
    ],
)
def test_times_are_read_as_iso_8601_has_them_and_written_without_a_zone(text: str, written: str) -> None:
    assert local_time(read_time(text)) == written


@pytest.mark.parametrize("text", ["", "01.05.2026", "2026-13-01", "9999-12-31T23:59:59-10:00", "i morgen"])
def test_a_time_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_time(text)
