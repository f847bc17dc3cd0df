"""Use cases: ask, confirm, withdraw, approve, reject, and look up."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from uuid import UUID

from fullmakt.altinn.delegations import access
from fullmakt.altinn.delegations.access import ACCESS_MANAGEMENT
from fullmakt.altinn.delegations.model import Performer
from fullmakt.altinn.delegations.ports import Authority, Packages, Parties, Resources
from fullmakt.altinn.delegations.requests import rules, store
from fullmakt.altinn.delegations.requests.asking import Asked, Asking
from fullmakt.altinn.delegations.requests.errors import UNKNOWN_REQUEST, Fault
from fullmakt.altinn.delegations.requests.granting import Gift, Granting
from fullmakt.altinn.delegations.requests.model import (
    AccessRequest,
    Letter,
    Move,
    Place,
    RequestStatus,
    Selection,
    ServiceOwner,
    Wish,
)
from fullmakt.altinn.delegations.service import DelegationsService
from fullmakt.altinn.delegations.work import Change
from fullmakt.infra.altinn import ForbiddenError
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn.callers import Caller

PAGE_SIZE = 100
_ID_PATH = "/$QUERY/id"


class RequestsService:
    """Requests for access. Moves that race wait for one another, and all but the first find the request moved."""

    def __init__(
        self,
        delegations: DelegationsService,
        *,
        parties: Parties,
        resources: Resources,
        packages: Packages,
        authority: Authority,
    ) -> None:
        self.parties = parties
        self.packages = packages
        self._work = delegations.work
        self._authority = authority
        self._asking = Asking(delegations, parties, resources, packages)
        self._granting = Granting(delegations, parties, resources, packages, authority)

    # -- asking -------------------------------------------------------------------------------------------------------

    async def draft_for(self, asked: Asked, owner: ServiceOwner, letter: Letter | None = None) -> AccessRequest:
        """A service owner's draft on somebody's behalf; asked again, the one there is.

        Raises:
            AltinnValidationError: as ``Asking.of_service_owner``.
        """
        wish = await self._asking.of_service_owner(asked, owner)
        return await self._keep(wish, RequestStatus.DRAFT, owner.actor, owner.orgno, letter or Letter())

    async def ask(self, asked: Asked, receiver: UUID, caller: Caller) -> AccessRequest:
        """A party's own request, sent at once; asked again, the one there is.

        Raises:
            ForbiddenError: ``caller`` may not see to the receiver's requests.
            AltinnValidationError: as ``Asking.of_end_user``.
        """
        await self._check(caller, "write", receiver)
        wish = await self._asking.of_end_user(asked)
        return await self._keep(wish, RequestStatus.PENDING, caller.actor, None, Letter())

    async def _keep(
        self, wish: Wish, status: RequestStatus, actor: str, owner: OrgNumber | None, letter: Letter
    ) -> AccessRequest:
        async with self._work.changing() as change:
            while True:
                sent = change.now if status is RequestStatus.PENDING else None
                request = AccessRequest(
                    change.fresh_id(), wish, status, owner, letter, change.now, change.now, None, sent
                )
                if await store.insert(change.connection, request):
                    _tell(change, "request:create", request, actor)
                    return request
                known = await store.open_one(change.connection, wish, owner)
                if known is not None:  # else it was answered in between, and may be asked anew
                    return known

    # -- moving -------------------------------------------------------------------------------------------------------

    async def confirm(self, request_id: UUID, party: UUID, caller: Caller) -> AccessRequest:
        """Send a draft, as ``party``, which it was made for.

        Raises:
            ForbiddenError: ``caller`` may not see to the party's requests.
            AltinnValidationError: ``AM.VLD`` 35, 36 or 44; so with every move.
        """
        await self._check(caller, "write", party)
        return await self._move(request_id, Move.CONFIRM, party, caller.actor)

    async def withdraw(self, request_id: UUID, party: UUID, caller: Caller) -> AccessRequest:
        """Take a request back, as ``party``, whose it is."""
        await self._check(caller, "write", party)
        return await self._move(request_id, Move.WITHDRAW, party, caller.actor)

    async def reject(self, request_id: UUID, party: UUID, caller: Caller) -> AccessRequest:
        """Say no, as ``party``, which was asked."""
        await self._check(caller, "write", party)
        return await self._move(request_id, Move.REJECT, party, caller.actor)

    async def approve(
        self, request_id: UUID, party: UUID, caller: Caller, right_keys: Collection[str] | None = None
    ) -> AccessRequest:
        """Say yes, as ``party``, which was asked: what ``caller`` can give of it, or ``right_keys`` of that, is given.

        Raises:
            ForbiddenError: there is nothing that ``caller`` can give.
        """
        await self._check(caller, "write", party)
        request = await self._known(request_id)
        _decided(request, Move.APPROVE, party)
        try:
            # Before the transaction: the decision point reads the database too, by connections of its own.
            gift = await self._granting.gift(request, caller, right_keys)
        except ForbiddenError as error:
            await self.refused(caller, "request:approve", str(request_id), error)
            raise
        return await self._move(request_id, Move.APPROVE, party, caller.actor, gift, caller.user_id)

    async def withdraw_for(self, request_id: UUID, owner: ServiceOwner) -> AccessRequest:
        """Take back a request that the service owner made.

        Raises:
            ForbiddenError: somebody else did.
            AltinnValidationError: ``AM.VLD`` 35 or 36.
        """
        request = await self._of_owner(request_id, owner, "request:withdraw")
        return await self._move(request.request_id, Move.WITHDRAW, None, owner.actor)

    async def _move(
        self,
        request_id: UUID,
        move: Move,
        party: UUID | None,
        actor: str,
        gift: Gift | None = None,
        user_id: int | None = None,
    ) -> AccessRequest:
        async with self._work.changing() as change:
            request = await store.get(change.connection, request_id, lock=True)
            if request is None:
                raise UNKNOWN_REQUEST.at(_ID_PATH)
            status = _decided(request, move, party)
            moved = await store.set_status(change.connection, request_id, status, party, change.now)
            if gift is not None:
                await gift.give(change, Performer(actor, user_id))
            _tell(change, f"request:{move}", moved, actor)
            return moved

    # -- looking up ---------------------------------------------------------------------------------------------------

    async def request(self, request_id: UUID, party: UUID, caller: Caller) -> AccessRequest:
        """A request that ``party`` has a part in.

        Raises:
            ForbiddenError: it has none, there is no such request, or ``caller`` may not see the party's.
        """
        await self._check(caller, "read", party)
        async with self._work.database.transaction() as connection:
            request = await store.get(connection, request_id)
        if request is None or not rules.shown_to(request, party):
            raise ForbiddenError("no_part_in_it")
        return request

    async def draft(self, request_id: UUID, caller: Caller) -> AccessRequest:
        """A draft made for a party whose requests ``caller`` may see: what the page at ``detailsLink`` shows.

        Raises:
            ForbiddenError: it was made for somebody else.
            AltinnValidationError: ``AM.VLD`` 35, or 36 when it is no draft any more.
        """
        request = await self._known(request_id)
        await self._check(caller, "read", request.wish.receiver)
        _decided(request, Move.CONFIRM, request.wish.receiver)
        return request

    async def kept(self, request_id: UUID) -> AccessRequest | None:
        """A request, for pages that show it before they know who looks; None when there is none."""
        async with self._work.database.transaction() as connection:
            return await store.get(connection, request_id)

    async def of_service_owner(self, request_id: UUID, owner: ServiceOwner) -> AccessRequest:
        """A request that the service owner made.

        Raises:
            ForbiddenError: somebody else did.
            AltinnValidationError: ``AM.VLD`` 35.
        """
        return await self._of_owner(request_id, owner, "request:read")

    async def sent(
        self, party: UUID, selection: Selection, caller: Caller, after: Place | None = None
    ) -> list[AccessRequest]:
        """A page of what ``party`` asks of others, oldest first."""
        await self._check(caller, "read", party)
        return await self.page(replace(selection, receiver=party), after)

    async def received(
        self, party: UUID, selection: Selection, caller: Caller, after: Place | None = None
    ) -> list[AccessRequest]:
        """A page of what others ask of ``party``, drafts left out, oldest first."""
        await self._check(caller, "read", party)
        return await self.page(replace(selection, giver=party, sent=True), after)

    async def count_sent(self, party: UUID, selection: Selection, caller: Caller) -> int:
        """How many there are of ``sent``."""
        await self._check(caller, "read", party)
        return await self._count(replace(selection, receiver=party))

    async def count_received(self, party: UUID, selection: Selection, caller: Caller) -> int:
        """How many there are of ``received``."""
        await self._check(caller, "read", party)
        return await self._count(replace(selection, giver=party, sent=True))

    async def page(self, selection: Selection, after: Place | None = None) -> list[AccessRequest]:
        """A page of the selected requests, for who has seen to it that the caller may have them."""
        async with self._work.database.transaction() as connection:
            return await store.page(connection, selection, after, PAGE_SIZE)

    async def _count(self, selection: Selection) -> int:
        async with self._work.database.transaction() as connection:
            return await store.count(connection, selection)

    async def _known(self, request_id: UUID) -> AccessRequest:
        request = await self.kept(request_id)
        if request is None:
            raise UNKNOWN_REQUEST.at(_ID_PATH)
        return request

    async def _of_owner(self, request_id: UUID, owner: ServiceOwner, action: str) -> AccessRequest:
        request = await self._known(request_id)
        if request.owner != owner.orgno:
            await self._work.refused(owner.actor, action, str(request_id), "made_by_another")
            raise ForbiddenError("made_by_another")
        return request

    # -- who may ------------------------------------------------------------------------------------------------------

    async def _check(self, caller: Caller, action: str, party: UUID) -> None:
        try:
            await access.require(self._authority, caller, action, ACCESS_MANAGEMENT, party)
        except ForbiddenError as error:
            await self.refused(caller, f"request:{action}", str(party), error)
            raise

    async def refused(self, caller: Caller, action: str, subject: str, error: ForbiddenError) -> None:
        """Keep in the audit trail that the caller was refused."""
        await self._work.refused(caller.actor, action, subject, error.reason, refusal=error.facts)


def _decided(request: AccessRequest, move: Move, party: UUID | None) -> RequestStatus:
    outcome = rules.moved(request, move, party)
    if isinstance(outcome, Fault):
        raise outcome.at("/$QUERY/party" if outcome.code.endswith("44") else _ID_PATH)
    return outcome


def _tell(change: Change, action: str, request: AccessRequest, actor: str) -> None:
    wish = request.wish
    change.tell(
        actor,
        action,
        str(request.request_id),
        f"request:{request.request_id}",
        status=str(request.status),
        receiver=str(wish.receiver),
        giver=str(wish.giver),
        asked=[*wish.resources, *([wish.package] if wish.package else [])],
    )
