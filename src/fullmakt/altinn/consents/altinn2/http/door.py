"""Who is let in to Altinn 2's routes, and who is not is written down (consent.md §2.1)."""

from __future__ import annotations

from starlette.requests import Request

from fullmakt.altinn.consents.altinn2.callers import Door, Enterprise
from fullmakt.altinn.consents.altinn2.errors import TurnedAwayError
from fullmakt.altinn.consents.altinn2.service import Altinn2Consents

UNKNOWN = frozenset({"no_api_key", "unknown_api_key"})
"""What anybody at all can bring about as often as they like: the trail is kept free of it."""


class Admission:
    """The door, with a record of those whose key is known and who were turned away."""

    def __init__(self, door: Door, service: Altinn2Consents) -> None:
        self._door = door
        self._service = service

    async def enterprise(self, request: Request, action: str, *scopes: str) -> Enterprise:
        """An enterprise that is authenticated; see ``Door.enterprise``."""
        try:
            return await self._door.enterprise(request, *scopes)
        except TurnedAwayError as error:
            await self._turned_away(request, action, error)
            raise

    async def holder(self, request: Request, action: str, *scopes: str) -> Enterprise:
        """Whoever holds an API key; see ``Door.holder``."""
        try:
            return await self._door.holder(request, *scopes)
        except TurnedAwayError as error:
            await self._turned_away(request, action, error)
            raise

    async def service_owner(self, request: Request, action: str, *scopes: str) -> Enterprise:
        """A service owner; see ``Door.owner``."""
        try:
            return await self._door.owner(request, *scopes)
        except TurnedAwayError as error:
            await self._turned_away(request, action, error)
            raise

    async def owner(self, request: Request, *scopes: str) -> Enterprise:
        """The same, as SRR asks for it (``srr.ports.OwnerGate``)."""
        return await self.service_owner(request, "srr:call", *scopes)

    async def _turned_away(self, request: Request, action: str, error: TurnedAwayError) -> None:
        if error.reason not in UNKNOWN:
            actor = str(error.facts.get("organisation", ""))
            await self._service.consents.work.record(actor, action, request.url.path, error.reason, **error.facts)
