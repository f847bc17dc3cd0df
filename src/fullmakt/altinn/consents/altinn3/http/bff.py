"""Requests and consents, for the people who answer them (consent.md §4.7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from fullmakt.altinn.consents.altinn3 import problems
from fullmakt.altinn.consents.altinn3.documents import Documents
from fullmakt.altinn.consents.altinn3.http.door import Door, Endpoint, json, path_id
from fullmakt.altinn.consents.model import Consent, Status
from fullmakt.altinn.consents.service import ConsentsService
from fullmakt.altinn.consents.showing import Showing
from fullmakt.altinn.consents.templates import LANGUAGES
from fullmakt.altinn.consents.using import Kept
from fullmakt.infra.reading import Query, not_valid, optional_body_of, optional_text_of, parse_uuid, unreadable
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.problems import ProblemKind

BASE = "/api/v1/bff"
ENDUSER = "altinn:portal/enduser"
_STATUSES = {one.value.lower(): one for one in Status}


def routes(door: Door, service: ConsentsService, documents: Documents) -> list[BaseRoute]:
    """The routes."""
    of = _Routes(service, Showing(service), documents)

    def route(method: str, path: str, endpoint: Endpoint, verb: str, **instead: ProblemKind) -> BaseRoute:
        return door.route(method, f"{BASE}{path}", endpoint, ENDUSER, refused=f"consent:{verb}", **instead)

    return [
        route("GET", "/consentrequests/count/{party}", of.count, "read"),
        route("GET", "/consentrequests/list/{party}", of.of_party, "read"),
        route("GET", "/consentrequests/{id}", of.request, "read"),
        route("POST", "/consentrequests/{id}/accept", of.accept, "accept"),
        route("POST", "/consentrequests/{id}/reject", of.reject, "reject", NOT_PENDING=problems.NOT_REJECTABLE),
        route("GET", "/consents/{id}", of.consent, "read"),
        route("POST", "/consents/{id}/revoke", of.revoke, "revoke", NOT_ACCEPTED=problems.NOT_REVOCABLE),
    ]


@dataclass(frozen=True, slots=True)
class _Routes:
    service: ConsentsService
    showing: Showing
    documents: Documents

    async def request(self, request: Request, caller: Caller) -> Response:
        (kept,) = await self._with_events([await self.service.answering.shown(path_id(request), caller)])
        return json(self.documents.internal(kept))

    async def consent(self, request: Request, caller: Caller) -> Response:
        (kept,) = await self._with_events([await self.service.answering.given(path_id(request), caller)])
        return json(self.documents.given(kept))

    async def accept(self, request: Request, caller: Caller) -> Response:
        language = _language(await optional_body_of(request))
        answered = await self.showing.accept(path_id(request), caller, language)
        (kept,) = await self._with_events([answered.consent])
        return json(self.documents.internal(kept))

    async def reject(self, request: Request, caller: Caller) -> Response:
        answered = await self.service.answering.reject(path_id(request), caller)
        (kept,) = await self._with_events([answered.consent])
        return json(self.documents.internal(kept))

    async def revoke(self, request: Request, caller: Caller) -> Response:
        answered = await self.service.answering.revoke(path_id(request), caller)
        (kept,) = await self._with_events([answered.consent])
        return json(self.documents.given(kept))

    async def count(self, request: Request, caller: Caller) -> Response:
        party = await self._admitted(request, caller)
        return json(await self.service.feeds.count(party, _status(Query(request).text("status"))))

    async def of_party(self, request: Request, caller: Caller) -> Response:
        party = await self._admitted(request, caller)
        kept = await self._with_events(await self.service.feeds.of_giver(party))
        return json([self.documents.internal(one) for one in kept])

    async def _admitted(self, request: Request, caller: Caller) -> UUID:
        party = parse_uuid("party", request.path_params["party"])
        await self.service.answering.require(caller, "read", party)
        return party

    async def _with_events(self, consents: Sequence[Consent]) -> list[Kept]:
        events = await self.service.feeds.histories([one.id for one in consents])
        return [Kept(one, tuple(events[one.id])) for one in consents]


def _language(body: dict[str, object] | None) -> str:
    """The language that the request was shown in; bokmål when it is not said."""
    language = (optional_text_of(body or {}, "language").strip() or "nb").lower()
    if language not in LANGUAGES:
        raise unreadable("language", " or ".join(LANGUAGES))
    return language


def _status(value: str | None) -> Status | None:
    if value is None:
        return None
    found = _STATUSES.get(value.strip().lower())
    if found is None:
        raise not_valid("status", value)
    return found
