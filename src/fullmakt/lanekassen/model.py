"""A student loan: what has been posted on its sub-accounts, and what is owed (lanekassen-saldo.md §4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from fullmakt.kernel.identifiers import NationalId


class SubAccount(StrEnum):
    """The parts of a debt, named and ordered as the API shows them."""

    PRINCIPAL = "Lån"
    INTEREST = "Renter"
    FEES = "Gebyr"
    COSTS = "Omkostninger"


class EventKind(StrEnum):
    """What happens to a loan. Each posts interest first, as far as there is any (§4.1)."""

    LOAN = "loan"
    """Money is lent."""
    CONVERTED = "converted"
    """Principal becomes a grant: an adjustment in case handling."""
    PAYMENT = "payment"
    FEE = "fee"
    COST = "cost"
    MONTH_END = "month_end"
    """Nothing but the interest; of the first day of the next month, which is up to its last one."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened at ``at`` (aware, UTC), with ``amount`` in kroner, never negative."""

    at: datetime
    kind: EventKind
    amount: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Posting:
    """``amount`` kroner, two decimals, was added to what is owed on ``account``; less than nothing was paid."""

    at: datetime
    account: SubAccount
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Balance:
    """What is owed on a sub-account, and when that changed last. Less than nothing waits to be paid back."""

    account: SubAccount
    amount: Decimal
    changed: datetime


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody who has, or had, something from Lånekassen. ``case`` is the test case that the person stands for."""

    id: NationalId
    name: str = field(repr=False)
    case: str
    postings: tuple[Posting, ...] = field(repr=False)
