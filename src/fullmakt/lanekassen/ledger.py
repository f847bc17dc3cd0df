"""From what has happened to what is owed. Pure (lanekassen-saldo.md §4.1)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from fullmakt.lanekassen.model import Balance, Event, EventKind, Posting, SubAccount

ORDER = (SubAccount.COSTS, SubAccount.FEES, SubAccount.INTEREST, SubAccount.PRINCIPAL)
"""What a payment goes to, first to last."""
_ØRE = Decimal("0.01")
_DAYS = Decimal(365)
_OWED = {
    EventKind.LOAN: SubAccount.PRINCIPAL,
    EventKind.FEE: SubAccount.FEES,
    EventKind.COST: SubAccount.COSTS,
}


class LedgerError(ValueError):
    """The events make no ledger."""


def postings(events: Iterable[Event], rate: Decimal) -> tuple[Posting, ...]:
    """What the events post, at ``rate`` per cent a year.

    Raises:
        LedgerError: events are not in order of time, or more becomes a grant than is lent.
    """
    books = _Books(rate)
    return tuple([posting for event in events for posting in books.take(event)])


def balances(posted: Iterable[Posting], now: datetime) -> tuple[Balance, ...]:
    """What stands on each sub-account that something stands on, in the API's order, of what was posted by ``now``."""
    amounts: dict[SubAccount, Decimal] = defaultdict(Decimal)
    changed: dict[SubAccount, datetime] = {}
    for posting in posted:
        if posting.at <= now:
            amounts[posting.account] += posting.amount
            changed[posting.account] = posting.at
    return tuple([Balance(account, amounts[account], changed[account]) for account in SubAccount if amounts[account]])


class _Books:
    """The sub-accounts as they stand, and up to which day interest is posted."""

    def __init__(self, rate: Decimal) -> None:
        self._rate = rate
        self._owed: dict[SubAccount, Decimal] = defaultdict(Decimal)
        self._interest_from: date | None = None
        self._last: datetime | None = None

    def take(self, event: Event) -> Iterator[Posting]:
        """What one event posts."""
        if self._last is not None and event.at < self._last:
            raise LedgerError("events are not in order of time")
        self._last = event.at
        yield from self._interest(event.at)
        if event.kind is EventKind.PAYMENT:
            for account, amount in _spread(event.amount, self._owed).items():
                yield self._post(event.at, account, -amount)
        elif event.kind is EventKind.CONVERTED:
            if event.amount > self._owed[SubAccount.PRINCIPAL]:
                raise LedgerError("more becomes a grant than is lent")
            yield self._post(event.at, SubAccount.PRINCIPAL, -event.amount)
        elif event.kind in _OWED:
            yield self._post(event.at, _OWED[event.kind], event.amount)

    def _interest(self, at: datetime) -> Iterator[Posting]:
        """Up to and with the day before."""
        since, self._interest_from = self._interest_from or at.date(), at.date()
        days = (at.date() - since).days
        principal = max(self._owed[SubAccount.PRINCIPAL], Decimal(0))
        interest = (principal * self._rate / 100 * days / _DAYS).quantize(_ØRE, ROUND_HALF_UP)
        if interest:
            yield self._post(at, SubAccount.INTEREST, interest)

    def _post(self, at: datetime, account: SubAccount, amount: Decimal) -> Posting:
        self._owed[account] += amount
        return Posting(at, account, amount.quantize(_ØRE))


def _spread(payment: Decimal, owed: Mapping[SubAccount, Decimal]) -> dict[SubAccount, Decimal]:
    """How a payment is spread; what is left over waits on the loan to be paid back."""
    spread: dict[SubAccount, Decimal] = {}
    left = payment
    for account in ORDER:
        part = min(left, max(owed[account], Decimal(0)))
        if part:
            spread[account] = part
            left -= part
    if left:
        spread[SubAccount.PRINCIPAL] = spread.get(SubAccount.PRINCIPAL, Decimal(0)) + left
    return spread
