"""A borrower says yes in a real browser, and is sent on to the bank, which draws the consent; the page by keyboard, in
the dark and on a small telephone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import uuid4

import httpx2
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import LEAST_CONTRAST, chromium, contrasts
from tests.support.named_hosts import named_hosts
from tests.support.running import Running, running, state_folder

BANK, BORROWER = "910753614", "30918899991"
LOAN = "lanekassen:lan/v1/saldoopplysninger"
BANKS_HOST = "www.bank.example"
BACK = f"https://{BANKS_HOST}/back"


class Bank:
    """The demo bank, and what its program does."""

    def __init__(self, server: Running) -> None:
        self.server = server
        self._key = (server.state / "api-keys" / "demo-bank").read_text().strip()

    def asks(self) -> tuple[str, str]:
        """A request in Altinn 2's form: its code, and where the borrower is sent."""
        body = {
            "CoveredBy": BANK,
            "OfferedBy": BORROWER,
            "OfferedByName": "LÅNTAKER",
            "ValidTo": _later(),
            "RedirectUrl": f"{BACK}?state=1",
            "RequestResources": [
                {"ServiceCode": "5498", "ServiceEditionCode": 1, "Metadata": {"Navn": "Demo Bank " + "x" * 60}}
            ],
            "RequestMessage": {},
        }
        made = self._send("POST", "altinn2/api/consentRequests", "altinn:consentrequests.write", body).json()
        return made["AuthorizationCode"], made["_links"]["gui"]["href"]

    def asks_in_altinn3(self, redirect_url: str = BACK) -> tuple[str, str]:
        """The same in Altinn 3's form."""
        resource = {"type": "urn:altinn:resource", "value": "lanekassen_5498_1"}
        body = {
            "id": str(uuid4()),
            "from": f"urn:altinn:person:identifier-no:{BORROWER}",
            "to": f"urn:altinn:organization:identifier-no:{BANK}",
            "validTo": _later(),
            "consentRights": [{"action": ["consent"], "resource": [resource], "metadata": {"navn": "Demo Bank"}}],
            "redirectUrl": redirect_url,
        }
        path = "altinn/accessmanagement/api/v1/enterprise/consentrequests"
        made = self._send("POST", path, "altinn:consentrequests.write", body).json()
        return made["id"], made["viewUri"]

    def link_of_old(self) -> str:
        """A request that is a link alone."""
        members = {
            "Resources": "5498_1",
            "CoveredBy": BANK,
            "OfferedBy": BORROWER,
            "RedirectUrl": f"{BACK}?state=1",
            "ValidToDate": f"{datetime.now(UTC) + timedelta(days=9):%Y-%m-%d %H:%M:%S}",
            "LanguageCode": "nn-NO",
            "DelegationContext": "Lånet ditt",
            "ResponseType": "code",
            "5498_1_Navn": "Demo Bank",
        }
        return f"{self.server.url}/altinn2/ui/AccessConsent/?{urlencode(members)}"

    def draws(self, code: str) -> int:
        """Fetch a consent token; the status of the answer."""
        return self._send("GET", f"altinn2/api/authorization/token/{code}", "altinn:consenttokens").status_code

    def token(self, consent_id: str, code: int) -> str:
        """What ``fullmakt token`` prints for a token with the consent, when it ends with ``code``."""
        asked = ("token", "--client", "demo-bank", "--scope", LOAN, "--consent", consent_id, "--from", BORROWER)
        done = self.server.command(*asked, code=code)
        return (done.stdout or done.stderr).strip()

    def _send(self, method: str, path: str, scope: str, body: Any = None) -> httpx2.Response:
        headers = {
            "Authorization": f"Bearer {self.server.token('demo-bank-consent', scope)}",
            "ApiKey": self._key,
            "Accept": "application/hal+json",
        }
        return httpx2.request(method, f"{self.server.url}/{path}", json=body, headers=headers)


def _later() -> str:
    return (datetime.now(UTC) + timedelta(days=9)).isoformat()


class _Receipt(BaseHTTPRequestHandler):
    """The bank's page."""

    def do_GET(self) -> None:
        page = b"<!doctype html><title>Back</title><link rel='icon' href='data:,'><h1>Welcome back</h1>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the library's name)
        """Say nothing."""


@pytest.fixture(scope="module")
def bank() -> Iterator[Bank]:
    """The bank, on a server of this file's own."""
    with state_folder() as folder, running(folder) as started:
        yield Bank(started)


@pytest.fixture(scope="module")
def browser(bank: Bank) -> Iterator[Browser]:
    del bank  # whose server is to outlive it
    with chromium() as started:
        yield started


@pytest.fixture
def page(browser: Browser, bank: Bank, tmp_path: Path) -> Iterator[Page]:
    """A page for which the bank's host is a server of the test's."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Receipt) as receipts:
        thread = threading.Thread(target=receipts.serve_forever)
        thread.start()
        try:
            with named_hosts(BANKS_HOST, server=("127.0.0.1", receipts.server_port), folder=tmp_path) as names:
                ours = urlsplit(bank.server.url).hostname
                with browser.new_context(
                    locale="nb-NO",
                    ignore_https_errors=True,
                    proxy={"server": names["HTTPS_PROXY"], "bypass": str(ours)},
                ) as context:
                    yield context.new_page()
        finally:
            receipts.shutdown()
            thread.join()


def _query(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def test_a_borrower_says_yes_and_the_bank_draws_the_consent(page: Page, bank: Bank) -> None:
    code, link = bank.asks()
    assert bank.draws(code) == 403
    page.goto(link)
    expect(page.get_by_role("heading", level=1)).to_have_text("Samtykke til deling av data")
    page.get_by_role("button", name="Ja, jeg samtykker").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Welcome back")
    assert _query(page) == {"state": ["1"], "AuthorizationCode": [code], "Status": ["OK"]}
    assert bank.draws(code) == 200
    page.goto(link)  # the way back was lost, say
    assert page.get_by_role("button").count() == 0
    page.get_by_role("link", name="Gå videre").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Welcome back")
    assert _query(page)["AuthorizationCode"] == [code]


def test_a_borrower_says_no_by_keyboard_and_there_is_nothing_to_draw(page: Page, bank: Bank) -> None:
    consent_id, link = bank.asks_in_altinn3()
    page.goto(link)
    page.get_by_role("radio").first.focus()
    for _ in range(2):
        page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Nei, jeg samtykker ikke"
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Welcome back")
    assert _query(page) == {"Status": ["Failed"], "ErrorMessage": ["User did not give consent"]}
    assert "MP-303" in bank.token(consent_id, code=1)


def test_a_borrower_follows_a_link_of_old_says_who_he_is_and_yes(page: Page, bank: Bank) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(bank.link_of_old())
    expect(page.get_by_text("Lånet ditt", exact=True)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    found = contrasts(page)
    assert {text: ratio for text, ratio in found.items() if ratio < LEAST_CONTRAST} == {}
    page.get_by_label("Fødselsnummeret ditt").fill("03817299813")
    page.get_by_role("button", name="Ja, eg samtykkjer").click()
    expect(page.get_by_role("alert")).to_contain_text("Ingenting vart gjort")
    page.get_by_role("link", name="Bokmål").click()
    page.get_by_label("Fødselsnummeret ditt").fill(BORROWER)
    page.get_by_role("button", name="Ja, jeg samtykker").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Welcome back")
    query = _query(page)
    assert query["Status"] == ["OK"]
    assert query["state"] == ["1"]
    assert bank.draws(query["AuthorizationCode"][0]) == 200


def test_an_answer_for_an_app_leaves_a_link_to_it(page: Page, bank: Bank) -> None:
    consent_id, link = bank.asks_in_altinn3("bankapp://consent")
    page.goto(link)
    page.get_by_role("button", name="Ja, jeg samtykker").click()
    onward = page.get_by_role("link", name="Gå videre")
    expect(onward).to_have_attribute("href", "bankapp://consent?Status=OK")
    bank.token(consent_id, code=0)


def test_the_page_reads_well_on_a_small_telephone_and_in_the_dark(page: Page, bank: Bank) -> None:
    _, link = bank.asks()
    page.set_viewport_size({"width": 320, "height": 640})
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.goto(link)
        assert page.evaluate("document.documentElement.scrollWidth") == 320
        found = contrasts(page)
        assert found
        assert {text: ratio for text, ratio in found.items() if ratio < LEAST_CONTRAST} == {}
