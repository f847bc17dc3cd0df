"""Access management over HTTP. Paths are below the system's URL, ``…/accessmanagement``."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from fullmakt.altinn.delegations.http import (
    authorised,
    connections,
    lookup,
    packages,
    policy_information,
    resources,
    schemas,
    service_owners,
    suppliers,
)
from fullmakt.altinn.delegations.http.context import AccessManagement, Guarded
from fullmakt.infra.altinn import HANDLERS
from fullmakt.infra.http import SystemEdge

_PARTS = (
    lookup,
    suppliers,
    schemas,
    authorised,
    connections,
    packages,
    resources,
    service_owners,
    policy_information,
)

__all__ = ["AccessManagement", "app"]


def app(system: AccessManagement, *more: BaseRoute) -> ASGIApp:
    """The system's app, to be mounted at its base path; ``more`` are routes of others that live below the same."""
    guarded = Guarded(system)
    routes: list[BaseRoute] = [*more, *(route for part in _PARTS for route in part.routes(guarded))]
    return SystemEdge(Starlette(routes=routes, exception_handlers=dict(HANDLERS)))
