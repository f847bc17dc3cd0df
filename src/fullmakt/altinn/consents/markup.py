"""The small part of Markdown that owners write the texts of consents in, with ``{key}`` where metadata goes. Pure.

A text is taken apart before anything is put into it: metadata lands in a leaf of what was found, or percent-encoded in
the target of a link, so that nothing in it is ever read as markup. Bold, emphasis, links and line breaks are known, in
paragraphs, headings and lists; whatever else there is stays as it is written. HTML is text like any other.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from html import escape
from urllib.parse import quote, urlsplit

_INLINE = re.compile(
    r"\\(?P<literal>[!-/:-@\[-`{-~])"
    r"|\[(?P<label>[^\[\]\n]{1,500})\]\((?P<target>[^()\s]{1,2000})\)"
    r"|\*\*(?P<strong>[^*\n]{1,1000})\*\*"
    r"|(?<![\w*])[*_](?P<emphasis>[^*_\n]{1,1000})[*_](?![\w*])"
)
_PLACEHOLDER = re.compile(r"\{([^{}\s]{1,255})\}")
_BLOCK = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")
_ITEM = re.compile(r"[ \t]*[-*][ \t]+")
_HEADING = re.compile(r"#{1,6}[ \t]+")
_LONGEST = 20_000
"""Characters of a text that are read; Altinn 2 takes 1 000."""
_SCHEMES = frozenset({"http", "https", "mailto", "tel"})
_BREAKS = frozenset({"Cc", "Zl", "Zp"})
_UNSEEN = "Cf"
"""The category of characters that show as nothing: they turn the text around them, or make two names look alike."""

Values = Mapping[str, str]
"""What goes in the placeholders, by key in lower case."""


def plain(text: str) -> str:
    """Text from outside as one line that says what it seems to: no control characters, and none that are not seen."""
    seen = ((one, unicodedata.category(one)) for one in text)
    kept = (" " if category in _BREAKS else one for one, category in seen if category != _UNSEEN)
    return "".join(kept).strip()


def prose(text: str) -> str:
    """The same, with the line breaks that it has."""
    return "\n".join(plain(line) for line in text.splitlines())


def filled(text: str, values: Values) -> str:
    """``text``, which is no markup, with ``values`` in its placeholders; those without a value stay."""
    return "".join(value if is_value else part for part, value, is_value in _parts(text, values))


def to_text(markup: str, values: Values) -> str:
    """The text without its markup: what somebody reads."""
    return "\n\n".join("\n".join(_line_text(line, values) for line in block) for block in _blocks(markup))


def to_html(markup: str, values: Values) -> str:
    """The text as safe HTML."""
    return "".join(_block_html(block, values) for block in _blocks(markup))


def _blocks(markup: str) -> list[list[str]]:
    clean = "\n".join(line.rstrip() for line in markup[:_LONGEST].splitlines())
    return [block.strip("\n").split("\n") for block in _BLOCK.split(clean.strip("\n")) if block.strip()]


def _block_html(block: list[str], values: Values) -> str:
    if all(_ITEM.match(line) for line in block):
        items = (f"<li>{_line_html(_ITEM.sub('', line, count=1), values)}</li>" for line in block)
        return f"<ul>{''.join(items)}</ul>"
    if len(block) == 1 and _HEADING.match(block[0]):
        return f"<h3>{_line_html(_HEADING.sub('', block[0], count=1), values)}</h3>"
    return f"<p>{'<br>'.join(_line_html(line, values) for line in block)}</p>"


def _line_html(line: str, values: Values, *, links: bool = True) -> str:
    out, at = [], 0
    for found in _INLINE.finditer(line):
        out.append(_leaf_html(line[at : found.start()], values))
        out.append(_inline_html(found, values, links=links))
        at = found.end()
    return "".join([*out, _leaf_html(line[at:], values)])


def _inline_html(found: re.Match[str], values: Values, *, links: bool) -> str:
    literal, label, strong, emphasis = found["literal"], found["label"], found["strong"], found["emphasis"]
    if literal is not None:
        return escape(literal)
    if strong is not None:
        return f"<strong>{_line_html(strong, values, links=links)}</strong>"
    if emphasis is not None:
        return f"<em>{_line_html(emphasis, values, links=links)}</em>"
    shown, target = _line_html(label, values, links=False), _target(found["target"], values)
    if target is None or not links:
        return shown
    return f'<a href="{escape(target)}" rel="noopener noreferrer">{shown}</a>'


def _leaf_html(text: str, values: Values) -> str:
    """A value is set apart, so that its own direction does not change the text around it."""
    parts = _parts(text, values)
    return "".join(f"<bdi>{escape(value)}</bdi>" if is_value else escape(part) for part, value, is_value in parts)


def _line_text(line: str, values: Values) -> str:
    line = _HEADING.sub("", line, count=1)
    out, at = [], 0
    for found in _INLINE.finditer(line):
        out.append(filled(line[at : found.start()], values))
        literal = found["literal"]
        inner = found["label"] or found["strong"] or found["emphasis"] or ""
        out.append(literal if literal is not None else _line_text(inner, values))
        at = found.end()
    return "".join([*out, filled(line[at:], values)])


def _target(target: str, values: Values) -> str | None:
    """Where a link goes, None when it may go nowhere. What is put into it stays inside one part of the URL."""
    whole = "".join(quote(value, safe="") if is_value else part for part, value, is_value in _parts(target, values))
    try:
        parts = urlsplit(whole)
    except ValueError:
        return None
    return whole if parts.scheme.lower() in _SCHEMES and whole.isprintable() else None


def _parts(text: str, values: Values) -> Iterator[tuple[str, str, bool]]:
    """What is written, and what is put in: ``(written, value, whether it is a value)``."""
    at = 0
    for found in _PLACEHOLDER.finditer(text):
        value = values.get(found[1].lower())
        if value is None:
            continue
        yield text[at : found.start()], "", False
        yield "", plain(value), True
        at = found.end()
    yield text[at:], "", False
