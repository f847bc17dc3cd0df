"""What has changed (§6)."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fullmakt.altinn.resources.http.render import json_response, page_document
from fullmakt.altinn.resources.http.routing import route
from fullmakt.altinn.resources.model import ResourceChange, SubjectChange
from fullmakt.altinn.resources.service import ResourcesService
from fullmakt.infra.opaque import opaque, unwrapped
from fullmakt.infra.reading import Query, not_valid
from fullmakt.kernel.text import is_storable
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.problems import AltinnValidationError, BindingError, ValidationFault

_LARGEST_PAGE = 1_000
_BEGINNING = dt.datetime(1, 1, 1, tzinfo=dt.UTC)
_PATH = "/api/v1/resource"


class FeedEndpoints:
    """The endpoints; ``base_url`` is the registry's public URL."""

    def __init__(self, service: ResourcesService, base_url: str) -> None:
        self._policies = service.policies
        self._base_url = base_url.rstrip("/")
        self.routes: list[Route] = [
            route(f"{_PATH}/updated", GET=self.updated),
            route(f"{_PATH}/changes", GET=self.changes),
        ]

    async def updated(self, request: Request) -> Response:
        """200 with subjects that came into policies or went out of them, oldest first."""
        query = Query(request)
        limit = _limit(query, "RR.VLD-00008", "Limit must be between 1 and 1000.")
        since, token = query.time("since") or _BEGINNING, query.text("token")
        after = None if token is None else _subject_place(token)
        found = await self._policies.updated(since, after, limit + 1)
        data, following = found[:limit], None
        if len(found) > limit:
            last = data[-1]
            place = {"resource": last.resource, "type": last.subject.id, "value": last.subject.value}
            following = self._link("updated", since=last.updated.isoformat(), token=opaque(place), limit=str(limit))
        return json_response(page_document(map(_subject_document, data), following))

    async def changes(self, request: Request) -> Response:
        """200 with the resources that have had a policy, each where it changed last."""
        query = Query(request)
        limit = _limit(query, "RR.VLD-00011", "Limit must be between 1 and 1000, was {limit}.")
        token = query.text("token")
        found = await self._policies.changes(0 if token is None else _change_place(token), limit + 1)
        data, following = found[:limit], None
        if len(found) > limit:
            following = self._link("changes", token=opaque(data[-1].change_id), limit=str(limit))
        return json_response(page_document(map(_change_document, data), following))

    def _link(self, name: str, **query: str) -> str:
        return f"{self._base_url}{_PATH}/{name}?{urlencode(query)}"


def _limit(query: Query, code: str, message: str) -> int:
    limit = query.number("limit")
    if limit is None:
        return _LARGEST_PAGE
    if not 1 <= limit <= _LARGEST_PAGE:
        raise AltinnValidationError(ValidationFault(code, message.format(limit=limit), ("/$QUERY/limit",)))
    return limit


def _subject_document(change: SubjectChange) -> dict[str, Any]:
    return {
        "subjectUrn": change.subject.urn,
        "resourceUrn": change.resource_urn,
        "updatedAt": change.updated.astimezone(dt.UTC).isoformat(),
        "deleted": change.deleted,
    }


def _change_document(change: ResourceChange) -> dict[str, Any]:
    return {"resourceId": change.resource, "changedAt": change.changed.astimezone(dt.UTC).isoformat()}


def _subject_place(token: str) -> tuple[str, Attribute]:
    match _unwrapped(token):
        case {"resource": str(resource), "type": str(kind), "value": str(value)}:
            if is_storable(resource, kind, value):
                return resource, Attribute(kind, value)
    raise not_valid("token", token)


def _change_place(token: str) -> int:
    match _unwrapped(token):
        case int(change_id) if 0 <= change_id < 2**63:
            return change_id
    raise not_valid("token", token)


def _unwrapped(token: str) -> Any:
    try:
        return unwrapped(token)
    except ValueError as error:
        raise BindingError({"token": ["The value is not valid."]}) from error
