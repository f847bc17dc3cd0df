"""Texts of the catalogue as HTML."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup, escape

from fullmakt.portal.prose import prose, template_text
from fullmakt.wire.maskinporten.errors import CATALOGUE


def test_names_between_backticks_are_code() -> None:
    assert prose("Set `aud` to <that>") == "Set <code>aud</code> to &lt;that&gt;"


def test_a_lone_backtick_is_a_character() -> None:
    assert prose("a ` b") == "a ` b"


def test_what_a_text_leaves_open_stands_out() -> None:
    html = template_text("the scope {scope}, <b>")
    assert html == "the scope <var>scope</var>, &lt;b&gt;"


@given(st.text())
def test_no_text_can_bring_in_html(text: str) -> None:
    html = prose(text)
    assert isinstance(html, Markup)
    assert html.replace("<code>", "").replace("</code>", "").replace("`", "") == escape(text.replace("`", ""))


def test_every_text_of_the_catalogue_can_be_shown() -> None:
    for entry in CATALOGUE.values():
        assert template_text(entry.text)
        assert "`" not in prose(entry.cause) + prose(entry.remedy)
