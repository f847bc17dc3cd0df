"""Maskinporten asks whether a consent may be drawn (consent.md §4.9)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from fullmakt.altinn.consents.altinn3 import problems
from fullmakt.altinn.consents.altinn3.http.door import AlreadyToldError, Door, json
from fullmakt.altinn.consents.altinn3.wishes import party_name
from fullmakt.altinn.consents.service import ConsentsService
from fullmakt.infra.reading import body_of, parse_uuid, text_of, unreadable
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.consents import LOOK_UP_SCOPE, Cause, ConsentQuestion, NoConsent

PATH = "/api/v1/maskinporten/consent/lookup"
_PARTIES = frozenset({ids.PERSON, ids.ORGANISATION})


def routes(door: Door, service: ConsentsService) -> list[BaseRoute]:
    """The route. What the service answers it has written down itself, a no as well."""

    async def look_up(request: Request, caller: Caller) -> Response:
        found = await service.look_up(_question(await body_of(request)), actor=caller.actor)
        if isinstance(found, NoConsent):
            raise AlreadyToldError(problems.not_drawn(found.causes))
        return json(found.document())

    return [door.route("POST", PATH, look_up, LOOK_UP_SCOPE, refused="consent:look-up")]


def _question(body: Mapping[str, Any]) -> ConsentQuestion:
    """The question in a body; persons and organisations by their numbers alone.

    Raises:
        BindingError: it is none.
        ConsentProblemError: nothing can come of it.
    """
    giver, receiver = party_name("from", text_of(body, "from")), party_name("to", text_of(body, "to"))
    if giver.id not in _PARTIES:
        raise unreadable("from", "a URN of a person or an organisation by its number")
    if receiver.id not in _PARTIES:
        raise unreadable("to", "a URN of a person or an organisation by its number")
    if receiver.id == ids.PERSON:  # nobody who calls Maskinporten is a person
        raise problems.not_drawn([Cause.NOT_FOUND])
    return ConsentQuestion(parse_uuid("$.id", text_of(body, "id")), giver.urn, OrgNumber(receiver.value))
