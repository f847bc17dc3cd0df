"""What vendors do with their systems."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from fullmakt.altinn.systemusers.model import System
from fullmakt.altinn.systemusers.register import rules
from fullmakt.altinn.systemusers.register.documents import catalogue_document, change_document, vendor_document
from fullmakt.altinn.systemusers.register.http import binding
from fullmakt.altinn.systemusers.register.http.conditions import etag, read_match
from fullmakt.altinn.systemusers.register.http.gate import DELETE, READ, Entry, Gate
from fullmakt.altinn.systemusers.register.http.render import SUCCEEDED, json_response
from fullmakt.altinn.systemusers.register.service import RegisterService

_SCOPES = (rules.WRITE_SCOPE, rules.ADMIN_SCOPE)


class VendorEndpoints:
    """``/vendor`` and below."""

    def __init__(self, service: RegisterService, gate: Gate) -> None:
        self._service = service
        self.routes: list[Route] = [
            gate.route("/vendor", *_SCOPES, GET=(READ, self.systems), POST=("system:create", self.create)),
            gate.route(
                "/vendor/{systemId}",
                *_SCOPES,
                GET=(READ, self.get),
                PUT=("system:update", self.replace),
                DELETE=(DELETE, self.delete),
            ),
            gate.route("/vendor/{systemId}/rights", *_SCOPES, PUT=("system:update-rights", self.replace_rights)),
            gate.route(
                "/vendor/{systemId}/accesspackages", *_SCOPES, PUT=("system:update-packages", self.replace_packages)
            ),
            gate.route("/vendor/{systemId}/changelog", *_SCOPES, GET=(READ, self.changes)),
        ]

    async def systems(self, entry: Entry) -> Response:
        """The caller's own live systems, as the catalogue has them."""
        found = await self._service.systems_of(entry.registrant.organisation)
        return json_response([catalogue_document(system) for system in found])

    async def get(self, entry: Entry) -> Response:
        """One of them, deleted or not; its version is the ETag."""
        found = await self._service.own(entry.registrant, entry.system_id)
        return json_response(vendor_document(found), {"ETag": etag(found.version)})

    async def create(self, entry: Entry) -> Response:
        """Register a system: 200 with its internal UUID as a JSON string."""
        registrant = entry.registrant
        proposal = await binding.proposal_in(entry.request)
        entry.subject = f"system:{proposal.id}"
        made = await self._service.create(registrant, proposal)
        return json_response(str(made.internal_id))

    async def replace(self, entry: Entry) -> Response:
        """Replace a system's definition."""
        registrant, match = entry.registrant, read_match(entry.request.headers)
        proposal = await binding.proposal_in(entry.request)
        return _changed(await self._service.replace(registrant, entry.system_id, proposal, match))

    async def replace_rights(self, entry: Entry) -> Response:
        """Replace a system's rights."""
        registrant, match = entry.registrant, read_match(entry.request.headers)
        rights = await binding.rights_in(entry.request)
        return _changed(await self._service.replace_rights(registrant, entry.system_id, rights, match))

    async def replace_packages(self, entry: Entry) -> Response:
        """Replace a system's access packages."""
        registrant, match = entry.registrant, read_match(entry.request.headers)
        urns = await binding.packages_in(entry.request)
        return _changed(await self._service.replace_packages(registrant, entry.system_id, urns, match))

    async def delete(self, entry: Entry) -> Response:
        """Delete a system."""
        await self._service.delete(entry.registrant, entry.system_id, read_match(entry.request.headers))
        return json_response(SUCCEEDED)

    async def changes(self, entry: Entry) -> Response:
        """A system's change log, the newest entry first."""
        found = await self._service.changes(entry.registrant, entry.system_id)
        return json_response([change_document(change) for change in found])


def _changed(system: System) -> Response:
    """200, with the ETag of the version that the change has made."""
    return json_response(SUCCEEDED, {"ETag": etag(system.version)})
