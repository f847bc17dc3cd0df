"""Requests for access as the portal shows them, and lets picked people answer them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from fullmakt.altinn.delegations.requests.model import AccessRequest, RequestStatus
from fullmakt.altinn.delegations.requests.service import RequestsService
from fullmakt.altinn.resources.service import ResourcesService
from fullmakt.infra.altinn import ForbiddenError
from fullmakt.portal.forms import Asked, web_address
from fullmakt.portal.requests import Answer, NotAnsweredError, ShownRequest
from fullmakt.serve.picked_people import PickedPeople, party_named
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.problems import AltinnValidationError

_ANSWERS = {
    RequestStatus.DRAFT: (Answer.CONFIRM, Answer.WITHDRAW),
    RequestStatus.PENDING: (Answer.APPROVE, Answer.REJECT),
}


class _Move(Protocol):
    async def __call__(self, request_id: UUID, party: UUID, caller: Caller) -> AccessRequest: ...


class RequestDesk:
    """The portal's ``AccessRequests``, on access management."""

    def __init__(self, requests: RequestsService, people: PickedPeople, resources: ResourcesService) -> None:
        self._requests = requests
        self._people = people
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
        receiver, giver = party_named(request.wish.receiver), party_named(request.wish.giver)
        owner = Attribute(ids.ORGANISATION, request.owner) if request.owner else receiver
        labels = await self._people.labels([receiver, giver, owner])
        answers = _ANSWERS.get(request.status, ())
        return ShownRequest(
            request_id=request_id,
            status=request.status,
            receiver=labels[receiver],
            giver=labels[giver],
            by=labels[owner],
            asked=await self._asked(request),
            answers=answers,
            people=await self._people.able("write", _turn(request)) if answers else (),
            message=request.letter.message,
            back=web_address(request.letter.redirect_url),
        )

    async def answer(self, request_id: UUID, answer: Answer, person: UUID) -> None:
        """Let the person answer, as the party whose turn it is.

        Raises:
            NotAnsweredError: it was not taken.
        """
        request = await self._requests.kept(request_id)
        caller = await self._people.caller(person)
        if request is None or caller is None:
            raise NotAnsweredError(changed=False)
        if answer not in _ANSWERS.get(request.status, ()):
            raise NotAnsweredError(changed=True)
        try:
            await self._moves[answer](request_id, _turn(request), caller)
        except ForbiddenError as error:
            raise NotAnsweredError(changed=False) from error
        except AltinnValidationError as error:
            raise NotAnsweredError(changed=True) from error

    async def _asked(self, request: AccessRequest) -> tuple[Asked, ...]:
        wish = request.wish
        if wish.package is not None:
            return (Asked(wish.package, {}),)
        known = await self._resources.resources(wish.resources)
        return tuple(
            Asked(name, dict(known[name].title) if name in known else {}, tuple(_actions(wish.actions, name)))
            for name in wish.resources
        )


def _turn(request: AccessRequest) -> UUID:
    """Whose it is to answer: the receiver's to send it, then the giver's."""
    return request.wish.receiver if request.status is RequestStatus.DRAFT else request.wish.giver


def _actions(keys: frozenset[str], resource: str) -> Sequence[str]:
    prefix = f"{resource}:"
    return sorted(key.removeprefix(prefix) for key in keys if key.startswith(prefix))
