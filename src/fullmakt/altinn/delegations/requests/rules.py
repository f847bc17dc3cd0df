"""What may become of a request, and what approving it gives. Pure.

Source: altinn-authorization.md §15.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

from fullmakt.altinn.delegations.requests.errors import WRONG_PARTY, WRONG_STATUS, Fault
from fullmakt.altinn.delegations.requests.model import AccessRequest, Move, RequestStatus, Wish
from fullmakt.wire.altinn.attributes import ORGANISATION, PERSON, Attribute

_FROM: dict[Move, frozenset[RequestStatus]] = {
    Move.CONFIRM: frozenset({RequestStatus.DRAFT}),
    Move.WITHDRAW: frozenset({RequestStatus.DRAFT, RequestStatus.PENDING}),
    Move.APPROVE: frozenset({RequestStatus.PENDING}),
    Move.REJECT: frozenset({RequestStatus.PENDING}),
}
_TO = {
    Move.CONFIRM: RequestStatus.PENDING,
    Move.WITHDRAW: RequestStatus.WITHDRAWN,
    Move.APPROVE: RequestStatus.APPROVED,
    Move.REJECT: RequestStatus.REJECTED,
}
_BY_RECEIVER = frozenset({Move.CONFIRM, Move.WITHDRAW})


def moved(request: AccessRequest, move: Move, party: UUID | None) -> RequestStatus | Fault:
    """The status that follows when ``party`` makes the move (None: the service owner, for the receiver), or the fault.

    The party is looked at first: how the request stands is nothing to who has no part in the move.
    """
    turn = request.wish.receiver if move in _BY_RECEIVER else request.wish.giver
    if party is not None and party != turn:
        return WRONG_PARTY
    return _TO[move] if request.status in _FROM[move] else WRONG_STATUS


def shown_to(request: AccessRequest, party: UUID) -> bool:
    """True when ``party`` has a part in the request and may know of it: the giver not before it was sent."""
    return party == request.wish.receiver or (party == request.wish.giver and request.sent is not None)


def who_asks(from_: Attribute, to: Attribute) -> tuple[Attribute, Attribute]:
    """Receiver and giver where clients put them either way round: of a person and an organisation, the person asks.

    Otherwise ``from`` needs access and ``to`` can give it.
    """
    if from_.id == ORGANISATION and to.id == PERSON:
        return to, from_
    return from_, to


def given_actions(
    wish: Wish, resource: str, delegable: Collection[str], keys: Collection[str] | None
) -> frozenset[str]:
    """The actions that approving gives on a resource: the delegable ones that were asked for and, of those, chosen.

    ``keys`` are the approver's choice as right keys, None for all.
    """
    asked = _of(resource, wish.actions) if wish.actions else None
    chosen = _of(resource, keys) if keys is not None else None
    return frozenset(
        action for action in delegable if (asked is None or action in asked) and (chosen is None or action in chosen)
    )


def is_chosen(resource: str, keys: Collection[str] | None) -> bool:
    """True unless the approver chose rights and none of them is on the resource."""
    return keys is None or bool(_of(resource, keys))


def _of(resource: str, keys: Iterable[str]) -> frozenset[str]:
    prefix = f"{resource}:"
    return frozenset(key.removeprefix(prefix) for key in keys if key.startswith(prefix))


def right_key(resources: Sequence[str], key: str) -> str:
    """``<resource>:<action>``, of a key, or of an action alone on the first of ``resources``."""
    return key if any(key.startswith(f"{resource}:") for resource in resources) else f"{resources[0]}:{key}"
