"""A customer says yes in a real browser, is sent on to the vendor's page, and the vendor's system gets its token; the
pages by keyboard, in the dark, on a small telephone and in each language."""

from __future__ import annotations

import itertools
import json
import threading
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx2
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.support.browser import LEAST_CONTRAST, chromium, contrasts
from tests.support.named_hosts import named_hosts
from tests.support.running import Running, running, state_folder

SYSTEM, BANK, ACCOUNTANT = "312044005_turboskatt", "910753614", "888666555"
CLIENT, SCOPE = "demo-turboskatt", "skatteetaten:mva"
VENDORS_HOST = "turboskatt.example"
RECEIPT = f"https://{VENDORS_HOST}/receipt"
SCOPES = (
    "altinn:authentication/systemregister.write altinn:authentication/systemuser.request.read"
    " altinn:authentication/systemuser.request.write"
)
MANY = ["a-ordning", "ansettelsesforhold", "krav-og-utlegg", "lonn", "pensjon", "permisjon", "skatt-naering", "ulykke"]


class Vendor:
    """The vendor of the demo world's system, and what its program does."""

    def __init__(self, server: Running) -> None:
        self.server = server
        self._token = server.token("demo-vendor-admin", SCOPES)
        system = self.send("GET", f"systemregister/vendor/{SYSTEM}")
        packages = [{"urn": f"urn:altinn:accesspackage:{name}"} for name in MANY]
        changed = {
            **system,
            "vendor": {"authority": "iso6523-actorid-upis", **system["vendor"]},
            "accessPackages": [*system["accessPackages"], *packages],
            "allowedRedirectUrls": [RECEIPT],
        }
        self.send("PUT", f"systemregister/vendor/{SYSTEM}", changed)

    def send(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        """What Altinn answers."""
        answer = httpx2.request(
            method,
            f"{self.server.url}/altinn/authentication/api/v1/{path}",
            json=body,
            params=query,
            headers={"Authorization": f"Bearer {self._token}"},
        )
        assert answer.is_success, answer.text
        return answer.json()

    def asks_bank(self, *packages: str, redirect_url: str = RECEIPT) -> dict[str, Any]:
        """A new request of the bank."""
        right = {"resource": [{"id": "urn:altinn:resource", "value": "skd-mva"}]}
        return self._ask("request/vendor", BANK, list(packages), redirect_url, rights=[right])

    def asks_accountant(self) -> dict[str, Any]:
        """A new request for an agent."""
        packages = ["regnskapsforer-med-signeringsrettighet"]
        return self._ask("request/vendor/agent", ACCOUNTANT, packages, redirect_url="")

    def _ask(self, path: str, party: str, packages: list[str], redirect_url: str, **more: Any) -> dict[str, Any]:
        body = {
            "systemId": SYSTEM,
            "partyOrgNo": party,
            "externalRef": f"ref-{uuid4()}",
            "accessPackages": [{"urn": f"urn:altinn:accesspackage:{name}"} for name in packages],
            "redirectUrl": redirect_url,
            **more,
        }
        asked: dict[str, Any] = self.send("POST", f"systemuser/{path}", body)
        return asked

    def asks_for_change(self, system_user: str) -> dict[str, Any]:
        """A new change request."""
        body = {
            "requiredAccessPackages": [{"urn": "urn:altinn:accesspackage:lonn"}],
            "unwantedRights": [{"resource": [{"id": "urn:altinn:resource", "value": "skd-mva"}]}],
        }
        query = {"correlation-id": str(uuid4()), "system-user-id": system_user}
        asked: dict[str, Any] = self.send("POST", "systemuser/changerequest/vendor", body, **query)
        return asked

    def token_for_bank(self, reference: str, code: int = 0) -> str:
        """What ``fullmakt token`` prints for a system user's grant, when it ends with ``code``."""
        who = ["--systemuser-org", BANK, "--external-ref", reference]
        done = self.server.command("token", "--client", CLIENT, "--scope", SCOPE, *who, code=code)
        return (done.stdout or done.stderr).strip()


class _Receipt(BaseHTTPRequestHandler):
    """The vendor's page."""

    def do_GET(self) -> None:
        page = b"<!doctype html><title>Receipt</title><link rel='icon' href='data:,'><h1>Welcome back</h1>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the library's name)
        """Say nothing."""


@pytest.fixture(scope="module")
def vendor() -> Iterator[Vendor]:
    """The vendor, on a server of this file's own."""
    with state_folder() as folder, running(folder) as started:
        yield Vendor(started)


@pytest.fixture(scope="module")
def browser(vendor: Vendor) -> Iterator[Browser]:
    del vendor  # whose server is to outlive it
    with chromium() as started:
        yield started


@pytest.fixture
def page(browser: Browser, vendor: Vendor) -> Iterator[Page]:
    """A page whose console must stay silent."""
    said: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        said.append(message.text)

    with browser.new_context(base_url=vendor.server.url, locale="nb-NO") as context:
        opened = context.new_page()
        opened.on("console", listen)
        yield opened
        assert said == []


@pytest.fixture
def page_with_vendor(browser: Browser, vendor: Vendor, tmp_path: Path) -> Iterator[Page]:
    """A page for which the vendor's host is a server of the test's."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Receipt) as receipts:
        thread = threading.Thread(target=receipts.serve_forever)
        thread.start()
        try:
            with named_hosts(VENDORS_HOST, server=("127.0.0.1", receipts.server_port), folder=tmp_path) as names:
                ours = urlsplit(vendor.server.url).hostname
                with browser.new_context(
                    locale="nb-NO",
                    ignore_https_errors=True,
                    proxy={"server": names["HTTPS_PROXY"], "bypass": str(ours)},
                ) as context:
                    yield context.new_page()
        finally:
            receipts.shutdown()
            thread.join()


def claims(token: str) -> Any:
    """What a token says."""
    part = token.split(".")[1]
    return json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def test_a_customer_says_yes_and_the_system_gets_its_token(page_with_vendor: Page, vendor: Vendor) -> None:
    asked = vendor.asks_bank(redirect_url=f"{RECEIPT}?state=1")
    assert "MP-303" in vendor.token_for_bank(asked["externalRef"], code=1)
    page = page_with_vendor
    page.goto(asked["confirmUrl"])
    expect(page.get_by_role("heading", level=1)).to_have_text("Forespørsel om systembruker")
    page.get_by_role("button", name="Godkjenn").click()
    page.wait_for_url(f"{RECEIPT}?state=1")
    expect(page.get_by_role("heading", level=1)).to_have_text("Welcome back")
    (details,) = claims(vendor.token_for_bank(asked["externalRef"]))["authorization_details"]
    assert details["systemuser_id"] == [asked["id"]]
    assert details["systemuser_org"]["ID"] == f"0192:{BANK}"
    page.goto(asked["confirmUrl"])
    expect(page.get_by_text("Godkjent")).to_be_visible()
    assert page.get_by_role("button").count() == 0


def test_a_customer_says_no_by_keyboard_alone(page: Page, vendor: Vendor) -> None:
    asked = vendor.asks_bank(redirect_url="")
    page.goto(asked["confirmUrl"])
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Hopp til innholdet"
    page.keyboard.press("Enter")
    reached = []
    while page.locator(":focus").inner_text() != "Avslå":
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        assert focused.evaluate("each => getComputedStyle(each).outlineStyle") == "solid"
        reached.append(focused.evaluate("each => each.name"))
    assert reached == ["person", "answer", "answer"]
    page.keyboard.press("Enter")
    expect(page.get_by_text("Avslått")).to_be_visible()
    assert page.get_by_role("button").count() == 0


@pytest.fixture(scope="module")
def links(vendor: Vendor) -> dict[str, str]:
    """Confirm links that no test answers, by what is asked for."""
    bank = {"system-id": SYSTEM, "orgno": BANK}
    system_user = vendor.send("GET", "systemuser/vendor/byquery", **bank)["id"]
    return {
        "many": vendor.asks_bank(*MANY)["confirmUrl"],
        "agent": vendor.asks_accountant()["confirmUrl"],
        "change": vendor.asks_for_change(system_user)["confirmUrl"],
    }


SHAPES = ["many", "agent", "change"]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("language", ["nb", "nn", "en"])
def test_a_page_has_its_landmarks_and_its_headings_in_order(
    page: Page, links: dict[str, str], shape: str, language: str
) -> None:
    page.goto(f"{links[shape]}&lang={language}")
    assert page.locator("html").get_attribute("lang") == language
    assert page.get_by_role("main").count() == page.get_by_role("banner").count() == 1
    assert page.get_by_role("group").count() == 1
    levels = page.locator("h1, h2, h3, h4").evaluate_all("all => all.map(each => Number(each.tagName[1]))")
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_the_language_is_changed_without_losing_the_request(page: Page, links: dict[str, str]) -> None:
    page.goto(links["many"])
    page.get_by_role("link", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Request for a system user")
    assert parse_qs(urlsplit(page.url).query)["id"] == parse_qs(urlsplit(links["many"]).query)["id"]
    expect(page.get_by_role("radio").first).to_be_checked()


@pytest.mark.parametrize("shape", SHAPES)
def test_no_page_is_wider_than_a_small_telephone(page: Page, links: dict[str, str], shape: str) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(links[shape])
    assert page.evaluate("document.documentElement.scrollWidth") == 320


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_what_is_behind_it(
    page: Page, links: dict[str, str], shape: str, scheme: str
) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(links[shape])
    found = contrasts(page)
    assert found
    assert {text: ratio for text, ratio in found.items() if ratio < LEAST_CONTRAST} == {}
