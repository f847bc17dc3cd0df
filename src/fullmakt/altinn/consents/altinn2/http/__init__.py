"""Altinn 2's routes for consent, and how they refuse (consent.md §2)."""

from __future__ import annotations

from starlette.routing import BaseRoute

from fullmakt.altinn.consents.altinn2.http import metadata, owners, requests, tokens
from fullmakt.altinn.consents.altinn2.http.door import Admission
from fullmakt.altinn.consents.altinn2.http.refusing import HANDLERS, edge_error
from fullmakt.altinn.consents.altinn2.service import Altinn2Consents

__all__ = ["HANDLERS", "edge_error", "routes"]


def routes(service: Altinn2Consents, door: Admission, url: str, *, mask: bool = True) -> list[BaseRoute]:
    """The routes, under Altinn 2's base path, whose public URL is ``url``. ``mask`` hides the end of people's
    numbers."""
    return [
        *requests.routes(service, door, url, mask=mask),
        *tokens.routes(service, door),
        *owners.routes(service, door, url),
        *metadata.routes(service.signer, url),
    ]
