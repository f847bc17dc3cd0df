"""The inbox of a developer's machine, in each language and for programs; and where there is none."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path
from typing import Any

import httpx2
import pytest

from fullmakt.infra.sms import HttpGateway, Inbox
from fullmakt.serve.app import create
from fullmakt.serve.assembly import Assembly, assemble
from fullmakt.serve.settings import Settings

BASE = "http://localhost:8080"
EMPTY = {
    "nb": "Det er ingen tekstmeldinger ennå.",
    "nn": "Det er ingen tekstmeldingar enno.",
    "en": "There are no text messages yet.",
}


def settings(tmp_path: Path, **more: Any) -> Settings:
    return Settings.model_validate({"state": tmp_path, "pki": {"enabled": False}, **more})


@pytest.fixture
async def assembly(database_url: str, tmp_path: Path) -> AsyncIterator[Assembly]:
    assembled = assemble(settings(tmp_path), database_url)
    yield assembled
    await assembled.close()


@pytest.fixture
async def browser(assembly: Assembly) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=create(assembly)), base_url=BASE) as http:
        yield http


def inbox_of(assembly: Assembly) -> Inbox:
    assert isinstance(assembly.sms, Inbox)
    return assembly.sms


@pytest.mark.parametrize("language", EMPTY)
async def test_an_empty_inbox_says_what_to_do_next(browser: httpx2.AsyncClient, language: str) -> None:
    page = await browser.get("/innboks", params={"lang": language})
    assert (page.status_code, page.headers["content-language"]) == (200, language)
    text = unescape(page.text)
    assert EMPTY[language] in text
    assert f"<code>POST {BASE}/selvbetjening/api/v1/clients/{{client_id}}/keys/p12</code>" in text
    assert '<code>{"phone": "+4799999999"}</code>' in text
    assert f"<code>{BASE}/innboks.json</code>" in text


async def test_texts_are_shown_the_newest_first_and_as_they_are(
    browser: httpx2.AsyncClient, assembly: Assembly
) -> None:
    inbox = inbox_of(assembly)
    for number in range(3):
        await inbox.send(f"+479999900{number}", f"<b>text {number}</b>\nline two", f"ref-{number}")
    page = await browser.get("/innboks?lang=en")
    assert re.findall(r"&lt;b&gt;text (\d)&lt;/b&gt;\nline two</pre>", page.text) == ["2", "1", "0"]
    assert re.findall(r"<dd>(\+47\d+)</dd>", page.text) == ["+4799999002", "+4799999001", "+4799999000"]
    assert EMPTY["en"] not in page.text
    for path in ("/innboks", "/innboks/"):
        assert (await browser.get(path)).status_code == 200


async def test_nothing_of_it_is_kept_or_runs_a_script(browser: httpx2.AsyncClient, assembly: Assembly) -> None:
    await inbox_of(assembly).send("+4799999000", "text", "ref")
    for path in ("/innboks", "/innboks.json"):
        answer = await browser.get(path)
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'; ")
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"


async def test_a_program_reads_the_same(browser: httpx2.AsyncClient, assembly: Assembly) -> None:
    assert (await browser.get("/innboks.json")).json() == {"texts": []}
    inbox = inbox_of(assembly)
    await inbox.send("+4799999000", "text æ", "ref-0")
    await inbox.send("+4799999001", "text ø", "ref-1")
    found = (await browser.get("/innboks.json")).json()
    assert [(one["to"], one["text"]) for one in found["texts"]] == [
        ("+4799999001", "text ø"),
        ("+4799999000", "text æ"),
    ]
    assert [one["at"] for one in found["texts"]] == [one.at.isoformat(timespec="milliseconds") for one in inbox.texts]
    assert [one["reference"] for one in found["texts"]] == ["ref-1", "ref-0"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_it_is_for_reading(browser: httpx2.AsyncClient, method: str) -> None:
    for path in ("/innboks", "/innboks.json"):
        assert (await browser.request(method, path)).status_code == 405


@pytest.mark.parametrize(
    ("more", "sender"),
    [
        ({"sms": {"url": "http://localhost:9999/texts", "token": "t"}}, HttpGateway),
        ({"insecure": {"test_tokens": False}}, type(None)),
        ({"environment": "production", "url": "https://fullmakt.example.no", "insecure": {"test_tokens": True}},
         type(None)),
    ],
    ids=["with a gateway", "without test tokens", "in production"],
)  # fmt: skip
async def test_elsewhere_there_is_none(
    database_url: str, tmp_path: Path, more: dict[str, Any], sender: type[object]
) -> None:
    key = tmp_path / "master.key"
    key.write_text("00" * 32)
    assembled = assemble(settings(tmp_path, master_key_file=key, database_url=database_url, **more), database_url)
    base = assembled.settings.base_url
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=create(assembled)), base_url=base) as http:
        for path in ("/innboks", "/innboks.json"):
            assert (await http.get(path)).status_code == 404
    assert type(assembled.sms) is sender
    await assembled.close()
