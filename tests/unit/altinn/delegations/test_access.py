"""How the decision point is asked, and what its answers mean here."""

from __future__ import annotations

from uuid import UUID

import pytest

from fullmakt.altinn.delegations.access import (
    PackageAccess,
    PackageReason,
    Standing,
    by_source,
    delegable,
    require,
    subject_of,
)
from fullmakt.infra.altinn import ForbiddenError
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.parties import HeldRights
from tests.support.delegations import FakeAuthority, FakePackage, FakeParties, FakeResources
from tests.support.parties import national_id

SCOPES = frozenset({"altinn:portal/enduser"})


@pytest.mark.parametrize(
    ("caller", "subject"),
    [
        (Caller(SCOPES, system_user=UUID(int=1), party_uuid=UUID(int=2)), Attribute(ids.SYSTEM_USER, str(UUID(int=1)))),
        (Caller(SCOPES, user_id=1, party_id=2, party_uuid=UUID(int=2)), Attribute(ids.PARTY_UUID, str(UUID(int=2)))),
        (Caller(SCOPES, user_id=1, party_id=2), Attribute(ids.USER_ID, "1")),
        (Caller(SCOPES, party_id=2), Attribute(ids.PARTY_ID, "2")),
    ],
)
def test_a_caller_is_one_subject(caller: Caller, subject: Attribute) -> None:
    assert subject_of(caller) == [subject]


def test_an_organisation_by_itself_manages_nobodys_access() -> None:
    with pytest.raises(ForbiddenError):
        subject_of(Caller(SCOPES, consumer=OrgNumber("910753614")))


async def test_the_level_that_a_permit_asks_for_is_asked_of_people() -> None:
    parties, authority = FakeParties(), FakeAuthority(levels={"door": 3})
    party, person = parties.organisation("910753614"), parties.person(national_id(1))
    authority.permit(person, "door", party, "read")
    for level, passes in ((2, False), (3, True), (4, True)):
        caller = Caller(SCOPES, party_uuid=person.party_uuid, auth_level=level)
        if passes:
            await require(authority, caller, "read", "door", party.party_uuid)
            continue
        with pytest.raises(ForbiddenError) as refused:
            await require(authority, caller, "read", "door", party.party_uuid)
        assert (refused.value.reason, refused.value.facts["required"]) == ("authentication_level", 3)
    authority.rules.add((Attribute(ids.SYSTEM_USER, str(UUID(int=1))), "read", "door", party.party_uuid))
    await require(authority, Caller(SCOPES, system_user=UUID(int=1)), "read", "door", party.party_uuid)


async def test_a_refusal_tells_what_was_asked_and_why() -> None:
    party = FakeParties().organisation("910753614")
    caller = Caller(SCOPES, party_uuid=UUID(int=2))
    with pytest.raises(ForbiddenError) as refused:
        await require(FakeAuthority(), caller, "write", "door", party.party_uuid)
    assert refused.value.reason == "not_permitted"
    assert refused.value.facts == {
        "why": "no_right",
        "action": "write",
        "resource": "door",
        "party": str(party.party_uuid),
    }


async def test_what_may_be_delegated_is_told_by_action_and_source() -> None:
    parties, resources, authority = FakeParties(), FakeResources(), FakeAuthority()
    party, person = parties.organisation("910753614"), parties.person(national_id(1))
    form = resources.add("skjema", resource_type="GenericAccessResource")
    authority.permit(person, "skjema", party, "read", "write")
    authority.delegated["skjema", "write"] = UUID(int=7)
    caller = Caller(SCOPES, party_uuid=person.party_uuid)
    found = await delegable(authority, caller, form, party.party_uuid, api=False)
    assert [(one.action, one.permitted, one.reasons) for one in found] == [
        ("read", True, ("RoleAccess",)),
        ("write", True, ("DelegationAccess",)),
    ]
    assert by_source(found) == {None: ["read"], UUID(int=7): ["write"]}


PARTY, HOLDER, BY_DELEGATION = UUID(int=1), UUID(int=2), UUID(int=3)
SKATT, ADMINISTRATION = Attribute(ids.ACCESS_PACKAGE, "skatt"), Attribute(ids.ACCESS_PACKAGE, "hovedadministrator")
ADMINISTRATOR = Attribute(ids.ROLE, "hovedadministrator")


def _standing(*held: Attribute, given: tuple[str, ...] = (), holder: UUID | None = HOLDER) -> Standing:
    roles = frozenset(one for one in held if one.id == ids.ROLE)
    return Standing(PARTY, holder, HeldRights(roles, frozenset(held) - roles), dict.fromkeys(given, BY_DELEGATION))


@pytest.mark.parametrize(
    ("standing", "package", "rests_on", "delegation"),
    [
        (_standing(SKATT), FakePackage("skatt"), SKATT, None),
        (_standing(SKATT), FakePackage("skatt", delegable=False), SKATT, None),
        (_standing(SKATT, given=("skatt",)), FakePackage("skatt"), SKATT, None),
        (_standing(given=("skatt",)), FakePackage("skatt"), SKATT, BY_DELEGATION),
        (_standing(ADMINISTRATOR), FakePackage("skatt"), ADMINISTRATOR, None),
        (_standing(ADMINISTRATION), FakePackage("skatt", delegable=False), ADMINISTRATION, None),
        (_standing(given=("hovedadministrator",)), FakePackage("skatt"), ADMINISTRATION, BY_DELEGATION),
        (_standing(ADMINISTRATOR, given=("skatt",)), FakePackage("skatt", delegable=False), ADMINISTRATOR, None),
        (_standing(holder=PARTY), FakePackage("skatt"), None, None),
    ],
    ids=["register", "register, for itself", "register first", "given", "role", "package", "package given",
         "given, and role", "the party itself"],
)  # fmt: skip
def test_a_package_is_given_by_those_who_have_it_and_by_the_main_administrator(
    standing: Standing, package: FakePackage, rests_on: Attribute | None, delegation: UUID | None
) -> None:
    assert standing.to_give(package) == PackageAccess((PackageReason.ACCESS,), rests_on, delegation)
    refused = standing.to_give(FakePackage(package.name, package.delegable, assignable=False))
    assert (refused.permitted, refused.reasons) == (False, (PackageReason.ACCESS, PackageReason.NOT_ASSIGNABLE))


@pytest.mark.parametrize(
    ("standing", "package", "reason"),
    [
        (_standing(), FakePackage("skatt"), PackageReason.MISSING),
        (_standing(holder=None), FakePackage("skatt"), PackageReason.MISSING),
        (_standing(SKATT), FakePackage("toll"), PackageReason.MISSING),
        (_standing(given=("skatt",)), FakePackage("skatt", delegable=False), PackageReason.NOT_DELEGABLE),
        (
            _standing(given=("hovedadministrator",)),
            FakePackage("hovedadministrator", delegable=False),
            PackageReason.NOT_DELEGABLE,
        ),
    ],
    ids=["nothing", "nobody", "another", "given for itself", "administration given"],
)
def test_nobody_else_gives_a_package(standing: Standing, package: FakePackage, reason: PackageReason) -> None:
    found = standing.to_give(package)
    assert (found.permitted, found.reasons, found.rests_on) == (False, (reason,), None)
    bound = standing.to_give(FakePackage(package.name, package.delegable, assignable=False))
    assert bound.reasons == (reason, PackageReason.NOT_ASSIGNABLE)


@pytest.mark.parametrize(
    ("standing", "expected"),
    [
        (_standing(ADMINISTRATOR), True),
        (_standing(ADMINISTRATION), True),
        (_standing(given=("hovedadministrator",)), True),
        (_standing(SKATT, Attribute(ids.ROLE, "skatt"), given=("skatt",)), False),
        (_standing(holder=PARTY), False),
    ],
    ids=["role", "package", "given", "other things", "the party itself"],
)
def test_main_administrators_are_known_by_role_or_package(standing: Standing, *, expected: bool) -> None:
    assert standing.main_administrator is expected
