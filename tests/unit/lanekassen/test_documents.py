"""The answer's JSON, name by name (lanekassen-saldo.md §4)."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

from fullmakt.kernel.identifiers import NationalId
from fullmakt.lanekassen.documents import accounts, moment
from fullmakt.lanekassen.model import Balance, SubAccount
from fullmakt.lanekassen.service import Owed

PERSON = NationalId("08027202285")
SAMPLE = Owed(
    PERSON,
    (
        Balance(SubAccount.PRINCIPAL, Decimal("12684.79"), dt.datetime(2020, 1, 15, 21, 2, 11, 307_000, dt.UTC)),
        Balance(SubAccount.FEES, Decimal("280.00"), dt.datetime(2020, 3, 2, 1, 52, 27, 870_000, dt.UTC)),
    ),
)


def test_the_published_sample() -> None:
    written = json.dumps(accounts(SAMPLE), ensure_ascii=False)
    assert written == (
        '{"Accounts": [{"Balances": [{"BalanceType": "closingBooked", "BalanceAmount": {"currency": "NOK", '
        '"amount": 12684.79}, "LastChangeDateTime": "2020-01-15T21:02:11.307Z"}], "Name": "Lån", '
        '"Bban": "08027202285", "Assert": ""}, {"Balances": [{"BalanceType": "closingBooked", "BalanceAmount": '
        '{"currency": "NOK", "amount": 280.0}, "LastChangeDateTime": "2020-03-02T01:52:27.87Z"}], "Name": "Gebyr", '
        '"Bban": "08027202285", "Assert": ""}], "TotalAmount": 12964.79}'
    )


def test_nothing_owed() -> None:
    assert json.dumps(accounts(Owed(PERSON, ()))) == '{"Accounts": [], "TotalAmount": 0}'


def test_the_published_samples_total_is_a_quirk_to_switch_on() -> None:
    document = accounts(SAMPLE, total_is_zero=True)
    assert document["TotalAmount"] == 0
    assert document["Accounts"] == accounts(SAMPLE)["Accounts"]


def test_a_total_may_be_negative() -> None:
    overpaid = Owed(
        PERSON, (Balance(SubAccount.PRINCIPAL, Decimal("-100.10"), dt.datetime(2020, 1, 1, tzinfo=dt.UTC)),)
    )
    assert accounts(overpaid)["TotalAmount"] == -100.1


def test_times_have_two_or_three_decimals_in_utc() -> None:
    in_oslo = dt.datetime(2020, 1, 15, 22, 2, 11, 7_999, dt.timezone(dt.timedelta(hours=1)))
    assert moment(in_oslo) == "2020-01-15T21:02:11.007Z"
    assert moment(dt.datetime(2020, 1, 15, tzinfo=dt.UTC)) == "2020-01-15T00:00:00.00Z"


def test_a_person_is_not_in_a_repr() -> None:
    assert PERSON not in repr(SAMPLE)
