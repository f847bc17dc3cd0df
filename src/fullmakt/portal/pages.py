"""Renders a page in the reader's language, with the headers that keep it harmless."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from functools import cache, partial
from pathlib import Path

from babel.dates import format_date
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from fullmakt.portal.languages import LANGUAGES, choose, translations
from fullmakt.portal.prose import prose, template_text

_HERE = Path(__file__).parent
_MEDIA_TYPES = {
    "portal.css": "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "keypair.js": "text/javascript; charset=utf-8",
}
_STATIC = {name: (_HERE / "static" / name).read_bytes() for name in _MEDIA_TYPES}
_VERSION = hashlib.sha256(b"".join(_STATIC.values())).hexdigest()[:12]

SECURITY_HEADERS = {
    # Nothing but our own stylesheet and icon: no scripts at all, no forms, no frames around or inside.
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@cache
def _environment(language: str) -> Environment:
    """The templates in a language, which are compiled once however many systems have pages."""
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    texts = translations(language)
    environment.install_gettext_translations(texts, newstyle=False)  # type: ignore[attr-defined]
    day = partial(format_date, format="long", locale=language)
    environment.filters.update(prose=prose, template_text=template_text, day=day)
    return environment


class Pages:
    """The templates in every language; ``home`` is the front page's URL, None where there is none to go to."""

    def __init__(self, home: str | None = None) -> None:
        self._home = home
        self._environments = {language: _environment(language) for language in LANGUAGES}

    def render(self, request: Request, template: str, *, status: int = 200, cache: str, **context: object) -> Response:
        """The page ``template``; ``cache`` is its ``Cache-Control``."""
        asked = request.query_params.get("lang")
        language = choose(asked, request.headers.get("accept-language", ""))
        root = request.scope.get("root_path", "")
        html = (
            self._environments[language]
            .get_template(template)
            .render(
                language=language,
                languages=LANGUAGES,
                # Whoever chose a language keeps it from page to page; others go by what their browser says.
                query=f"?lang={language}" if asked in LANGUAGES else "",
                root=root,
                home=self._home,
                version=_VERSION,
                **context,
            )
        )
        headers = {
            **SECURITY_HEADERS,
            "Cache-Control": cache,
            "Content-Language": language,
            "Vary": "Accept, Accept-Language",
        }
        return HTMLResponse(html, status, headers)


def static_routes() -> list[BaseRoute]:
    """The stylesheet, the icon and the scripts; pages name them with their version, so they may be kept for long."""
    return [Route(f"/static/{name}", _asset(name)) for name in _MEDIA_TYPES]


def _asset(name: str) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(_request: Request) -> Response:
        headers = {**SECURITY_HEADERS, "Cache-Control": "public, max-age=86400"}
        return Response(_STATIC[name], headers=headers, media_type=_MEDIA_TYPES[name])

    return endpoint
