"""What has happened to a receiver's requests, oldest first (consent.md §4.6)."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from fullmakt.altinn.consents.altinn3.documents import Urls
from fullmakt.altinn.consents.altinn3.http.door import Door, json, organisation
from fullmakt.altinn.consents.altinn3.http.enterprise import BASE, READERS
from fullmakt.altinn.consents.altinn3.problems import invalid
from fullmakt.altinn.consents.model import ConsentEvent, EventType
from fullmakt.altinn.consents.service import ConsentsService
from fullmakt.infra.reading import Query
from fullmakt.wire.altinn.callers import Caller

_TYPES = {
    one.value.lower(): one
    for one in (EventType.ACCEPTED, EventType.REJECTED, EventType.REVOKED, EventType.DELETED, EventType.USED)
}
_KEPT_FILTERS = ("createdAfter", "createdBefore", "eventType", "consentRequestId")
_MAX_TYPES = 20


def routes(door: Door, service: ConsentsService, urls: Urls, page_size: int) -> list[BaseRoute]:
    """The feed, and its earlier name."""
    endpoint = _Feed(service, urls, page_size).page
    paths = (f"{BASE}/events", f"{BASE}/latestchanges")
    return [door.route("GET", path, endpoint, *READERS, refused="consent:read") for path in paths]


@dataclass(frozen=True, slots=True)
class _Feed:
    service: ConsentsService
    urls: Urls
    page_size: int

    async def page(self, request: Request, caller: Caller) -> Response:
        query = Query(request)
        after, before = query.time("createdAfter"), query.time("createdBefore")
        if after is not None and before is not None and after >= before:
            raise invalid(("AM.VLD-00051", "$QUERY/createdAfter"))
        types = _types(query.all("eventType"))
        token = query.text("continuationToken")
        receiver = await self.service.neighbours.party(organisation(caller))
        if receiver is None:  # it has a token, and has asked for nothing yet
            return json({"links": {"next": None}, "data": []})
        found = await self.service.feeds.events(
            receiver.party_uuid,
            self.page_size,
            after=None if token is None else _read_token(token),
            created_after=after,
            created_before=before,
            types=types,
            consent_id=query.optional_uuid("consentRequestId"),
        )
        following = self._next(request, query, found[-1].id) if len(found) == self.page_size else None
        return json({"links": {"next": following}, "data": [_entry(event) for event in found]})

    def _next(self, request: Request, query: Query, last: UUID) -> str:
        filters = [(name, value) for name in _KEPT_FILTERS for value in query.all(name) if value.strip()]
        path = request.url.path[request.url.path.lower().rindex("/api/v1/") :].rstrip("/")
        return f"{self.urls.api}{path}?{urlencode([('continuationToken', token_of(last)), *filters])}"


def token_of(event_id: UUID) -> str:
    """The continuation token after an event: its id's bytes, in the order that .NET has them, in base64."""
    return base64.b64encode(event_id.bytes_le).decode()


def _read_token(token: str) -> UUID:
    try:
        return UUID(bytes_le=base64.b64decode(token.replace(" ", "+"), validate=True))  # a plus that was not escaped
    except (binascii.Error, ValueError) as error:
        raise invalid(("AM.VLD-00053", "$QUERY/continuationToken")) from error


def _types(values: list[str]) -> list[EventType]:
    wanted = [value.strip().lower() for value in values if value.strip()]
    if len(wanted) > _MAX_TYPES or any(value not in _TYPES for value in wanted):
        raise invalid(("AM.VLD-00052", "$QUERY/eventType"))
    return [_TYPES[value] for value in wanted]


def _entry(event: ConsentEvent) -> dict[str, Any]:
    return {
        "consentRequestId": str(event.consent_id),
        "eventType": event.type.value,
        "changedDate": event.created.isoformat(),
    }
