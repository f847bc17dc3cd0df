"""The portal's pages in a real browser: languages, keyboard, contrast, small screens, and what the policy lets in."""

from __future__ import annotations

import asyncio
import itertools
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import uvicorn
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, expect

from fullmakt.portal.app import app, error_pages
from fullmakt.portal.cards import system_cards
from fullmakt.serve.router import Router
from tests.support.browser import LEAST_CONTRAST, chromium, contrasts

FRONT = {
    "nb": "Maskinporten, Altinn og eFormidling i ett program",
    "nn": "Maskinporten, Altinn og eFormidling i eitt program",
    "en": "Maskinporten, Altinn and eFormidling in one program",
}
MEANING = {"nb": "Hva det betyr", "nn": "Kva det betyr", "en": "What it means"}
PATHS = ["/", "/maskinporten/errors/", "/maskinporten/errors/MP-303", "/maskinporten/errors/MP-999", "/nowhere"]


MISSING = {"/maskinporten/errors/MP-999", "/nowhere"}


async def _never() -> bool:
    return False


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The portal and the error pages, served on a free port, one system of theirs not answering."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        host = f"127.0.0.1:{listening.getsockname()[1]}"
        base = f"http://{host}"
        issuer = f"{base}/maskinporten/"
        cards = system_cards({"maskinporten": issuer, "pki": f"{base}/pki/", "whoami": f"{base}/examples/whoami"})
        front = app(cards, {"pki": _never}, home=f"{base}/")
        router = Router(
            {base: front, f"{issuer}errors": error_pages(issuer, f"{base}/")}, default_host=host, not_found=front
        )
        server = uvicorn.Server(uvicorn.Config(router, lifespan="off", log_level="warning"))
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listening])))
        thread.start()
        yield base
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def browser(url: str) -> Iterator[Browser]:
    """Closed before the server is, so that no connection keeps that waiting."""
    del url
    with chromium() as started:
        yield started


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    """A page whose console must stay silent, but for Chromium saying that the page itself is a 404."""
    said: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if urlsplit(message.location["url"]).path not in MISSING:
            said.append(message.text)

    with browser.new_context(base_url=url, locale="nb-NO") as context:
        opened = context.new_page()
        opened.on("console", listen)
        opened.on("pageerror", lambda error: said.append(str(error)))
        opened.on("request", lambda request: said.append(request.url) if not request.url.startswith(url) else None)
        yield opened
        assert said == []


@pytest.mark.parametrize("language", FRONT)
def test_the_front_page_is_in_the_language_asked_for(page: Page, language: str) -> None:
    page.goto(f"/?lang={language}")
    assert page.locator("html").get_attribute("lang") == language
    assert page.get_by_role("heading", level=1).inner_text() == FRONT[language]
    assert page.get_by_role("main").count() == page.get_by_role("banner").count() == 1
    assert page.locator(".status.down").count() == 1
    assert page.locator("pre").count() == 3


@pytest.mark.parametrize("language", MEANING)
def test_an_error_page_is_in_the_language_asked_for(page: Page, language: str) -> None:
    page.goto(f"/maskinporten/errors/MP-250?lang={language}")
    assert page.locator("html").get_attribute("lang") == language
    assert page.get_by_role("heading", name=MEANING[language]).count() == 1
    assert page.get_by_role("heading", level=1).inner_text() == "MP-250"


def test_a_reader_without_a_wish_gets_what_the_browser_is_set_to(browser: Browser, url: str) -> None:
    for locale, language in (("nn-NO", "nn"), ("en-GB", "en"), ("fr-FR", "nb")):
        with browser.new_context(base_url=url, locale=locale) as context:
            page = context.new_page()
            page.goto("/")
            assert page.locator("html").get_attribute("lang") == language


def test_the_way_from_the_front_page_to_an_error_keeps_the_language(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="Nynorsk").click()
    page.get_by_role("link", name="Alle feil frå tokentenaren").click()
    page.get_by_role("link", name="MP-251").click()
    expect(page.get_by_role("heading", name=MEANING["nn"])).to_be_visible()
    page.get_by_role("link", name="Fullmakt").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(FRONT["nn"])


def test_the_keyboard_reaches_everything_and_shows_where_it_is(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    skip = page.locator(":focus")
    assert skip.inner_text() == "Hopp til innholdet"
    expect(skip).to_be_in_viewport()
    reached = []
    for _ in range(page.get_by_role("link").count() - 1):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        reached.append(focused.get_attribute("href"))
        assert focused.evaluate("each => getComputedStyle(each).outlineStyle") == "solid"
    assert reached == page.locator("a:not(.skip)").evaluate_all("all => all.map(each => each.getAttribute('href'))")


def test_the_skip_link_leads_past_the_header(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.locator("main :focus").count() == 1


@pytest.mark.parametrize("path", PATHS)
def test_no_page_is_wider_than_a_small_telephone(page: Page, path: str) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(f"{path}?lang=nb")
    assert page.evaluate("document.documentElement.scrollWidth") == 320


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_what_is_behind_it(page: Page, path: str, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(path)
    found = contrasts(page)
    assert found
    assert {text: ratio for text, ratio in found.items() if ratio < LEAST_CONTRAST} == {}


@pytest.mark.parametrize("path", PATHS)
def test_headings_leave_out_no_level(page: Page, path: str) -> None:
    page.goto(path)
    levels = page.locator("h1, h2, h3, h4").evaluate_all("all => all.map(each => Number(each.tagName[1]))")
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_no_script_runs_on_a_page_even_if_one_gets_in(browser: Browser, url: str) -> None:
    with browser.new_context(base_url=url) as context:
        page = context.new_page()
        page.goto("/")
        with pytest.raises(Error, match="Content Security Policy"):
            page.add_script_tag(content="document.title = 'taken over'")
        assert page.title() == "Fullmakt"
