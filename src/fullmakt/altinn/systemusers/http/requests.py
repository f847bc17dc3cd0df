"""Requests, as vendors make them and as organisations answer them (altinn-authentication.md §8)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from fullmakt.altinn.systemusers.http import reading
from fullmakt.altinn.systemusers.http.documents import Documents
from fullmakt.altinn.systemusers.http.door import ENDUSER, REQUEST_READ, REQUEST_WRITE, Door, json, vendor_of
from fullmakt.altinn.systemusers.requests.answering import Answering
from fullmakt.altinn.systemusers.requests.asking import Asking
from fullmakt.altinn.systemusers.requests.model import Key, Wish
from fullmakt.infra.reading import body_of
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.systemusers import UserType

BASE = "/api/v1/systemuser/request"
KINDS = ((UserType.STANDARD, ""), (UserType.AGENT, "/agent"))
"""Each kind of request, and what stands in the paths of its routes."""


def routes(door: Door, asking: Asking, answering: Answering, documents: Documents) -> list[BaseRoute]:
    """The routes. Those with fixed words come before those with an id in the same place."""
    found: list[BaseRoute] = []
    for kind, part in reversed(KINDS):
        found += _Vendor(kind, part, asking, documents).routes(door)
    for kind, part in reversed(KINDS):
        found += _EndUser(kind, part, answering, documents).routes(door)
    found.append(door.route("DELETE", f"{BASE}/vendor/{{request_id}}", _delete(asking), REQUEST_WRITE,
                            refused="system-user-request:delete"))  # fmt: skip
    return found


def _delete(asking: Asking) -> Callable[[Request, Caller], Awaitable[Response]]:
    async def delete(request: Request, caller: Caller) -> Response:
        await asking.delete(reading.path_uuid(request, "request_id"), vendor_of(caller), caller.actor)
        return Response(status_code=202)

    return delete


class _Vendor:
    """The vendor's routes of one kind."""

    def __init__(self, kind: UserType, part: str, asking: Asking, documents: Documents) -> None:
        self._kind = kind
        self._path = f"{BASE}/vendor{part}"
        self._asking = asking
        self._documents = documents

    def routes(self, door: Door) -> list[BaseRoute]:
        def read(path: str, endpoint: Callable[[Request, Caller], Awaitable[Response]]) -> BaseRoute:
            return door.route("GET", f"{self._path}{path}", endpoint, REQUEST_READ, refused="system-user-request:read")

        return [
            door.route("POST", self._path, self.create, REQUEST_WRITE, refused="system-user-request:create"),
            read("/byexternalref/{system_id}/{orgno}/{external_ref}", self.by_reference),
            read("/bysystem/{system_id}", self.of_system),
            read("/{request_id}", self.one),
        ]

    async def create(self, request: Request, caller: Caller) -> Response:
        vendor = vendor_of(caller)
        body = await body_of(request)
        system_id, party = reading.required_text(body, "systemId"), reading.required_text(body, "partyOrgNo")
        reference = reading.text(body, "externalRef") or party
        rights = reading.rights(body, "rights") if self._kind is UserType.STANDARD else ()
        wish = Wish(
            Key(system_id, reading.orgno_of(party), reference, self._kind),
            integration_title=reading.text(body, "integrationTitle"),
            rights=rights,
            packages=reading.packages(body, "accessPackages"),
            redirect_url=reading.text(body, "redirectUrl", reading.MAX_URL),
        )
        made, is_new = await self._asking.ask(wish, vendor, caller.actor)
        document = self._documents.request(made)
        if not is_new:
            return json(document)
        return json(document, 201, {"Location": f"{self._documents.urls.api}{BASE}/{made.request_id}"})

    async def one(self, request: Request, caller: Caller) -> Response:
        request_id = reading.path_uuid(request, "request_id")
        return json(self._documents.request(await self._asking.get(request_id, self._kind, vendor_of(caller))))

    async def by_reference(self, request: Request, caller: Caller) -> Response:
        key = Key(
            reading.path_text(request, "system_id"),
            reading.orgno_of(request.path_params["orgno"]),
            reading.path_text(request, "external_ref"),
            self._kind,
        )
        return json(self._documents.request(await self._asking.by_reference(key, vendor_of(caller))))

    async def of_system(self, request: Request, caller: Caller) -> Response:
        system_id, after = reading.path_text(request, "system_id"), reading.place_of(request)
        found = await self._asking.of_system(system_id, self._kind, vendor_of(caller), after)
        documents = self._documents
        return json(documents.page_of_system(self._path, system_id, found, lambda one: one.number, documents.request))


class _EndUser:
    """The end user's routes of one kind."""

    def __init__(self, kind: UserType, part: str, answering: Answering, documents: Documents) -> None:
        self._kind = kind
        self._path = f"{BASE}{part}"
        self._answering = answering
        self._documents = documents

    def routes(self, door: Door) -> list[BaseRoute]:
        def route(
            method: str, path: str, endpoint: Callable[[Request, Caller], Awaitable[Response]], verb: str
        ) -> BaseRoute:
            refused = f"system-user-request:{verb}"
            return door.route(method, f"{self._path}{path}", endpoint, ENDUSER, refused=refused)

        return [
            route("POST", "/{party:int}/{request_id}/approve", self.approve, "approve"),
            route("POST", "/{party:int}/{request_id}/reject", self.reject, "reject"),
            route("POST", "/{party:int}/{request_id}/escalate", self.escalate, "escalate"),
            route("GET", "/{party:int}/{orgno}/pending", self.pending, "read"),
            route("GET", "/{party:int}/{request_id}", self.of_party, "read"),
            route("GET", "/{request_id}", self.one, "read"),
        ]

    async def one(self, request: Request, caller: Caller) -> Response:
        request_id = reading.path_uuid(request, "request_id")
        return json(self._documents.shown(await self._answering.shown(request_id, self._kind, caller)))

    async def of_party(self, request: Request, caller: Caller) -> Response:
        request_id, party = reading.path_uuid(request, "request_id"), request.path_params["party"]
        return json(self._documents.shown(await self._answering.shown(request_id, self._kind, caller, party)))

    async def pending(self, request: Request, caller: Caller) -> Response:
        orgno = reading.orgno_of(request.path_params["orgno"])
        found = await self._answering.pending(request.path_params["party"], orgno, self._kind, caller)
        return json([self._documents.shown(one) for one in found])

    async def approve(self, request: Request, caller: Caller) -> Response:
        request_id = reading.path_uuid(request, "request_id")
        await self._answering.approve(request.path_params["party"], request_id, self._kind, caller)
        return json(True)

    async def reject(self, request: Request, caller: Caller) -> Response:
        request_id = reading.path_uuid(request, "request_id")
        await self._answering.reject(request.path_params["party"], request_id, self._kind, caller)
        return json(True)

    async def escalate(self, request: Request, caller: Caller) -> Response:
        request_id = reading.path_uuid(request, "request_id")
        await self._answering.escalate(request.path_params["party"], request_id, self._kind, caller)
        return json(True)
