"""How SRR and an access list have drifted apart, and that a repair brings them together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fullmakt.cli.srr.drift import Action, Entry, Finding, Follow, Kind, Service, Step, compare, plan

NOW = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
LATER, EARLIER, NEXT_YEAR = (NOW + dt.timedelta(days=days) for days in (1, -1, 365))
LOAN, TAX = Service("5498", 1), Service("4629", 2)
BANK, SHOP, CLUB = "910753614", "312044005", "310943223"
SUPPLIER, OTHER = "991825827", "974761076"


def entry(
    reportee: str,
    valid_to: dt.datetime = LATER,
    *,
    service: Service = LOAN,
    number: int = 1,
    handled_by: str | None = None,
    **condition: Any,
) -> Entry:
    said = {**condition, **({"HandledBy": handled_by} if handled_by else {})}
    document = {
        "Id": number,
        "ServiceCode": service.code,
        "ServiceEditionCode": service.edition,
        "Reportee": reportee,
        "Right": "Read",
        "ValidTo": valid_to.isoformat(),
        "Condition": said or None,
    }
    return Entry(number, service, reportee, valid_to, document)


def kinds(findings: list[Finding]) -> list[tuple[Kind, str, Service]]:
    return [(one.kind, one.consumer, one.service) for one in findings]


def actions(steps: list[Step]) -> list[tuple[Action, str, int | None]]:
    return [(one.action, one.consumer, one.entry) for one in steps]


def test_lists_that_are_in_step_need_nothing() -> None:
    assert compare({BANK, SHOP}, {LOAN: [entry(BANK), entry(SHOP, number=2)]}, NOW) == []
    assert compare(set(), {LOAN: []}, NOW) == []


def test_drift_is_seen_in_both_directions_and_in_what_has_expired() -> None:
    in_srr = {LOAN: [entry(SHOP, EARLIER), entry(CLUB, number=2), entry(OTHER, NOW, number=3)]}
    assert kinds(compare({BANK, SHOP}, in_srr, NOW)) == [
        (Kind.UNAPPROVED, CLUB, LOAN),
        (Kind.EXPIRED, SHOP, LOAN),
        (Kind.MISSING, BANK, LOAN),
        (Kind.LEFT_OVER, OTHER, LOAN),
    ]


def test_an_entry_that_stands_makes_up_for_one_that_has_expired() -> None:
    assert compare({BANK}, {LOAN: [entry(BANK, EARLIER), entry(BANK, number=2)]}, NOW) == []


def test_each_service_is_looked_at() -> None:
    in_srr = {LOAN: [entry(BANK)], TAX: []}
    assert kinds(compare({BANK}, in_srr, NOW)) == [(Kind.MISSING, BANK, TAX)]


def test_a_supplier_that_is_named_for_one_service_must_be_named_for_all() -> None:
    in_srr = {LOAN: [entry(BANK, handled_by=SUPPLIER)], TAX: [entry(BANK, service=TAX, number=2)]}
    (finding,) = compare({BANK}, in_srr, NOW)
    assert (finding.kind, finding.service, finding.supplier) == (Kind.NO_SUPPLIER, TAX, SUPPLIER)
    (step,) = plan([finding], [LOAN, TAX], Follow.ACCESS_LIST, NEXT_YEAR)
    assert (step.action, step.entry) == (Action.CHANGE, 2)
    assert step.body is not None
    assert step.body["Condition"] == {"HandledBy": SUPPLIER}
    assert step.body["ValidTo"] == LATER.isoformat()


def test_a_supplier_that_is_told_must_be_named() -> None:
    told = {BANK: SUPPLIER}
    assert kinds(compare({BANK}, {LOAN: [entry(BANK)]}, NOW, told)) == [(Kind.NO_SUPPLIER, BANK, LOAN)]
    named = {LOAN: [entry(BANK, handled_by=OTHER, KeepSessionAlive=True)]}
    (finding,) = compare({BANK}, named, NOW, told)
    assert finding.kind is Kind.OTHER_SUPPLIER
    (step,) = plan([finding], [LOAN], Follow.ACCESS_LIST, NEXT_YEAR)
    assert step.body is not None
    assert step.body["Condition"] == {"HandledBy": SUPPLIER, "KeepSessionAlive": True}
    assert compare({BANK}, {LOAN: [entry(BANK, handled_by=SUPPLIER)]}, NOW, told) == []


def test_suppliers_that_entries_disagree_on_are_left_to_people() -> None:
    in_srr = {
        LOAN: [entry(BANK, handled_by=SUPPLIER)],
        TAX: [entry(BANK, service=TAX, number=2, handled_by=OTHER)],
    }
    findings = compare({BANK}, in_srr, NOW)
    assert {one.kind for one in findings} == {Kind.OTHER_SUPPLIER}
    assert plan(findings, [LOAN, TAX], Follow.ACCESS_LIST, NEXT_YEAR) == []


def test_a_new_entry_names_the_supplier_and_lasts_as_long_as_told() -> None:
    (step,) = plan(compare({BANK}, {LOAN: []}, NOW, {BANK: SUPPLIER}), [LOAN], Follow.ACCESS_LIST, NEXT_YEAR)
    assert step.body == {
        "ServiceCode": "5498",
        "ServiceEditionCode": 1,
        "Reportee": BANK,
        "Right": "Read",
        "ValidTo": NEXT_YEAR.isoformat(),
        "Condition": {"HandledBy": SUPPLIER},
    }


def test_an_entry_that_has_expired_is_renewed_with_its_conditions() -> None:
    old = entry(BANK, EARLIER, AllowedRedirectDomain=["bank.no"])
    newer = entry(BANK, EARLIER + dt.timedelta(hours=1), number=2, AllowedRedirectDomain=["*.bank.no"])
    (step,) = plan(compare({BANK}, {LOAN: [newer, old]}, NOW), [LOAN], Follow.ACCESS_LIST, NEXT_YEAR)
    assert (step.action, step.entry) == (Action.CHANGE, 2)
    assert step.body is not None
    assert step.body["Condition"] == {"AllowedRedirectDomain": ["*.bank.no"]}
    assert step.body["ValidTo"] == NEXT_YEAR.isoformat()


def test_what_is_in_srr_alone_is_removed_or_approved_as_told() -> None:
    findings = compare(set(), {LOAN: [entry(BANK), entry(BANK, EARLIER, number=2)], TAX: []}, NOW)
    assert actions(plan(findings, [LOAN, TAX], Follow.ACCESS_LIST, NEXT_YEAR)) == [
        (Action.REMOVE, BANK, 1),
        (Action.REMOVE, BANK, 2),
    ]
    assert actions(plan(findings, [LOAN, TAX], Follow.SRR, NEXT_YEAR)) == [(Action.APPROVE, BANK, None)]


def test_access_is_taken_from_who_is_in_srr_for_no_service_and_from_nobody_else() -> None:
    nowhere = compare({BANK}, {LOAN: [entry(BANK, EARLIER)], TAX: []}, NOW)
    assert actions(plan(nowhere, [LOAN, TAX], Follow.SRR, NEXT_YEAR)) == [
        (Action.DENY, BANK, None),
        (Action.REMOVE, BANK, 1),
    ]
    somewhere = compare({BANK}, {LOAN: [entry(BANK)], TAX: []}, NOW)
    assert plan(somewhere, [LOAN, TAX], Follow.SRR, NEXT_YEAR) == []


@pytest.mark.parametrize("follow", list(Follow))
def test_what_has_expired_and_is_in_neither_list_is_cleared_away(follow: Follow) -> None:
    findings = compare(set(), {LOAN: [entry(BANK, EARLIER)]}, NOW)
    assert actions(plan(findings, [LOAN], follow, NEXT_YEAR)) == [(Action.REMOVE, BANK, 1)]


# -- any two lists -----------------------------------------------------------------------------------------------------

_CONSUMERS = st.sampled_from([BANK, SHOP, CLUB])
_ROWS = st.tuples(
    _CONSUMERS,
    st.sampled_from([LOAN, TAX]),
    st.sampled_from([EARLIER, NOW, LATER]),
    st.sampled_from([None, SUPPLIER]),
)


class Lists:
    """The two lists in memory, for steps to change."""

    def __init__(self, approved: set[str], rows: list[tuple[str, Service, dt.datetime, str | None]]) -> None:
        self.approved = set(approved)
        self.entries = {
            number: entry(reportee, valid_to, service=service, number=number, handled_by=supplier)
            for number, (reportee, service, valid_to, supplier) in enumerate(rows)
        }

    def by_service(self, services: list[Service]) -> dict[Service, list[Entry]]:
        return {service: [one for one in self.entries.values() if one.service == service] for service in services}

    def carry_out(self, step: Step) -> None:
        match step.action:
            case Action.APPROVE:
                self.approved.add(step.consumer)
            case Action.DENY:
                self.approved.remove(step.consumer)
            case Action.REMOVE:
                assert step.entry is not None
                del self.entries[step.entry]
            case Action.ADD:
                assert step.body is not None
                self._put(max(self.entries, default=0) + 1, step.consumer, step.service, step.body)
            case Action.CHANGE:
                assert step.body is not None
                assert step.entry in self.entries
                self._put(step.entry, step.consumer, step.service, step.body)

    def _put(self, number: int, consumer: str, service: Service | None, body: Mapping[str, Any]) -> None:
        assert service is not None
        valid_to = dt.datetime.fromisoformat(body["ValidTo"])
        self.entries[number] = Entry(number, service, consumer, valid_to, {**body, "Id": number})


@given(st.sets(_CONSUMERS), st.lists(_ROWS, max_size=8))
def test_a_repair_by_the_access_list_ends_all_drift_in_srr(
    approved: set[str], rows: list[tuple[str, Service, dt.datetime, str | None]]
) -> None:
    lists, services = Lists(approved, rows), [LOAN, TAX]
    findings = compare(lists.approved, lists.by_service(services), NOW)
    for step in plan(findings, services, Follow.ACCESS_LIST, NEXT_YEAR):
        lists.carry_out(step)
    assert compare(lists.approved, lists.by_service(services), NOW) == []
    assert lists.approved == approved
    standing = {one.reportee for one in lists.entries.values() if one.valid_to > NOW}
    assert standing == approved


@given(st.sets(_CONSUMERS), st.lists(_ROWS, max_size=8))
def test_a_repair_by_srr_ends_all_drift_of_one_service(
    approved: set[str], rows: list[tuple[str, Service, dt.datetime, str | None]]
) -> None:
    lists = Lists(approved, [(one, LOAN, valid_to, supplier) for one, _, valid_to, supplier in rows])
    standing = {one.reportee for one in lists.entries.values() if one.valid_to > NOW}
    for step in plan(compare(lists.approved, lists.by_service([LOAN]), NOW), [LOAN], Follow.SRR, NEXT_YEAR):
        lists.carry_out(step)
    assert compare(lists.approved, lists.by_service([LOAN]), NOW) == []
    assert lists.approved == standing


@given(st.sets(_CONSUMERS), st.lists(_ROWS, max_size=8), st.data())
def test_a_repair_that_was_stopped_is_taken_up_by_another(
    approved: set[str], rows: list[tuple[str, Service, dt.datetime, str | None]], data: st.DataObject
) -> None:
    lists, services = Lists(approved, rows), [LOAN, TAX]
    steps = plan(compare(lists.approved, lists.by_service(services), NOW), services, Follow.ACCESS_LIST, NEXT_YEAR)
    for step in steps[: data.draw(st.integers(0, len(steps)))]:
        lists.carry_out(step)
    left = compare(lists.approved, lists.by_service(services), NOW)
    for step in plan(left, services, Follow.ACCESS_LIST, NEXT_YEAR):
        lists.carry_out(step)
    assert compare(lists.approved, lists.by_service(services), NOW) == []
