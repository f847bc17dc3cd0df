"""Access lists over HTTP (altinn-resource-registry.md §8 to §14), for the resource registry's app to take in."""

from __future__ import annotations

from starlette.routing import Route
from starlette.types import ASGIApp

from fullmakt.altinn.resources.access_lists.http.authorization import authorization_route
from fullmakt.altinn.resources.access_lists.http.connections import ConnectionEndpoints
from fullmakt.altinn.resources.access_lists.http.gate import Gate
from fullmakt.altinn.resources.access_lists.http.lists import ListEndpoints
from fullmakt.altinn.resources.access_lists.http.look_ups import LookUpEndpoints
from fullmakt.altinn.resources.access_lists.http.members import MemberEndpoints
from fullmakt.altinn.resources.access_lists.http.paging import Links
from fullmakt.altinn.resources.access_lists.http.render import HANDLERS
from fullmakt.altinn.resources.access_lists.ports import PlatformTokens
from fullmakt.altinn.resources.access_lists.service import AccessLists
from fullmakt.infra.altinn import Callers
from fullmakt.infra.http import SystemEdge, routed

__all__ = ["HANDLERS", "app", "authorization_route", "routes"]


def routes(
    service: AccessLists, callers: Callers, *, base_url: str, platform: PlatformTokens | None = None
) -> list[Route]:
    """The routes below ``/api/v1/access-lists``, for an app that has ``HANDLERS``.

    ``base_url`` is the resource registry's public URL, for links to next pages. Without ``platform`` no
    ``PlatformAccessToken`` is believed.
    """
    gate, links = Gate(service, callers, platform), Links(base_url)
    return [
        *LookUpEndpoints(service, gate).routes,  # before those of an owner who might be called ``memberships``
        *ListEndpoints(service, gate, links).routes,
        *MemberEndpoints(service, gate, links).routes,
        *ConnectionEndpoints(service, gate, links).routes,
    ]


def app(service: AccessLists, callers: Callers, *, base_url: str, platform: PlatformTokens | None = None) -> ASGIApp:
    """Access lists by themselves."""
    served = routes(service, callers, base_url=base_url, platform=platform)
    return SystemEdge(routed(served, HANDLERS))
