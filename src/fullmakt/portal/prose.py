"""Texts of the catalogue as HTML: names between backticks become code, and what a text leaves open stands out."""

from __future__ import annotations

import string

from markupsafe import Markup, escape


def prose(text: str) -> Markup:
    """``text`` escaped, with what stands between backticks as ``<code>``."""
    parts = text.split("`")
    if len(parts) % 2 == 0:  # a backtick without its twin is a character like any other
        return escape(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if index % 2 else escape(part) for index, part in enumerate(parts)
    )


def template_text(template: str) -> Markup:
    """A ``str.format`` template escaped, with its fields as ``<var>``."""
    html = Markup("")
    for literal, field, _, _ in string.Formatter().parse(template):
        html += escape(literal)
        if field is not None:
            html += Markup("<var>{}</var>").format(field)
    return html
