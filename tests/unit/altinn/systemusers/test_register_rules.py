"""The register's rules, by themselves."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from starlette.datastructures import Headers

from fullmakt.altinn.systemusers import errors
from fullmakt.altinn.systemusers.documents import right_document, rights_of
from fullmakt.altinn.systemusers.model import Right, System
from fullmakt.altinn.systemusers.register import rules
from fullmakt.altinn.systemusers.register.http.conditions import etag, read_match
from fullmakt.altinn.systemusers.register.model import Proposal, Registrant, Versions
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn.attributes import RESOURCE, Attribute
from fullmakt.wire.altinn.problems import BindingError, ProblemKind, ValidationFault
from fullmakt.wire.altinn.resource_registry import ResourceType
from tests.support import access_lists
from tests.support.delegations import FakePackage

VENDOR = OrgNumber("991825827")
PROPOSAL = Proposal(
    id=f"{VENDOR}_sky",
    vendor=f"0192:{VENDOR}",
    name={"nb": "Sky"},
    description={"nb": "En sky"},
    packages=("urn:altinn:accesspackage:skatt",),
)
DELEGABLE_TYPES = {
    "AltinnApp", "Systemresource", "Default", "CorrespondenceService", "BrokerService", "GenericAccessResource",
    "MigratedApp",
}  # fmt: skip


def to(identifier: str, action: str | None = None) -> Right:
    return Right((Attribute(RESOURCE, identifier),), action)


@pytest.mark.parametrize("kind", list(ResourceType), ids=str)
def test_a_right_is_to_a_resource_of_a_type_for_system_users(kind: ResourceType) -> None:
    registered = {"krav": replace(access_lists.resource("krav"), resource_type=str(kind))}
    faults = [*rules.right_faults([to("krav")], registered)]
    assert faults == ([] if kind in DELEGABLE_TYPES else [errors.resources_not_delegable(["krav"])])


def test_a_resource_that_may_not_be_delegated_is_for_nobody() -> None:
    registered = {"krav": replace(access_lists.resource("krav"), delegable=False)}
    assert [*rules.right_faults([to("krav")], registered)] == [errors.resources_not_delegable(["krav"])]


@pytest.mark.parametrize(
    ("urn", "name"),
    [
        ("urn:altinn:accesspackage:skatt", "skatt"),
        ("urn:altinn:accesspackage:", None),
        ("urn:altinn:accesspackage", None),
        ("urn:altinn:accesspackage:a:b", None),
        ("urn:altinn:role:skatt", None),
        ("URN:altinn:accesspackage:skatt", None),
        ("skatt", None),
    ],
)
def test_a_package_is_named_by_urn(urn: str, name: str | None) -> None:
    assert rules.package_name(urn) == name
    assert rules.package_names([urn]) == (() if name is None else (name,))


@pytest.mark.parametrize("visible", [True, False])
@pytest.mark.parametrize("assignable", [True, False])
@pytest.mark.parametrize("delegable", [True, False])
def test_a_package_can_be_given_to_some_kind_of_system_user(delegable: bool, assignable: bool, visible: bool) -> None:
    urn = "urn:altinn:accesspackage:p"
    package = FakePackage("p", delegable=delegable, assignable=assignable)
    faults = [*rules.package_faults([urn], lambda _: package, visible=visible)]
    assert (errors.packages_not_valid([f"Not possible to delegate: {urn}"]) in faults) == (
        not delegable and not assignable
    )
    assert (errors.PACKAGE_NOT_ASSIGNABLE in faults) == (visible and not assignable)


@pytest.mark.parametrize(
    ("given", "old"),
    [
        ("app_ttd_endring", [("urn:altinn:org", "ttd"), ("urn:altinn:app", "endring")]),
        ("app_ttd_min_app", [("urn:altinn:org", "ttd"), ("urn:altinn:app", "min_app")]),
        ("krav", [(RESOURCE, "krav")]),
        ("app_ttd", []),
        ("app_", []),
        ("app__x", []),
    ],
)
def test_an_app_has_an_old_name(given: str, old: list[tuple[str, str]]) -> None:
    assert rules.in_old_app_format(to(given, "read")) == Right(tuple(Attribute(*each) for each in old), "read")


@pytest.mark.parametrize(
    ("url", "fine"),
    [
        ("https://a.example", True),
        ("https://a.example:8443/b?c=d#e", True),
        ("HTTPS://a.example/", True),
        ("https://localhost/", True),
        ("http://a.example", False),
        ("https:/a.example", False),
        ("https://", False),
        ("//a.example", False),
        ("", False),
        ("https://a.example/\n", False),
        ("https://a.example/\u00a0", False),
        ("https://a.example:0/", False),
        ("https://a.example:x/", False),
    ],
)
def test_a_redirect_url_is_absolute_and_https(url: str, fine: bool) -> None:
    assert [*rules.redirect_faults([url])] == ([] if fine else [errors.REDIRECT_FORM])


def test_a_proposal_becomes_a_definition_and_that_a_system() -> None:
    definition = rules.definition(PROPOSAL, VENDOR)
    system = System.of(definition, UUID(int=1), 3)
    assert (definition.vendor, definition.packages) == (VENDOR, ("skatt",))
    assert (system.id, system.name, system.version, system.deleted) == (PROPOSAL.id, {"nb": "Sky"}, 3, False)
    assert system.key == "system:991825827_sky"


@pytest.mark.parametrize("right", [to("krav"), to("krav", "read"), to("krav", "")], ids=["none", "read", "empty"])
def test_a_right_is_read_as_it_was_written(right: Right) -> None:
    assert rights_of([right_document(right)]) == (right,)


def test_who_may_act_for_a_vendor() -> None:
    other = OrgNumber("310000002")
    assert Registrant(VENDOR, "").may_act_for(VENDOR)
    assert not Registrant(other, "").may_act_for(VENDOR)
    assert Registrant(other, "", admin=True).may_act_for(VENDOR)


@pytest.mark.parametrize(
    ("header", "versions"),
    [
        ([], None),
        ([""], None),
        (["*"], None),
        (['"1"'], {1}),
        (['"1"', '"2", W/"3"'], {1, 2}),
        (['"0", "01", "one", "1,2", "+3"'], set()),
        ([',, "12" ,'], {12}),
    ],
)
def test_if_match_lists_versions(header: list[str], versions: set[int] | None) -> None:
    headers = Headers(raw=[(b"if-match", value.encode()) for value in header])
    assert read_match(headers) == Versions(None if versions is None else frozenset(versions))


@pytest.mark.parametrize("header", ["1", '"', '"1" "2"', '*, "1"', "W/", '"a b"', 'w/"1"'])
def test_if_match_that_can_not_be_read_is_refused(header: str) -> None:
    with pytest.raises(BindingError):
        read_match(Headers({"If-Match": header}))


def test_a_version_has_a_strong_tag() -> None:
    assert etag(12) == '"12"'
    assert Versions(None).hold(5)
    assert Versions(frozenset({5})).hold(5)
    assert not Versions(frozenset({4})).hold(5)


def test_no_two_errors_have_a_code() -> None:
    named = [value for value in vars(errors).values() if isinstance(value, ProblemKind)]
    assert len({kind.code for kind in named}) == len(named)
    assert all(kind.code.startswith("AUTH-000") and 400 <= kind.status < 500 and kind.text for kind in named)
    faults = [value for value in vars(errors).values() if isinstance(value, ValidationFault)]
    assert len({(fault.code, fault.text) for fault in faults}) == len(faults)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (errors.SYSTEM_NOT_FOUND, 404),
        (errors.REQUEST_NOT_NEW, 409),
        (errors.CHECK_FAILED, 403),
        (errors.VENDOR_NOT_FOUND, 401),
        (errors.CHANGE_REQUEST_NOT_NEW, 409),
        (errors.PACKAGE_NOT_IN_SYSTEM, 400),
        (errors.CLIENT_LACKS_PACKAGES, 400),
    ],
    ids=lambda value: getattr(value, "code", ""),
)
def test_a_problem_has_its_status(kind: ProblemKind, status: int) -> None:
    assert kind.status == status
