"""System users, for their owners, their vendors, and the platform's own readers (altinn-authentication.md §10)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from fullmakt.altinn.systemusers.http import documents as write
from fullmakt.altinn.systemusers.http import reading
from fullmakt.altinn.systemusers.http.documents import Documents
from fullmakt.altinn.systemusers.http.door import (
    ENDUSER,
    REGISTER_WRITE,
    REQUEST_WRITE,
    Door,
    Endpoint,
    json,
    vendor_of,
)
from fullmakt.altinn.systemusers.users.service import STREAM_PAGE, Users
from fullmakt.infra.http import problem
from fullmakt.infra.reading import Query, body_of
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.systemusers import UserType

BASE = "/api/v1/systemuser"
_STREAM = f"{BASE}/internal/systemusers/stream"


def routes(door: Door, users: Users, documents: Documents) -> list[BaseRoute]:
    """The routes, all but those of look-ups, agents' clients and requests."""
    of = _Routes(users, documents)

    def route(method: str, path: str, endpoint: Endpoint, verb: str, *scopes: str) -> BaseRoute:
        return door.route(method, f"{BASE}{path}", endpoint, *scopes, refused=f"system-user:{verb}")

    return [
        route("GET", "/vendor/byquery", of.by_query, "read", REQUEST_WRITE),
        route("GET", "/vendor/bysystem/{system_id}", of.of_system, "read", REGISTER_WRITE),
        door.internal(_STREAM, of.stream),
        door.internal(f"{BASE}/internal/systemusers/{{id}}", of.internal),
        route("GET", "/agent/{party:int}", of.agents, "read", ENDUSER),
        route("DELETE", "/agent/{party:int}/{id}", of.delete_agent, "delete", ENDUSER),
        route("POST", "/{party:int}/create", of.create, "create", ENDUSER),
        route("GET", "/{party:int}/{id}/delegations", of.delegations, "read", ENDUSER),
        route("GET", "/{party:int}/{id}", of.one, "read", ENDUSER),
        route("DELETE", "/{party:int}/{id}", of.delete, "delete", ENDUSER),
        route("GET", "/{party:int}", of.standard, "read", ENDUSER),
    ]


class _Routes:
    def __init__(self, users: Users, documents: Documents) -> None:
        self._users = users
        self._documents = documents

    # -- for the owner --

    async def standard(self, request: Request, caller: Caller) -> Response:
        found = await self._users.of_party(request.path_params["party"], UserType.STANDARD, caller)
        return json([write.of_party(user) for user in found])

    async def agents(self, request: Request, caller: Caller) -> Response:
        found = await self._users.of_party(request.path_params["party"], UserType.AGENT, caller)
        return json([write.of_party(user) for user in found])

    async def one(self, request: Request, caller: Caller) -> Response:
        user, given = await self._users.one(request.path_params["party"], reading.path_uuid(request, "id"), caller)
        return json(write.with_rights(user, given))

    async def delegations(self, request: Request, caller: Caller) -> Response:
        _, given = await self._users.one(request.path_params["party"], reading.path_uuid(request, "id"), caller)
        return json(write.rights_given(given))

    async def create(self, request: Request, caller: Caller) -> Response:
        body = await body_of(request)
        title, system_id = reading.text(body, "integrationTitle"), reading.required_text(body, "systemId")
        return json(write.of_party(await self._users.create(request.path_params["party"], title, system_id, caller)))

    async def delete(self, request: Request, caller: Caller) -> Response:
        system_user_id = reading.path_uuid(request, "id")
        return _deleted(await self._users.delete(request.path_params["party"], system_user_id, caller))

    async def delete_agent(self, request: Request, caller: Caller) -> Response:
        system_user_id = reading.path_uuid(request, "id")
        facilitator = Query(request).optional_uuid("facilitatorId")
        party = request.path_params["party"]
        return _deleted(await self._users.delete_agent(party, system_user_id, facilitator, caller))

    # -- for the vendor --

    async def by_query(self, request: Request, caller: Caller) -> Response:
        vendor = vendor_of(caller)
        system_id = reading.required_query(request, "system-id")
        orgno = reading.orgno_of(reading.required_query(request, "orgno"))
        reference = reading.query(request, "external-ref") or orgno
        return json((await self._users.by_key(system_id, orgno, reference, vendor)).record.document())

    async def of_system(self, request: Request, caller: Caller) -> Response:
        system_id, after = reading.path_text(request, "system_id"), reading.place_of(request)
        found = await self._users.of_system(system_id, vendor_of(caller), after)
        return json(
            self._documents.page_of_system(
                f"{BASE}/vendor", system_id, found, lambda user: user.number, lambda user: user.record.document()
            )
        )

    # -- for the platform --

    async def stream(self, request: Request) -> Response:
        page = await self._users.stream(reading.place_of(request))
        return json(self._documents.stream(_STREAM, page, STREAM_PAGE))

    async def internal(self, request: Request) -> Response:
        user = await self._users.get(reading.path_uuid(request, "id"))
        return problem(410, "there is no such system user") if user is None else json(write.streamed(user))


def _deleted(was_there: bool) -> Response:
    """The number of system users that went (§10)."""
    return json(1, 202) if was_there else json(0, 404)
