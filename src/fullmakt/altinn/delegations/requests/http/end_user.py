"""The end user's routes (altinn-authorization.md §15.2)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from fullmakt.altinn.delegations.access import PORTAL_SCOPE
from fullmakt.altinn.delegations.http.render import json
from fullmakt.altinn.delegations.requests.asking import Asked
from fullmakt.altinn.delegations.requests.documents import Documents, Urls, party
from fullmakt.altinn.delegations.requests.errors import UNKNOWN_PACKAGE, UNKNOWN_RESOURCE
from fullmakt.altinn.delegations.requests.http.pages import place_of, token_after, url_with
from fullmakt.altinn.delegations.requests.http.service_owner import admitted, keys_of
from fullmakt.altinn.delegations.requests.model import AccessRequest, RequestStatus, RequestType, Selection
from fullmakt.altinn.delegations.requests.service import PAGE_SIZE, RequestsService
from fullmakt.infra.altinn import Callers
from fullmakt.infra.reading import Query, optional_json_body
from fullmakt.infra.routes import folded_route
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.problems import BindingError

READ = "altinn:accessmanagement/enduser:requests.read"
WRITE = "altinn:accessmanagement/enduser:requests.write"
BASE = "/api/v1/enduser/request"
_TOKEN = "continuationToken"

Answer = Callable[[Request, Query, Caller], Awaitable[Response]]
_STATUSES = {status.lower(): status for status in RequestStatus}
_TYPES = {type_.lower(): type_ for type_ in RequestType}


class _EndUser:
    """What the routes do, once it is known who calls."""

    def __init__(self, service: RequestsService, documents: Documents, urls: Urls) -> None:
        self._service = service
        self._documents = documents
        self._urls = urls

    async def one(self, _request: Request, query: Query, caller: Caller) -> Response:
        return await self._shown(await self._service.request(query.uuid("id"), query.uuid("party"), caller))

    async def draft(self, _request: Request, query: Query, caller: Caller) -> Response:
        return await self._shown(await self._service.draft(query.uuid("id"), caller))

    async def confirm(self, _request: Request, query: Query, caller: Caller) -> Response:
        return await self._shown(await self._service.confirm(query.uuid("id"), query.uuid("party"), caller))

    async def ask_resource(self, _request: Request, query: Query, caller: Caller) -> Response:
        resource = query.text("resource")
        if resource is None:
            raise UNKNOWN_RESOURCE.at("/$QUERY/resource")
        return await self._ask(query, caller, resources=(resource,), path="/$QUERY/resource")

    async def ask_package(self, _request: Request, query: Query, caller: Caller) -> Response:
        package = query.text("package")
        if package is None:
            raise UNKNOWN_PACKAGE.at("/$QUERY/package")
        return await self._ask(query, caller, package=package, path="/$QUERY/package")

    async def _ask(self, query: Query, caller: Caller, **what: Any) -> Response:
        receiver, giver = query.uuid("party"), query.uuid("to")
        asked = Asked(receiver=(party(receiver), "/$QUERY/party"), giver=(party(giver), "/$QUERY/to"), **what)
        return await self._shown(await self._service.ask(asked, receiver, caller))

    async def sent(self, request: Request, query: Query, caller: Caller) -> Response:
        selection = Selection(giver=query.optional_uuid("to"), **_filters(query))
        after = place_of(_TOKEN, query.text(_TOKEN))
        found = await self._service.sent(query.uuid("party"), selection, caller, after)
        return await self._listed(request, found, "sent")

    async def received(self, request: Request, query: Query, caller: Caller) -> Response:
        selection = Selection(receiver=query.optional_uuid("from"), **_filters(query))
        after = place_of(_TOKEN, query.text(_TOKEN))
        found = await self._service.received(query.uuid("party"), selection, caller, after)
        return await self._listed(request, found, "received")

    async def count_sent(self, _request: Request, query: Query, caller: Caller) -> Response:
        selection = Selection(giver=query.optional_uuid("to"), **_filters(query))
        return json(await self._service.count_sent(query.uuid("party"), selection, caller))

    async def count_received(self, _request: Request, query: Query, caller: Caller) -> Response:
        selection = Selection(receiver=query.optional_uuid("from"), **_filters(query))
        return json(await self._service.count_received(query.uuid("party"), selection, caller))

    async def withdraw(self, _request: Request, query: Query, caller: Caller) -> Response:
        return await self._shown(await self._service.withdraw(query.uuid("id"), query.uuid("party"), caller))

    async def approve(self, request: Request, query: Query, caller: Caller) -> Response:
        request_id, giver = query.uuid("id"), query.uuid("party")
        return await self._shown(await self._service.approve(request_id, giver, caller, await _chosen(request)))

    async def reject(self, _request: Request, query: Query, caller: Caller) -> Response:
        return await self._shown(await self._service.reject(query.uuid("id"), query.uuid("party"), caller))

    async def _shown(self, found: AccessRequest) -> Response:
        return json(await self._documents.one(found, numbers=False))

    async def _listed(self, request: Request, found: list[AccessRequest], name: str) -> Response:
        token = token_after(found) if len(found) == PAGE_SIZE else None
        url = f"{self._urls.api}{BASE}/{name}"
        links = {"next": url_with(url, request.query_params.multi_items(), _TOKEN, token)} if token else {}
        return json({"links": links, "data": await self._documents.all(found, numbers=False)})


def routes(service: RequestsService, documents: Documents, callers: Callers, urls: Urls) -> list[BaseRoute]:
    """The routes, under access management's base path."""
    user = _EndUser(service, documents, urls)

    def route(method: str, path: str, answer: Answer, *scopes: str) -> BaseRoute:
        async def endpoint(request: Request) -> Response:
            caller = await admitted(request, service, callers, *scopes)
            return await answer(request, Query(request), caller)

        return folded_route(f"{BASE}{path}", endpoint, methods=[method])

    read, write = (PORTAL_SCOPE, READ), (PORTAL_SCOPE, WRITE)
    return [
        route("GET", "", user.one, *read),
        route("GET", "/draft", user.draft, PORTAL_SCOPE),
        route("PUT", "/draft/confirm", user.confirm, *write),
        route("POST", "/resource", user.ask_resource, *write),
        route("POST", "/package", user.ask_package, *write),
        route("GET", "/sent", user.sent, *read),
        route("GET", "/sent/count", user.count_sent, *read),
        route("PUT", "/sent/withdraw", user.withdraw, *write),
        route("GET", "/received", user.received, *read),
        route("GET", "/received/count", user.count_received, *read),
        route("PUT", "/received/approve", user.approve, *write),
        route("PUT", "/received/reject", user.reject, *write),
    ]


def _filters(query: Query) -> dict[str, Any]:
    statuses = [value for value in query.all("status") if value and value.lower() != "none"]
    type_ = query.text("type")
    wrong = {
        name: [f"The value '{value[:100]}' is not valid."]
        for name, value, known in (
            *(("status", value, value.lower() in _STATUSES) for value in statuses),
            ("type", type_ or "", type_ is None or type_.lower() in _TYPES),
        )
        if not known
    }
    if wrong:
        raise BindingError(wrong)
    return {
        "statuses": frozenset(_STATUSES[value.lower()] for value in statuses),
        "type": _TYPES[type_.lower()] if type_ else None,
    }


async def _chosen(request: Request) -> list[str] | None:
    """The right keys in the body; None when there is no body, or an empty list."""
    return keys_of(await optional_json_body(request)) or None
