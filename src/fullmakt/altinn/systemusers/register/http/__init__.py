"""The system register over HTTP (altinn-authentication.md §7), for the app of Altinn's authentication to take in."""

from __future__ import annotations

from starlette.routing import BaseRoute

from fullmakt.altinn.systemusers.register.http.catalogue import CatalogueEndpoints
from fullmakt.altinn.systemusers.register.http.gate import Gate
from fullmakt.altinn.systemusers.register.http.vendor import VendorEndpoints
from fullmakt.altinn.systemusers.register.service import RegisterService
from fullmakt.infra.altinn import Callers

__all__ = ["routes"]


def routes(service: RegisterService, callers: Callers) -> list[BaseRoute]:
    """The routes below ``/api/v1/systemregister``, for an app that has ``infra.altinn.HANDLERS``."""
    gate = Gate(service, callers)
    # A vendor's come first, before those of a system that might be called ``vendor``.
    return [*VendorEndpoints(service, gate).routes, *CatalogueEndpoints(service, gate).routes]
