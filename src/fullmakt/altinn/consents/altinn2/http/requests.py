"""Requests for consent: made, read, listed and withdrawn (consent.md §2.2, §2.3)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from fullmakt.altinn.consents.altinn2.asking import service_key, unreadable
from fullmakt.altinn.consents.altinn2.documents import Known, request_document
from fullmakt.altinn.consents.altinn2.errors import UnknownRequestError
from fullmakt.altinn.consents.altinn2.http.door import Admission
from fullmakt.altinn.consents.altinn2.http.rendering import answer
from fullmakt.altinn.consents.altinn2.service import Altinn2Consents, Filter
from fullmakt.altinn.consents.altinn2.store import Place
from fullmakt.altinn.consents.model import Consent
from fullmakt.altinn.consents.srr.model import ServiceKey
from fullmakt.infra.reading import Query, body_of
from fullmakt.infra.routes import folded_route
from fullmakt.wire.altinn.consents2 import READ_SCOPES, WRITE_SCOPES, RequestStatus

BASE = "/api/consentRequests"
OLD_BASE = "/api/consentRequest"
"""The name that the documentation of sources uses."""
_STATUS_MEMBER = re.compile(r"status(?:\[\d*\])?", re.IGNORECASE | re.ASCII)
_STATUSES = {status.value.lower(): status for status in RequestStatus if status is not RequestStatus.NONE}
_DIRECTIONS = {"sent": (True, False), "received": (False, True)}


def routes(service: Altinn2Consents, door: Admission, url: str, *, mask: bool = True) -> list[BaseRoute]:
    """The routes, under Altinn 2's base path. ``url`` is that path's public URL, without a slash at its end."""

    def shown(consent: Consent, known: Known) -> dict[str, Any]:
        return request_document(consent, known, url, mask=mask)

    async def create(request: Request) -> Response:
        by = await door.enterprise(request, "consent:request", *WRITE_SCOPES)
        made = await service.requesting.request(await body_of(request), by)
        return answer(request, shown(made, await service.parties.known([made])), "ConsentRequest")

    async def one(request: Request) -> Response:
        by = await door.enterprise(request, "consent:read", *READ_SCOPES)
        found = await service.read(code_of(request), by)
        return answer(request, shown(found, await service.parties.known([found])), "ConsentRequest")

    async def withdraw(request: Request) -> Response:
        by = await door.enterprise(request, "consent:withdraw", *WRITE_SCOPES)
        await service.withdraw(code_of(request), by)
        return Response(status_code=204)

    async def listed(request: Request) -> Response:
        by = await door.enterprise(request, "consent:read", *READ_SCOPES)
        page = await service.listed(_filter(request), place_of(request), by)
        items = [shown(consent, page.known) for consent in page.consents]
        return answer(
            request, list_document("consentRequests", items, page.token, request, f"{url}{BASE}"), "ConsentRequests"
        )

    return [
        route
        for base in (BASE, OLD_BASE)
        for route in (
            folded_route(base, create, methods=["POST"]),
            folded_route(base, listed),
            folded_route(f"{base}/{{code}}", one),
            folded_route(f"{base}/{{code}}", withdraw, methods=["DELETE"]),
        )
    ]


def code_of(request: Request) -> UUID:
    """The authorization code in the path.

    Raises:
        UnknownRequestError: it is none.
    """
    try:
        return UUID(request.path_params["code"])
    except ValueError:
        raise UnknownRequestError from None


def place_of(request: Request) -> Place:
    """Where the page begins that the client asks for (``continuation``).

    Raises:
        RequestRefusedError: nobody has given out such a token.
    """
    token = Query(request).text("continuation")
    try:
        return Place() if token is None else Place.read(token)
    except ValueError:
        raise unreadable("continuation", "is not a token that was given out") from None


def service_of(query: Query) -> ServiceKey | None:
    """The service edition that a query names.

    Raises:
        RequestRefusedError: it names half of one, or what can be none.
    """
    code = query.text("serviceCode")
    edition = query.text("serviceEditionCode") or query.text("serviceEdition")
    if code is None and edition is None:
        return None
    key = service_key(code, edition)
    if key is None:
        raise unreadable("serviceCode and serviceEditionCode", "must name a service together")
    return key


def list_document(
    relation: str, items: list[dict[str, Any]], token: str | None, request: Request, where: str
) -> Mapping[str, Any]:
    """A list with its links, and the token of the next page where there is one (§2.11). ``where`` is its own URL."""
    members = [(name, value) for name, value in request.query_params.multi_items() if name.lower() != "continuation"]
    links = {"self": {"href": _url(where, request.query_params.multi_items())}}
    if token is not None:
        links["next"] = {"href": _url(where, [*members, ("continuation", token)])}
    return {"_links": links, "_embedded": {relation: items}, "continuationtoken": token}


def _url(where: str, members: list[tuple[str, str]]) -> str:
    return f"{where}?{urlencode(members)}" if members else where


def _filter(request: Request) -> Filter:
    query = Query(request)
    direction = (query.text("direction") or "").lower()
    if direction and direction not in _DIRECTIONS:
        raise unreadable("direction", "must be Sent or Received")
    sent, received = _DIRECTIONS.get(direction, (True, True))
    given = [value for name, value in request.query_params.multi_items() if _STATUS_MEMBER.fullmatch(name) and value]
    if any(value.lower() not in _STATUSES for value in given):
        raise unreadable("status", f"must be one of {', '.join(status.value for status in _STATUSES.values())}")
    return Filter(sent, received, {_STATUSES[value.lower()] for value in given}, service_of(query))
