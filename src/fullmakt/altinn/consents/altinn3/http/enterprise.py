"""Requests for consent, for those who ask (consent.md §4.4, §4.5)."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from fullmakt.altinn.consents.altinn3 import problems
from fullmakt.altinn.consents.altinn3.asking import Asking, consumer_of
from fullmakt.altinn.consents.altinn3.documents import Documents
from fullmakt.altinn.consents.altinn3.http.door import Door, json, organisation, path_id
from fullmakt.altinn.consents.altinn3.problems import ConsentProblemError
from fullmakt.altinn.consents.altinn3.wishes import read_wish
from fullmakt.altinn.consents.service import ConsentsService
from fullmakt.infra.reading import body_of
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.consents import ORG_SCOPE, READ_SCOPE, WRITE_SCOPE

BASE = "/api/v1/enterprise/consentrequests"
READERS = (READ_SCOPE, WRITE_SCOPE, ORG_SCOPE)
WRITERS = (WRITE_SCOPE, ORG_SCOPE)


def routes(door: Door, service: ConsentsService, asking: Asking, documents: Documents) -> list[BaseRoute]:
    """The routes."""
    of = _Routes(service, asking, documents)
    return [
        door.route("POST", BASE, of.request, *WRITERS, refused="consent:request"),
        door.route("GET", f"{BASE}/{{id}}", of.one, *READERS, refused="consent:read"),
    ]


@dataclass(frozen=True, slots=True)
class _Routes:
    service: ConsentsService
    asking: Asking
    documents: Documents

    async def request(self, request: Request, caller: Caller) -> Response:
        consumer_of(caller)  # who can not ask at all is not told what is wrong with the body
        kept = await self.asking.request(read_wish(await body_of(request)), caller)
        where = f"{self.documents.urls.api}{BASE}/{kept.consent.id}"
        document = await self.documents.request(kept)
        return json(document, 201, {"Location": where}) if kept.created else json(document)

    async def one(self, request: Request, caller: Caller) -> Response:
        """Whoever else has to do with it is told that it is there, and no more."""
        receiver = await self.service.neighbours.party(organisation(caller))
        kept = await self.service.using.find(path_id(request))
        if kept is None or not kept.consent.in_altinn3:
            raise ConsentProblemError(problems.NOT_FOUND)
        if receiver is None or kept.consent.receiver != receiver.party_uuid:
            raise ConsentProblemError(problems.NOT_AUTHORIZED)
        return json(await self.documents.request(kept))
