"""The answer's JSON, names and numbers as published (lanekassen-saldo.md §4)."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from fullmakt.lanekassen.model import Balance
from fullmakt.lanekassen.service import Owed


def accounts(owed: Owed, *, total_is_zero: bool = False) -> dict[str, Any]:
    """The whole document; ``total_is_zero`` has its total be 0 whatever is owed, as in the published sample."""
    total = sum((balance.amount for balance in owed.balances), Decimal(0))
    return {
        "Accounts": [_account(balance, owed.person) for balance in owed.balances],
        "TotalAmount": float(total) if owed.balances and not total_is_zero else 0,
    }


def _account(balance: Balance, person: str) -> dict[str, Any]:
    return {
        "Balances": [
            {
                "BalanceType": "closingBooked",
                "BalanceAmount": {"currency": "NOK", "amount": float(balance.amount)},
                "LastChangeDateTime": moment(balance.changed),
            }
        ],
        "Name": balance.account.value,
        "Bban": person,
        "Assert": "",
    }


def moment(at: datetime) -> str:
    """In UTC, with two or three decimals of a second."""
    thousandths = f"{at.microsecond // 1000:03d}"
    decimals = thousandths[:2] if thousandths.endswith("0") else thousandths
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{decimals}Z"
