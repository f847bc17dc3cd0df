"""Every text that a page can show, as the extractors and the data say."""

from __future__ import annotations

from babel.messages.extract import extract_from_dir

from fullmakt.portal.languages import LOCALE
from fullmakt.wire.maskinporten.errors import CATALOGUE

PORTAL = LOCALE.parent
_METHODS = [("**.py", "python"), ("**.html", "jinja2")]


def shown_texts() -> set[str]:
    """The English texts of templates and code, and the causes and remedies of the catalogue."""
    extracted = extract_from_dir(str(PORTAL), _METHODS)
    marked = {str(message) for _, _, message, _, _ in extracted}
    return marked | {text for entry in CATALOGUE.values() for text in (entry.cause, entry.remedy)}
