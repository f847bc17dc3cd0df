"""Consent in Altinn 3's form over HTTP. Paths are below access management's URL, ``…/accessmanagement``."""

from __future__ import annotations

from starlette.routing import BaseRoute

from fullmakt.altinn.consents.altinn3.asking import Asking
from fullmakt.altinn.consents.altinn3.documents import Documents, Urls
from fullmakt.altinn.consents.altinn3.http import bff, enterprise, events, extensions, lookup, templates
from fullmakt.altinn.consents.altinn3.http.door import Door
from fullmakt.altinn.consents.service import ConsentsService
from fullmakt.infra.altinn import Callers

__all__ = ["Urls", "routes"]


def routes(
    service: ConsentsService, callers: Callers, urls: Urls, *, page_size: int = 100, strict: bool = False
) -> list[BaseRoute]:
    """Every route; fixed words go before what stands for them. In ``strict`` mode there are none of our own."""
    door = Door(service.work, callers)
    documents = Documents(urls, service.neighbours, service.work.clock)
    found = [
        *events.routes(door, service, urls, page_size),
        *enterprise.routes(door, service, Asking(service, strict=strict), documents),
        *bff.routes(door, service, documents),
        *lookup.routes(door, service),
        *templates.routes(),
    ]
    return found if strict else [*found, *extensions.routes(door, service, urls, page_size)]
