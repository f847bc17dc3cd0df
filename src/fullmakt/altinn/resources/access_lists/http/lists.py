"""Endpoints of lists (§9)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fullmakt.altinn.resources.access_lists.errors import INCLUDE_MEMBERS, INCLUDE_NEEDS_RESOURCE
from fullmakt.altinn.resources.access_lists.http import paging
from fullmakt.altinn.resources.access_lists.http.binding import includes
from fullmakt.altinn.resources.access_lists.http.conditions import read_conditions
from fullmakt.altinn.resources.access_lists.http.gate import Gate
from fullmakt.altinn.resources.access_lists.http.render import (
    list_document,
    not_modified,
    page_document,
    tagged,
)
from fullmakt.altinn.resources.access_lists.model import NotModified
from fullmakt.altinn.resources.access_lists.service import AccessLists
from fullmakt.altinn.resources.http.render import json_response
from fullmakt.altinn.resources.http.routing import route
from fullmakt.infra.http import problem
from fullmakt.infra.opaque import opaque
from fullmakt.infra.reading import Query, body_of, optional_text_of
from fullmakt.wire.altinn.problems import AltinnProblemError, AltinnValidationError, BindingError

_ACTIONS = "resource-actions"


class ListEndpoints:
    """``/{owner}`` and ``/{owner}/{identifier}``."""

    def __init__(self, service: AccessLists, gate: Gate, links: paging.Links) -> None:
        self._lists = service.lists
        self._gate = gate
        self._links = links
        self.routes: list[Route] = [
            route(f"{paging.PATH}/{{owner}}", GET=self.page),
            route(
                f"{paging.PATH}/{{owner}}/{{identifier}}",
                GET=self.get,
                PUT=self.put,
                DELETE=self.delete,
                PATCH=self.patch,
            ),
        ]

    async def page(self, request: Request) -> Response:
        """Twenty of the owner's lists; with ``include``, their connection to ``resource``."""
        entry = await self._gate.enter(request)
        include, resource = includes(request), _resource(request)
        if "members" in include:
            raise AltinnProblemError(INCLUDE_MEMBERS)
        if include and not resource:
            raise AltinnValidationError(INCLUDE_NEEDS_RESOURCE)
        start = paging.identifier(request) or ""
        found = await self._lists.page(entry.owner, start, resource=resource if include else None)
        following = None
        if found.following is not None:
            more = {"include": ",".join(sorted(include)), "resource": resource} if include else {}
            following = self._links.to(entry.owner, token=opaque(found.following), **more)
        lists = (list_document(each, actions=_ACTIONS in include) for each in found.items)
        return json_response(page_document(paging.links(following), lists))

    async def get(self, request: Request) -> Response:
        """The list; with ``include``, all of its connections."""
        entry = await self._gate.enter(request)
        include = includes(request) - {"members"}
        found = await self._lists.get(entry.reference, read_conditions(request.headers), connected=bool(include))
        if isinstance(found, NotModified):
            return not_modified(found.of)
        return tagged(found, list_document(found, actions=_ACTIONS in include))

    async def put(self, request: Request) -> Response:
        """Make the list, or change its name and description: 200 either way."""
        entry = await self._gate.enter(request, writing=True)
        conditions, body = read_conditions(request.headers), await body_of(request)
        name, description = optional_text_of(body, "name"), optional_text_of(body, "description")
        made = await self._lists.put(entry.actor, entry.reference, name, description, conditions)
        return tagged(made, list_document(made))

    async def delete(self, request: Request) -> Response:
        """Delete the list: 200 with what it was, 204 when there was none."""
        entry = await self._gate.enter(request, writing=True)
        deleted = await self._lists.delete(entry.actor, entry.reference, read_conditions(request.headers))
        return Response(status_code=204) if deleted is None else tagged(deleted, list_document(deleted))

    async def patch(self, request: Request) -> Response:
        """Not there in the real service either."""
        await self._gate.enter(request, writing=True)
        return problem(501, "PATCH is not implemented; use PUT")


def _resource(request: Request) -> str:
    resource = (Query(request).text("resource") or "").strip()
    if not resource.isprintable():
        raise BindingError({"resource": ["The value is not valid."]})
    return resource
