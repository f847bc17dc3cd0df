"""The resource registry over HTTP (altinn-resource-registry.md §3, §5 to §7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from fullmakt.altinn.resources.http.feeds import FeedEndpoints
from fullmakt.altinn.resources.http.policies import PolicyEndpoints
from fullmakt.altinn.resources.http.render import HANDLERS
from fullmakt.altinn.resources.http.resources import ResourceEndpoints
from fullmakt.altinn.resources.http.writers import Writers
from fullmakt.altinn.resources.service import ResourcesService
from fullmakt.infra.altinn import Callers, Handler
from fullmakt.infra.http import SystemEdge, routed
from fullmakt.wire.altinn.policy import MAX_BYTES

__all__ = ["HANDLERS", "MAX_BODY", "app", "routes"]

MAX_BODY = MAX_BYTES + 64 * 1024
"""A policy in its form; what else is sent is bounded more narrowly."""


def routes(service: ResourcesService, callers: Callers, *, base_url: str) -> list[Route]:
    """The routes below ``/api/v1/resource`` and ``/api/v2/resource``, for an app that has ``HANDLERS``.

    ``base_url`` is the registry's public URL, for ``Location`` and links to next pages.
    """
    writers = Writers(service, callers)
    return [
        *FeedEndpoints(service, base_url).routes,
        *ResourceEndpoints(service, writers, base_url).routes,  # these have a {id} where the others have a word
        *PolicyEndpoints(service, writers).routes,
    ]


def app(
    service: ResourcesService,
    callers: Callers,
    *,
    base_url: str,
    further: Iterable[BaseRoute] = (),
    handlers: Mapping[Any, Handler] | None = None,
) -> ASGIApp:
    """The system's app, to be mounted at its base path. ``further`` are routes of the same system's other parts,
    such as the access lists', and ``handlers`` of theirs."""
    served = [*further, *routes(service, callers, base_url=base_url)]
    return SystemEdge(routed(served, {**(handlers or {}), **HANDLERS}), max_body=MAX_BODY)
