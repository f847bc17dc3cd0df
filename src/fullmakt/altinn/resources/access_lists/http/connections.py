"""Endpoints of a list's connections to resources (§11)."""

from __future__ import annotations

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fullmakt.altinn.resources.access_lists import rules
from fullmakt.altinn.resources.access_lists.http import paging
from fullmakt.altinn.resources.access_lists.http.binding import actions_of
from fullmakt.altinn.resources.access_lists.http.conditions import read_conditions
from fullmakt.altinn.resources.access_lists.http.gate import Gate
from fullmakt.altinn.resources.access_lists.http.render import (
    connection_document,
    not_modified,
    page_document,
    tagged,
)
from fullmakt.altinn.resources.access_lists.model import NotModified
from fullmakt.altinn.resources.access_lists.service import AccessLists
from fullmakt.altinn.resources.http.routing import route
from fullmakt.infra.reading import body_of


class ConnectionEndpoints:
    """``/{owner}/{identifier}/resource-connections`` and, below it, ``/{resource}``."""

    def __init__(self, service: AccessLists, gate: Gate, links: paging.Links) -> None:
        self._connections = service.connections
        self._gate = gate
        self._links = links
        path = f"{paging.PATH}/{{owner}}/{{identifier}}/resource-connections"
        self.routes: list[Route] = [
            route(path, GET=self.page),
            route(f"{path}/{{resource}}", PUT=self.put, DELETE=self.delete),
        ]

    async def page(self, request: Request) -> Response:
        """A hundred connections. Who pages on gets 412 when the list has changed since the first page."""
        entry = await self._gate.enter(request)
        place = paging.place(request)
        conditions = replace(read_conditions(request.headers), page_of=place.version if place else None)
        found = await self._connections.page(entry.reference, place.start if place else "", conditions)
        if isinstance(found, NotModified):
            return not_modified(found.of)
        following = None
        if found.following is not None:
            token = paging.token_of_place(found.of.version, found.following.resource)
            following = self._links.to(*entry.reference, "resource-connections", token=token)
        return tagged(found.of, page_document(paging.links(following), map(connection_document, found.items)))

    async def put(self, request: Request) -> Response:
        """Connect the list to the resource, or change the action filter."""
        entry = await self._gate.enter(request, writing=True)
        conditions, actions = read_conditions(request.headers), actions_of(await body_of(request))
        of, connection = await self._connections.put(
            entry.actor,
            entry.reference,
            request.path_params["resource"],
            actions,
            conditions,
            any_owner=rules.ADMIN_SCOPE in entry.caller.scopes,
        )
        return tagged(of, connection_document(connection))

    async def delete(self, request: Request) -> Response:
        """Undo the connection: 200 with what it was, 204 when there was none."""
        entry = await self._gate.enter(request, writing=True)
        resource, conditions = request.path_params["resource"], read_conditions(request.headers)
        of, connection = await self._connections.delete(entry.actor, entry.reference, resource, conditions)
        return Response(status_code=204) if connection is None else tagged(of, connection_document(connection))
