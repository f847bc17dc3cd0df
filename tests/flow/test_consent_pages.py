"""The page where people are asked for consent: read, answered and sent on from, in both of Altinn's forms."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from html import unescape
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest

from fullmakt.altinn.consents.model import EventType, Form, PortalViewMode, Status
from fullmakt.altinn.consents.srr.model import ServiceDeclaration
from fullmakt.serve.assembly import assemble
from fullmakt.serve.settings import Settings
from tests.support.consent_pages import (
    ALTINN2,
    ALTINN3,
    BACK,
    BANK,
    BASE,
    BORROWER,
    LOAN,
    RESOURCE,
    SHOP,
    SHOPKEEPER,
    STRANGER,
    SUPPLIER,
    WORLD,
    Place,
    fields_of,
    opened,
)

WORDS = ("User", "did", "not", "give", "consent")


@pytest.fixture
async def place(database_url: str, tmp_path: Path) -> AsyncIterator[Place]:
    async with opened(database_url, tmp_path) as found:
        yield found


async def test_a_request_says_who_asks_for_what_how_long_and_who_does_it_for_them(place: Place) -> None:
    consent_id = await place.asked(handled_by=await place.party(SUPPLIER), message={"en": "For your\nbudget <b>"})
    page = await place.page(consent_id)
    for text in (
        "Consent to sharing data",
        "Bank &lt;ASA&gt; asks to collect information about you",
        "For your<br>budget &lt;b&gt;",
        "Balance of student loan",
        "<strong><bdi>Bank &lt;i&gt;</bdi></strong> fetches it.",
        "The consent lasts until ",
        "Leverandør collects the information for Bank &lt;ASA&gt;.",
        "Yes, I consent",
        "No, I do not consent",
        "Jonas Låntaker",
    ):
        assert text in page
    assert "<b>" not in page
    assert "<i>" not in page


@pytest.mark.parametrize(
    ("form", "url", "answer", "location"),
    [
        (Form.ALTINN3, ALTINN3, "accept", f"{BACK}?Status=OK"),
        (Form.ALTINN3, ALTINN3, "reject", f"{BACK}?Status=Failed&ErrorMessage=User+did+not+give+consent"),
        (Form.ALTINN2, ALTINN2, "accept", f"{BACK}?AuthorizationCode={{id}}&Status=OK"),
        (
            Form.ALTINN2,
            ALTINN2,
            "reject",
            f"{BACK}?Status=Failed&ErrorMessage={'%2520'.join(WORDS)}&FailedAuthorizationCode={{id}}",
        ),
    ],
    ids=["altinn3-yes", "altinn3-no", "altinn2-yes", "altinn2-no"],
)
async def test_an_answer_sends_the_browser_on_as_each_form_has_it(
    place: Place, form: Form, url: str, answer: str, location: str
) -> None:
    consent_id = await place.asked(form)
    sent = await place.answer(consent_id, answer, url=url)
    assert (sent.status_code, sent.headers["location"]) == (303, location.format(id=consent_id))
    consent, _ = await place.kept(consent_id)
    assert consent.status is (Status.ACCEPTED if answer == "accept" else Status.REJECTED)
    assert consent.answered_by == await place.party(BORROWER)


async def test_what_was_read_is_kept_with_the_consent(place: Place) -> None:
    consent_id = await place.asked()
    await place.answer(consent_id, "accept")
    consent, _ = await place.kept(consent_id)
    assert consent.language == "en"
    assert consent.shown["heading"] == "Bank <ASA> asks to collect information about you"
    assert consent.shown["rights"] == [
        {"resource": RESOURCE, "title": "Balance of student loan", "text": "Bank <i> fetches it."}
    ]


async def test_a_route_in_the_fragment_gets_the_status_inside_it(place: Place) -> None:
    consent_id = await place.asked(redirect_url="https://www.bank.example/?a=1#/consent")
    sent = await place.answer(consent_id, "accept")
    assert sent.headers["location"] == "https://www.bank.example/?a=1#/consent?Status=OK"


async def test_crash_between_accept_and_redirect_leaves_a_page_that_leads_on_and_nothing_is_accepted_twice(
    place: Place,
) -> None:
    consent_id = await place.asked(Form.ALTINN2)
    fields = fields_of(await place.page(consent_id, url=ALTINN2))
    for _ in range(2):  # the answer to the first never reached the browser, which sends the form once more
        sent = await place.send(consent_id, {**fields, "answer": "accept"}, url=ALTINN2)
        assert sent.headers["location"] == f"{BACK}?AuthorizationCode={consent_id}&Status=OK"
    page = unescape(await place.page(consent_id, url=ALTINN2))
    assert f'href="{BACK}?AuthorizationCode={consent_id}&Status=OK"' in page
    assert "<form" not in page
    _, events = await place.kept(consent_id)
    assert events == [EventType.CREATED, EventType.OPENED, EventType.ACCEPTED]


async def test_consent_answered_twice_stands_as_it_was_answered_first(place: Place) -> None:
    consent_id = await place.asked()
    fields = fields_of(await place.page(consent_id))
    assert (await place.send(consent_id, {**fields, "answer": "reject"})).status_code == 303
    second = await place.send(consent_id, {**fields, "answer": "accept"})
    assert second.status_code == 409
    assert "answered meanwhile" in second.text
    assert "The answer was no." in second.text


async def test_an_app_gets_a_link_for_its_scheme_has_no_origin_to_send_a_form_to(place: Place) -> None:
    consent_id = await place.asked(redirect_url="bankapp://consent?a=1")
    sent = await place.answer(consent_id, "accept")
    assert (sent.status_code, sent.headers["location"]) == (303, f"?id={consent_id}&lang=en")
    assert 'href="bankapp://consent?a=1&Status=OK"' in unescape(await place.page(consent_id))


@pytest.mark.parametrize("url", ["javascript:alert(1)//", "https://www.bank.example@evil.example/", "data:text/html,x"])
async def test_redirect_urls_that_run_code_or_hide_their_host_lead_nowhere_even_if_they_are_kept(
    place: Place, url: str
) -> None:
    consent_id = await place.asked(redirect_url=url)
    sent = await place.answer(consent_id, "accept")
    assert sent.headers["location"] == f"?id={consent_id}&lang=en"
    page = await place.page(consent_id)
    assert "The consent has been given." in page
    assert url.partition(":")[2][:12] not in unescape(page)


async def test_only_the_required_delegator_is_shown_and_nobody_else_can_answer(place: Place) -> None:
    kari = await place.party(SHOPKEEPER)
    consent_id = await place.asked(giver=SHOP, required_delegator=kari)
    assert "Kari Butikkeier" in await place.page(consent_id)
    wrong = await place.answer(consent_id, "accept", person=str(await place.party(STRANGER)))
    assert wrong.status_code == 403
    assert "this person may not answer so" in wrong.text
    other = await place.asked(giver=SHOP, required_delegator=await place.party(STRANGER))
    page = await place.page(other)
    assert "Nobody in the register may answer." in page
    assert "Mette" not in page
    assert "Kari" not in page


async def test_who_sees_to_an_organisation_consents_for_it(place: Place) -> None:
    consent_id = await place.asked(giver=SHOP)
    assert "on behalf of Butikken" in await place.page(consent_id)
    assert (await place.answer(consent_id, "accept")).status_code == 303
    consent, _ = await place.kept(consent_id)
    assert consent.answered_by == await place.party(SHOPKEEPER)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"token": "x" * 43}, 403),
        ({"person": "Jonas"}, 400),
        ({"answer": "yes"}, 400),
        ({"read": "x"}, 409),
        ({"person": "5ccaebc5-dfb7-442a-ab5e-002898b902ae"}, 403),
        ({"more": "x" * 5_000}, 403),
    ],
    ids=["forged", "no person", "no answer", "read otherwise", "unknown person", "too much"],
)
async def test_whatever_else_is_sent_is_turned_away(place: Place, changes: dict[str, str], status: int) -> None:
    consent_id = await place.asked()
    answer = changes.pop("answer", "accept")
    assert (await place.answer(consent_id, answer, **changes)).status_code == status
    consent, _ = await place.kept(consent_id)
    assert consent.status is Status.CREATED


async def test_a_consent_is_not_given_to_a_text_that_was_not_read(place: Place) -> None:
    consent_id = await place.asked()
    fields = fields_of(await place.page(consent_id))
    await place.become(WORLD.replace("fetches it.", "sells it."))
    sent = await place.send(consent_id, {**fields, "answer": "accept"})
    assert sent.status_code == 409
    assert "reads otherwise now" in sent.text
    assert "sells it." in sent.text
    assert (await place.answer(consent_id, "accept")).status_code == 303


async def test_a_receiver_that_srr_no_longer_lists_is_given_nothing(place: Place) -> None:
    consent_id = await place.asked(Form.ALTINN2)
    await place.assembly.altinn.consents.services.declare(ServiceDeclaration(RESOURCE, LOAN, uses_srr=True))
    sent = await place.answer(consent_id, "accept", url=ALTINN2)
    assert sent.status_code == 403
    assert "no longer lets the receiver have this" in sent.text
    assert (await place.answer(consent_id, "reject", url=ALTINN2)).status_code == 303


async def test_a_request_whose_time_is_over_can_only_be_read(place: Place) -> None:
    consent_id = await place.asked(valid_to=place.consents.work.clock() - timedelta(seconds=1))
    page = await place.page(consent_id)
    assert "The time of this request is over." in page
    assert "<form" not in page


async def test_a_consent_that_was_taken_back_says_so_and_one_that_was_withdrawn_is_gone(place: Place) -> None:
    given, withdrawn = await place.asked(), await place.asked()
    await place.answer(given, "accept")
    bank = await place.party(BANK)
    await place.consents.using.give_up(given, bank, BANK, lambda _: None)
    await place.consents.using.withdraw(withdrawn, bank, BANK, lambda _: None)
    page = await place.page(given)
    assert "has ended since" in page
    assert BACK not in page
    gone = await place.page(withdrawn, code=410)
    assert "taken the request back" in gone
    assert "Balance of student loan" not in gone


async def test_the_first_look_at_a_request_of_altinn_2_opens_it(place: Place) -> None:
    consent_id = await place.asked(Form.ALTINN2)
    for _ in range(2):
        await place.page(consent_id, url=ALTINN2)
    consent, events = await place.kept(consent_id)
    assert consent.opened_at is not None
    assert events == [EventType.CREATED, EventType.OPENED]


@pytest.mark.parametrize(
    ("code", "language", "text"),
    [("nb-NO", "nb", "Ja, jeg samtykker"), ("nn-NO", "nn", "Ja, eg samtykkjer"), ("en", "en", "Yes, I consent")],
)
async def test_altinn_2_s_language_code_is_taken(place: Place, code: str, language: str, text: str) -> None:
    consent_id = await place.asked(Form.ALTINN2)
    sent = await place.browser.get(ALTINN2, params={"id": str(consent_id), "languageCode": code})
    assert (sent.status_code, sent.headers["location"]) == (302, f"?id={consent_id}&lang={language}")
    page = await place.page(consent_id, url=ALTINN2, language=language)
    assert text in page
    assert f'<html lang="{language}">' in page


async def test_altinn_2_s_older_address_leads_to_the_page(place: Place) -> None:
    consent_id = await place.asked(Form.ALTINN2)
    sent = await place.browser.get(f"{BASE}/altinn2/ui/AccessConsent/{consent_id}")
    assert sent.status_code == 302
    assert str(httpx2.URL(BASE).join(sent.headers["location"])) == f"{ALTINN2}?id={consent_id}"


async def test_the_page_is_not_framed_runs_no_script_and_leads_to_the_receiver_alone(place: Place) -> None:
    consent_id = await place.asked(redirect_url="http://localhost:9999/back")
    answer = await place.browser.get(ALTINN3, params={"id": str(consent_id)})
    policy = answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "default-src 'none'" in policy
    assert "form-action 'self' http://localhost:9999;" in policy
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("consent_id", ["", "x", "'", "1e6eee8b-59d1-4dbb-b556-13dc4aa4150c"])
async def test_a_request_that_is_none_has_a_page_that_says_so(place: Place, consent_id: str) -> None:
    assert "There is no such request." in await place.page(consent_id, code=404)


async def test_where_nobody_can_be_picked_login_is_said_to_come(database_url: str, tmp_path: Path) -> None:
    settings = Settings(state=tmp_path, pki={"enabled": False}, insecure={"test_tokens": False})
    place = Place(assemble(settings, database_url))
    try:
        await place.assembly.start()
        assert "login comes with ID-porten" in await place.page(uuid4(), code=501)
        assert (await place.send(uuid4(), {"answer": "accept"})).status_code == 501
    finally:
        await place.browser.aclose()
        await place.assembly.stop()


# -- where the browser goes (§2.6) -------------------------------------------------------------------------------------


async def test_a_domain_that_the_owner_has_taken_away_meanwhile_is_not_led_to(place: Place) -> None:
    entry = await place.list_in_srr("*.bank.example")
    consent_id = await place.asked(Form.ALTINN2)
    fields = fields_of(await place.page(consent_id, url=ALTINN2))
    await place.drop_from_srr(entry)
    await place.list_in_srr("elsewhere.example")
    sent = await place.send(consent_id, {**fields, "answer": "accept"}, url=ALTINN2)
    assert (sent.status_code, sent.headers["location"]) == (303, f"?id={consent_id}&lang=en")
    page = await place.page(consent_id, url=ALTINN2)
    assert "The consent has been given." in page
    assert BACK not in page
    assert ("consent:redirect", "deny", "redirect_not_allowed", f"party:{await place.party(BORROWER)}") in (
        await place.trail()
    )


async def test_a_domain_that_srr_still_names_is_led_to_and_the_page_may_be_left_for_it(place: Place) -> None:
    await place.list_in_srr("*.bank.example")
    consent_id = await place.asked(Form.ALTINN2)
    shown = await place.browser.get(ALTINN2, params={"id": str(consent_id)})
    assert "form-action 'self' https://www.bank.example;" in shown.headers["content-security-policy"]
    sent = await place.answer(consent_id, "accept", url=ALTINN2)
    assert sent.headers["location"].startswith(f"{BACK}?AuthorizationCode=")


@pytest.mark.parametrize(
    ("keys", "led"),
    [
        ((), True),
        ((("bank.example",), ("www.bank.example",)), True),
        ((("elsewhere.example",),), False),
        ((("elsewhere.example",), ()), True),
    ],
    ids=["no key", "one of the keys names it", "no key names it", "a key names nothing"],
)
async def test_where_srr_names_no_domain_those_of_the_api_keys_count(
    place: Place, keys: tuple[tuple[str, ...], ...], *, led: bool
) -> None:
    for number, domains in enumerate(keys):
        await place.give_key(*domains, name=f"key {number}")
    consent_id = await place.asked(Form.ALTINN2)
    sent = await place.answer(consent_id, "reject", url=ALTINN2)
    assert sent.headers["location"].startswith(BACK) is led
    assert (BACK in await place.page(consent_id, url=ALTINN2)) is led


async def test_altinn_3_s_form_knows_no_such_domains(place: Place) -> None:
    await place.list_in_srr("elsewhere.example")
    sent = await place.answer(await place.asked(), "accept")
    assert sent.headers["location"] == f"{BACK}?Status=OK"


async def test_when_something_of_ours_fails_whoever_asked_is_told_so(place: Place) -> None:
    consent_id = await place.asked(Form.ALTINN2)
    fields = fields_of(await place.page(consent_id, url=ALTINN2))
    await place.break_the_table()
    trace = {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}
    url = httpx2.URL(ALTINN2, params={"id": str(consent_id), "lang": "en"})
    sent = await place.browser.post(url, data={**fields, "answer": "accept"}, headers=trace)
    location = sent.headers["location"]
    assert sent.status_code == 303
    assert location.startswith(
        f"{BACK}?Status=Failed&ErrorMessage=Technical%2520error&FailedAuthorizationCode={consent_id}"
        "&ErrorCode=4bf92f3577b34da6a3ce929d0e0e4736&Timestamp="
    )
    consent, _ = await place.kept(consent_id)
    assert consent.status is Status.CREATED


async def test_what_fails_once_the_answer_is_given_tells_nobody_that_it_was_not(place: Place) -> None:
    consent_id = await place.asked(Form.ALTINN2)
    fields = fields_of(await place.page(consent_id, url=ALTINN2))
    await place.lose_the_keys_with_the_answer()
    sent = await place.send(consent_id, {**fields, "answer": "accept"}, url=ALTINN2)
    assert sent.headers["location"] == f"{BACK}?AuthorizationCode={consent_id}&Status=OK"
    consent, _ = await place.kept(consent_id)
    assert consent.status is Status.ACCEPTED


async def test_who_came_from_the_portal_s_list_stays_in_the_portal(place: Place) -> None:
    consent_id = await place.asked(Form.ALTINN2, portal_view_mode=PortalViewMode.SHOW)
    query = {"id": str(consent_id), "inPortal": "true", "lang": "en"}
    page = (await place.browser.get(ALTINN2, params=query)).text
    assert f'action="?id={consent_id}&amp;inPortal=true&amp;lang=en"' in page
    sent = await place.browser.post(ALTINN2, params=query, data={**fields_of(page), "answer": "accept"})
    assert (sent.status_code, sent.headers["location"]) == (303, f"?id={consent_id}&inPortal=true&lang=en")
    page = (await place.browser.get(ALTINN2, params=query)).text
    assert "The consent has been given." in page
    assert BACK not in page


async def test_a_request_that_no_list_shows_leads_on_whatever_the_query_says(place: Place) -> None:
    consent_id = await place.asked(Form.ALTINN2)
    query = {"id": str(consent_id), "inPortal": "true", "lang": "en"}
    form = {**fields_of(await place.page(consent_id, url=ALTINN2)), "answer": "accept"}
    sent = await place.browser.post(ALTINN2, params=query, data=form)
    assert sent.headers["location"].startswith(BACK)


# -- whose form it is --------------------------------------------------------------------------------------------------


async def test_a_form_from_another_site_is_refused_even_with_the_cookie_and_its_token(place: Place) -> None:
    consent_id = await place.asked()
    form = {**fields_of(await place.page(consent_id)), "answer": "accept"}
    url = httpx2.URL(ALTINN3, params={"id": str(consent_id), "lang": "en"})
    for foreign in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}):
        sent = await place.browser.post(url, data=form, headers={"accept": "text/html", **foreign})
        assert sent.status_code == 403
        assert "comes from another site" in sent.text
    as_json = await place.browser.post(url, data=form, headers={"sec-fetch-site": "cross-site", "accept": "*/*"})
    assert as_json.json() == {"type": "about:blank", "title": "Forbidden", "status": 403}
    consent, _ = await place.kept(consent_id)
    assert consent.status is Status.CREATED
    sent = await place.browser.post(url, data=form, headers={"sec-fetch-site": "same-origin", "origin": "null"})
    assert sent.status_code == 303
