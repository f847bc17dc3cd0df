"""The customers that there are: the file ``people.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

from fullmakt.kernel.identifiers import NationalId
from fullmakt.lanekassen.ledger import postings
from fullmakt.lanekassen.model import Customer, Event, EventKind


@cache
def customers() -> Mapping[NationalId, Customer]:
    """By national identity number."""
    text = files(__package__).joinpath("people.toml").read_text(encoding="utf-8")
    document = tomllib.loads(text, parse_float=Decimal)
    found = [_customer(entry, Decimal(document["rate"])) for entry in document["person"]]
    return {customer.id: customer for customer in found}


def _customer(entry: Mapping[str, Any], rate: Decimal) -> Customer:
    events = [_event(event) for event in entry.get("events", ())]
    return Customer(NationalId(entry["id"]), entry["name"], entry["case"], postings(events, rate))


def _event(entry: Mapping[str, Any]) -> Event:
    """``{ at = …, fee = 280 }``: when, and what with which amount."""
    (kind,) = entry.keys() - {"at"}
    at: datetime = entry["at"]
    amount = Decimal(0) if kind == EventKind.MONTH_END else Decimal(entry[kind])
    return Event(at.astimezone(UTC), EventKind(kind), amount)
