"""Change requests, from both sides (altinn-authentication.md §9)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute

from fullmakt.altinn.systemusers.http import reading
from fullmakt.altinn.systemusers.http.documents import Documents
from fullmakt.altinn.systemusers.http.door import (
    ENDUSER,
    REQUEST_READ,
    REQUEST_WRITE,
    Door,
    Endpoint,
    json,
    vendor_of,
)
from fullmakt.altinn.systemusers.requests.changing import Changing
from fullmakt.altinn.systemusers.requests.model import Alteration
from fullmakt.infra.reading import Query, body_of
from fullmakt.wire.altinn.callers import Caller

BASE = "/api/v1/systemuser/changerequest"
_BY_REFERENCE = "/vendor/byexternalref/{system_id}/{orgno}/{external_ref}"


def routes(door: Door, changing: Changing, documents: Documents) -> list[BaseRoute]:
    """The routes."""
    vendor, user = _Vendor(changing, documents), _EndUser(changing, documents)

    def route(method: str, path: str, endpoint: Endpoint, verb: str, *scopes: str) -> BaseRoute:
        return door.route(method, f"{BASE}{path}", endpoint, *scopes, refused=f"system-user-change:{verb}")

    return [
        route("POST", "/vendor", vendor.create, "create", REQUEST_WRITE),
        route("GET", _BY_REFERENCE, vendor.by_reference, "read", REQUEST_READ),
        route("GET", "/vendor/bysystem/{system_id}", vendor.of_system, "read", REQUEST_READ),
        route("GET", "/vendor/{request_id}", vendor.one, "read", REQUEST_READ),
        route("DELETE", "/vendor/{request_id}", vendor.delete, "delete", REQUEST_WRITE),
        route("POST", "/{party:int}/{request_id}/approve", user.approve, "approve", ENDUSER),
        route("POST", "/{party:int}/{request_id}/reject", user.reject, "reject", ENDUSER),
        route("GET", "/{party:int}/{request_id}", user.of_party, "read", ENDUSER),
        route("GET", "/{request_id}", user.one, "read", ENDUSER),
    ]  # fmt: skip


class _Vendor:
    def __init__(self, changing: Changing, documents: Documents) -> None:
        self._changing = changing
        self._documents = documents

    async def create(self, request: Request, caller: Caller) -> Response:
        vendor = vendor_of(caller)
        change_request_id = Query(request).optional_uuid("correlation-id")
        if change_request_id is None:
            return PlainTextResponse("The correlation-id is missing.", 400)
        system_user_id = Query(request).uuid("system-user-id")
        if change_request_id == system_user_id:
            return PlainTextResponse("The correlation-id is the system user's own id; make another.", 400)
        body = await body_of(request)
        alteration = Alteration(
            required_rights=reading.rights(body, "requiredRights") or (),
            unwanted_rights=reading.rights(body, "unwantedRights") or (),
            required_packages=reading.packages(body, "requiredAccessPackages") or (),
            unwanted_packages=reading.packages(body, "unwantedAccessPackages") or (),
        )
        redirect_url = reading.text(body, "redirectUrl", reading.MAX_URL)
        shown, is_new = await self._changing.ask(
            change_request_id, system_user_id, alteration, redirect_url, vendor, caller.actor
        )
        return json(self._documents.change(shown), 201 if is_new else 200)

    async def one(self, request: Request, caller: Caller) -> Response:
        change_request_id = reading.path_uuid(request, "request_id")
        return json(self._documents.change(await self._changing.get(change_request_id, vendor_of(caller))))

    async def by_reference(self, request: Request, caller: Caller) -> Response:
        shown = await self._changing.by_reference(
            reading.path_text(request, "system_id"),
            reading.orgno_of(request.path_params["orgno"]),
            reading.path_text(request, "external_ref"),
            vendor_of(caller),
        )
        return json(self._documents.change(shown))

    async def of_system(self, request: Request, caller: Caller) -> Response:
        system_id, after = reading.path_text(request, "system_id"), reading.place_of(request)
        found = await self._changing.of_system(system_id, vendor_of(caller), after)
        documents = self._documents
        return json(
            documents.page_of_system(
                f"{BASE}/vendor", system_id, found, lambda one: one.change.number, documents.change
            )
        )

    async def delete(self, request: Request, caller: Caller) -> Response:
        await self._changing.delete(reading.path_uuid(request, "request_id"), vendor_of(caller), caller.actor)
        return Response(status_code=202)


class _EndUser:
    def __init__(self, changing: Changing, documents: Documents) -> None:
        self._changing = changing
        self._documents = documents

    async def one(self, request: Request, caller: Caller) -> Response:
        shown = await self._changing.shown(reading.path_uuid(request, "request_id"), caller)
        return json(self._documents.shown_change(shown))

    async def of_party(self, request: Request, caller: Caller) -> Response:
        change_request_id, party = reading.path_uuid(request, "request_id"), request.path_params["party"]
        return json(self._documents.shown_change(await self._changing.shown(change_request_id, caller, party)))

    async def approve(self, request: Request, caller: Caller) -> Response:
        change_request_id = reading.path_uuid(request, "request_id")
        await self._changing.approve(request.path_params["party"], change_request_id, caller)
        return json(True)

    async def reject(self, request: Request, caller: Caller) -> Response:
        change_request_id = reading.path_uuid(request, "request_id")
        await self._changing.reject(request.path_params["party"], change_request_id, caller)
        return json(True)
