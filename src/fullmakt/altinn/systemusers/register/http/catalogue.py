"""What the portal reads."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from fullmakt.altinn.systemusers.documents import right_document
from fullmakt.altinn.systemusers.errors import UnknownSystemError
from fullmakt.altinn.systemusers.model import System
from fullmakt.altinn.systemusers.register import rules
from fullmakt.altinn.systemusers.register.documents import catalogue_document, package_documents
from fullmakt.altinn.systemusers.register.http.gate import READ, Entry, Gate
from fullmakt.altinn.systemusers.register.http.render import json_response
from fullmakt.altinn.systemusers.register.service import RegisterService
from fullmakt.infra.reading import Query


class CatalogueEndpoints:
    """The register's own path, and a system's. A deleted system is in no list, and is still found by its id."""

    def __init__(self, service: RegisterService, gate: Gate) -> None:
        self._service = service
        scope = rules.CATALOGUE_SCOPE
        self.routes: list[Route] = [
            gate.route("", scope, GET=(READ, self.systems)),
            gate.route("/{systemId}", scope, GET=(READ, self.get)),
            gate.route("/{systemId}/rights", scope, GET=(READ, self.rights)),
            gate.route("/{systemId}/accesspackages", scope, GET=(READ, self.packages)),
        ]

    async def systems(self, _entry: Entry) -> Response:
        """Every live system."""
        return json_response(
            [catalogue_document(system) for system in await self._service.catalogue()], {"Cache-Control": "no-store"}
        )

    async def get(self, entry: Entry) -> Response:
        """One system."""
        return json_response(catalogue_document(await self._system(entry)))

    async def rights(self, entry: Entry) -> Response:
        """Its rights; with ``useOldFormatForApp``, apps named by their owner and their own name."""
        old = Query(entry.request).flag("useOldFormatForApp")
        rights = (await self._system(entry)).rights
        return json_response([right_document(rules.in_old_app_format(right) if old else right) for right in rights])

    async def packages(self, entry: Entry) -> Response:
        """Its access packages."""
        return json_response(package_documents((await self._system(entry)).packages))

    async def _system(self, entry: Entry) -> System:
        found = await self._service.system(entry.system_id)
        if found is None:
            raise UnknownSystemError(entry.system_id)
        return found
