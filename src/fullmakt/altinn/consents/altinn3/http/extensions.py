"""Ours, and absent in strict mode: what Altinn 2's form has and Altinn 3's has no answer to yet.

A request can be taken back while it is unanswered, a consent given up, its use be logged (which ends one that is good
for one time), and the owner of a service can list the consents to it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from fullmakt.altinn.consents.altinn3 import problems
from fullmakt.altinn.consents.altinn3.asking import consumer_of
from fullmakt.altinn.consents.altinn3.documents import Urls
from fullmakt.altinn.consents.altinn3.http.door import Door, json, organisation, path_id
from fullmakt.altinn.consents.altinn3.http.enterprise import WRITERS
from fullmakt.altinn.consents.altinn3.problems import invalid
from fullmakt.altinn.consents.feeds import LAG
from fullmakt.altinn.consents.model import Consent, Status
from fullmakt.altinn.consents.rules import Reason, Refusal
from fullmakt.altinn.consents.service import ConsentsService
from fullmakt.altinn.consents.using import Admission, only
from fullmakt.infra.altinn import ForbiddenError
from fullmakt.infra.opaque import opaque, unwrapped
from fullmakt.infra.reading import Query, not_valid, optional_body_of, optional_text_of, unreadable
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.parties import PartyIdentity
from fullmakt.wire.altinn.resources import CONSENT

BASE = "/api/v1/ext"
OWNER_SCOPES = ("altinn:serviceowner/consents", "altinn:serviceowner")
_STATUSES = {"active": Status.ACCEPTED, "revoked": Status.REVOKED}


def routes(door: Door, service: ConsentsService, urls: Urls, page_size: int) -> list[BaseRoute]:
    """The routes."""
    of = _Routes(service, urls, page_size)
    revocable = {"NOT_ACCEPTED": problems.NOT_REVOCABLE}
    return [
        door.route(
            "DELETE", f"{BASE}/consentrequests/{{id}}", of.withdraw, *WRITERS,
            refused="consent:withdraw", NOT_PENDING=problems.NOT_REJECTABLE,
        ),
        door.route("GET", f"{BASE}/consents", of.listed, *OWNER_SCOPES, refused="consent:read"),
        door.route("DELETE", f"{BASE}/consents/{{id}}", of.give_up, *WRITERS, refused="consent:give-up", **revocable),
        door.route("POST", f"{BASE}/consents/{{id}}/use", of.use, *WRITERS, *OWNER_SCOPES, refused="consent:use"),
    ]  # fmt: skip


_After = tuple[dt.datetime, UUID]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a page of the owner's list begins: behind the consent that changed last at ``after``.

    What changed less than ``LAG`` ago may yet be joined by something older, written down later. A reader may go on past
    it at once; ``certain`` is the place that nothing comes before any more, and ``left`` when the reader went past it.
    """

    after: _After
    certain: _After | None = None
    left: dt.datetime | None = None

    @classmethod
    def read(cls, token: str) -> _Place:
        """The place in a continuation token.

        Raises:
            ProblemError: it is none of ours.
        """
        try:
            match unwrapped(token):
                case [str(at), str(last)]:
                    return cls((_moment(at), UUID(last)))
                case [str(at), str(last), str(certain_at), str(certain), str(left)]:
                    return cls((_moment(at), UUID(last)), (_moment(certain_at), UUID(certain)), _moment(left))
        except ValueError:
            pass
        raise invalid(("AM.VLD-00053", "$QUERY/continuationToken"))

    def taken_up(self, now: dt.datetime) -> _Place:
        """Where to go on: once ``LAG`` has passed, from what is certain, so that what came in between is read too."""
        if self.certain is None or self.left is None or now - self.left < LAG:
            return self
        return _Place(self.certain)

    def behind(self, page: list[Consent], now: dt.datetime) -> _Place:
        """The place behind a page that begins here and was read after ``now``."""
        last = _behind(page[-1])
        if self.certain is not None:
            return replace(self, after=last)
        settled = [one for one in page if one.last_changed <= now - LAG]
        certain = _behind(settled[-1]) if settled else self.after
        return _Place(last) if certain == last else _Place(last, certain, now)

    @property
    def token(self) -> str:
        """The place as it goes out."""
        members = [self.after[0].isoformat(), str(self.after[1])]
        if self.certain is not None and self.left is not None:
            members += [self.certain[0].isoformat(), str(self.certain[1]), self.left.isoformat()]
        return opaque(members)


def _behind(consent: Consent) -> _After:
    return consent.last_changed, consent.id


def _moment(text: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("no time zone")
    return moment


_START = _Place((dt.datetime(1970, 1, 1, tzinfo=dt.UTC), UUID(int=0)))


@dataclass(frozen=True, slots=True)
class _Routes:
    service: ConsentsService
    urls: Urls
    page_size: int

    async def withdraw(self, request: Request, caller: Caller) -> Response:
        party = await self._party(caller)
        consent_id = path_id(request)
        await self.service.using.withdraw(consent_id, party.party_uuid, caller.actor, _altinn3(only(party.party_uuid)))
        return Response(status_code=204)

    async def give_up(self, request: Request, caller: Caller) -> Response:
        party = await self._party(caller)
        consent_id = path_id(request)
        await self.service.using.give_up(consent_id, party.party_uuid, caller.actor, _altinn3(only(party.party_uuid)))
        return Response(status_code=204)

    async def use(self, request: Request, caller: Caller) -> Response:
        """Whoever receives the consent or handles it may say so, and who owns the service that it is for."""
        used_at = _used_at(await optional_body_of(request) or {})
        party, consent_id = await self._party(caller), path_id(request)
        owned = await self._owned(consent_id, caller)
        admits = _altinn3(only(party.party_uuid)) if owned is None else _altinn3(lambda _: None)
        await self.service.using.log_use(consent_id, party.party_uuid, caller.actor, admits, used_at=used_at)
        return Response(status_code=204)

    async def listed(self, request: Request, caller: Caller) -> Response:
        query = Query(request)
        resource, token = query.required("resource"), query.text("continuationToken")
        known = (await self.service.neighbours.resources.resources([resource])).get(resource)
        owner = consumer_of(caller)
        if known is None or known.resource_type != CONSENT or known.owner_orgno != owner:
            raise ForbiddenError("not_the_owner", resource=resource[:255])
        statuses = [_status(value) for value in query.all("status") if value.strip()]
        now = self.service.work.clock()
        place = (_START if token is None else _Place.read(token)).taken_up(now)
        found = await self.service.feeds.of_resources(
            [resource], self.page_size, after=place.after, statuses=statuses or tuple(_STATUSES.values())
        )
        parties = {party for one in found for party in (one.giver, one.receiver, one.handled_by) if party is not None}
        names = await self.service.neighbours.by_uuid(parties)
        following = None
        if len(found) == self.page_size:
            members = [("resource", resource), *(("status", value) for value in query.all("status"))]
            page = [("continuationToken", place.behind(found, now).token), *members]
            following = f"{self.urls.api}{BASE}/consents?{urlencode(page)}"
        return json({"links": {"next": following}, "data": [_entry(one, names) for one in found]})

    async def _party(self, caller: Caller) -> PartyIdentity:
        found = await self.service.neighbours.party(organisation(caller))
        if found is None:
            raise ForbiddenError("unknown_organisation")
        return found

    async def _owned(self, consent_id: UUID, caller: Caller) -> Consent | None:
        """The consent, when all it is for is the caller's."""
        if caller.scopes.isdisjoint(OWNER_SCOPES):
            return None
        kept = await self.service.using.find(consent_id)
        if kept is None:
            return None
        wanted = {right.resource for right in kept.consent.rights}
        known = await self.service.neighbours.resources.resources(wanted)
        owners = {known[one].owner_orgno if one in known else None for one in wanted}
        return kept.consent if owners == {consumer_of(caller)} else None


def _altinn3(admits: Admission) -> Admission:
    """Only those that Altinn 3 knows."""

    def both(consent: Consent) -> Refusal | None:
        return admits(consent) if consent.in_altinn3 else Refusal(Reason.NOT_FOUND)

    return both


def _entry(consent: Consent, names: Mapping[UUID, PartyIdentity]) -> dict[str, Any]:
    def name(party: UUID | None) -> str | None:
        known = names.get(party) if party is not None else None
        if known is None:
            return None
        number = known.orgno or known.national_id
        kind = "organization" if known.orgno else "person"
        return f"urn:altinn:{kind}:identifier-no:{number}"

    return {
        "id": str(consent.id),
        "from": name(consent.giver),
        "to": name(consent.receiver),
        "handledBy": name(consent.handled_by),
        "status": "active" if consent.status is Status.ACCEPTED else "revoked",
        "endReason": None if consent.end_reason is None else consent.end_reason.value,
        "created": consent.created.isoformat(),
        "consented": None if consent.consented is None else consent.consented.isoformat(),
        "validTo": consent.valid_to.isoformat(),
        "lastChanged": consent.last_changed.isoformat(),
        "consentRights": [right.document() for right in consent.altinn3_rights],
    }


def _status(value: str) -> Status:
    found = _STATUSES.get(value.strip().lower())
    if found is None:
        raise not_valid("status", value)
    return found


def _used_at(body: Mapping[str, Any]) -> dt.datetime | None:
    """When it was used; None: now. In UTC where it does not say otherwise."""
    said = optional_text_of(body, "usedAt").strip()
    try:
        at = dt.datetime.fromisoformat(said) if said else None
        return at if at is None or at.tzinfo else at.replace(tzinfo=dt.UTC)
    except ValueError:
        raise unreadable("usedAt", "System.DateTimeOffset") from None
