"""The inbox of a developer's machine: the text messages that would have been sent, for people and for programs.

Passwords stand in them, so it is there only where nothing is worth one.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from fullmakt.infra.sms import Inbox
from fullmakt.portal.app import edge
from fullmakt.portal.pages import SECURITY_HEADERS, Pages

PATH = "/innboks"
"""Where the page lies below the portal's URL; with ``.json`` after it, the texts for programs."""
_FRESH = "no-store"


def inbox_page(inbox: Inbox, base_url: str, selfservice_url: str) -> ASGIApp:
    """The page, to be mounted at ``{base_url}/innboks``; ``selfservice_url`` is where there is something to ask for."""
    pages = Pages(f"{base_url}/")
    example = f"{selfservice_url}/api/v1/clients/{{client_id}}/keys/p12"

    async def page(request: Request) -> Response:
        return pages.render(
            request, "inbox.html", cache=_FRESH, texts=inbox.texts, example=example, as_json=f"{base_url}{PATH}.json"
        )

    return edge(pages, [Route("/", page)])


def inbox_json(inbox: Inbox) -> ASGIApp:
    """``{"texts": [{"at", "to", "text", "reference"}]}``, the newest first; to be mounted at ``…/innboks.json``."""

    async def texts(_request: Request) -> Response:
        found = [
            {
                "at": one.at.isoformat(timespec="milliseconds"),
                "to": one.to,
                "text": one.text,
                "reference": one.reference,
            }
            for one in inbox.texts
        ]
        return JSONResponse({"texts": found}, headers={**SECURITY_HEADERS, "Cache-Control": _FRESH})

    return edge(Pages(), [Route("/", texts)])
