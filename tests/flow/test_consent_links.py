"""Requests of old, which are a link alone (consent.md §2.7): read, answered once, and never a way to anywhere else."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fullmakt.altinn.consents.altinn2.callers import Enterprise
from fullmakt.altinn.consents.model import Consent, EventType, Form, Status
from fullmakt.serve.assembly import assemble
from fullmakt.serve.settings import Settings
from tests.support.consent_pages import (
    ALTINN2,
    BACK,
    BANK,
    BASE,
    BORROWER,
    LOAN,
    OWNER,
    SHOP,
    SHOPKEEPER,
    STRANGER,
    WORLD,
    Place,
    fields_of,
    opened,
)

PAGE = f"{BASE}/altinn2/ui/AccessConsent/"
NOBODY = "08027202285"
"""A number whose check digits fit, and whom nobody has registered."""
DECLINED = f"{BACK}?Status=Failed&ErrorMessage=User%2520did%2520not%2520give%2520consent"


class Links:
    """The place, and the bank's links."""

    def __init__(self, place: Place) -> None:
        self.place = place

    def link(self, **changes: str | None) -> dict[str, str]:
        """The members of a link; None leaves one out."""
        members = {
            "Resources": "5498_1",
            "CoveredBy": BANK,
            "RedirectUrl": BACK,
            "ValidToDate": "2099-01-01 00:00:00",
            "DelegationContext": "For your budget <b>",
            "ResponseType": "code",
            "5498_1_navn": "Bank <i>",
            **changes,
        }
        return {name: value for name, value in members.items() if value is not None}

    async def get(self, link: Mapping[str, str], language: str = "en", code: int = 200) -> str:
        """The page as it is written."""
        answer = await self.place.browser.get(PAGE, params={**link, "lang": language})
        assert answer.status_code == code, answer.text
        return answer.text

    async def send(self, link: Mapping[str, str], form: Mapping[str, str]) -> httpx2.Response:
        """Send a form."""
        return await self.place.browser.post(PAGE, params={**link, "lang": "en"}, data=dict(form))

    async def answer(
        self, link: Mapping[str, str], answer: str = "accept", number: str = BORROWER, **changes: str
    ) -> httpx2.Response:
        """Fill in the form that the page has, and send it."""
        form = {**fields_of(await self.get(link)), "answer": answer, "number": number, **changes}
        return await self.send(link, form)

    async def made(self) -> list[UUID]:
        """Every consent that there is."""
        return [row[0] for row in await self.place.rows("SELECT consent_id FROM consents.consent ORDER BY number")]

    async def only(self) -> tuple[Consent, list[EventType]]:
        """The one consent that there is, and what has happened to it."""
        (consent_id,) = await self.made()
        return await self.place.kept(consent_id)


@pytest.fixture
async def links(database_url: str, tmp_path: Path) -> AsyncIterator[Links]:
    async with opened(database_url, tmp_path) as place:
        await place.list_in_srr("*.bank.example")
        yield Links(place)


def code_in(sent: httpx2.Response) -> str:
    """The code that an answer brings back."""
    location = sent.headers["location"]
    assert sent.status_code == 303
    assert location.startswith(f"{BACK}?AuthorizationCode=")
    query = parse_qs(urlsplit(location).query)
    assert query["Status"] == ["OK"]
    return query["AuthorizationCode"][0]


async def test_a_link_reads_as_any_other_request(links: Links) -> None:
    page = await links.get(links.link())
    for text in (
        "Consent to sharing data",
        "Bank &lt;ASA&gt; asks to collect information about you",
        "For your budget &lt;b&gt;",
        "Balance of student loan",
        "<strong><bdi>Bank &lt;i&gt;</bdi></strong> fetches it.",
        "The consent lasts until ",
        "Yes, I consent",
        "No, I do not consent",
        "Your national identity number",
    ):
        assert text in page
    assert "Jonas" not in page
    assert await links.made() == []


async def test_a_yes_makes_the_consent_and_gives_it_in_one(links: Links) -> None:
    code = code_in(await links.answer(links.link()))
    consent, events = await links.only()
    assert str(consent.id) == code
    assert (consent.form, consent.status) == (Form.ALTINN2, Status.ACCEPTED)
    borrower, bank = await links.place.party(BORROWER), await links.place.party(BANK)
    assert (consent.giver, consent.answered_by) == (borrower, borrower)
    assert (consent.receiver, consent.created_by, consent.handled_by) == (bank, bank, None)
    assert [dict(right.metadata) for right in consent.rights] == [{"Navn": "Bank <i>"}]
    assert consent.language == "en"
    assert consent.shown["message"] == "For your budget <b>"
    assert consent.shown["rights"][0]["text"] == "Bank <i> fetches it."
    assert events == [EventType.CREATED, EventType.ACCEPTED]
    told = [one for one in await links.place.trail() if one[1] == "done"]
    assert told == [
        ("consent:request", "done", "", "link"),
        ("consent:accept", "done", "", f"party:{borrower}"),
    ]
    announced = await links.place.rows("SELECT key FROM feed.change WHERE key = :key", key=f"consent:{code}")
    assert announced


async def test_a_no_makes_nothing_and_tells_no_code(links: Links) -> None:
    sent = await links.answer(links.link(), "reject")
    assert (sent.status_code, sent.headers["location"]) == (303, DECLINED)
    assert await links.made() == []
    borrower = await links.place.party(BORROWER)
    assert ("consent:reject", "done", "", f"party:{borrower}") in await links.place.trail()


async def test_the_bank_draws_on_what_a_link_was_given(links: Links) -> None:
    code = code_in(await links.answer(links.link()))
    altinn2 = links.place.assembly.altinn.consents.altinn2
    await links.place.give_key("bank.example")
    (key,) = await links.place.assembly.altinn.consents.keys.listed()
    token = await altinn2.drawing.token(UUID(code), Enterprise(key.organisation, key, is_authenticated=False))
    assert token.count(".") == 2


# -- once, and no more -------------------------------------------------------------------------------------------------


async def test_a_double_submit_two_tabs_and_the_back_button_make_one_consent(links: Links) -> None:
    link = links.link()
    forms = [fields_of(await links.get(link)) for _ in range(2)]  # two tabs
    filled = [{**form, "answer": "accept", "number": BORROWER} for form in forms]
    sent = await asyncio.gather(*[links.send(link, form) for form in [*filled, *filled, *filled]])
    again = await links.send(link, filled[0])
    assert len({code_in(one) for one in [*sent, again]}) == 1
    _, events = await links.only()
    assert events == [EventType.CREATED, EventType.ACCEPTED]


async def test_crash_between_accept_and_redirect_and_the_link_leads_to_the_same_end_from_another_browser(
    links: Links,
) -> None:
    link = links.link()
    code = code_in(await links.answer(link))  # and the answer never reached the browser
    links.place.browser.cookies.clear()
    assert code_in(await links.answer(link)) == code
    assert unescape(await links.place.page(code, url=ALTINN2)).count(f"{BACK}?AuthorizationCode={code}&Status=OK") == 1


async def test_a_link_that_asks_for_something_else_is_another_consent(links: Links) -> None:
    link = links.link()
    first = code_in(await links.answer(link))
    for changes in (
        {"DelegationContext": "Something else"},
        {"5498_1_navn": "Another"},
        {"RedirectUrl": f"{BACK}?state=2"},
        {"ValidToDate": "2098-01-01 00:00:00"},
    ):
        sent = await links.answer({**link, **changes})
        assert parse_qs(urlsplit(sent.headers["location"]).query)["AuthorizationCode"] != [first]
    assert len(await links.made()) == 5


async def test_what_has_ended_is_given_anew(links: Links) -> None:
    link = links.link()
    first = code_in(await links.answer(link))
    bank = await links.place.party(BANK)
    await links.place.consents.using.give_up(UUID(first), bank, BANK, lambda _: None)
    second = code_in(await links.answer(link))
    assert second != first
    assert len(await links.made()) == 2


async def test_a_yes_after_the_owner_has_changed_the_text_is_to_the_new_one(links: Links) -> None:
    link = links.link()
    first = code_in(await links.answer(link))
    fields = fields_of(await links.get(link))
    await links.place.become(WORLD.replace("fetches it.", "sells it."))
    stale = await links.send(link, {**fields, "answer": "accept", "number": BORROWER})
    assert stale.status_code == 409
    assert "reads otherwise now" in stale.text
    assert "sells it." in stale.text
    second = code_in(await links.answer(link))
    consent, _ = await links.place.kept(UUID(second))
    assert second != first
    assert consent.shown["rights"][0]["text"] == "Bank <i> sells it."


async def test_a_no_does_not_take_back_a_yes(links: Links) -> None:
    link = links.link()
    code = code_in(await links.answer(link))
    sent = await links.answer(link, "reject")
    assert sent.status_code == 409
    assert "You have said yes to this already." in sent.text
    consent, _ = await links.only()
    assert (str(consent.id), consent.status) == (code, Status.ACCEPTED)


async def test_nothing_is_made_where_the_yes_can_not_be_kept(links: Links) -> None:
    link = links.link()
    fields = fields_of(await links.get(link))
    await links.place.break_the_table()
    sent = await links.send(link, {**fields, "answer": "accept", "number": BORROWER})
    location = sent.headers["location"]
    assert location.startswith(f"{BACK}?Status=Failed&ErrorMessage=Technical%2520error&ErrorCode=")
    assert "AuthorizationCode" not in location
    assert await links.made() == []
    assert [one for one in await links.place.trail() if one[1] == "done"] == []


# -- who answers -------------------------------------------------------------------------------------------------------


async def test_whoever_is_wrong_is_told_so_in_one_way_whoever_the_link_is_for(links: Links) -> None:
    token = hashlib.sha256(BORROWER.encode()).hexdigest()
    tries = [
        (links.link(OfferedBy=BORROWER), STRANGER),
        (links.link(OfferedBy=BORROWER), NOBODY),
        (links.link(OfferedBy=BORROWER), "30918899992"),
        (links.link(OfferedBy=NOBODY), STRANGER),
        (links.link(OfferedBy=NOBODY), NOBODY),
        (links.link(OfferedBy=SHOP), STRANGER),
        (links.link(UserToken=token), STRANGER),
        (links.link(UserToken=token), NOBODY),
        (links.link(), NOBODY),
        (links.link(), "x" * 11),
        (links.link(), "'; DROP"),
    ]
    notices = set()
    for link, number in tries:
        for answer in ("accept", "reject"):
            sent = await links.answer(link, answer, number)
            assert sent.status_code == 403, (link, number)
            assert "Jonas" not in sent.text
            notices.add(sent.text.partition('role="alert">')[2].partition("<")[0])
    assert len(notices) == 1
    assert await links.made() == []
    reasons = {reason for _, outcome, reason, _ in await links.place.trail() if outcome == "deny"}
    assert reasons == {"not_authorized_for_consent", "not_the_required_delegator"}


async def test_the_page_reads_the_same_for_people_who_are_registered_and_for_others(links: Links) -> None:
    pages = []
    for number in (BORROWER, STRANGER, NOBODY, None):
        link = links.link(OfferedBy=number)
        page = await links.get(link)
        pages.append(page.replace(urlencode({"OfferedBy": number or ""}), "").replace("&amp;&amp;", "&amp;"))
    known, other, unknown, _ = [fields_of(page)["read"] for page in pages]
    assert known == other == unknown
    assert len({page.replace(fields_of(page)["token"], "") for page in pages[:3]}) == 1


async def test_a_link_for_one_person_is_answered_by_that_person(links: Links) -> None:
    for written in (str.lower, str.upper):
        token = written(hashlib.sha256(BORROWER.encode()).hexdigest())
        code_in(await links.answer(links.link(UserToken=token)))
    consent, _ = await links.only()
    assert consent.giver == await links.place.party(BORROWER)


async def test_who_sees_to_an_organisation_consents_for_it(links: Links) -> None:
    link = links.link(OfferedBy=SHOP)
    assert "on behalf of Butikken" in await links.get(link)
    code_in(await links.answer(link, number=SHOPKEEPER))
    consent, _ = await links.only()
    assert consent.giver == await links.place.party(SHOP)
    assert consent.answered_by == await links.place.party(SHOPKEEPER)
    assert consent.shown["heading"] == "Bank <ASA> asks to collect information about Butikken"


async def test_whatever_else_is_sent_is_turned_away(links: Links) -> None:
    filled = {**fields_of(await links.get(links.link())), "answer": "accept", "number": BORROWER}
    tries: list[tuple[dict[str, str], int]] = [
        ({"token": "x" * 43}, 403),
        ({"number": ""}, 400),
        ({"answer": "yes"}, 400),
        ({"read": "x"}, 409),
        ({"more": "x" * 5_000}, 403),
    ]
    for changes, status in tries:
        assert (await links.send(links.link(), {**filled, **changes})).status_code == status, changes
    assert await links.made() == []


async def test_a_number_is_nowhere_in_the_trail(links: Links) -> None:
    await links.answer(links.link(OfferedBy=BORROWER), number=STRANGER)
    await links.answer(links.link(OfferedBy=BORROWER))
    trail = str(await links.place.rows("SELECT to_jsonb(e) FROM audit.event e"))
    assert BORROWER not in trail
    assert STRANGER not in trail


# -- where it leads (decision 8) ---------------------------------------------------------------------------------------


async def test_a_link_leads_only_where_srr_or_a_key_of_the_receiver_says(database_url: str, tmp_path: Path) -> None:
    async with opened(database_url, tmp_path) as place:
        links = Links(place)
        await place.give_key()
        page = await links.get(links.link(), code=400)
        assert "is not known to be the receiver" in unescape(page)
        assert "https://www.bank" not in page.partition("<main")[2]
        assert "<form" not in page
        denied = ("consent:request", "deny", "redirect_not_vouched_for", "link")
        assert denied in await place.trail()
        await place.give_key("*.bank.example", name="another key")
        code_in(await links.answer(links.link()))


async def test_another_s_key_vouches_for_nobody(links: Links) -> None:
    await links.place.give_key("evil.example", number="312044005")
    page = await links.get(links.link(RedirectUrl="https://evil.example/"), code=400)
    assert "not known to be the receiver" in page


async def test_a_domain_that_is_taken_away_before_the_answer_is_not_led_to(links: Links) -> None:
    (entry,) = await links.place.assembly.altinn.consents.srr.entries(LOAN, OWNER, BANK)
    fields = fields_of(await links.get(links.link()))
    await links.place.drop_from_srr(entry)
    await links.place.list_in_srr("elsewhere.example")
    sent = await links.send(links.link(), {**fields, "answer": "accept", "number": BORROWER})
    assert sent.status_code == 400
    assert "location" not in sent.headers
    assert await links.made() == []


async def test_an_app_gets_a_link_after_either_answer(links: Links) -> None:
    (entry,) = await links.place.assembly.altinn.consents.srr.entries(LOAN, OWNER, BANK)
    await links.place.drop_from_srr(entry)
    await links.place.list_in_srr("bankapp://consent")
    link = links.link(RedirectUrl="bankapp://consent")
    declined = await links.answer(link, "reject")
    assert declined.status_code == 200
    assert 'href="bankapp://consent?Status=Failed&' in unescape(declined.text)
    assert "<form" not in declined.text
    accepted = await links.answer(link)
    consent, _ = await links.only()
    onward = str(httpx2.URL(BASE).join(accepted.headers["location"]))
    assert (accepted.status_code, onward) == (303, f"{ALTINN2}?id={consent.id}&lang=en")
    page = unescape((await links.place.browser.get(onward)).text)
    assert f'href="bankapp://consent?AuthorizationCode={consent.id}&Status=OK"' in page


# -- links that can not be used ----------------------------------------------------------------------------------------


_BAD: list[tuple[dict[str, str | None], str]] = [
    ({"Resources": None}, "missing, or can not be read"),
    ({"Resources": "5498"}, "missing, or can not be read"),
    ({"ResponseType": "token"}, "missing, or can not be read"),
    ({"UserToken": "Jonas"}, "missing, or can not be read"),
    ({"coveredby": BANK}, "missing, or can not be read"),
    ({"DelegationContext": None}, "missing, or can not be read"),
    ({"DelegationContext": "\x00"}, "missing, or can not be read"),
    ({"more": "x" * 16_000}, "missing, or can not be read"),
    ({"ValidToDate": "2019-09-30 10:30:00"}, "is over, or is none"),
    ({"ValidToDate": "soon"}, "is over, or is none"),
    ({"Resources": "9999_1"}, "nothing that can be consented to"),
    ({"5498_1_navn": None}, "leaves out something"),
    ({"5498_1_navn": ""}, "leaves out something"),
    ({"CoveredBy": "999999999"}, "A number in the link"),
    ({"CoveredBy": "<script>"}, "A number in the link"),
    ({"CoveredBy": SHOP}, "may not ask for it"),
    ({"OfferedBy": "30918899992"}, "A number in the link"),
    ({"OfferedBy": "999999999"}, "A number in the link"),
    ({"RedirectUrl": "javascript:alert(1)"}, "not known to be the receiver"),
    ({"RedirectUrl": "https://www.bank.example@evil.example/"}, "not known to be the receiver"),
    ({"RedirectUrl": "https://evil.example/"}, "not known to be the receiver"),
    ({"RedirectUrl": "https://www.bank.example%2eevil.example/"}, "not known to be the receiver"),
    ({"RedirectUrl": "//www.bank.example/"}, "not known to be the receiver"),
    ({"RedirectUrl": "https://www.bank.example:8443/"}, "not known to be the receiver"),
]


async def test_a_link_that_can_not_be_used_has_a_page_that_says_why(links: Links) -> None:
    for changes, text in _BAD:
        link = links.link(**changes)
        for answer in (
            await links.place.browser.get(PAGE, params={**link, "lang": "en"}),
            await links.place.browser.post(PAGE, params={**link, "lang": "en"}, data={"answer": "accept"}),
        ):
            assert answer.status_code == 400, changes
            assert "location" not in answer.headers
            assert text in unescape(answer.text), changes
            assert "<script>" not in answer.text
            assert "form-action 'none'" in answer.headers["content-security-policy"]
    assert await links.made() == []


async def test_it_says_so_in_three_languages(links: Links) -> None:
    words = {"nb": "Denne lenken kan ikke brukes", "nn": "Denne lenkja kan ikkje brukast", "en": "can not be used"}
    for language, text in words.items():
        page = await links.get(links.link(ResponseType=None), language, code=400)
        assert text in page
        assert "90000 ResponseType is required." in page


async def test_a_template_of_its_own_needs_a_request(links: Links) -> None:
    await links.place.become(WORLD.replace('consentTemplate = "default"', 'consentTemplate = "poa"'))
    assert "can not be asked for by a link" in await links.get(links.link(), code=400)


async def test_who_may_not_ask_by_the_policy_may_not_by_a_link(links: Links) -> None:
    pilots = '[[access_list]]\nowner = "lanekassen"\nidentifier = "pilot"\nname = "Pilot"\n'
    asked_by = 'resourceType = "Consent"\naskers = ["lanekassen:pilot"]'
    await links.place.become(WORLD.replace('resourceType = "Consent"', asked_by) + pilots)
    assert "may not ask for it" in await links.get(links.link(), code=400)
    assert ("consent:request", "deny", "requestconsent_refused", "link") in await links.place.trail()


_PARTS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            "5498_1",
            BANK,
            BORROWER,
            BACK,
            "code",
            "2099-01-01 00:00:00",
            "javascript:alert(1)",
            "\x00",
            "\ud7ff",
            "%",
            "\\",
        ]
    ),
)
_NAMES = st.one_of(
    st.sampled_from(
        ["Resources", "CoveredBy", "OfferedBy", "RedirectUrl", "ValidToDate", "LanguageCode", "DelegationContext",
         "ResponseType", "5498_1_navn", "UserToken", "lang", "resources"]
    ),
    st.text(max_size=10),
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.dictionaries(_NAMES, _PARTS, max_size=4), answer=st.sampled_from(["accept", "reject"]))
async def test_whatever_a_link_says_it_leads_to_the_bank_or_nowhere(
    links: Links, changes: dict[str, str], answer: str
) -> None:
    link = {**links.link(), **changes}
    shown = await links.place.browser.get(PAGE, params=link)
    assert shown.status_code in {200, 302, 400}, shown.text
    if shown.status_code == 302:
        assert shown.headers["location"].startswith("?")
    form = {**fields_of(shown.text), "answer": answer, "number": STRANGER}
    sent = await links.place.browser.post(PAGE, params=link, data=form)
    assert sent.status_code in {303, 400, 403, 409}, sent.text
    if sent.status_code == 303:
        assert urlsplit(sent.headers["location"]).netloc == "www.bank.example"
    assert all("traceback" not in one.text.lower() for one in (shown, sent))


# -- language ----------------------------------------------------------------------------------------------------------


async def test_the_language_of_the_link_is_taken_and_languages_keep_the_whole_link(links: Links) -> None:
    words = {"nb-NO": "Ja, jeg samtykker", "nn-NO": "Ja, eg samtykkjer", "en": "Yes, I consent"}
    for code, text in words.items():
        link = links.link(LanguageCode=code, OfferedBy=BORROWER)
        sent = await links.place.browser.get(PAGE, params=link)
        assert sent.status_code == 302
        page = await links.place.browser.get(str(httpx2.URL(PAGE).join(sent.headers["location"])))
        assert text in page.text
        assert f'<html lang="{code[:2]}">' in page.text
        assert f'href="?{urlencode(link)}&lang=nn"' in unescape(page.text)
        assert f'action="?{urlencode(link)}&lang={code[:2]}"' in unescape(page.text)


async def test_a_link_that_can_not_be_used_says_so_in_the_language_it_asks_for(links: Links) -> None:
    words = {
        "nb-NO": "Denne lenken kan ikke brukes",
        "nn-NO": "Denne lenkja kan ikkje brukast",
        "en": "can not be used",
    }
    for code, text in words.items():
        link = links.link(LanguageCode=code, ResponseType=None)
        sent = await links.place.browser.get(PAGE, params=link, headers={"accept-language": "de, nb;q=0.5"})
        assert sent.status_code == 302
        page = await links.place.browser.get(str(httpx2.URL(PAGE).join(sent.headers["location"])))
        assert page.status_code == 400
        assert text in page.text
        assert f'<html lang="{code[:2]}">' in page.text


async def test_the_page_is_not_framed_and_leads_to_the_receiver_alone(links: Links) -> None:
    answer = await links.place.browser.get(PAGE, params=links.link())
    policy = answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self' https://www.bank.example;" in policy
    assert answer.headers["cache-control"] == "no-store"


async def test_links_are_altinn_2_s_alone(links: Links) -> None:
    answer = await links.place.browser.get(f"{BASE}/accessmanagement/ui/consent/", params=links.link())
    assert answer.status_code == 404


async def test_where_nobody_can_say_who_they_are_login_is_said_to_come(database_url: str, tmp_path: Path) -> None:
    config = Settings(state=tmp_path, pki={"enabled": False}, insecure={"test_tokens": False})
    links = Links(Place(assemble(config, database_url)))
    try:
        await links.place.assembly.start()
        assert "login comes with ID-porten" in await links.get(links.link(), code=501)
        assert (await links.send(links.link(), {"answer": "accept"})).status_code == 501
    finally:
        await links.place.browser.aclose()
        await links.place.assembly.stop()
