"""Resources: read, search, publish, remove (§3)."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fullmakt.altinn.resources.errors import UnknownResourceError
from fullmakt.altinn.resources.http.binding import resource_body
from fullmakt.altinn.resources.http.export import MEDIA_TYPE, turtle
from fullmakt.altinn.resources.http.render import json_response, path_of, resource_document
from fullmakt.altinn.resources.http.routing import route
from fullmakt.altinn.resources.http.writers import Writers
from fullmakt.altinn.resources.model import Search
from fullmakt.altinn.resources.service import ResourcesService
from fullmakt.infra.reading import Query, not_valid
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.resource_registry import ResourceType

PATH = "/api/v1/resource"


class ResourceEndpoints:
    """The endpoints; ``base_url`` is the registry's public URL."""

    def __init__(self, service: ResourcesService, writers: Writers, base_url: str) -> None:
        self._service = service
        self._writers = writers
        self._base_path = urlsplit(base_url).path.rstrip("/")
        self.routes: list[Route] = [
            route(PATH, POST=self.create),
            route(f"{PATH}/resourcelist", GET=self.everything),
            route(f"{PATH}/Search", GET=self.search),
            route(f"{PATH}/export", GET=self.export),
            route(f"{PATH}/orgs", GET=self.service_owners),
            route(f"{PATH}/{{id}}", GET=self.read, PUT=self.update, DELETE=self.delete),
        ]

    async def read(self, request: Request) -> Response:
        """200 with the resource, of the version asked for."""
        stored = await self._service.document(request.path_params["id"], Query(request).number("versionId"))
        if stored is None:
            raise UnknownResourceError
        return json_response(resource_document(stored))

    async def everything(self, request: Request) -> Response:
        """200 with an array of all."""
        query = Query(request)
        found = await self._service.documents(
            apps=query.flag("includeApps", default=True), migrated_apps=query.flag("includeMigratedApps", default=False)
        )
        return json_response([resource_document(stored) for stored in found])

    async def search(self, request: Request) -> Response:
        """200 with an array of those that have everything asked for; ``title`` is taken and not asked for, as in
        Altinn."""
        query = Query(request)
        wanted = Search(
            identifier=query.text("id"),
            description=query.text("description"),
            keyword=query.text("keyword"),
            reference=query.text("reference"),
            resource_type=_resource_type(query),
            org_code=query.text("orgCode"),
            organization=query.text("organizationId"),
        )
        return json_response([resource_document(stored) for stored in await self._service.search(wanted)])

    async def export(self, _request: Request) -> Response:
        """200 with what portals of public services read."""
        return Response(turtle(await self._service.documents()), media_type=MEDIA_TYPE)

    async def service_owners(self, _request: Request) -> Response:
        """200 with the service owners by org code (§7)."""
        found = await self._service.service_owners()
        return json_response({"orgs": {code: owner.wire() for code, owner in found.items()}})

    async def create(self, request: Request) -> Response:
        """201, empty, with ``Location``."""

        async def work(caller: Caller) -> Response:
            document = await resource_body(request)
            await self._service.writing.create(document, caller)
            location = f"{self._base_path}{PATH}/{path_of(document.identifier or '')}"
            return Response(status_code=201, headers={"Location": location})

        return await self._writers.let(request, "resource:create", work)

    async def update(self, request: Request) -> Response:
        """200, empty."""

        async def work(caller: Caller) -> Response:
            await self._service.writing.update(request.path_params["id"], await resource_body(request), caller)
            return Response()

        return await self._writers.let(request, "resource:update", work)

    async def delete(self, request: Request) -> Response:
        """204."""

        async def work(caller: Caller) -> Response:
            await self._service.writing.delete(request.path_params["id"], caller)
            return Response(status_code=204)

        return await self._writers.let(request, "resource:delete", work)


def _resource_type(query: Query) -> str | None:
    value = query.text("resourceType")
    if value is None:
        return None
    try:
        return ResourceType(value)
    except ValueError:
        raise not_valid("resourceType", value) from None
