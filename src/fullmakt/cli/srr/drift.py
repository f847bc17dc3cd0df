"""How SRR and a scope's access list have drifted apart, and what would bring them together: values in, values out.

The two are independent lists, which the API's owner has to keep equal (seed 002, consent.md §3.1): who may have a token
with the scope, and who may ask for consent to the services that go with it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

READ = "Read"


class Kind(StrEnum):
    """In which way the lists disagree on a consumer and a service."""

    MISSING = "missing_in_srr"
    EXPIRED = "expired_in_srr"
    UNAPPROVED = "not_in_access_list"
    LEFT_OVER = "expired_and_not_in_access_list"
    NO_SUPPLIER = "supplier_missing"
    OTHER_SUPPLIER = "supplier_differs"


class Follow(StrEnum):
    """Which of the lists is right."""

    ACCESS_LIST = "access-list"
    SRR = "srr"


class Action(StrEnum):
    """What a step does."""

    ADD = "add_entry"
    CHANGE = "change_entry"
    REMOVE = "remove_entry"
    APPROVE = "approve_access"
    DENY = "deny_access"


@dataclass(frozen=True, slots=True, order=True)
class Service:
    """A service edition; as text ``5498/1``."""

    code: str
    edition: int

    def __str__(self) -> str:
        return f"{self.code}/{self.edition}"


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of SRR that lets its reportee receive consents, while it stands. ``document`` is as it was read."""

    id: int
    service: Service
    reportee: str
    valid_to: dt.datetime
    document: Mapping[str, Any] = field(repr=False)

    @property
    def supplier(self) -> str | None:
        """``HandledBy``."""
        return (self.document.get("Condition") or {}).get("HandledBy") or None


@dataclass(frozen=True, slots=True)
class Finding:
    """One disagreement. ``entries`` are the consumer's in SRR, for the service; ``supplier`` whom they should name."""

    kind: Kind
    consumer: str
    service: Service
    entries: tuple[Entry, ...] = ()
    supplier: str | None = None

    @property
    def until(self) -> dt.datetime | None:
        """When the last of the entries ends, or ended."""
        return max((one.valid_to for one in self.entries), default=None)

    def document(self) -> dict[str, Any]:
        """JSON."""
        return {
            "kind": str(self.kind),
            "consumer": self.consumer,
            "service": str(self.service),
            "entries": [one.id for one in self.entries],
            "valid_to": None if self.until is None else self.until.isoformat(),
            "supplier": self.supplier,
        }


@dataclass(frozen=True, slots=True)
class Step:
    """One change, over HTTP. ``body`` is what is sent, ``entry`` the id of the entry that is changed or removed."""

    action: Action
    consumer: str
    service: Service | None = None
    entry: int | None = None
    body: Mapping[str, Any] | None = field(default=None, repr=False)

    def document(self) -> dict[str, Any]:
        """JSON."""
        service = str(self.service) if self.service else None
        return {"action": str(self.action), "consumer": self.consumer, "service": service, "entry": self.entry}


def compare(
    approved: Collection[str],
    entries: Mapping[Service, Sequence[Entry]],
    now: dt.datetime,
    suppliers: Mapping[str, str] | None = None,
) -> list[Finding]:
    """Where the lists disagree, by consumer and service.

    ``approved`` are the consumers in the access list, ``entries`` those of every service that is looked at. A supplier
    that has no delegation must be named for every service of a request (§3.4): ``suppliers`` tells by consumer who has
    one; for others, an entry that names one tells that those of the other services should.
    """
    wanted = _suppliers(entries, now, suppliers or {})
    findings: list[Finding] = []
    for consumer in sorted({*approved, *(one.reportee for each in entries.values() for one in each)}):
        for service in sorted(entries):
            own = tuple(one for one in entries[service] if one.reportee == consumer)
            findings += _of_consumer(consumer, service, own, consumer in approved, now, wanted.get(consumer, ()))
    return findings


def _of_consumer(
    consumer: str,
    service: Service,
    own: tuple[Entry, ...],
    is_approved: bool,
    now: dt.datetime,
    suppliers: Collection[str],
) -> Iterator[Finding]:
    standing = tuple(one for one in own if one.valid_to > now)
    supplier = next(iter(suppliers)) if len(suppliers) == 1 else None
    if is_approved and not own:
        yield Finding(Kind.MISSING, consumer, service, (), supplier)
    elif is_approved and not standing:
        yield Finding(Kind.EXPIRED, consumer, service, own, supplier)
    elif standing and not is_approved:
        yield Finding(Kind.UNAPPROVED, consumer, service, own)
    elif own and not is_approved:
        yield Finding(Kind.LEFT_OVER, consumer, service, own)
    if standing and is_approved:
        if len(suppliers) > 1:
            yield Finding(Kind.OTHER_SUPPLIER, consumer, service, standing)
        elif supplier is not None and supplier not in {one.supplier for one in standing}:
            kind = Kind.OTHER_SUPPLIER if any(one.supplier for one in standing) else Kind.NO_SUPPLIER
            yield Finding(kind, consumer, service, standing, supplier)


def _suppliers(
    entries: Mapping[Service, Sequence[Entry]], now: dt.datetime, told: Mapping[str, str]
) -> dict[str, list[str]]:
    """Whom each consumer's entries should name; more than one where they disagree and nobody has told.

    Where none stands, those that have expired count: one of them is to be renewed.
    """
    found: dict[str, set[str]] = {}
    for each in entries.values():
        standing = {one.reportee for one in each if one.valid_to > now}
        for one in each:
            if one.supplier and (one.valid_to > now or one.reportee not in standing):
                found.setdefault(one.reportee, set()).add(one.supplier)
    return {consumer: sorted(each) for consumer, each in found.items()} | {
        consumer: [supplier] for consumer, supplier in told.items()
    }


def plan(
    findings: Sequence[Finding], services: Collection[Service], follow: Follow, valid_to: dt.datetime
) -> list[Step]:
    """What makes the other list equal to the one that is followed. New and renewed entries last until ``valid_to``.

    What can not be told from the lists is left to people: a supplier that entries disagree on, and, when SRR is
    followed, a consumer that is in it for some of the ``services`` alone.
    """
    steps: dict[tuple[Action, str, int | None, Service | None], Step] = {}
    for finding in findings:
        if follow is Follow.ACCESS_LIST:
            some = _follow_access_list(finding, valid_to)
        else:
            some = _follow_srr(finding, findings, services)
        for step in some:
            steps.setdefault((step.action, step.consumer, step.entry, step.service), step)
    return list(steps.values())


def _follow_access_list(finding: Finding, valid_to: dt.datetime) -> Iterator[Step]:
    match finding.kind:
        case Kind.MISSING:
            yield _add(finding, valid_to)
        case Kind.EXPIRED:
            yield _change(finding, valid_to)
        case Kind.UNAPPROVED | Kind.LEFT_OVER:
            yield from _removals(finding)
        case _ if finding.supplier is not None:
            yield _change(finding)


def _follow_srr(finding: Finding, findings: Sequence[Finding], services: Collection[Service]) -> Iterator[Step]:
    """The access list is one for all services: a consumer is in it when it is in SRR for any of them."""
    lacking = [one for one in findings if one.consumer == finding.consumer and one.kind in (Kind.MISSING, Kind.EXPIRED)]
    match finding.kind:
        case Kind.UNAPPROVED:
            yield Step(Action.APPROVE, finding.consumer)
        case Kind.LEFT_OVER:
            yield from _removals(finding)
        case Kind.MISSING | Kind.EXPIRED:
            if len(lacking) == len(services):
                yield Step(Action.DENY, finding.consumer)
                yield from _removals(finding)
        case _ if finding.supplier is not None:
            yield _change(finding)


def _add(finding: Finding, valid_to: dt.datetime) -> Step:
    body = {
        "ServiceCode": finding.service.code,
        "ServiceEditionCode": finding.service.edition,
        "Reportee": finding.consumer,
        "Right": READ,
        "ValidTo": valid_to.isoformat(),
    }
    if finding.supplier is not None:
        body["Condition"] = {"HandledBy": finding.supplier}
    return Step(Action.ADD, finding.consumer, finding.service, body=body)


def _change(finding: Finding, valid_to: dt.datetime | None = None) -> Step:
    """Of several entries, the one that lasts longest."""
    entry = max(finding.entries, key=lambda one: (one.valid_to, one.id))
    body = {name: value for name, value in entry.document.items() if name not in ("_links", "OperationStatus")}
    if valid_to is not None:
        body["ValidTo"] = valid_to.isoformat()
    if finding.supplier is not None:
        body["Condition"] = {**(body.get("Condition") or {}), "HandledBy": finding.supplier}
    return Step(Action.CHANGE, finding.consumer, finding.service, entry.id, body)


def _removals(finding: Finding) -> Iterator[Step]:
    for entry in finding.entries:
        yield Step(Action.REMOVE, finding.consumer, finding.service, entry.id)
