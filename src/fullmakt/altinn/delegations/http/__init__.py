"""Access management over HTTP. Paths are below the system's URL, ``…/accessmanagement``."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from fullmakt.altinn.delegations.http import lookup, schemas, suppliers
from fullmakt.altinn.delegations.http.context import AccessManagement, Guarded
from fullmakt.infra.altinn import HANDLERS
from fullmakt.infra.http import SystemEdge

__all__ = ["AccessManagement", "app"]


def app(system: AccessManagement, *more: BaseRoute) -> ASGIApp:
    """The system's app, to be mounted at its base path; ``more`` are routes of others that live below the same."""
    guarded = Guarded(system)
    routes: Sequence[BaseRoute] = [
        *more,
        *lookup.routes(guarded),
        *suppliers.routes(guarded),
        *schemas.routes(guarded),
    ]
    return SystemEdge(Starlette(routes=list(routes), exception_handlers=dict(HANDLERS)))
