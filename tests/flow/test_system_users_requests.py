"""A vendor asks, and an organisation answers: every answer there is (altinn-authentication.md §8)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from dataclasses import replace
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest

from fullmakt.altinn.systemusers import errors
from fullmakt.altinn.systemusers.requests.asking import Asking
from fullmakt.altinn.systemusers.requests.model import Key, Wish
from fullmakt.infra.database import Database
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.parties import HeldRights, PartyIdentity
from fullmakt.wire.altinn.problems import AltinnProblemError
from fullmakt.wire.altinn.systemusers import UserType
from tests.support.asking_systems import (
    API,
    CUSTOMER,
    PAGES,
    REQUEST,
    USERS,
    SystemUsersWorld,
    problem_of,
    somebody,
)
from tests.support.systemusers import SYSTEM, VENDOR, package, right


@pytest.fixture
async def world(narrow_database: Database) -> AsyncIterator[SystemUsersWorld]:
    world = SystemUsersWorld(narrow_database)
    await world.registered()
    yield world
    await world.close()


# -- asking -----------------------------------------------------------------------------------------------------------


async def test_a_request_is_written_as_altinn_writes_it(world: SystemUsersWorld) -> None:
    answer = await world.ask()
    assert answer.status_code == 201
    document = answer.json()
    request_id = document["id"]
    assert answer.headers["location"] == f"{API}{REQUEST}/{request_id}"
    assert document == {
        "id": str(UUID(request_id)),
        "integrationTitle": "SmartSky",
        "externalRef": CUSTOMER,
        "systemId": SYSTEM,
        "partyOrgNo": CUSTOMER,
        "rights": [{"resource": [{"id": "urn:altinn:resource", "value": "krav"}]}],
        "accessPackages": [{"urn": "urn:altinn:accesspackage:skatt"}],
        "status": "New",
        "redirectUrl": "https://smartcloud.example/receipt?state=1",
        "confirmUrl": f"{PAGES}/accessmanagement/ui/systemuser/request?id={request_id}&DONTCHOOSEREPORTEE=true",
        "escalated": False,
        "created": "2026-01-05T10:11:12.345000Z",
        "timedOut": False,
    }


async def test_whoever_asks_again_has_asked_once(world: SystemUsersWorld) -> None:
    first = await world.ask()
    again = await world.ask(rights=[right("melding")], externalRef=f" {CUSTOMER} ")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()


async def test_many_who_ask_at_once_have_asked_once(world: SystemUsersWorld) -> None:
    answers = await asyncio.gather(*(world.ask() for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 200, 201]
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_what_wenche_sends_is_taken(world: SystemUsersWorld) -> None:
    answer = await world.ask(accessPackages=None, redirectUrl=None, integrationTitle="wenche")
    assert answer.status_code == 201
    assert (answer.json()["accessPackages"], answer.json()["redirectUrl"]) == ([], "")


async def test_names_are_read_in_any_case_and_paths_with_a_slash(world: SystemUsersWorld) -> None:
    body = {"SYSTEMID": SYSTEM, "PartyOrgNo": CUSTOMER, "RIGHTS": [{"Resource": [{"ID": "urn:altinn:resource",
            "VALUE": "krav"}]}], "unknown": {"a": 1}}  # fmt: skip
    answer = await world.send("vendor", "POST", "/API/v1/systemUser/Request/Vendor/", json=body)
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"systemId": f"{VENDOR}_other"}, 404, "11"),
        ({"partyOrgNo": "310000999"}, 400, "00"),
        ({"partyOrgNo": "not a number"}, 400, "00"),
        ({"redirectUrl": "https://smartcloud.example/other"}, 400, "21"),
        ({"redirectUrl": "http://smartcloud.example/receipt"}, 400, "21"),
        ({"redirectUrl": "https://[broken"}, 400, "21"),
        ({"rights": None, "accessPackages": None}, 400, "01"),
        ({"rights": [], "accessPackages": []}, 400, "59"),
        ({"rights": [], "accessPackages": None}, 400, "59"),
        ({"rights": [right("annet")]}, 400, "01"),
        ({"accessPackages": [package("moms")]}, 400, "63"),
        ({"accessPackages": [{"urn": "skatt og avgift"}]}, 400, "63"),
        ({"accessPackages": [package("for-kunder")]}, 400, "64"),
    ],
    ids=lambda value: str(value)[:60],
)
async def test_what_is_wrong_with_a_request_is_told(
    world: SystemUsersWorld, changes: dict[str, Any], status: int, code: str
) -> None:
    assert problem_of(await world.ask(**changes)) == (status, code)
    assert await world.told("system-user-request") == [("system-user-request:create", "deny", f"AUTH-000{code}")]


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"accessPackages": []}, 400, "58"),
        ({"accessPackages": None}, 400, "58"),
        ({"rights": [right("krav")], "accessPackages": []}, 400, "58"),
        ({"accessPackages": [package("moms")]}, 400, "63"),
    ],
    ids=lambda value: str(value)[:60],
)
async def test_what_is_wrong_with_an_agents_request_is_told(
    world: SystemUsersWorld, changes: dict[str, Any], status: int, code: str
) -> None:
    assert problem_of(await world.ask(agent=True, **changes)) == (status, code)


async def test_an_agent_is_asked_for_with_packages_that_are_given_on(world: SystemUsersWorld) -> None:
    await world.redefined(accessPackages=[package("skatt"), package("bundet")])
    refused = await world.ask(agent=True, accessPackages=[package("bundet")])
    assert problem_of(refused) == (400, "65")
    assert refused.json()["NotDelegablePackages"] == ["urn:altinn:accesspackage:bundet"]
    taken = await world.ask(agent=True, accessPackages=[package("skatt")])
    assert taken.status_code == 201
    assert "/systemuser/agentrequest?" in taken.json()["confirmUrl"]
    assert "rights" not in taken.json()


async def test_a_system_without_redirect_urls_takes_none(world: SystemUsersWorld) -> None:
    await world.redefined(allowedRedirectUrls=None)
    assert problem_of(await world.ask()) == (400, "26")
    assert (await world.ask(redirectUrl="")).status_code == 201


async def test_what_can_not_be_delegated_is_refused_when_it_is_asked_for(world: SystemUsersWorld) -> None:
    world.resources.change("krav", delegable=False)
    refused = await world.ask()
    assert problem_of(refused) == (400, "01")
    assert refused.json()["NotDelegableRights"] == ["krav"]


async def test_another_vendors_system_is_none_that_one_can_ask_for(world: SystemUsersWorld) -> None:
    await world.approved()
    assert problem_of(await world.ask(by="rival")) == (404, "11")


async def test_for_a_deleted_system_nobody_can_ask(world: SystemUsersWorld) -> None:
    await world.send("vendor", "DELETE", f"/api/v1/systemregister/vendor/{SYSTEM}")
    assert problem_of(await world.ask()) == (404, "11")


async def test_there_is_one_system_user_for_a_key(world: SystemUsersWorld) -> None:
    await world.approved()
    assert problem_of(await world.ask()) == (400, "04")
    assert (await world.ask(externalRef="another")).status_code == 201


async def test_a_rejected_request_is_given_back_and_outlives_its_time(world: SystemUsersWorld) -> None:
    request_id = await world.requested()
    await world.answer("kari", "reject", request_id)
    again = await world.ask()
    assert (again.status_code, again.json()["status"]) == (200, "Rejected")
    world.clock.advance(days=181)
    assert problem_of(await world.ask()) == (400, "09")
    assert (await world.send("vendor", "DELETE", f"{REQUEST}/vendor/{request_id}")).status_code == 202
    assert (await world.ask()).status_code == 201


async def test_a_request_that_nobody_answered_in_time_is_made_anew(world: SystemUsersWorld) -> None:
    old = await world.requested()
    world.clock.advance(days=180, seconds=1)
    assert await world.status_of(old) == "Timedout"
    assert problem_of(await world.answer("kari", "approve", old)) == (409, "13")
    new = await world.ask()
    assert new.status_code == 201
    assert new.json()["id"] != old
    found = (await world.send("vendor", "GET", f"{REQUEST}/vendor/{old}")).json()
    assert (found["status"], found["timedOut"]) == ("Timedout", True)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"null", b"{", b'{"systemId": 1}', b'{"systemId": "a"}', b'{"systemId": "a", "systemId": "b"}',
        b'{"systemId": "a", "partyOrgNo": "310000101", "rights": {}}',
        b'{"systemId": "a", "partyOrgNo": "310000101", "rights": [1]}',
        b'{"systemId": "a", "partyOrgNo": "310000101", "rights": [{"resource": []}]}',
        b'{"systemId": "a", "partyOrgNo": "310000101", "accessPackages": [{}]}',
        b'{"systemId": "a\\u0000", "partyOrgNo": "310000101"}',
    ],
)  # fmt: skip
async def test_what_can_not_be_read_is_told_as_the_framework_does(world: SystemUsersWorld, body: bytes) -> None:
    answer = await world.send("vendor", "POST", f"{REQUEST}/vendor", content=body)
    assert answer.status_code == 400
    assert answer.json()["errors"]


@pytest.mark.parametrize(
    ("token", "method", "path", "status"),
    [
        (None, "POST", "/vendor", 401),
        ("forged", "POST", "/vendor", 401),
        ("kari", "POST", "/vendor", 403),
        ("maskinporten", "GET", "/vendor/bysystem/x", 403),
        ("vendor", "POST", "/1/6f1b1e6a-1111-4111-8111-111111111111/approve", 403),
    ],
)
async def test_without_the_scope_nothing_is_told(
    world: SystemUsersWorld, token: str | None, method: str, path: str, status: int
) -> None:
    answer = await world.send(token, method, f"{REQUEST}{path}", json={})
    assert (answer.status_code, answer.content) == (status, b"")


async def test_a_token_without_an_organisation_is_no_vendors(world: SystemUsersWorld) -> None:
    world.callers.person("odd", world.kari, "altinn:authentication/systemuser.request.write")
    assert problem_of(await world.ask(by="odd")) == (401, "23")


# -- reading and deleting ---------------------------------------------------------------------------------------------


async def test_a_vendor_sees_its_own_requests_and_nobody_elses(world: SystemUsersWorld) -> None:
    request_id = await world.requested(externalRef="a b/c")
    mine = await world.send("vendor", "GET", f"{REQUEST}/vendor/{request_id}")
    assert mine.json()["id"] == request_id
    assert problem_of(await world.send("rival", "GET", f"{REQUEST}/vendor/{request_id}")) == (404, "11")
    assert problem_of(await world.send("rival", "DELETE", f"{REQUEST}/vendor/{request_id}")) == (404, "11")
    assert problem_of(await world.send("vendor", "GET", f"{REQUEST}/vendor/{somebody()}")) == (404, "10")
    assert problem_of(await world.send("vendor", "DELETE", f"{REQUEST}/vendor/{somebody()}")) == (404, "10")
    assert problem_of(await world.send("vendor", "GET", f"{REQUEST}/vendor/agent/{request_id}")) == (404, "30")
    assert (await world.send("vendor", "GET", f"{REQUEST}/vendor/no-guid")).status_code == 400


async def test_a_request_is_found_by_its_key(world: SystemUsersWorld) -> None:
    request_id = await world.requested(externalRef="ref 1")
    path = f"{REQUEST}/vendor/byexternalref/{SYSTEM}/{CUSTOMER}"
    assert (await world.send("vendor", "GET", f"{path}/ref%201")).json()["id"] == request_id
    assert problem_of(await world.send("vendor", "GET", f"{path}/other")) == (404, "10")
    assert problem_of(await world.send("rival", "GET", f"{path}/ref%201")) == (404, "11")
    agent = f"{REQUEST}/vendor/agent/byexternalref/{SYSTEM}/{CUSTOMER}/ref%201"
    assert problem_of(await world.send("vendor", "GET", agent)) == (404, "30")


async def test_the_requests_for_a_system_come_in_pages(world: SystemUsersWorld) -> None:
    made = [await world.requested(externalRef=f"ref-{number}") for number in range(51)]
    await world.requested(agent=True)
    first = (await world.send("vendor", "GET", f"{REQUEST}/vendor/bysystem/{SYSTEM}")).json()
    following = first["links"]["next"]
    assert following.startswith(f"{API}{REQUEST}/vendor/bysystem/{SYSTEM}?token=")
    second = (await world.send("vendor", "GET", following.removeprefix(API))).json()
    assert second["links"] == {}
    assert [one["id"] for one in first["data"] + second["data"]] == made
    agents = (await world.send("vendor", "GET", f"{REQUEST}/vendor/agent/bysystem/{SYSTEM}")).json()
    assert (len(agents["data"]), agents["links"]) == (1, {})
    assert problem_of(await world.send("rival", "GET", f"{REQUEST}/vendor/bysystem/{SYSTEM}")) == (404, "11")


async def test_a_full_page_that_is_the_last_one_has_no_next(world: SystemUsersWorld) -> None:
    for number in range(50):
        await world.requested(externalRef=f"ref-{number}")
    page = (await world.send("vendor", "GET", f"{REQUEST}/vendor/bysystem/{SYSTEM}")).json()
    assert (len(page["data"]), page["links"]) == (50, {})


@pytest.mark.parametrize("called", ["a?b", "a#b", "a%41b"])
async def test_the_next_page_of_a_system_with_an_odd_id_can_be_followed(world: SystemUsersWorld, called: str) -> None:
    system_id = await world.registered(called, clientId=["another"])
    made = [await world.requested(systemId=system_id, externalRef=f"ref-{number}") for number in range(51)]
    first = await world.send("vendor", "GET", f"{REQUEST}/vendor/bysystem/{quote(system_id, safe='')}")
    following = first.json()["links"]["next"]
    second = await world.send("vendor", "GET", following.removeprefix(API))
    assert [one["id"] for one in second.json()["data"]] == made[50:]


@pytest.mark.parametrize("attribute", ["urn:altinn:org", "urn:altinn:Resource", "x"])
async def test_a_right_names_its_resource_as_a_resource(world: SystemUsersWorld, attribute: str) -> None:
    odd = {"resource": [{"id": attribute, "value": "krav"}]}
    answer = await world.ask(rights=[odd])
    assert problem_of(answer) == (400, "01")
    assert answer.json()["NotFoundRights"] == ["krav"]


class TakingTheUrlAway:
    """A register of parties that is asked while the vendor takes the system's URLs away."""

    def __init__(self, world: SystemUsersWorld) -> None:
        self._world, self._parties = world, world.parties

    def __getattr__(self, name: str) -> Any:
        return getattr(self._parties, name)

    async def identify(self, attributes: Collection[Attribute]) -> dict[Attribute, PartyIdentity]:
        await self._world.redefined(allowedRedirectUrls=["https://smartcloud.example/another"])
        return await self._world.parties.identify(attributes)


async def test_a_url_that_is_taken_away_meanwhile_is_not_kept(world: SystemUsersWorld) -> None:
    """The check outside the transaction has seen the system as it was; that in it, as it is."""
    neighbours = replace(world.neighbours, parties=TakingTheUrlAway(world))
    asking = Asking(world.service.work, neighbours)
    wish = Wish(
        Key(SYSTEM, CUSTOMER, "ref", UserType.STANDARD), "", (), ("skatt",), "https://smartcloud.example/receipt"
    )
    with pytest.raises(AltinnProblemError) as refused:
        await asking.ask(wish, VENDOR, "vendor")
    assert refused.value.kind is errors.REDIRECT_NOT_ALLOWED
    assert await world.rows("SELECT 1 FROM systemusers.request") == []


@pytest.mark.parametrize(
    "token", ["x", "NzM0Ng==", "Ii0xIg", "LTE", "e30", "W10", "\u00e5", "MTAwMDAwMDAwMDAwMDAwMDAwMDAwMA"]
)
async def test_a_token_that_is_none_of_ours_is_refused(world: SystemUsersWorld, token: str) -> None:
    answer = await world.send("vendor", "GET", f"{REQUEST}/vendor/bysystem/{SYSTEM}", params={"token": token})
    assert answer.status_code == 400
    assert answer.json()["errors"]["token"]


async def test_a_deleted_request_leaves_its_key_and_its_system_user(world: SystemUsersWorld) -> None:
    request_id = await world.approved()
    assert (await world.send("vendor", "DELETE", f"{REQUEST}/vendor/{request_id}")).status_code == 202
    assert problem_of(await world.send("vendor", "DELETE", f"{REQUEST}/vendor/{request_id}")) == (404, "10")
    assert problem_of(await world.ask()) == (400, "04")
    assert (await world.look_up()).status_code == 200


# -- answering --------------------------------------------------------------------------------------------------------


async def test_approving_makes_a_system_user_with_the_requests_id_and_rights(world: SystemUsersWorld) -> None:
    request_id = await world.approved()
    assert await world.status_of(request_id) == "Accepted"
    assert await world.given(request_id) == [("package", "skatt", True), ("resource", "krav", True)]
    (right_given,) = await world.delegations.rights([request_id], world.customer.party_uuid, "krav")
    assert right_given.actions == {"read", "write"}
    packages = await world.delegations.packages([request_id], world.customer.party_uuid)
    assert packages == {Attribute(ids.ACCESS_PACKAGE, "skatt")}
    assert await world.told("system-user") == [
        ("system-user-request:create", "done", ""),
        ("system-user-request:approve", "done", ""),
        ("system-user:create", "done", ""),
    ]
    assert (await world.announced())[-3:] == [
        "client:client-of-smartcloud", f"request:{request_id}", f"systemuser:{request_id}",
    ]  # fmt: skip


async def test_of_two_approvals_at_once_one_wins(world: SystemUsersWorld) -> None:
    request_id = await world.requested()
    answers = await asyncio.gather(*(world.answer("kari", "approve", request_id) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert {problem_of(answer) for answer in answers if answer.status_code != 200} == {(409, "13")}
    assert len(await world.rows("SELECT 1 FROM systemusers.system_user")) == 1


async def test_of_yes_no_and_never_mind_at_once_the_first_stands(world: SystemUsersWorld) -> None:
    request_id = await world.requested()
    yes, no, _ = await asyncio.gather(
        world.answer("kari", "approve", request_id),
        world.answer("kari", "reject", request_id),
        world.send("vendor", "DELETE", f"{REQUEST}/vendor/{request_id}"),
    )
    users = await world.rows("SELECT 1 FROM systemusers.system_user")
    assert [yes.status_code, no.status_code].count(200) <= 1
    assert len(users) == (yes.status_code == 200)


async def test_a_rejected_request_is_not_approved(world: SystemUsersWorld) -> None:
    request_id = await world.requested()
    assert (await world.answer("kari", "reject", request_id)).text == "true"
    refused = await world.answer("kari", "approve", request_id)
    assert (problem_of(refused), refused.json()["requestStatus"]) == ((409, "13"), "Rejected")


async def test_who_may_only_look_can_pass_the_request_on(world: SystemUsersWorld) -> None:
    request_id = await world.requested()
    for verb in ("approve", "reject"):
        assert problem_of(await world.answer("ola", verb, request_id)) == (403, "44")
    seen = (await world.send("ola", "GET", f"{REQUEST}/{request_id}")).json()
    assert (seen["userMayEscalateButNotApprove"], seen["escalated"]) == (True, False)
    assert [(await world.answer("ola", "escalate", request_id)).text for _ in range(2)] == ["true", "true"]
    (pending,) = (await world.send("kari", "GET", f"{REQUEST}/{world.customer.party_id}/{CUSTOMER}/pending")).json()
    assert (pending["escalated"], pending["userMayEscalateButNotApprove"]) == (True, False)
    assert await world.told("system-user-request:escalate") == [("system-user-request:escalate", "done", "")]


async def test_whoever_has_a_role_in_the_organisation_can_look_and_pass_on_and_no_more(world: SystemUsersWorld) -> None:
    request_id = await world.requested()
    party = world.customer.party_id
    member = HeldRights(roles=frozenset({Attribute(ids.ROLE_CODE, "medl")}))
    world.parties.hold(world.rita, world.customer, member)
    for path in (request_id, f"{party}/{request_id}"):
        seen = (await world.send("rita", "GET", f"{REQUEST}/{path}")).json()
        assert seen["userMayEscalateButNotApprove"] is True
    assert problem_of(await world.send("rita", "GET", f"{REQUEST}/{party}/{CUSTOMER}/pending")) == (403, "44")
    for verb in ("approve", "reject"):
        assert problem_of(await world.answer("rita", verb, request_id)) == (403, "44")
    assert (await world.answer("rita", "escalate", request_id)).text == "true"
    world.parties.hold(world.rita, world.customer, HeldRights())
    assert problem_of(await world.answer("rita", "escalate", request_id)) == (403, "44")
    assert problem_of(await world.send("rita", "GET", f"{REQUEST}/{request_id}")) == (403, "44")


async def test_those_who_are_asked_see_the_request(world: SystemUsersWorld) -> None:
    request_id = await world.requested()
    by_id = await world.send("kari", "GET", f"{REQUEST}/{request_id}")
    by_party = await world.send("kari", "GET", f"{REQUEST}/{world.customer.party_id}/{request_id}")
    assert by_id.json() == by_party.json()
    document = by_id.json()
    assert (document["partyId"], document["partyUuid"]) == (world.customer.party_id, str(world.customer.party_uuid))
    assert (document["systemUserType"], document["userMayEscalateButNotApprove"]) == ("standard", False)
    assert problem_of(await world.send("rita", "GET", f"{REQUEST}/{request_id}")) == (403, "44")
    assert problem_of(await world.send("kari", "GET", f"{REQUEST}/agent/{request_id}")) == (404, "30")
    assert problem_of(await world.send("kari", "GET", f"{REQUEST}/{somebody()}")) == (404, "10")


async def test_a_party_answers_for_itself_alone(world: SystemUsersWorld) -> None:
    request_id = await world.requested()
    assert problem_of(await world.answer("rita", "approve", request_id)) == (403, "44")
    assert problem_of(await world.answer("rita", "approve", request_id, world.accountant)) == (403, "41")
    assert problem_of(await world.answer("rita", "reject", request_id, world.accountant)) == (403, "41")
    agent = await world.requested(agent=True)
    assert problem_of(await world.answer("kari", "approve", agent, world.customer, agent=True)) == (403, "42")
    nobody = await world.send("kari", "POST", f"{REQUEST}/999999999999999/{request_id}/approve")
    assert problem_of(nobody) == (403, "44")
    wrong = await world.send("kari", "GET", f"{REQUEST}/{world.customer.party_id}/{VENDOR}/pending")
    assert problem_of(wrong) == (403, "41")


async def test_a_low_level_of_authentication_opens_no_door(world: SystemUsersWorld) -> None:
    request_id = await world.requested()
    world.authority.levels["altinn_access_management"] = 3
    world.callers.person("kari", world.kari, "altinn:portal/enduser", level=2)
    refused = await world.answer("kari", "approve", request_id)
    assert (problem_of(refused), refused.json()["reason"]) == ((403, "44"), "authentication_level")
    assert ("system-user-request:approve", "deny", "AUTH-00044") in await world.told()


async def test_an_organisation_is_nobody_who_answers(world: SystemUsersWorld) -> None:
    request_id = await world.requested()
    world.callers.organisation("portal", CUSTOMER, "altinn:portal/enduser")
    assert problem_of(await world.answer("portal", "approve", request_id)) == (401, "43")


@pytest.mark.parametrize(
    ("refusal", "code"),
    [("no_right", "16"), ("not_on_access_list", "69"), ("no_policy", "14")],
)
async def test_what_the_approver_can_not_delegate_is_told(world: SystemUsersWorld, refusal: str, code: str) -> None:
    request_id = await world.requested()
    world.authority.rules = {rule for rule in world.authority.rules if rule[2] != "krav"}
    world.authority.refusals["krav"] = refusal
    refused = await world.answer("kari", "approve", request_id)
    assert (problem_of(refused), refused.json()["resource"]) == ((403, code), "krav")
    assert await world.rows("SELECT 1 FROM systemusers.system_user") == []
    assert await world.status_of(request_id) == "New"


async def test_too_low_a_level_for_the_resource_is_told(world: SystemUsersWorld) -> None:
    request_id = await world.requested()
    world.authority.levels["krav"] = 4
    world.callers.person("kari", world.kari, "altinn:portal/enduser", level=3)
    assert problem_of(await world.answer("kari", "approve", request_id)) == (403, "20")


async def test_a_resource_that_has_become_one_that_is_not_delegated_is_told(world: SystemUsersWorld) -> None:
    request_id = await world.requested()
    world.resources.change("krav", delegable=False)
    assert problem_of(await world.answer("kari", "approve", request_id)) == (403, "70")
    world.resources.change("krav", delegable=True, resource_type="MaskinportenSchema")
    assert problem_of(await world.answer("kari", "approve", request_id)) == (403, "71")


async def test_a_package_that_the_approver_does_not_hold_is_told(world: SystemUsersWorld) -> None:
    request_id = await world.requested()
    world.hold(world.kari, world.customer, "moms")
    refused = await world.answer("kari", "approve", request_id)
    assert (problem_of(refused), refused.json()["package"]) == ((400, "53"), "urn:altinn:accesspackage:skatt")
    world.packages.add("skatt", assignable=False)
    assert problem_of(await world.answer("kari", "approve", request_id)) == (400, "53")
    world.hold(world.kari, world.customer, "skatt")
    assert problem_of(await world.answer("kari", "approve", request_id)) == (400, "50")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"rights": [right("melding")]}, (400, "01")),
        ({"accessPackages": [package("for-kunder")]}, (400, "63")),
    ],
    ids=["right", "package"],
)
async def test_a_request_for_what_the_system_no_longer_has_is_not_approved(
    world: SystemUsersWorld, changes: dict[str, Any], code: tuple[int, str]
) -> None:
    request_id = await world.requested()
    await world.redefined(**changes)
    assert problem_of(await world.answer("kari", "approve", request_id)) == code
    await world.redefined()
    assert (await world.answer("kari", "approve", request_id)).status_code == 200


async def test_a_request_for_a_deleted_system_is_not_approved(world: SystemUsersWorld) -> None:
    request_id = await world.requested()
    await world.send("vendor", "DELETE", f"/api/v1/systemregister/vendor/{SYSTEM}")
    assert problem_of(await world.answer("kari", "approve", request_id)) == (404, "11")
    assert await world.status_of(request_id) == "New"
    pending = await world.send("kari", "GET", f"{REQUEST}/{world.customer.party_id}/{CUSTOMER}/pending")
    assert pending.json() == []


async def test_two_requests_for_one_key_make_one_system_user(world: SystemUsersWorld) -> None:
    await world.redefined(accessPackages=[package("skatt")])
    standard = await world.requested()
    agent = await world.requested(agent=True, partyOrgNo=CUSTOMER, accessPackages=[package("skatt")])
    assert (await world.answer("kari", "approve", standard)).status_code == 200
    refused = await world.answer("kari", "approve", agent, world.customer, agent=True)
    assert problem_of(refused) == (400, "04")


async def test_a_system_user_that_is_taken_away_frees_the_key(world: SystemUsersWorld) -> None:
    request_id = await world.approved()
    deleted = await world.send("kari", "DELETE", f"{USERS}/{world.customer.party_id}/{request_id}")
    assert (deleted.status_code, deleted.text) == (202, "1")
    assert await world.status_of(request_id) == "Accepted"
    again = await world.ask()
    assert again.status_code == 201
    assert (await world.answer("kari", "approve", again.json()["id"])).status_code == 200
