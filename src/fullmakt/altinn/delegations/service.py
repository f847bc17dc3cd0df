"""Use cases: delegate, pass on, withdraw and look up. Whether the one who asks may do so is ``access``'s question."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from fullmakt.altinn.delegations import changes, connections, facilitators, rules, store, store_connections
from fullmakt.altinn.delegations.errors import DelegationRefusedError
from fullmakt.altinn.delegations.model import (
    ApiParties,
    Connection,
    ConnectionRole,
    DelegatedPackage,
    Offer,
    Performer,
    Selection,
    StoredRight,
)
from fullmakt.altinn.delegations.policies import actions_of
from fullmakt.altinn.delegations.ports import Holdings, Resources
from fullmakt.altinn.delegations.rules import SCOPE_ACCESS
from fullmakt.altinn.delegations.work import Work
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import Clock, NewId
from fullmakt.kernel.declarations import Outcome
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.delegations import ApiDelegation, DelegatedRight, RightsQuestion
from fullmakt.wire.altinn.parties import PartyIdentity
from fullmakt.wire.altinn.resources import RegisteredResource


class DelegationsService:
    """What one party has let another do. Doing again what is already so does nothing and leaves no trace."""

    def __init__(
        self, database: Database, clock: Clock, new_id: NewId, *, resources: Resources, parties: Holdings
    ) -> None:
        self._database = database
        self._parties = parties
        self.work = Work(database, clock, new_id)
        self._resources = resources

    async def rights(self, receivers: Collection[UUID], giver: UUID, resource: str) -> tuple[DelegatedRight, ...]:
        """What ``receivers`` have been given on ``giver``'s behalf, oldest first, and the links it came by."""
        question = (frozenset(receivers), giver, resource)
        return (await self.rights_of([question]))[question]

    async def rights_of(
        self, questions: Collection[RightsQuestion]
    ) -> dict[RightsQuestion, tuple[DelegatedRight, ...]]:
        """The same for many questions, all by one statement."""
        async with self._database.transaction() as connection:
            found = await store.rights(connection, questions)
        return rules.answers_to(questions, found)

    async def givers_to(self, receivers: Collection[UUID]) -> tuple[DelegatedRight, ...]:
        """Everything that ``receivers`` have been given by anybody."""
        async with self._database.transaction() as connection:
            return await store.given_to(connection, receivers)

    async def rights_on(self, giver: UUID, resource: str) -> tuple[DelegatedRight, ...]:
        """Everything that anybody has been given on ``giver``'s behalf on one resource."""
        async with self._database.transaction() as connection:
            return await store.on(connection, giver, resource)

    async def stored(
        self, *, giver: UUID | None = None, receiver: UUID | None = None, resource: str | None = None
    ) -> tuple[StoredRight, ...]:
        """Delegations of ``giver``, to ``receiver``, on ``resource``, and who carried them out; None leaves it open."""
        async with self._database.transaction() as connection:
            return await store.between(connection, giver, receiver, resource)

    async def api_delegations(
        self, *, supplier: OrgNumber | None = None, consumer: OrgNumber | None = None, scope: str | None = None
    ) -> tuple[ApiDelegation, ...]:
        """API delegations to ``supplier``, from ``consumer``, of resources with ``scope``; None leaves it open.

        It counts for nothing when the resource is no longer a MaskinportenSchema, when its policy lets nobody have
        ``ScopeAccess``, and when the resource was registered anew after it was made.
        """
        of_scope = None
        if scope is not None:
            of_scope = {one.identifier: one for one in await self._resources.resources_with_scope(scope)}
            if not of_scope:
                return ()
        async with self._database.transaction() as connection:
            found = await store.api(connection, supplier, consumer, of_scope)
        if of_scope is None:
            of_scope = await self._resources.resources({one.right.resource for one in found}) if found else {}
        permitted = {name: await actions_of(resource.policy) for name, resource in of_scope.items()}
        return tuple(
            _api_delegation(one, one.api, resource)
            for one in found
            if one.api is not None
            and (resource := of_scope.get(one.right.resource)) is not None
            and rules.carries_scopes(resource, permitted[resource.identifier], one.right.created)
        )

    async def delegated_scopes(self, pairs: Collection[tuple[str, str]]) -> dict[tuple[str, str], frozenset[str]]:
        """By supplier and consumer, the scopes of every API that the consumer has delegated to the supplier.

        All of ``pairs`` take two statements; those between whom nothing is delegated are left out.
        """
        async with self._database.transaction() as connection:
            found = await store.delegated_apis(connection, pairs)
        resources = await self._resources.resources({one.resource for one in found}) if found else {}
        scopes: dict[tuple[str, str], frozenset[str]] = {}
        for one in found:
            resource = resources.get(one.resource)
            if resource is not None and rules.carries_scopes(resource, await actions_of(resource.policy), one.newest):
                pair = one.supplier, one.consumer
                scopes[pair] = scopes.get(pair, frozenset()).union(resource.scopes)
        return scopes

    async def packages(self, receivers: Collection[UUID], giver: UUID) -> frozenset[Attribute]:
        """The access packages that ``giver`` has given any of ``receivers``."""
        found = await self.delegated_packages(receivers=receivers, giver=giver)
        return frozenset(Attribute(ids.ACCESS_PACKAGE, one.package) for one in found)

    async def delegated_packages(
        self, *, receivers: Collection[UUID] | None = None, giver: UUID | None = None
    ) -> tuple[DelegatedPackage, ...]:
        """Access packages given to ``receivers``, by ``giver``; None leaves it open.

        One that came through a facilitator is there only while the facilitator holds it itself.
        """
        async with self._database.transaction() as connection:
            found = await store_connections.packages(connection, receivers, giver)
            gifts = await facilitators.gifts(connection, found)
        return await facilitators.in_force(found, gifts, self._parties)

    async def connections(
        self, *, giver: UUID | None = None, receiver: UUID | None = None, role: ConnectionRole | None = None
    ) -> tuple[Connection, ...]:
        """Connections from ``giver``, to ``receiver``, of ``role``; None leaves it open."""
        async with self._database.transaction() as connection:
            return await store_connections.connections(connection, giver, receiver, role)

    async def delegate(self, offer: Offer, by: Performer) -> Outcome:
        """Let the offer stand, besides what has been given before.

        Raises:
            DelegationRefusedError: it can not be passed on so.
            UnknownDelegationError: what it stands on is not in force.
        """
        async with self.work.changing() as change:
            return await changes.give(change, offer, by)

    async def delegate_all(self, offers: Collection[Offer], by: Performer, *, only: Selection | None = None) -> None:
        """Let all of the offers stand, or none; of ``only`` what is in none of the offers is taken back.

        Raises:
            DelegationRefusedError: one of them can not be passed on so.
            UnknownDelegationError: what one of them stands on is not in force.
        """
        async with self.work.changing() as change:
            if only is not None:
                kept = {action for offer in offers for action in offer.actions}
                await changes.take_all_but(change, only, kept, by)
            for offer in offers:
                await changes.give(change, offer, by)

    async def withdraw(self, selection: Selection, by: Performer) -> int:
        """Take back what is selected and whatever was passed on of it; the number of delegations concerned."""
        async with self.work.changing() as change:
            return await changes.take(change, selection, by)

    async def delegate_api(self, offers: Collection[Offer], by: Performer, *, connect: bool = False) -> Outcome:
        """Let the supplier of the offers fetch tokens with the scopes of their resource on behalf of the consumer.

        There is one offer for each way in which the one who gives it has the right; all have the same two parties (see
        ``api_offer``). ``connect`` takes the supplier up among the consumer's; otherwise it must be there.

        Raises:
            DelegationRefusedError: the two are not connected, or an offer can not be passed on so.
            UnknownDelegationError: what an offer stands on is not in force.
        """
        ((giver, receiver),) = {(offer.giver, offer.receiver) for offer in offers}
        async with self.work.changing() as change:
            await store.lock_giver(change.connection, giver)
            if connect:
                await connections.connect(change, giver, receiver, ConnectionRole.SUPPLIER, by)
            elif not await connections.is_connected(change, giver, receiver, ConnectionRole.SUPPLIER):
                raise DelegationRefusedError("not_connected", "the supplier is not among the consumer's")
            outcomes = {await changes.give(change, offer, by) for offer in offers}
        return outcomes.pop() if len(outcomes) == 1 else Outcome.CHANGED

    async def connect(self, giver: UUID, receiver: UUID, role: ConnectionRole, by: Performer) -> Connection:
        """Take ``receiver`` up among those that ``giver`` delegates to.

        Raises:
            DelegationRefusedError: both are the same.
        """
        async with self.work.changing() as change:
            await store.lock_giver(change.connection, giver)  # else whoever parts them gets in between
            await connections.connect(change, giver, receiver, role, by)
            (found,) = await store_connections.connections(change.connection, giver, receiver, role)
            return found

    async def part(self, giver: UUID, receiver: UUID, role: ConnectionRole, by: Performer, *, cascade: bool) -> bool:
        """Take ``receiver`` out from among those that ``giver`` delegates to; False when it was not there.

        Raises:
            DelegationRefusedError: something is still delegated, and ``cascade`` does not say to take that back too.
        """
        async with self.work.changing() as change:
            return await connections.part(change, giver, receiver, role, by, cascade=cascade)

    async def give_package(self, giver: UUID, receiver: UUID, package: str, by: Performer) -> bool:
        """Let ``receiver`` have the access package ``package`` of ``giver``; False when it has.

        Raises:
            DelegationRefusedError: both are the same, or the name is none.
        """
        async with self.work.changing() as change:
            return await connections.give_package(change, giver, receiver, package, by)

    async def take_packages(self, giver: UUID, receiver: UUID, package: str | None, by: Performer) -> bool:
        """Take one package back, or all (None); False when there was none."""
        async with self.work.changing() as change:
            return bool(await connections.take_packages(change, giver, receiver, package, by))


def api_offer(
    consumer: PartyIdentity,
    supplier: PartyIdentity,
    resource: RegisteredResource,
    actions: Collection[str] = (SCOPE_ACCESS,),
    passed_on_from: UUID | None = None,
) -> Offer:
    """An API delegation.

    Raises:
        DelegationRefusedError: one of the two is no organisation, or they are the same.
    """
    if consumer.orgno is None or supplier.orgno is None:
        raise DelegationRefusedError("not_an_organisation", "an API is delegated from one organisation to another")
    return Offer(
        giver=consumer.party_uuid,
        receiver=supplier.party_uuid,
        resource=resource.identifier,
        actions=frozenset(actions),
        passed_on_from=passed_on_from,
        api=ApiParties(consumer.orgno, supplier.orgno),
        registered=resource.registered,
    )


def _api_delegation(stored: StoredRight, api: ApiParties, resource: RegisteredResource) -> ApiDelegation:
    return ApiDelegation(
        consumer=api.consumer,
        supplier=api.supplier,
        resource=resource.identifier,
        delegation_scheme_id=resource.delegation_scheme_id,
        scopes=resource.scopes,
        created=stored.right.created,
    )
