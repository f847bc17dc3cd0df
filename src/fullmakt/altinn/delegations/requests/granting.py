"""What approving a request gives: worked out before the transaction, given in it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from fullmakt.altinn.delegations import access, changes, connections
from fullmakt.altinn.delegations.access import Standing
from fullmakt.altinn.delegations.model import ApiParties, ConnectionRole, Offer, Performer
from fullmakt.altinn.delegations.ports import Authority, Packages, Parties, Resources
from fullmakt.altinn.delegations.requests import rules
from fullmakt.altinn.delegations.requests.errors import (
    NOT_ASSIGNABLE,
    NOT_DELEGABLE,
    UNKNOWN_PACKAGE,
    UNKNOWN_RESOURCE,
)
from fullmakt.altinn.delegations.requests.model import AccessRequest, Wish
from fullmakt.altinn.delegations.service import DelegationsService
from fullmakt.altinn.delegations.work import Change
from fullmakt.infra.altinn import ForbiddenError
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.parties import PartyIdentity
from fullmakt.wire.altinn.resources import MASKINPORTEN_SCHEMA, RegisteredResource


@dataclass(frozen=True, slots=True)
class Gift:
    """What the receiver gets when a request is approved."""

    wish: Wish
    offers: tuple[Offer, ...] = ()

    async def give(self, change: Change, by: Performer) -> None:
        """Delegate, inside the transaction that approves."""
        giver, receiver = self.wish.giver, self.wish.receiver
        if self.wish.package is not None:
            await connections.give_package(change, giver, receiver, self.wish.package, by)
        for offer in self.offers:
            role = ConnectionRole.SUPPLIER if offer.api else ConnectionRole.RIGHTHOLDER
            await changes.give(change, offer, by)  # first: it takes the lock that changes to connections wait for
            await connections.connect(change, giver, receiver, role, by)


class Granting:
    """Finds out what somebody can give of what is asked for."""

    def __init__(
        self,
        delegations: DelegationsService,
        parties: Parties,
        resources: Resources,
        packages: Packages,
        authority: Authority,
    ) -> None:
        self._delegations = delegations
        self._parties = parties
        self._resources = resources
        self._packages = packages
        self._authority = authority

    async def gift(self, request: AccessRequest, caller: Caller, keys: Collection[str] | None) -> Gift:
        """What ``caller`` can give; ``keys`` is the choice among the rights, None for all.

        Raises:
            ForbiddenError: nothing, or it is the approver who asks and is no main administrator.
            AltinnValidationError: what is asked for has gone, or may no longer be given on.
        """
        wish = request.wish
        standing = await access.standing(self._parties, self._delegations, caller, wish.giver)
        if standing.holder == wish.receiver and not standing.main_administrator:
            raise ForbiddenError("own_request")
        if wish.package is not None:
            self._check_package(wish.package, standing)
            return Gift(wish)
        offers = [
            offer
            for resource in wish.resources
            if rules.is_chosen(resource, keys)
            for offer in await self._offers(wish, resource, caller, keys)
        ]
        if not offers:
            raise ForbiddenError("nothing_chosen")
        return Gift(wish, tuple(offers))

    def _check_package(self, name: str, standing: Standing) -> None:
        package = self._packages.package(name)
        if package is None:
            raise UNKNOWN_PACKAGE.at("/$QUERY/id")
        if not package.assignable:
            raise NOT_ASSIGNABLE.at("/$QUERY/id")
        found = standing.to_give(package)
        if not found.permitted:
            raise ForbiddenError("package_not_held", package=name, why=list(found.reasons))

    async def _offers(self, wish: Wish, identifier: str, caller: Caller, keys: Collection[str] | None) -> list[Offer]:
        """One for the rights that the caller gives by a role, and one for each delegation it has them by."""
        resource = await self._resources.resource(identifier)
        if resource is None:
            raise UNKNOWN_RESOURCE.at("/$QUERY/id")
        if not resource.delegable:
            raise NOT_DELEGABLE.at("/$QUERY/id")
        is_api = resource.resource_type == MASKINPORTEN_SCHEMA
        found = await access.delegable(self._authority, caller, resource, wish.giver, api=is_api)
        permitted = {one.action: one.standing_on for one in found if one.permitted}
        actions = rules.given_actions(wish, identifier, permitted, keys)
        if not actions:
            reasons = {one.action: list(one.reasons) for one in found if not one.permitted}
            raise ForbiddenError("nothing_delegable", resource=identifier, reasons=reasons)
        api = await self._api_parties(wish) if is_api else None
        sources = dict.fromkeys(permitted[action] for action in sorted(actions))
        return [
            Offer(
                wish.giver,
                wish.receiver,
                identifier,
                frozenset(action for action in actions if permitted[action] == source),
                passed_on_from=source,
                api=api,
                registered=resource.registered if api else None,
            )
            for source in sources
        ]

    async def _api_parties(self, wish: Wish) -> ApiParties:
        consumer, supplier = Attribute(ids.PARTY_UUID, str(wish.giver)), Attribute(ids.PARTY_UUID, str(wish.receiver))
        known = await self._parties.identify([consumer, supplier])
        api = api_parties(known.get(consumer), known.get(supplier))
        if api is None:
            raise NOT_DELEGABLE.at("/$QUERY/id")
        return api


def api_parties(consumer: PartyIdentity | None, supplier: PartyIdentity | None) -> ApiParties | None:
    """Both sides of an API delegation, None unless both are organisations."""
    if consumer is None or supplier is None or consumer.orgno is None or supplier.orgno is None:
        return None
    return ApiParties(consumer.orgno, supplier.orgno)


def fits(resource: RegisteredResource, giver: PartyIdentity, receiver: PartyIdentity) -> bool:
    """True when the resource may go from the one to the other: an API only between organisations."""
    is_api = resource.resource_type == MASKINPORTEN_SCHEMA
    return resource.delegable and (not is_api or api_parties(giver, receiver) is not None)
