"""What the front page of a running server has cards for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.house import whole_house

BASE = "http://localhost:8080"


@pytest.mark.parametrize(
    ("settings", "has_inbox"),
    [({}, True), ({"insecure": {"test_tokens": False}}, False), ({"sms": {"url": "https://sms.example/"}}, False)],
    ids=["development", "without-test-tokens", "with-a-gateway"],
)
async def test_there_is_a_card_for_the_inbox_where_there_is_one(
    database_url: str, tmp_path: Path, settings: dict[str, Any], has_inbox: bool
) -> None:
    async with whole_house(database_url, tmp_path, pki={"enabled": False}, **settings) as (_, http):
        page = await http.get(f"{BASE}/?lang=en")
        assert ("Text messages" in page.text) is has_inbox
        assert (f'<a href="{BASE}/innboks/">Open the inbox</a>' in page.text) is has_inbox
        assert (await http.get(f"{BASE}/innboks/")).status_code == (200 if has_inbox else 404)


@pytest.mark.parametrize("language", ["nb", "nn", "en"])
async def test_every_system_that_is_shown_has_a_title_of_its_own(
    database_url: str, tmp_path: Path, language: str
) -> None:
    async with whole_house(database_url, tmp_path) as (assembly, http):
        page = await http.get(f"{BASE}/?lang={language}")
        for name, url in assembly.systems.items():
            assert f"<code>{url}</code>" in page.text
            assert f"<h3>{name}</h3>" not in page.text
