"""Texts of consents: what owners write as markup is markup, and nothing that is put into it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fullmakt.altinn.consents.markup import filled, plain, prose, to_html, to_text

TEXT = "# Inntekt\n\nFor **{år}**, se [siden](https://skatt.example/{år}?a=b) og _mer_.\n\n- en\n- {navn}\n\nto\nlinjer"
TAGS = frozenset({"h3", "p", "strong", "em", "a", "ul", "li", "br", "bdi"})


class Tags(HTMLParser):
    """The tags of a page, and where its links go."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.targets: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert all(name in {"href", "rel"} for name, _ in attrs)
        self.targets += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_what_owners_write_is_shown_as_they_meant_it() -> None:
    values = {"år": "2024", "navn": "Banken AS"}
    assert to_html(TEXT, values) == (
        "<h3>Inntekt</h3>"
        '<p>For <strong><bdi>2024</bdi></strong>, se <a href="https://skatt.example/2024?a=b"'
        ' rel="noopener noreferrer">siden</a> og <em>mer</em>.</p>'
        "<ul><li>en</li><li><bdi>Banken AS</bdi></li></ul>"
        "<p>to<br>linjer</p>"
    )
    assert to_text(TEXT, values) == "Inntekt\n\nFor 2024, se siden og mer.\n\n- en\n- Banken AS\n\nto\nlinjer"


def test_keys_are_found_in_any_case_and_those_without_a_value_stay() -> None:
    assert to_text("{Navn} {navn} {annet}", {"navn": "A"}) == "A A {annet}"
    assert filled("{Navn}", {}) == "{Navn}"


@pytest.mark.parametrize(
    "value",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "[klikk](javascript:alert(1))",
        "[klikk](https://evil.example)",
        "**fet**",
        "](https://evil.example)[",
        "# overskrift",
        "- punkt\n- punkt",
        "a\n\n# b",
        "{navn}",
        "\\",
        "&lt;b&gt;",
    ],
)
def test_metadata_does_not_break_out_of_its_placeholder(value: str) -> None:
    harmless = Tags(to_html(TEXT, {"år": "x", "navn": "x"}))
    shown = Tags(to_html(TEXT, {"år": value, "navn": value}))
    assert shown.tags == harmless.tags
    assert plain(value) in shown.text
    assert [target.partition("?")[0].rpartition("/")[0] for target in shown.targets] == ["https://skatt.example"]


@pytest.mark.parametrize("code", [0x202A, 0x202B, 0x202D, 0x202E, 0x2066, 0x2067, 0x200F, 0x61C])
def test_metadata_does_not_turn_the_text_around_it(code: int) -> None:
    mark = chr(code)
    for shown in (to_html("Til {navn}", {"navn": f"{mark}SA neknaB"}), to_text("{navn}", {"navn": f"A{mark}B"})):
        assert mark not in shown
    assert plain(f"A{mark}B") == "AB"


@pytest.mark.parametrize("code", [0xAD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, 0xE0041])
def test_characters_that_are_not_seen_make_no_name_another(code: int) -> None:
    for name in (f"Bank{chr(code)}en AS", f"{chr(code)}Banken AS", f"Banken AS{chr(code)}", f"Banken AS {chr(code)}"):
        assert plain(name) == prose(name) == to_text("{navn}", {"navn": name}) == "Banken AS"


def test_right_to_left_letters_are_set_apart() -> None:
    assert to_html("Til {navn} 2024", {"navn": "בנק"}) == "<p>Til <bdi>בנק</bdi> 2024</p>"


def test_control_characters_become_blanks_and_messages_keep_their_lines() -> None:
    assert plain("a\x00b\nc\u2028d") == "a b c d"
    assert prose("en\r\nto\u202e\n\ntre\x07") == "en\nto\n\ntre"


@pytest.mark.parametrize(
    ("target", "goes"),
    [
        ("https://skatt.example/{navn}", True),
        ("mailto:{navn}@skatt.example", True),
        ("javascript:alert`1`", False),
        ("data:text/html,x", False),
        ("{navn}", False),
        ("{navn}:alert`1`", False),
        ("/relativ", False),
        ("https://[feil", False),
    ],
)
def test_a_link_goes_to_the_web_or_nowhere(target: str, goes: bool) -> None:
    shown = Tags(to_html(f"[her]({target})", {"navn": "javascript"}))
    assert (shown.tags == ["p", "a"]) is goes
    assert shown.text == "her"


def test_html_of_the_owner_is_text_and_a_backslash_takes_the_meaning_away() -> None:
    assert to_html("<b>hei</b> & \\*ikke\\*", {}) == "<p>&lt;b&gt;hei&lt;/b&gt; &amp; *ikke*</p>"
    assert to_html("snake_case_name 2*3*4", {}) == "<p>snake_case_name 2*3*4</p>"


@given(st.text(max_size=200), st.text(max_size=60))
def test_whatever_is_written_only_known_tags_come_of_it(markup: str, value: str) -> None:
    shown = Tags(to_html(markup, {"navn": value}))
    assert set(shown.tags) <= TAGS
    assert all(re.match(r"(https?|mailto|tel):", target, re.IGNORECASE) for target in shown.targets)
    to_text(markup, {"navn": value})


@pytest.mark.parametrize("piece", ["*", "[", "](", "{", "_a", "\\", "- ", "#"])
def test_a_long_text_is_read_in_bounds(piece: str) -> None:
    assert len(to_text(piece * 1_000_000, {})) <= 20_000
