"""The pages behind ``confirmUrl``: read, approved, rejected and passed on by picked people, in each language
(altinn-authentication.md §8, §9)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from fullmakt.altinn.parties.model import Role
from fullmakt.wire.altinn import attributes as ids
from tests.support.asking_pages import BANK, JONAS, KARI, OLA, RECEIPT, SYSTEM, AskingPages, id_in
from tests.support.house import whole_house
from tests.support.systemusers import package, right

PAGES = "http://localhost:8080/accessmanagement/ui/systemuser"
KINDS = ["request", "agentrequest", "changerequest"]


@pytest.fixture
async def place(database_url: str, tmp_path: Path) -> AsyncIterator[AskingPages]:
    async with whole_house(database_url, tmp_path, pki={"enabled": False}) as (assembly, http):
        place = AskingPages(assembly, http)
        await place.fill()
        yield place


async def asked(place: AskingPages, kind: str, **changes: Any) -> str:
    """The confirm link of a new request of any kind."""
    if kind == "changerequest":
        return await place.asked_for_change(await place.approved(), **changes)
    return await place.asked(agent=kind == "agentrequest", **changes)


# -- what is shown ----------------------------------------------------------------------------------------------------


async def test_a_request_says_who_asks_whom_for_what(place: AskingPages) -> None:
    page = await place.page(await place.asked(integrationTitle="Salary <1>", externalRef="ref & 1"))
    for shown in (
        "Smart Sky (312044005) asks Bank <ASA> (910753614) to let Smart <Cloud> act for the organisation.",
        "Waiting for an answer", "Salary <1>", "ref & 1", "The form <code>form</code>",
        "Value added tax <code>merverdiavgift</code>", "Kari", "Approve", "Reject",
    ):  # fmt: skip
        assert shown in page
    assert "Jonas" not in page
    assert "<code>closed</code>" not in page


async def test_what_others_have_written_is_text_and_no_more(place: AskingPages) -> None:
    url = await place.asked(integrationTitle="<b>1</b>", externalRef='"><i>')
    page = (await place.browser.get(url, params={"id": id_in(url), "lang": "en"})).text
    for shown in ("Bank &lt;ASA&gt;", "Smart &lt;Cloud&gt;", "&lt;b&gt;1&lt;/b&gt;", "&gt;&lt;i&gt;"):
        assert shown in page


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        ("nb", ["la Skysky handle for virksomheten.", "Skjemaet", "Merverdiavgift", "Forespørsel om systembruker"]),
        ("nn", ["la Skyskya handle for verksemda.", "Skjemaet", "Meirverdiavgift", "Førespurnad om systembrukar"]),
        ("en", ["let Smart <Cloud> act for", "The form", "Value added tax", "Request for a system user"]),
    ],
)
async def test_the_page_is_in_the_readers_language_and_keeps_to_the_request(
    place: AskingPages, language: str, texts: list[str]
) -> None:
    url = await place.asked()
    page = await place.page(url, language)
    assert [text for text in texts if text not in page] == []
    for other in ("nb", "nn", "en"):
        assert f'href="?id={id_in(url)}&lang={other}"' in page


async def test_an_agents_request_says_that_its_clients_are_chosen_afterwards(place: AskingPages) -> None:
    page = await place.page(await place.asked(agent=True))
    for shown in ("act for clients of the organisation.", "choose the clients, one by one", "Accountant, salaries"):
        assert shown in page
    assert "Services" not in page


async def test_a_change_says_what_comes_and_what_goes(place: AskingPages) -> None:
    url = await place.asked_for_change(await place.approved())
    page = await place.page(url)
    comes, _, goes = page.partition("What it will not be able to do any more")
    assert "to change what Smart <Cloud> can do for the organisation." in comes
    assert "Salary <code>lonn</code>" in comes
    assert "The form <code>form</code>" in goes
    assert "<code>lonn</code>" not in goes
    assert "<code>form</code>" not in comes


async def test_what_is_taken_and_given_at_once_is_given(place: AskingPages) -> None:
    system_user = await place.approved()
    unwanted = [right("form")]
    url = await place.asked_for_change(system_user, requiredRights=[right("form")], unwantedRights=unwanted)
    assert "any more" not in await place.page(url)


# -- what is answered -------------------------------------------------------------------------------------------------


async def test_who_approves_is_sent_to_the_vendor_and_the_system_user_is_there(place: AskingPages) -> None:
    url = await place.asked()
    sent = await place.answer(url, "approve")
    assert (sent.status_code, sent.headers["location"]) == (303, RECEIPT)
    assert await place.status_of(url) == "Accepted"
    assert await place.given(id_in(url)) == {"form", "merverdiavgift"}
    page = await place.page(url)
    assert "Approved" in page
    assert "<form" not in page
    assert f'href="{RECEIPT}"' in page


async def test_an_agent_is_approved(place: AskingPages) -> None:
    url = await place.asked(agent=True)
    assert (await place.answer(url, "approve")).headers["location"] == RECEIPT
    assert await place.status_of(url) == "Accepted"
    query = {"system-id": SYSTEM, "orgno": str(BANK)}
    found = (await place.send("GET", "systemuser/vendor/byquery", **query)).json()
    assert (found["id"], found["userType"]) == (id_in(url), "agent")


async def test_a_change_is_approved(place: AskingPages) -> None:
    system_user = await place.approved()
    url = await place.asked_for_change(system_user)
    assert (await place.answer(url, "approve")).headers["location"] == RECEIPT
    assert await place.status_of(url) == "Accepted"
    assert await place.given(system_user) == {"merverdiavgift", "lonn"}


@pytest.mark.parametrize("kind", KINDS)
async def test_without_a_redirect_url_the_page_says_how_it_went(place: AskingPages, kind: str) -> None:
    url = await asked(place, kind, redirectUrl="")
    sent = await place.answer(url, "reject")
    assert (sent.status_code, sent.headers["location"]) == (
        303,
        f"?id={id_in(url)}&DONTCHOOSEREPORTEE=true&lang=en",
    )
    assert await place.status_of(url) == "Rejected"
    page = await place.page(url)
    assert "Rejected" in page
    assert "<form" not in page
    assert "Back to the service" not in page


@pytest.mark.parametrize(
    "redirect_url",
    [
        "http://smartcloud.example/receipt", "javascript:alert(1)", "//smartcloud.example/", "https://a b.example/",
        "https://user:secret@smartcloud.example/", "https://smartcloud.example;sandbox/", "https://[broken",
        "https://smartcloud.example:x/",
    ],
)  # fmt: skip
async def test_nobody_is_sent_anywhere_but_to_a_web_page_over_tls(place: AskingPages, redirect_url: str) -> None:
    url = await place.asked()
    await place.execute("UPDATE systemusers.request SET redirect_url = :url", url=redirect_url)
    await place.execute("UPDATE systemusers.system SET redirect_urls = ARRAY[:url]", url=redirect_url)
    shown = await place.browser.get(url)
    assert "form-action 'self';" in shown.headers["content-security-policy"]
    assert (await place.answer(url, "reject")).headers["location"].startswith("?id=")
    assert "Back to the service" not in await place.page(url)


@pytest.mark.parametrize("kind", KINDS)
async def test_nobody_is_sent_to_a_url_that_the_vendor_has_given_up_since(place: AskingPages, kind: str) -> None:
    url = await asked(place, kind)
    await place.redefined(allowedRedirectUrls=["https://smartcloud.example/other"])
    shown = await place.browser.get(url)
    assert "form-action 'self';" in shown.headers["content-security-policy"]
    assert "Back to the service" not in await place.page(url)
    assert (await place.answer(url, "reject")).headers["location"].startswith("?id=")
    await place.redefined()
    assert f'href="{RECEIPT}"' in await place.page(url)


# -- who answers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["request", "agentrequest"])
async def test_who_may_only_look_passes_the_request_on_once(place: AskingPages, kind: str) -> None:
    url = await asked(place, kind)
    ola = str(await place.uuid_of(ids.PERSON, OLA))
    page = await place.page(url)
    assert "can not answer, only pass the request on" in page
    assert page.index("Kari") < page.index("Ola")
    refused = await place.answer(url, "approve", person=ola)
    assert refused.status_code == 403
    assert "This person may not answer for the organisation." in refused.text
    assert "AUTH-00044" in refused.text
    passed = await place.answer(url, "escalate", person=ola)
    assert (passed.status_code, passed.headers["location"][:4]) == (303, "?id=")
    page = await place.page(url)
    assert "has been passed on" in page
    assert "Ola" not in page
    assert "Pass it on" not in page
    assert (await place.answer(url, "approve")).status_code == 303


async def test_a_member_of_the_board_passes_the_request_on(place: AskingPages) -> None:
    await place.assembly.parties.grant_role(Role(JONAS, "medl", BANK))
    url = await place.asked()
    page = await place.page(url)
    assert page.count("can not answer, only pass the request on") == 2
    jonas = str(await place.uuid_of(ids.PERSON, JONAS))
    assert (await place.answer(url, "reject", person=jonas)).status_code == 403
    assert (await place.answer(url, "escalate", person=jonas)).status_code == 303
    assert "has been passed on" in await place.page(url)


async def test_where_only_lookers_are_they_can_pass_it_on_alone(place: AskingPages) -> None:
    await place.assembly.parties.withdraw_role(Role(KARI, "dagl", BANK))
    page = await place.page(await place.asked())
    assert "Ola" in page
    assert "Pass it on" in page
    assert "Approve" not in page


async def test_a_change_is_not_passed_on(place: AskingPages) -> None:
    url = await asked(place, "changerequest")
    assert "Ola" not in await place.page(url)
    assert (await place.answer(url, "escalate")).status_code == 400


@pytest.mark.parametrize("kind", KINDS)
async def test_only_who_may_answers_and_the_trail_keeps_who_tried(place: AskingPages, kind: str) -> None:
    url = await asked(place, kind)
    jonas = str(await place.uuid_of(ids.PERSON, JONAS))
    bank = str(await place.uuid_of(ids.ORGANISATION, BANK))
    for person in (jonas, bank, place.assembly.altinn.new_id()):
        refused = await place.answer(url, "approve", person=person)
        assert refused.status_code == 403
        assert "AUTH-00044" in refused.text
    assert await place.status_of(url) == "New"
    action = f"system-user-{'change' if kind == 'changerequest' else 'request'}:approve"
    told = await place.refusals()
    assert [(one[0], one[1]) for one in told] == [(action, "AUTH-00044")] * 3
    assert [one[2] for one in told[:2]] == [f"party:{jonas}", f"party:{bank}"]


async def test_where_nobody_may_answer_the_page_says_so(place: AskingPages) -> None:
    url = await place.asked()
    await place.execute("UPDATE systemusers.request SET escalated = true")
    await place.assembly.parties.withdraw_role(Role(KARI, "dagl", BANK))
    page = await place.page(url)
    assert "Nobody in the register may answer." in page
    assert "<form" not in page


async def test_what_the_picked_person_can_not_give_is_named(place: AskingPages) -> None:
    url = await place.asked(rights=[right("form"), right("closed")])
    refused = await place.answer(url, "approve")
    assert refused.status_code == 403
    assert "This person has no role by which to give what is asked for." in refused.text
    assert "(<code>closed</code>)" in refused.text
    assert "AUTH-00016" in refused.text
    assert "<form" in refused.text
    assert await place.given(id_in(url)) == set()
    assert [one[:2] for one in await place.refusals()] == [("system-user-request:approve", "AUTH-00016")]


# -- what can not be answered -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("query", ["", "?id=", "?id=x", "?id='", "?id=1e6eee8b-59d1-4dbb-b556-13dc4aa4150c"])
async def test_a_request_that_is_none_has_a_page_that_says_so(place: AskingPages, kind: str, query: str) -> None:
    assert "There is no such request." in await place.page(f"{PAGES}/{kind}{query}", code=404)
    assert (await place.browser.post(f"{PAGES}/{kind}{query}", data={"answer": "approve"})).status_code == 404


async def test_a_request_is_found_by_the_page_of_its_kind_alone(place: AskingPages) -> None:
    url = await place.asked()
    for kind in KINDS[1:]:
        assert "There is no such request." in await place.page(f"{PAGES}/{kind}?id={id_in(url)}", code=404)
    await place.take_back(url)
    assert "There is no such request." in await place.page(f"{PAGES}/agentrequest?id={id_in(url)}", code=404)


@pytest.mark.parametrize("kind", KINDS)
async def test_what_the_vendor_has_taken_back_is_not_answered(place: AskingPages, kind: str) -> None:
    url = await asked(place, kind)
    form = await place.filled(url, answer="approve")
    await place.take_back(url)
    page = await place.page(url, code=410)
    assert "The vendor has taken this request back." in page
    assert "<form" not in page
    assert (await place.post(url, form)).status_code == 410


@pytest.mark.parametrize("kind", KINDS)
async def test_an_old_request_is_not_answered(place: AskingPages, kind: str) -> None:
    url = await asked(place, kind)
    await place.age(url, 179)
    form = await place.filled(url, answer="approve")
    assert "Waiting for an answer" in await place.page(url)
    await place.age(url, 2)
    page = await place.page(url)
    assert "Nobody answered within 180 days." in page
    assert "<form" not in page
    late = await place.post(url, form)
    assert late.status_code == 409
    assert "its time is up" in late.text
    assert "AUTH-00013" in late.text


@pytest.mark.parametrize("kind", KINDS)
async def test_of_two_answers_the_second_sees_how_it_stands(place: AskingPages, kind: str) -> None:
    url = await asked(place, kind)
    form = await place.filled(url)
    first = await place.post(url, {**form, "answer": "reject"})
    second = await place.post(url, {**form, "answer": "approve"})
    assert (first.status_code, second.status_code) == (303, 409)
    assert "answered meanwhile" in second.text
    assert "AUTH-00013" in second.text
    assert "Rejected" in second.text
    assert "<form" not in second.text


@pytest.mark.parametrize("kind", KINDS)
async def test_of_two_approvals_at_once_one_is_taken(place: AskingPages, kind: str) -> None:
    url = await asked(place, kind)
    form = await place.filled(url, answer="approve")
    answers = await asyncio.gather(*(place.post(url, form) for _ in range(2)))
    assert sorted(one.status_code for one in answers) == [303, 409]


@pytest.mark.parametrize(
    ("changes", "code", "named"),
    [
        ({"rights": [right("closed")]}, "AUTH-00001", "form"),
        ({"accessPackages": [package("lonn")]}, "AUTH-00063", "merverdiavgift"),
    ],
)
async def test_what_the_system_no_longer_needs_is_not_given(
    place: AskingPages, changes: dict[str, Any], code: str, named: str
) -> None:
    url = await place.asked()
    await place.redefined(**changes)
    refused = await place.answer(url, "approve")
    assert refused.status_code == 400
    assert code in refused.text
    assert "The system no longer needs" in refused.text
    assert f"(<code>{named}</code>)" in refused.text
    assert await place.status_of(url) == "New"


@pytest.mark.parametrize("kind", KINDS)
async def test_for_a_deleted_system_nothing_is_answered(place: AskingPages, kind: str) -> None:
    url = await asked(place, kind)
    form = await place.filled(url, answer="approve")
    await place.send("DELETE", f"systemregister/vendor/{SYSTEM}")
    page = await place.page(url)
    assert "has been deleted since" in page
    assert "Lapsed" in page
    assert [said for said in ("Waiting for an answer", "To be answered by", "<form") if said in page] == []
    refused = await place.post(url, form)
    assert refused.status_code == 404
    assert "The system is no longer in the register." in refused.text
    assert "AUTH-00011" in refused.text


async def test_a_request_that_timed_out_before_its_system_was_deleted_can_not_be_made_anew(place: AskingPages) -> None:
    url = await place.asked()
    await place.age(url, 181)
    await place.send("DELETE", f"systemregister/vendor/{SYSTEM}")
    page = await place.page(url)
    assert "Its time is up" in page
    assert "has been deleted since" in page
    assert "can ask anew" not in page


async def test_a_system_user_that_is_gone_is_not_changed(place: AskingPages) -> None:
    system_user = await place.approved()
    url = await place.asked_for_change(system_user)
    form = await place.filled(url, answer="approve")
    await place.execute("UPDATE systemusers.system_user SET deleted = true")
    assert "has been deleted since" in await place.page(url)
    refused = await place.post(url, form)
    assert refused.status_code == 404
    assert "AUTH-00015" in refused.text


# -- forms ------------------------------------------------------------------------------------------------------------


async def test_the_page_runs_no_script_and_sends_forms_to_itself_and_on_to_the_vendor_alone(place: AskingPages) -> None:
    answer = await place.browser.get(await place.asked())
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "form-action 'self' https://smartcloud.example;" in policy
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "path=/accessmanagement/ui/systemuser" in cookie
    assert answer.headers["cache-control"] == "no-store"


async def test_a_form_from_elsewhere_does_nothing(place: AskingPages) -> None:
    url = await place.asked()
    forged = await place.answer(url, "approve", token="x" * 43)
    assert forged.status_code == 403
    assert "not from this browser" in forged.text
    place.browser.cookies.clear()
    form = {"token": "", "person": str(await place.uuid_of(ids.PERSON, KARI)), "answer": "approve"}
    assert (await place.post(url, form)).status_code == 403
    assert await place.status_of(url) == "New"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"person": "Kari"}, 400),
        ({"answer": "delete"}, 400),
        ({"answer": ""}, 400),
        ({"person": "æ\x00"}, 400),
        ({"token": "æøå"}, 403),
        ({"more": "x" * 5_000}, 403),
        ({f"field{number}": "x" for number in range(20)}, 403),
    ],
    ids=["name", "verb", "nothing", "bytes", "letters", "long", "many"],
)
async def test_whatever_else_is_sent_is_turned_away(place: AskingPages, changes: dict[str, str], status: int) -> None:
    url = await place.asked()
    form = await place.filled(url, answer="approve")
    assert (await place.post(url, {**form, **changes})).status_code == status
    assert await place.status_of(url) == "New"


async def test_where_nobody_can_be_picked_login_is_said_to_come(database_url: str, tmp_path: Path) -> None:
    off = {"enabled": False}
    async with whole_house(database_url, tmp_path, pki=off, insecure={"test_tokens": False}) as (_, http):
        for kind in KINDS:
            url = f"{PAGES}/{kind}?id=1e6eee8b-59d1-4dbb-b556-13dc4aa4150c&lang=en"
            page = await http.get(url)
            assert page.status_code == 501
            assert "login comes with ID-porten" in page.text
            assert (await http.post(url, data={"answer": "approve"})).status_code == 501
