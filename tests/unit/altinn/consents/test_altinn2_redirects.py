"""Where a link may lead, and which domains the keys of an organisation come to (consent.md §2.6, decision 8)."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

import pytest

from fullmakt.altinn.consents.altinn2.redirects import domains_of, vouched
from fullmakt.altinn.consents.keys.model import ApiKey
from fullmakt.altinn.consents.srr.domains import destination_of, parse_pattern
from fullmakt.altinn.consents.srr.model import Condition, Entry, Gate, Right, ServiceKey
from fullmakt.kernel.identifiers import OrgNumber

NOW = dt.datetime(2026, 5, 4, 10, 0, tzinfo=dt.UTC)
BACK = destination_of("https://www.bank.example/back")
BANK = OrgNumber("910753614")
HERE, THERE = ("*.bank.example",), ("elsewhere.example",)


def gate(*domains: str, uses_srr: bool = True, days: int = 1) -> Gate:
    service = ServiceKey("5498", 1)
    condition = Condition(domains=tuple(map(parse_pattern, domains)))
    entry = Entry(1, service, BANK, Right.READ, NOW + dt.timedelta(days=days), condition)
    return Gate(service, uses_srr, (entry,))


def key(*domains: str) -> ApiKey:
    return ApiKey(UUID(int=1), "key", BANK, tuple(map(parse_pattern, domains)), service_owner=False, created=NOW)


OPEN = Gate(ServiceKey("4629", 2), uses_srr=False)


@pytest.mark.parametrize(
    ("gates", "keys", "reason"),
    [
        ([OPEN], [], "redirect_not_vouched_for"),
        ([], [], "redirect_not_vouched_for"),
        ([gate()], [], "redirect_not_vouched_for"),
        ([gate("bank.example")], [], "redirect_not_allowed"),
        ([gate(*HERE)], [], None),
        ([gate(*HERE), OPEN], [], "redirect_not_vouched_for"),
        ([gate(*HERE), OPEN], [key(*HERE)], None),
        ([gate(*HERE), gate(*THERE)], [key(*HERE)], "redirect_not_allowed"),
        ([gate(*HERE, days=0)], [], "redirect_not_vouched_for"),
        ([gate(*HERE, uses_srr=False)], [], "redirect_not_vouched_for"),
        ([OPEN], [key()], "redirect_not_vouched_for"),
        ([OPEN], [key(*THERE), key(*HERE)], None),
        ([gate(*THERE)], [key(*HERE)], "redirect_not_allowed"),
        ([gate()], [key(*HERE)], None),
    ],
    ids=[
        "nobody says anything",
        "there is no service",
        "srr names no domain",
        "srr names another",
        "srr names it",
        "srr names it for one service of two",
        "srr names it for one and a key for the other",
        "srr names another for one service",
        "srr named it until now",
        "the service does not use srr",
        "a key names nothing",
        "one of the keys names it",
        "a key does not outdo srr",
        "a key stands in where srr names none",
    ],
)
def test_a_link_leads_only_where_somebody_vouches_for(
    gates: list[Gate], keys: list[ApiKey], reason: str | None
) -> None:
    refusal = vouched(gates, NOW, BACK, keys)
    assert (None if refusal is None else refusal.reason) == reason


def test_a_key_without_domains_leads_anywhere_and_others_where_any_of_them_does() -> None:
    assert domains_of([]) == ()
    assert domains_of([key(*HERE), key()]) == ()
    assert [str(one) for one in domains_of([key(*HERE), key(*THERE)])] == [*HERE, *THERE]
