"""How SRR gates consent: every branch of consent.md §3.4, as values."""

from __future__ import annotations

import datetime as dt

import pytest

from fullmakt.altinn.consents.srr.domains import destination_of, parse_pattern
from fullmakt.altinn.consents.srr.model import Condition, Draft, Entry, Gate, OperationStatus, Right, ServiceKey
from fullmakt.altinn.consents.srr.rules import (
    Refusal,
    allowed_redirect,
    fault_of,
    is_reportee,
    may_receive,
    may_request,
)
from fullmakt.kernel.identifiers import OrgNumber

NOW = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(days=1)
LOAN, TAX = ServiceKey("5498", 1), ServiceKey("4629", 2)
SUPPLIER, OTHER = OrgNumber("312044005"), OrgNumber("310943223")
HERE = destination_of("https://bank.no/retur")


def entry(
    service: ServiceKey = LOAN,
    *domains: str,
    right: Right = Right.READ,
    valid_to: dt.datetime = LATER,
    handled_by: OrgNumber | None = None,
) -> Entry:
    condition = Condition(handled_by, None, tuple(map(parse_pattern, domains)))
    return Entry(1, service, "910753614", right, valid_to, condition)


def gate(*entries: Entry, service: ServiceKey = LOAN, uses_srr: bool = True) -> Gate:
    return Gate(service, uses_srr, entries)


OPEN = gate(service=TAX, uses_srr=False)


def reason(refusal: Refusal | None) -> str | None:
    return refusal.reason if refusal else None


def test_a_listed_receiver_may_ask_and_receive() -> None:
    assert may_request([gate(entry())], NOW, redirect=HERE) is None
    assert may_receive([gate(entry())], NOW) is None


def test_who_is_not_listed_may_neither_ask_nor_receive() -> None:
    refused = Refusal("not_in_srr", {"service": "5498_1"})
    assert may_request([gate()], NOW, redirect=HERE) == refused
    assert may_receive([gate()], NOW) == refused


def test_a_service_without_srr_is_open_to_all() -> None:
    assert may_request([OPEN], NOW, redirect=HERE) is None


def test_the_receiver_must_be_listed_for_every_service_that_uses_srr() -> None:
    assert may_receive([OPEN, gate(entry())], NOW) is None
    assert may_receive([gate(entry()), gate(service=TAX)], NOW) == Refusal("not_in_srr", {"service": "4629_2"})


@pytest.mark.parametrize("right", list(Right))
def test_a_right_of_at_least_read_is_needed(right: Right) -> None:
    refused = reason(may_receive([gate(entry(right=right))], NOW))
    assert refused == ("not_in_srr" if right is Right.NONE else None)


def test_an_entry_ends_at_its_last_moment() -> None:
    assert may_receive([gate(entry(valid_to=NOW + dt.timedelta(microseconds=1)))], NOW) is None
    assert reason(may_receive([gate(entry(valid_to=NOW))], NOW)) == "srr_expired"


def test_a_supplier_with_a_certificate_alone_must_be_named_for_every_service() -> None:
    named, unnamed = gate(entry(handled_by=SUPPLIER)), gate(entry())
    assert may_receive([named], NOW, handled_by=SUPPLIER, by_certificate=True) is None
    for gates in ([unnamed], [gate(entry(handled_by=OTHER))], [named, OPEN], [named, gate(entry(TAX), service=TAX)]):
        assert reason(may_receive(gates, NOW, handled_by=SUPPLIER, by_certificate=True)) == "supplier_not_in_srr"
    other = gate(entry(right=Right.WRITE, handled_by=SUPPLIER), entry())
    assert may_receive([other], NOW, handled_by=SUPPLIER, by_certificate=True) is None
    lapsed = gate(entry(handled_by=SUPPLIER, valid_to=NOW), entry(right=Right.WRITE))
    assert reason(may_receive([lapsed], NOW, handled_by=SUPPLIER, by_certificate=True)) == "supplier_not_in_srr"


def test_a_supplier_by_delegation_needs_no_mention() -> None:
    assert may_receive([gate(entry()), OPEN], NOW, handled_by=SUPPLIER) is None


def test_the_redirect_must_match_one_pattern_of_every_entry_that_has_any() -> None:
    ours, theirs = gate(entry(LOAN, "bank.no", "*.bank.no")), gate(entry(TAX, "other.no"), service=TAX)
    assert allowed_redirect([ours, gate(entry(TAX), service=TAX), OPEN], NOW, HERE) is None
    assert reason(allowed_redirect([ours, theirs], NOW, HERE)) == "redirect_not_allowed"
    refused = allowed_redirect([ours], NOW, destination_of("https://bank.no:8443/x?secret"))
    facts = {"scheme": "https", "host": "bank.no", "allowed": ["bank.no", "*.bank.no"], "port": 8443}
    assert refused == Refusal("redirect_not_allowed", facts)
    assert reason(may_request([theirs], NOW, redirect=HERE)) == "redirect_not_allowed"


def test_the_patterns_of_srr_take_the_place_of_the_api_key_s() -> None:
    of_key = (parse_pattern("bank.no"),)
    assert allowed_redirect([gate(entry())], NOW, HERE, of_key) is None
    assert reason(allowed_redirect([gate(entry(LOAN, "other.no"))], NOW, HERE, of_key)) == "redirect_not_allowed"
    there = destination_of("https://other.no/")
    assert allowed_redirect([gate(entry(LOAN, "other.no"))], NOW, there, of_key) is None
    assert reason(allowed_redirect([OPEN], NOW, there, of_key)) == "redirect_not_allowed"


def test_without_patterns_anywhere_the_redirect_is_not_looked_at() -> None:
    assert allowed_redirect([gate(entry()), OPEN], NOW, HERE) is None


def test_patterns_of_entries_that_do_not_stand_count_for_nothing() -> None:
    of_old, unused = entry(LOAN, "other.no", valid_to=NOW), gate(entry(TAX, "other.no"), service=TAX, uses_srr=False)
    assert allowed_redirect([gate(of_old, entry(LOAN, "bank.no")), unused], NOW, HERE) is None


@pytest.mark.parametrize(
    ("number", "valid"),
    [
        ("910753614", True),
        ("910753615", False),
        ("05895199925", True),
        ("05895199926", False),
        ("", False),
        ("91075361", False),
        ("９１０７５３６１４", False),
        (" 910753614", False),
    ],
)
def test_a_reportee_is_a_number_whose_check_digits_fit(number: str, valid: bool) -> None:
    assert is_reportee(number) is valid
    fault = fault_of(Draft(LOAN, number, Right.READ, LATER), NOW)
    assert fault is (None if valid else OperationStatus.BAD_REPORTEE)


def test_an_entry_that_is_over_is_not_made() -> None:
    assert fault_of(Draft(LOAN, "910753614", Right.READ, NOW), NOW) is OperationStatus.EXPIRED
