"""Requests for access as the portal shows them, and lets picked people answer them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from urllib.parse import urlsplit
from uuid import UUID

from fullmakt.altinn.decisions.service import DecisionPoint
from fullmakt.altinn.delegations.access import ACCESS_MANAGEMENT, PORTAL_SCOPE
from fullmakt.altinn.delegations.requests.model import AccessRequest, RequestStatus
from fullmakt.altinn.delegations.requests.service import RequestsService
from fullmakt.altinn.parties.service import PartiesService
from fullmakt.altinn.resources.service import ResourcesService
from fullmakt.infra.altinn import ForbiddenError
from fullmakt.portal.requests import Answer, Asked, NotAnsweredError, Person, ShownRequest
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.parties import PartyIdentity, PartyKind
from fullmakt.wire.altinn.problems import AltinnValidationError
from fullmakt.world.model import shown as shown_number

_LEVEL = 4
"""Whoever is picked counts as having proved who they are as well as one can."""
_ANSWERS = {
    RequestStatus.DRAFT: (Answer.CONFIRM, Answer.WITHDRAW),
    RequestStatus.PENDING: (Answer.APPROVE, Answer.REJECT),
}


class _Move(Protocol):
    async def __call__(self, request_id: UUID, party: UUID, caller: Caller) -> AccessRequest: ...


class RequestDesk:
    """The portal's ``AccessRequests``, on access management."""

    def __init__(
        self, requests: RequestsService, decisions: DecisionPoint, parties: PartiesService, resources: ResourcesService
    ) -> None:
        self._requests = requests
        self._decisions = decisions
        self._parties = parties
        self._resources = resources
        self._moves: dict[Answer, _Move] = {
            Answer.CONFIRM: requests.confirm,
            Answer.WITHDRAW: requests.withdraw,
            Answer.APPROVE: requests.approve,
            Answer.REJECT: requests.reject,
        }

    async def shown(self, request_id: UUID) -> ShownRequest | None:
        """The request, with those who may answer it."""
        request = await self._requests.kept(request_id)
        if request is None:
            return None
        receiver, giver = _party(request.wish.receiver), _party(request.wish.giver)
        owner = Attribute(ids.ORGANISATION, request.owner) if request.owner else receiver
        known = await self._parties.identify([receiver, giver, owner])
        answers = _ANSWERS.get(request.status, ())
        return ShownRequest(
            request_id=request_id,
            status=request.status,
            receiver=_label(known, receiver),
            giver=_label(known, giver),
            by=_label(known, owner),
            asked=await self._asked(request),
            answers=answers,
            people=await self._people(_turn(request)) if answers else (),
            message=request.letter.message,
            back=_web_address(request.letter.redirect_url),
        )

    async def answer(self, request_id: UUID, answer: Answer, person: UUID) -> None:
        """Let the person answer, as the party whose turn it is.

        Raises:
            NotAnsweredError: it was not taken.
        """
        name = _party(person)
        request = await self._requests.kept(request_id)
        known = (await self._parties.identify([name])).get(name)
        if request is None or known is None or known.kind is not PartyKind.PERSON:
            raise NotAnsweredError(changed=False)
        if answer not in _ANSWERS.get(request.status, ()):
            raise NotAnsweredError(changed=True)
        try:
            await self._moves[answer](request_id, _turn(request), _caller(known))
        except ForbiddenError as error:
            raise NotAnsweredError(changed=False) from error
        except AltinnValidationError as error:
            raise NotAnsweredError(changed=True) from error

    async def _people(self, party: UUID) -> tuple[Person, ...]:
        """Those who may see to the requests of ``party``."""
        able = await self._decisions.who_can("write", ACCESS_MANAGEMENT, party)
        people = [one.party for one in able if one.party is not None and one.party.kind is PartyKind.PERSON]
        return tuple(Person(one.party_uuid, one.name, _number(one)) for one in people)

    async def _asked(self, request: AccessRequest) -> tuple[Asked, ...]:
        wish = request.wish
        if wish.package is not None:
            return (Asked(wish.package, {}),)
        known = await self._resources.resources(wish.resources)
        return tuple(
            Asked(name, dict(known[name].title) if name in known else {}, tuple(_actions(wish.actions, name)))
            for name in wish.resources
        )


def _party(uuid: UUID) -> Attribute:
    return Attribute(ids.PARTY_UUID, str(uuid))


def _turn(request: AccessRequest) -> UUID:
    """Whose it is to answer: the receiver's to send it, then the giver's."""
    return request.wish.receiver if request.status is RequestStatus.DRAFT else request.wish.giver


def _caller(person: PartyIdentity) -> Caller:
    return Caller(
        scopes=frozenset({PORTAL_SCOPE}),
        user_id=person.user_id,
        party_id=person.party_id,
        party_uuid=person.party_uuid,
        auth_level=_LEVEL,
    )


def _actions(keys: frozenset[str], resource: str) -> Sequence[str]:
    prefix = f"{resource}:"
    return sorted(key.removeprefix(prefix) for key in keys if key.startswith(prefix))


def _label(known: dict[Attribute, PartyIdentity], name: Attribute) -> str:
    party = known.get(name)
    if party is None:  # gone from the register, or a service owner that never was in it
        return name.value
    return f"{party.name} ({party.orgno})" if party.orgno else party.name


def _number(person: PartyIdentity) -> str:
    return shown_number(person.national_id) if person.national_id is not None else ""


def _web_address(url: str) -> str:
    """The URL if it is one of the web, where alone a link may lead."""
    try:
        return url if urlsplit(url).scheme in {"http", "https"} else ""
    except ValueError:
        return ""
