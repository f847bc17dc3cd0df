"""System users over HTTP. Paths are below the URL that the exchange of tokens is served at, ``…/authentication``."""

from __future__ import annotations

from starlette.routing import BaseRoute

from fullmakt.altinn.systemusers.http import agents, changes, lookups, requests, users
from fullmakt.altinn.systemusers.http.documents import Documents, Urls
from fullmakt.altinn.systemusers.http.door import Door
from fullmakt.altinn.systemusers.ports import PlatformTokens
from fullmakt.altinn.systemusers.service import SystemUsersService
from fullmakt.infra.altinn import Callers

__all__ = ["Urls", "routes"]


def routes(service: SystemUsersService, callers: Callers, platform: PlatformTokens, urls: Urls) -> list[BaseRoute]:
    """Every route but those of the system register; fixed words go before what stands for them."""
    door = Door(service.work, callers, platform)
    documents = Documents(urls, service.work)
    return [
        *lookups.routes(door, service.lookups),
        *changes.routes(door, service.changing, documents),
        *requests.routes(door, service.asking, service.answering, documents),
        *agents.public_routes(door, service.agents),
        *agents.portal_routes(door, service.agents),
        *users.routes(door, service.users, documents),
    ]
