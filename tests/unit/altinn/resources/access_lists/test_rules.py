"""Decisions on access lists, by tables."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from fullmakt.altinn.resources.access_lists import rules
from fullmakt.altinn.resources.access_lists.model import (
    AccessList,
    Authorization,
    Conditions,
    Grant,
    ListReference,
    Tags,
)
from fullmakt.altinn.resources.access_lists.rules import Verdict
from fullmakt.wire.altinn.callers import Caller
from tests.support.access_lists import DIGDIR, ORG_CODES, SKD, START, caller, organisation, resource

REFERENCE = ListReference("digdir", "senders")
LIST = AccessList(1, REFERENCE, "Senders", "", START, START, 7)
SECOND = START.replace(microsecond=0)
BEFORE, AFTER = SECOND - dt.timedelta(seconds=1), SECOND + dt.timedelta(seconds=1)
THIS, OTHER, ANY, NONE = Tags(frozenset({3, 7})), Tags(frozenset({6})), Tags(None), Tags(frozenset())
P, N, F = Verdict.PROCEED, Verdict.NOT_MODIFIED, Verdict.FAILED


@pytest.mark.parametrize(
    ("conditions", "reading", "writing", "making"),
    [
        (Conditions(), P, P, P),
        (Conditions(match=THIS), P, P, F),
        (Conditions(match=OTHER), F, F, F),
        (Conditions(match=NONE), F, F, F),
        (Conditions(match=ANY), P, P, F),
        (Conditions(none_match=THIS), N, F, P),
        (Conditions(none_match=OTHER), P, P, P),
        (Conditions(none_match=NONE), P, P, P),
        (Conditions(none_match=ANY), N, F, P),
        (Conditions(match=OTHER, none_match=THIS), F, F, F),
        (Conditions(match=THIS, none_match=THIS), N, F, F),
        (Conditions(modified_since=BEFORE), P, P, F),
        (Conditions(modified_since=SECOND), N, F, F),
        (Conditions(modified_since=AFTER), N, F, F),
        (Conditions(unmodified_since=BEFORE), F, F, P),
        (Conditions(unmodified_since=SECOND), P, P, P),
        (Conditions(unmodified_since=AFTER), P, P, P),
        (Conditions(page_of=7), P, P, P),
        (Conditions(page_of=6), F, F, P),
        (Conditions(page_of=6, none_match=THIS), F, F, P),
    ],
)
def test_conditions_hold_or_do_not(conditions: Conditions, reading: Verdict, writing: Verdict, making: Verdict) -> None:
    assert rules.verdict(conditions, LIST, reading=True) is reading
    assert rules.verdict(conditions, LIST, reading=False) is writing
    assert rules.verdict(conditions, None, reading=False) is making


WRITE, READ, ADMIN, PDP = rules.WRITE_SCOPE, rules.READ_SCOPE, rules.ADMIN_SCOPE, rules.PDP_SCOPE


@pytest.mark.parametrize(
    ("who", "reads", "writes"),
    [
        (caller(DIGDIR, WRITE), True, True),
        (Caller(frozenset({WRITE}), org_code="digdir"), True, True),
        (Caller(frozenset({WRITE}), org_code="DIGDIR"), True, True),
        (caller(SKD, WRITE, org_code="skd"), False, False),
        (Caller(frozenset({WRITE})), False, False),
        (Caller(frozenset({WRITE}), supplier=DIGDIR), False, False),
        (caller(SKD, ADMIN), True, True),
        (caller(SKD, PDP), True, False),
        (caller(SKD, PDP, WRITE), True, False),
    ],
)
def test_owners_see_to_their_own_lists_and_the_exempt_to_all(who: Caller, reads: bool, writes: bool) -> None:
    assert rules.may_act_for(who, "digdir", ORG_CODES, writing=False) is reads
    assert rules.may_act_for(who, "digdir", ORG_CODES, writing=True) is writes


def test_an_owner_is_a_registered_code_in_any_letters() -> None:
    assert rules.owner_code("DigDir", ORG_CODES) == "digdir"
    assert rules.owner_code("991825827", ORG_CODES) is None
    assert rules.owner_code("", ORG_CODES) is None


@pytest.mark.parametrize(
    ("owner", "orgno", "mine"),
    [("digdir", None, True), ("DIGDIR", SKD, True), ("ttd", DIGDIR, True), ("skd", SKD, False), ("", None, False)],
)
def test_a_resource_is_the_owners_by_code_or_by_number(owner: str, orgno: str | None, mine: bool) -> None:
    named = replace(resource("a"), owner_code=owner, owner_orgno=orgno)  # type: ignore[arg-type]
    assert rules.may_connect(named, "digdir", ORG_CODES) is mine


def test_an_owner_that_is_registered_no_more_owns_no_resource_by_number() -> None:
    assert not rules.may_connect(replace(resource("a"), owner_code="x", owner_orgno=None), "gone", ORG_CODES)


def _grant(*actions: str) -> Grant:
    return Grant(REFERENCE, organisation(1).party_uuid, START, "api", actions)


@pytest.mark.parametrize(
    ("grants", "result"),
    [
        ([], Authorization.NOT_AUTHORIZED),
        ([_grant()], Authorization.AUTHORIZED),
        ([_grant("read", "write")], Authorization.AUTHORIZED),
        ([_grant("write")], Authorization.NOT_AUTHORIZED),
        ([_grant("Read")], Authorization.NOT_AUTHORIZED),
        ([_grant("write"), _grant("read")], Authorization.AUTHORIZED),
        ([_grant("write"), _grant()], Authorization.AUTHORIZED),
    ],
)
def test_any_list_that_allows_the_action_is_enough(grants: list[Grant], result: Authorization) -> None:
    assert rules.authorization(grants, "read") is result


@pytest.mark.parametrize("identifier", ["a", "eformidling-dpv", "Æ Ø", "a:b", "x" * 255])
def test_an_identifier_is_any_printable_text(identifier: str) -> None:
    assert rules.identifier_fault(identifier) is None


@pytest.mark.parametrize("identifier", ["", " ", "a\x00", "a\nb", "\ud800", "\u200b", "x" * 256])
def test_an_identifier_that_can_not_be_printed_is_none(identifier: str) -> None:
    assert rules.identifier_fault(identifier) is not None


def test_names_and_descriptions_have_limits() -> None:
    assert rules.name_fault("x" * 500) is None
    assert rules.name_fault(" ") == "The Name field is required."
    assert rules.name_fault("x" * 501) is not None
    assert rules.name_fault("a\x00") is not None
    assert rules.description_fault("") is None
    assert rules.description_fault("two\nlines") is None
    assert rules.description_fault("x" * 5_001) is not None
    assert rules.description_fault("\x00") is not None


def test_a_filter_is_of_some_short_words() -> None:
    assert rules.actions_fault([]) is None
    assert rules.actions_fault(["read"] * 100) is None
    assert rules.actions_fault(["read"] * 101) is not None
    for action in ("", " ", "a\x00", "x" * 256):
        assert rules.actions_fault(["read", action]) is not None
