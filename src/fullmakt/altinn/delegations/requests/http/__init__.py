"""Requests for access over HTTP: Altinn 3's routes for service owners and end users, and Altinn 2's."""

from __future__ import annotations

from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from fullmakt.altinn.delegations.requests.documents import Documents, Urls
from fullmakt.altinn.delegations.requests.http import altinn2, end_user, service_owner
from fullmakt.altinn.delegations.requests.service import RequestsService
from fullmakt.infra.altinn import HANDLERS, Callers
from fullmakt.infra.http import SystemEdge, routed


def routes(service: RequestsService, callers: Callers, urls: Urls) -> list[BaseRoute]:
    """Altinn 3's routes, to be served with the rest of access management."""
    documents = Documents(urls, service.parties, service.packages)
    return [
        *service_owner.routes(service, documents, callers),
        *end_user.routes(service, documents, callers, urls),
    ]


def altinn2_app(service: RequestsService, callers: Callers, urls: Urls) -> ASGIApp:
    """Altinn 2's routes as an app of their own, to be mounted where ``urls.altinn2`` says."""
    documents = Documents(urls, service.parties, service.packages)
    routes = altinn2.routes(service, documents, callers, urls)
    return SystemEdge(routed(routes, HANDLERS))
