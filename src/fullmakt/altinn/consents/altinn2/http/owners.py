"""Consents, as the owner of a service reads them (consent.md §2.11)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from fullmakt.altinn.consents.altinn2.asking import unreadable
from fullmakt.altinn.consents.altinn2.documents import owner_document
from fullmakt.altinn.consents.altinn2.http.door import Admission
from fullmakt.altinn.consents.altinn2.http.rendering import answer
from fullmakt.altinn.consents.altinn2.http.requests import list_document, place_of, service_of
from fullmakt.altinn.consents.altinn2.service import Altinn2Consents
from fullmakt.altinn.consents.model import Status
from fullmakt.infra.reading import Query
from fullmakt.infra.routes import folded_route
from fullmakt.wire.altinn.consents2 import OWNER_SCOPES

BASE = "/api/serviceowner/consents"
_STATUSES = {"active": Status.ACCEPTED, "revoked": Status.REVOKED}


def routes(service: Altinn2Consents, door: Admission, url: str) -> list[BaseRoute]:
    """The route, under Altinn 2's base path."""

    async def listed(request: Request) -> Response:
        by = await door.service_owner(request, "consent:list", *OWNER_SCOPES)
        query = Query(request)
        key = service_of(query)
        if key is None:
            raise unreadable("serviceCode and serviceEditionCode", "must name a service together")
        given = [value.lower() for value in query.all("status") if value]
        if any(value not in _STATUSES for value in given):
            raise unreadable("status", "must be active or revoked")
        statuses = [_STATUSES[value] for value in given] or list(_STATUSES.values())
        page = await service.owned(key, statuses, place_of(request), by)
        items = [owner_document(consent, page.known) for consent in page.consents]
        return answer(request, list_document("consents", items, page.token, request, f"{url}{BASE}"), "Consents")

    return [folded_route(BASE, listed)]
