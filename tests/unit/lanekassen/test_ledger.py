"""What is owed after what has happened (lanekassen-saldo.md §4.1, §11)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from fullmakt.kernel.identifiers import NationalId
from fullmakt.lanekassen.ledger import LedgerError, balances, postings
from fullmakt.lanekassen.model import Event, EventKind, Posting, SubAccount
from fullmakt.lanekassen.people import customers

RATE = Decimal("3.65")
"""A ten-thousandth a day: a loan of 100 000 costs ten kroner."""
A_DAY = Decimal(10)
END = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
LATEST = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)
CASES = {
    "01085301957": ("1a", "Lån"),
    "01097601522": ("1b", "Lån"),
    "02075700329": ("2", ""),
    "02095302184": ("3a", "Lån Renter"),
    "02104802179": ("3b", "Lån Renter"),
    "03096902157": ("4a", "Lån Renter Gebyr"),
    "03124002140": ("4b", "Lån Renter Gebyr"),
    "04024701293": ("5", "Lån Gebyr"),
    "04056200784": ("6", "Lån Renter Omkostninger"),
    "04125300311": ("7", "Lån Renter Gebyr Omkostninger"),
    "05106500098": ("8", "Renter Gebyr"),
    "06095300381": ("9", "Renter"),
    "07017900514": ("10", "Lån Omkostninger"),
    "08027200274": ("11", "Gebyr"),
    "08027201815": ("12", "Omkostninger"),
    "08027202285": ("13", "Lån Gebyr Omkostninger"),
    "08046802080": ("14", "Renter Gebyr Omkostninger"),
    "30918899991": ("demo", "Lån Renter"),
}
MILLION = Decimal(1_000_000)


def on(day: int, month: int = 1, hour: int = 12) -> dt.datetime:
    return dt.datetime(2026, month, day, hour, tzinfo=dt.UTC)


def event(at: dt.datetime, kind: EventKind, amount: str = "0") -> Event:
    return Event(at, kind, Decimal(amount))


LOAN = event(on(1), EventKind.LOAN, "100000")
DUE = event(on(15), EventKind.PAYMENT, "140")
"""The due date: fourteen days' interest, and nothing of the loan."""


def owed(*events: Event, now: dt.datetime = END) -> dict[SubAccount, Decimal]:
    return {balance.account: balance.amount for balance in balances(postings(events, RATE), now)}


def interest(*events: Event) -> Decimal:
    return owed(*events).get(SubAccount.INTEREST, Decimal(0))


def test_no_interest_just_after_paying_on_the_due_date() -> None:
    assert owed(LOAN, DUE) == {SubAccount.PRINCIPAL: Decimal(100_000)}


def test_still_none_some_days_later_when_nothing_has_happened() -> None:
    posted = postings([LOAN, DUE], RATE)
    assert balances(posted, on(15)) == balances(posted, on(28))


def test_five_days_after_an_event_on_the_twentieth() -> None:
    assert interest(LOAN, DUE, event(on(20), EventKind.FEE, "280")) == 5 * A_DAY


def test_from_the_fifteenth_to_the_last_of_the_month_after_month_end() -> None:
    assert interest(LOAN, DUE, event(on(1, month=2), EventKind.MONTH_END)) == 17 * A_DAY


def test_none_after_the_next_payment() -> None:
    month_end, next_due = event(on(1, month=2), EventKind.MONTH_END), event(on(15, month=2), EventKind.PAYMENT, "310")
    assert owed(LOAN, DUE, month_end, next_due) == {SubAccount.PRINCIPAL: Decimal(100_000)}


def test_a_payment_goes_to_costs_then_fees_then_interest_then_the_loan() -> None:
    before = (LOAN, event(on(11), EventKind.FEE, "280"), event(on(11), EventKind.COST, "1000"))

    def left(amount: str) -> tuple[Decimal, ...]:
        found = owed(*before, event(on(11, hour=13), EventKind.PAYMENT, amount))
        return tuple(found.get(account, Decimal(0)) for account in reversed(SubAccount))

    nothing, costs, fees, days, loan = Decimal(0), Decimal(1000), Decimal(280), Decimal(100), Decimal(100_000)
    assert left("0") == (costs, fees, days, loan)
    assert left("999.5") == (Decimal("0.5"), fees, days, loan)
    assert left("1000") == (nothing, fees, days, loan)
    assert left("1280") == (nothing, nothing, days, loan)
    assert left("1380") == (nothing, nothing, nothing, loan)
    assert left("1400") == (nothing, nothing, nothing, Decimal(99_980))


def test_what_is_paid_too_much_waits_to_be_paid_back() -> None:
    everything = event(on(15), EventKind.PAYMENT, "100240")
    assert owed(LOAN, everything) == {SubAccount.PRINCIPAL: Decimal(-100)}
    assert owed(LOAN, everything, event(on(20), EventKind.MONTH_END)) == {SubAccount.PRINCIPAL: Decimal(-100)}


def test_a_debt_that_is_paid_to_the_last_øre_is_none() -> None:
    assert owed(LOAN, event(on(15), EventKind.PAYMENT, "100140")) == {}


def test_interest_is_left_when_the_loan_becomes_a_grant() -> None:
    assert owed(LOAN, event(on(11), EventKind.CONVERTED, "100000")) == {SubAccount.INTEREST: Decimal(100)}
    with pytest.raises(LedgerError):
        owed(LOAN, event(on(11), EventKind.CONVERTED, "100000.01"))


def test_events_come_in_order() -> None:
    with pytest.raises(LedgerError):
        owed(DUE, LOAN)


def test_interest_is_rounded_to_the_nearest_øre() -> None:
    small = event(on(1), EventKind.LOAN, "150")  # 0.015 a day
    assert interest(small, event(on(2), EventKind.MONTH_END)) == Decimal("0.02")


def test_what_is_posted_later_is_not_owed_yet_and_the_last_posting_dates_the_balance() -> None:
    posted = postings([LOAN, event(on(20), EventKind.FEE, "280"), event(on(25), EventKind.FEE, "280")], RATE)
    assert [balance.account for balance in balances(posted, on(19))] == [SubAccount.PRINCIPAL]
    fees = {balance.account: balance for balance in balances(posted, END)}[SubAccount.FEES]
    assert (fees.amount, fees.changed) == (Decimal(560), on(25))


@pytest.mark.parametrize(("number", "case"), [(number, case) for number, (case, _) in CASES.items()])
def test_each_person_is_in_the_case_of_the_table(number: str, case: str) -> None:
    customer = customers()[NationalId(number)]
    found = balances(customer.postings, LATEST)
    assert customer.case == case
    assert " ".join(balance.account for balance in found) == CASES[number][1]
    total = sum((balance.amount for balance in found), Decimal(0))
    if case.endswith("a"):
        assert 0 < total < MILLION
    if case.endswith("b"):
        assert total > MILLION


def test_there_is_nobody_else() -> None:
    assert set(customers()) == set(CASES)


def test_every_amount_is_in_whole_øre() -> None:
    posted = [posting for customer in customers().values() for posting in customer.postings]
    assert all(isinstance(posting, Posting) and posting.amount.as_tuple().exponent == -2 for posting in posted)
