"""What may be asked for, how a request stands, and why what it asks can not be given."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from uuid import UUID

import pytest

from fullmakt.altinn.systemusers.model import Right, System
from fullmakt.altinn.systemusers.requests import rules
from fullmakt.altinn.systemusers.requests.model import (
    Alteration,
    Key,
    RequestStatus,
    SystemUserRequest,
    Wish,
)
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn.attributes import RESOURCE, Attribute
from fullmakt.wire.altinn.delegations import GivenKind, Giving
from fullmakt.wire.altinn.problems import AltinnProblemError
from fullmakt.wire.altinn.systemusers import UserType
from tests.support.access_lists import resource
from tests.support.delegations import FakePackages

NOW = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
TEXTS = {"nb": "S", "nn": "S", "en": "S"}


def right(*identifiers: str) -> Right:
    return Right(tuple(Attribute(RESOURCE, one) for one in identifiers))


SYSTEM = System(
    internal_id=UUID(int=1), id="991825827_s", vendor=OrgNumber("991825827"), name=TEXTS, description=TEXTS,
    rights=(right("krav"), right("melding", "annet")), packages=("skatt",),
    redirect_urls=("https://a.example/b", "https://bare.example", "https://A.Example:444/C?d=1"),
)  # fmt: skip
KEY = Key(SYSTEM.id, OrgNumber("310000101"), "ref")
REQUEST = SystemUserRequest(UUID(int=2), KEY, "S", (), (), "", RequestStatus.NEW, NOW)


def code(problem: AltinnProblemError | None) -> str:
    return "" if problem is None else problem.kind.code.removeprefix("AUTH-000")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("", ""),
        ("https://a.example/b", ""),
        ("https://a.example/b?state=1&more", ""),
        ("https://a.example/b#fragment", ""),
        ("HTTPS://A.example/b", ""),
        ("https://bare.example/", ""),
        ("https://a.example:444/C", ""),
        ("https://a.example:444/c", "21"),
        ("https://a.example/b/", "21"),
        ("https://a.example/b/../c", "21"),
        ("https://a.example", "21"),
        ("http://a.example/b", "21"),
        ("https://a.example:443/b", "21"),
        ("https://user@a.example/b", "21"),
        ("https://a.example.evil.example/b", "21"),
        ("//a.example/b", "21"),
        ("javascript:alert(1)", "21"),
        ("https://[::1/b", "21"),
    ],
)
def test_redirects_go_to_a_place_that_is_allowed(url: str, expected: str) -> None:
    assert code(rules.redirect_fault(url, SYSTEM)) == expected


def test_a_system_without_redirects_has_none_to_offer() -> None:
    without = replace(SYSTEM, redirect_urls=())
    assert code(rules.redirect_fault("https://a.example/b", without)) == "26"
    assert code(rules.redirect_fault("", without)) == ""


@pytest.mark.parametrize(
    ("rights", "packages", "standard", "agent"),
    [
        (None, None, "01", "58"),
        ((), (), "59", "58"),
        (None, (), "59", "58"),
        ((), None, "59", "58"),
        ((right("krav"),), None, "", "58"),
        (None, ("skatt",), "", ""),
    ],
)
def test_something_is_asked_for(
    rights: tuple[Right, ...] | None, packages: tuple[str, ...] | None, standard: str, agent: str
) -> None:
    wish = Wish(KEY, rights=rights, packages=packages)
    assert code(rules.nothing_asked(wish)) == standard
    assert code(rules.nothing_asked(replace(wish, key=replace(KEY, kind=UserType.AGENT)))) == agent


def test_no_more_is_asked_than_the_system_has() -> None:
    assert rules.beyond_system((right("melding"), right("krav")), ("skatt",), SYSTEM) is None
    problem = rules.beyond_system((right("krav", "b"), right("a")), ("moms",), SYSTEM)
    assert (code(problem), problem and problem.extensions) == ("01", {"NotFoundRights": ["a", "b"]})
    problem = rules.beyond_system((), ("skatt", "moms"), SYSTEM)
    told = {"NotFoundPackages": ["urn:altinn:accesspackage:moms"]}
    assert (code(problem), problem and problem.extensions) == ("63", told)


def test_resources_that_nobody_delegates_are_not_asked_for() -> None:
    known = {"a": resource("a"), "b": replace(resource("b"), delegable=False)}
    assert rules.not_delegable(["a"], known) is None
    problem = rules.not_delegable(["a", "b", "c"], known)
    assert (code(problem), problem and problem.extensions) == ("01", {"NotDelegableRights": ["b", "c"]})


@pytest.mark.parametrize(
    ("name", "standard", "agent"), [("both", "", ""), ("clients", "64", ""), ("own", "", "65"), ("unknown", "64", "65")]
)
def test_each_kind_of_system_user_has_its_packages(name: str, standard: str, agent: str) -> None:
    known = FakePackages()
    known.add("both")
    known.add("clients", assignable=False)
    known.add("own", delegable=False)
    assert code(rules.not_for(UserType.STANDARD, [name], known)) == standard
    assert code(rules.not_for(UserType.AGENT, [name], known)) == agent


@pytest.mark.parametrize(
    ("status", "days", "stands", "over"),
    [
        (RequestStatus.NEW, 180, RequestStatus.NEW, False),
        (RequestStatus.NEW, 181, RequestStatus.TIMED_OUT, True),
        (RequestStatus.ACCEPTED, 181, RequestStatus.ACCEPTED, True),
        (RequestStatus.REJECTED, 1, RequestStatus.REJECTED, False),
    ],
    ids=lambda value: str(value),
)
def test_a_request_lives_for_180_days(status: RequestStatus, days: int, stands: RequestStatus, over: bool) -> None:
    now = NOW + dt.timedelta(days=days)
    request = replace(REQUEST, status=status)
    assert rules.status(request, now) is stands
    assert rules.as_of(request, now).status is stands
    assert rules.timed_out(request.created, now) is over
    closed = rules.closed(request, now)
    assert code(closed) == ("" if stands is RequestStatus.NEW else "13")


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (RequestStatus.NEW, ""),
        (RequestStatus.ACCEPTED, "06"),
        (RequestStatus.DENIED, "08"),
        (RequestStatus.REJECTED, "09"),
    ],
)
def test_an_answer_stands_against_a_new_request(status: RequestStatus, expected: str) -> None:
    assert code(rules.earlier(replace(REQUEST, status=status))) == expected


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [
        (("Unknown",), "14"),
        (("UnknownResource",), "14"),
        (("MissingRoleAccess", "MissingDelegationAccess"), "16"),
        (("MissingDelegationAccess",), "18"),
        (("MissingSrrRightAccess",), "19"),
        (("InsufficientAuthenticationLevel",), "20"),
        (("AccessListValidationFail",), "69"),
        (("RoleAccess", "ResourceNotDelegable"), "70"),
        (("RoleAccess", "ResourceIsMaskinPortenSchema"), "71"),
        (("SomethingNew",), "14"),
    ],
)
def test_why_a_right_can_not_be_given_is_told_by_its_code(reasons: tuple[str, ...], expected: str) -> None:
    refused = Giving(GivenKind.RESOURCE, "krav", permitted=False, reasons=reasons)
    permitted = Giving(GivenKind.RESOURCE, "a", permitted=True, reasons=("RoleAccess",))
    problem = rules.refusal_of([permitted, refused])
    assert code(problem) == expected
    assert problem is not None
    assert problem.extensions == {"resource": "krav", "reasons": list(reasons)}
    assert rules.refusal_of([permitted]) is None


def test_rights_are_told_before_packages() -> None:
    package = Giving(GivenKind.PACKAGE, "skatt", permitted=False, reasons=("MissingPackageAccess",))
    other = Giving(GivenKind.PACKAGE, "moms", permitted=False, reasons=("UnknownPackage",))
    resource_ = Giving(GivenKind.RESOURCE, "krav", permitted=False, reasons=("Unknown",))
    assert [code(rules.refusal_of(found)) for found in ([package, resource_], [package, other], [other])] == [
        "14", "53", "50",
    ]  # fmt: skip


def test_what_is_left_of_a_change_is_what_is_not_so_already() -> None:
    held = {(GivenKind.RESOURCE, "krav"), (GivenKind.RESOURCE, "melding"), (GivenKind.PACKAGE, "skatt")}
    asked = Alteration(
        required_rights=(right("krav"), right("melding", "annet")),
        unwanted_rights=(right("melding"), right("borte")),
        required_packages=("skatt", "moms"),
        unwanted_packages=("skatt", "borte"),
    )
    assert rules.remaining(asked, held) == Alteration(
        required_rights=(right("melding", "annet"),),
        unwanted_rights=(right("melding"),),
        required_packages=("moms",),
        unwanted_packages=("skatt",),
    )
    assert rules.remaining(Alteration(), held) == Alteration()


@pytest.mark.parametrize(
    ("text", "expected"), [("310000101", "310000101"), ("31000010", None), ("x", None), ("", None)]
)
def test_an_organisation_number_is_nine_digits(text: str, expected: str | None) -> None:
    assert rules.organisation_number(text) == expected
