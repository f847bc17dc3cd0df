"""The portal's two apps: the front page, and the pages that ``error_uri`` points at (maskinporten.md §1.2, §6.1)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus

import structlog
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from fullmakt.infra.http import SystemEdge, routed
from fullmakt.portal.cards import ERRORS_PATH, TOKEN_SERVER, Command, SystemCard, first_commands
from fullmakt.portal.forms import is_foreign
from fullmakt.portal.pages import SECURITY_HEADERS, Pages, static_routes
from fullmakt.wire.maskinporten.errors import CATALOGUE, CatalogueEntry, entries_named

HEALTH_SECONDS = 2.0
"""A check that takes longer counts as a no; ``health_seconds`` sets another limit."""
_FRESH = "no-store"
_SETTLED = "public, max-age=300"

Check = Callable[[], Awaitable[bool]]
"""Says whether something can answer now."""

_log = structlog.get_logger("fullmakt.portal")


def app(
    systems: Sequence[SystemCard],
    checks: Mapping[str, Check] | None = None,
    commands: Sequence[Command] | None = None,
    *,
    home: str = "/",
    health_seconds: float = HEALTH_SECONDS,
) -> ASGIApp:
    """The front page at ``/``, and a page for every path that leads nowhere (JSON for those who ask for no HTML).

    ``checks`` go by system name; those named after no system (the database's) count for all of them. ``commands`` are
    what a newcomer is shown; by default three that fit what runs here. ``home`` is the front page's own URL.
    """
    checks = checks or {}
    pages = Pages(home)
    issuer = next((card.url for card in systems if card.name == TOKEN_SERVER), None)

    async def front(request: Request) -> Response:
        healthy = await _health(systems, checks, health_seconds)
        return pages.render(
            request,
            "front.html",
            cache=_FRESH,
            systems=[(card, healthy[card.name]) for card in systems],
            commands=first_commands(systems) if commands is None else commands,
            error_index=issuer and issuer.rstrip("/") + "/" + ERRORS_PATH,
        )

    return edge(pages, [Route("/", front)])


def error_pages(issuer: str, home: str | None = None) -> ASGIApp:
    """The error pages, to be mounted at ``{issuer}errors``: ``/`` lists the catalogue, ``/{code}`` explains.

    ``code`` is a code (``MP-250``) or a reason (``unknown_kid``), in any letter case. ``issuer`` ends in a slash;
    ``home`` is the URL of the front page, where there is one.
    """
    pages = Pages(home)

    async def index(request: Request) -> Response:
        return pages.render(request, "errors.html", cache=_SETTLED, entries=list(CATALOGUE.values()))

    async def one(request: Request) -> Response:
        name: str = request.path_params["name"]
        entries = entries_named(name)
        if not entries:
            return pages.render(
                request, "unknown_error.html", status=404, cache=_SETTLED, name=_shown(name), codes=known_codes()
            )
        title = entries[0].code or entries[0].reason
        return pages.render(request, "error.html", cache=_SETTLED, title=title, entries=entries, issuer=issuer)

    return edge(pages, [Route("/", index), Route("/{name}", one)])


def known_codes() -> dict[str, list[CatalogueEntry]]:
    """The catalogue by code, in the codes' order; entries without one are left out."""
    codes = sorted({entry.code for entry in CATALOGUE.values() if entry.code is not None})
    return {code: entries_named(code) for code in codes}


def _shown(name: str) -> str:
    return "".join(character for character in name[:60] if character.isprintable())


def edge(pages: Pages, routes: list[Route]) -> ASGIApp:
    """An app of pages: the routes, what they need beside them, and a page for every path that leads nowhere."""

    async def failed(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
        if "text/html" not in request.headers.get("accept", ""):
            body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
            return JSONResponse(body, status, {**SECURITY_HEADERS, **headers}, "application/problem+json")
        page = pages.render(request, "problem.html", status=status, cache=_FRESH, status_code=status)
        page.headers.update(headers)
        return page

    app = routed([*static_routes(), *routes], {HTTPException: failed})

    async def at_root(scope: Scope, receive: Receive, send: Send) -> None:
        """The path under which the app lies is its front page, with a slash at its end or without; no other site's
        pages send anything here."""
        if scope["type"] == "http" and is_foreign(scope["method"], Headers(scope=scope)):
            _log.info("foreign_form_refused", path=scope["path"])
            response = await failed(Request(scope), HTTPException(403))
            await response(scope, receive, send)
            return
        if scope["type"] == "http" and scope["path"] == scope.get("root_path", ""):
            scope = {**scope, "path": scope["path"] + "/"}
        await app(scope, receive, send)

    return SystemEdge(at_root)


async def _health(systems: Sequence[SystemCard], checks: Mapping[str, Check], seconds: float) -> dict[str, bool]:
    """By system, whether it can answer: its own check and those that count for all of them."""
    asked = [_answers(name, check, seconds) for name, check in checks.items()]
    answers = dict(zip(checks, await asyncio.gather(*asked), strict=True))
    names = {card.name for card in systems}
    common = all(answer for name, answer in answers.items() if name not in names)
    return {name: common and answers.get(name, True) for name in names}


async def _answers(name: str, check: Check, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await check()
    except Exception as error:  # whatever a system does wrong, the page that tells of it must come
        _log.warning("health_check_failed", system=name, error=type(error).__name__)
        return False
