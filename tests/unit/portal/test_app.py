"""The pages over ASGI: what they say, in which language, and with which headers."""

from __future__ import annotations

import asyncio
from html.parser import HTMLParser
from urllib.parse import quote

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import ASGIApp, Receive, Scope, Send

from fullmakt.portal.app import Check, app, error_pages
from fullmakt.portal.cards import Command, SystemCard, system_cards
from fullmakt.portal.languages import LANGUAGES
from fullmakt.wire.maskinporten.errors import CATALOGUE, CatalogueEntry, entries_named

ISSUER = "http://localhost:8080/maskinporten/"
URLS = {"maskinporten": ISSUER, "selvbetjening": "http://localhost:8080/selvbetjening", "newcomer": "http://new.test/"}
ERROR_PAGES = error_pages(ISSUER)
BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def under(base: str, mounted: ASGIApp) -> ASGIApp:
    """The app as serve's router calls it: the whole path, and where the app lies."""

    async def router(scope: Scope, receive: Receive, send: Send) -> None:
        await mounted({**scope, "root_path": base}, receive, send)

    return router


async def get(asked: ASGIApp, path: str, method: str = "GET", **headers: str) -> httpx2.Response:
    transport = httpx2.ASGITransport(app=asked)
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost:8080") as client:
        return await client.request(
            method, path, headers=BROWSER | {name.replace("_", "-"): v for name, v in headers.items()}
        )


async def get_error(path: str, **headers: str) -> httpx2.Response:
    return await get(under("/maskinporten/errors", error_pages(ISSUER, "http://localhost:8080/")), path, **headers)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.attributes: dict[str, list[dict[str, str | None]]] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes.setdefault(tag, []).append(dict(attrs))


def tags(page: httpx2.Response) -> dict[str, list[dict[str, str | None]]]:
    parser = _Tags()
    parser.feed(page.text)
    return parser.attributes


async def test_the_front_page_names_each_system_and_where_it_is() -> None:
    page = await get(app(system_cards(URLS)), "/", accept_language="en")
    assert page.status_code == 200
    for text in ("Token server", "As Maskinporten", ISSUER, "Self-service API", "newcomer", f"{ISSUER}errors/"):
        assert text in page.text


async def test_with_no_system_the_front_page_says_how_to_start_them() -> None:
    page = await get(app([]), "/?lang=en")
    assert "<code>fullmakt up</code>" in page.text
    assert page.text.count("<pre") == 3


async def test_the_commands_can_be_others() -> None:
    page = await get(app([], commands=[Command("fullmakt <that>", "Do that")]), "/")
    assert "fullmakt &lt;that&gt;" in page.text


def saying(answer: bool) -> Check:
    async def check() -> bool:
        return answer

    return check


async def _raises() -> bool:
    raise ConnectionError


async def _never_answers() -> bool:
    await asyncio.Event().wait()
    return True


@pytest.mark.parametrize(
    ("checks", "ready"),
    [
        ({}, 3),
        ({"maskinporten": saying(True), "database": saying(True)}, 3),
        ({"maskinporten": saying(False)}, 2),
        ({"maskinporten": _raises}, 2),
        ({"database": saying(False)}, 0),
    ],
)
async def test_a_system_is_ready_when_its_own_check_and_the_common_ones_say_so(
    checks: dict[str, Check], ready: int
) -> None:
    page = await get(app(system_cards(URLS), checks), "/?lang=en")
    assert page.text.count(">Ready<") == ready
    assert page.text.count(">Does not answer<") == 3 - ready


async def test_a_check_that_hangs_does_not_hold_the_page_up() -> None:
    portal = app(system_cards(URLS), {"maskinporten": _never_answers}, health_seconds=0.01)
    page = await get(portal, "/?lang=en")
    assert page.text.count(">Does not answer<") == 1


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_page_says_which_language_it_is_in(language: str) -> None:
    for page in (
        await get(app([]), f"/?lang={language}"),
        await get_error("/maskinporten/errors/MP-200", accept_language=language),
    ):
        assert page.headers["content-language"] == language
        assert tags(page)["html"] == [{"lang": language}]
        assert "Accept-Language" in page.headers["vary"]


async def test_who_chose_a_language_keeps_it_from_page_to_page() -> None:
    page = await get_error("/maskinporten/errors/?lang=nn")
    links = [link["href"] or "" for link in tags(page)["a"]]
    assert "/maskinporten/errors/MP-250?lang=nn#no_access" in links
    assert "http://localhost:8080/?lang=nn" in links


@pytest.mark.parametrize("path", ["/", "/nowhere", "/static/portal.css"])
async def test_every_answer_keeps_scripts_frames_and_strangers_out(path: str) -> None:
    page = await get(app(system_cards(URLS)), path)
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; img-src 'self'")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["referrer-policy"] == "no-referrer"


async def test_no_page_has_a_script_or_a_style_in_it() -> None:
    for page in (await get(app(system_cards(URLS)), "/"), await get_error("/maskinporten/errors/MP-303")):
        found = tags(page)
        assert "script" not in found
        assert "style" not in found
        assert not any("style" in attributes for each in found.values() for attributes in each)
        assert len(found["main"]) == len(found["h1"]) == 1


async def test_what_a_page_refers_to_is_served_beside_it() -> None:
    pages = under("/maskinporten/errors", error_pages(ISSUER))
    for link in tags(await get(pages, "/maskinporten/errors/"))["link"]:
        asset = await get(pages, link["href"] or "")
        assert asset.status_code == 200
        assert asset.headers["content-type"].split(";")[0] in {"text/css", "image/svg+xml"}


@pytest.mark.parametrize("error", CATALOGUE.values(), ids=CATALOGUE.keys())
async def test_each_error_has_a_page_of_its_own_or_with_its_code(error: CatalogueEntry) -> None:
    page = await get_error(f"/maskinporten/errors/{error.code or error.reason}?lang=en")
    assert page.status_code == 200
    assert f'id="{error.reason}"' in page.text
    assert f"<dd>{error.status}</dd>" in page.text


async def test_a_page_holds_all_refusals_with_the_code() -> None:
    page = await get_error("/maskinporten/errors/mp-303?lang=en")
    refusals = entries_named("MP-303")
    assert len(refusals) > 10
    assert f"{len(refusals)} refusals carry this code" in page.text
    assert 'id="other_external_ref"' in page.text
    assert f'"error_uri": "{ISSUER}errors/MP-303"' in page.text


async def test_a_text_of_our_own_says_so() -> None:
    assert "it is ours" in (await get_error("/maskinporten/errors/server_error?lang=en")).text


async def test_an_unknown_code_is_404_with_the_known_ones() -> None:
    page = await get_error("/maskinporten/errors/MP-999%3Cscript%3E?lang=en")
    assert page.status_code == 404
    assert "MP-999&lt;script&gt;" in page.text
    for entry in CATALOGUE.values():
        assert entry.code is None or f"/maskinporten/errors/{entry.code}?lang=en" in page.text


@given(st.text(), st.text(alphabet=st.characters(max_codepoint=0xFF, exclude_characters="\r\n\0")))
async def test_whatever_is_asked_for_and_however_there_is_a_page(name: str, header: str) -> None:
    path = f"/maskinporten/errors/{quote(name.encode(errors='replace'), safe='')}"
    transport = httpx2.ASGITransport(app=under("/maskinporten/errors", ERROR_PAGES))
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost:8080") as client:
        raw = [(b"accept-language", header.encode("latin-1")), (b"accept", b"text/html")]
        page = await client.get(path, headers=raw, params={"lang": name.encode(errors="replace").decode()})
    assert page.status_code in {200, 404}
    assert "</html>" in page.text


@pytest.mark.parametrize("path", ["/maskinporten/errors", "/maskinporten/errors/"])
async def test_the_index_needs_no_slash_at_its_end(path: str) -> None:
    assert (await get_error(path)).status_code == 200


async def test_a_path_that_leads_nowhere_is_a_page_for_people_and_a_problem_for_programs() -> None:
    page = await get(app([]), "/nowhere?lang=en")
    assert (page.status_code, "There is nothing here" in page.text) == (404, True)
    answer = await get(app([]), "/nowhere", accept="*/*")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {"type": "about:blank", "title": "Not Found", "status": 404}


async def test_pages_are_only_read() -> None:
    page = await get(app([]), "/?lang=en", method="POST")
    assert (page.status_code, set(page.headers["allow"].split(", "))) == (405, {"GET", "HEAD"})
    assert "This page can only be read" in page.text
    assert (await get(app([]), "/", method="HEAD")).content == b""


async def test_a_system_s_name_and_url_can_bring_no_html_in() -> None:
    card = SystemCard("<b>", 'http://x.test/"><script>', "<i>100%</i>", "<u>", "<s>")
    page = await get(app([card]), "/")
    assert not {"b", "i", "u", "s", "script"} & tags(page).keys()
    assert "100%" in page.text
