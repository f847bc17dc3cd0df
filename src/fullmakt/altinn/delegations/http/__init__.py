"""Access management over HTTP. Paths are below the system's URL, ``…/accessmanagement``."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from fullmakt.altinn.delegations.errors import DelegationRefusedError, UnknownDelegationError
from fullmakt.altinn.delegations.http import (
    authorised,
    connections,
    lookup,
    packages,
    policy_information,
    resources,
    roles,
    schemas,
    service_owners,
    suppliers,
)
from fullmakt.altinn.delegations.http.context import AccessManagement, Guarded
from fullmakt.altinn.delegations.http.problems import NOT_AUTHORIZED
from fullmakt.infra.altinn import HANDLERS
from fullmakt.infra.http import SystemEdge, routed
from fullmakt.wire.altinn.problems import AltinnProblemError

_PARTS = (
    lookup,
    suppliers,
    schemas,
    authorised,
    connections,
    packages,
    roles,
    resources,
    service_owners,
    policy_information,
)

__all__ = ["AccessManagement", "app"]


def app(system: AccessManagement, *more: BaseRoute) -> ASGIApp:
    """The system's app, to be mounted at its base path; ``more`` are routes of others that live below the same."""
    guarded = Guarded(system)
    routes: list[BaseRoute] = [*more, *(route for part in _PARTS for route in part.routes(guarded))]
    handlers = {**HANDLERS, DelegationRefusedError: _not_passed_on, UnknownDelegationError: _not_passed_on}
    return SystemEdge(routed(routes, handlers))


async def _not_passed_on(request: Request, _error: Exception) -> Response:
    """What the caller holds by a delegation can not be given to this one: a circle, too long a chain, or withdrawn."""
    return await HANDLERS[AltinnProblemError](request, AltinnProblemError(NOT_AUTHORIZED))
