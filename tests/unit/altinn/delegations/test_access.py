"""How the decision point is asked, and what its answers mean here."""

from __future__ import annotations

from uuid import UUID

import pytest

from fullmakt.altinn.delegations.access import by_source, delegable, require, subject_of
from fullmakt.infra.altinn import ForbiddenError
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.callers import Caller
from tests.support.delegations import FakeAuthority, FakeParties, FakeResources
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
