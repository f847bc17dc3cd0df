"""Delegations as a world file declares them: by number, exactly as told, whoever may do what."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from fullmakt.altinn.delegations import changes
from fullmakt.altinn.delegations.errors import UnknownPartyError, UnknownResourceError
from fullmakt.altinn.delegations.model import OPERATOR, Offer, StoredRight
from fullmakt.altinn.delegations.ports import Parties, Resources
from fullmakt.altinn.delegations.service import DelegationsService, api_offer
from fullmakt.kernel.declarations import Outcome
from fullmakt.kernel.identifiers import NationalId, OrgNumber
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.parties import PartyIdentity
from fullmakt.wire.altinn.resources import MASKINPORTEN_SCHEMA

Number = OrgNumber | NationalId


@dataclass(frozen=True, slots=True)
class DeclaredRight:
    """``giver`` lets ``receiver`` do ``actions`` on ``resource``."""

    giver: Number
    receiver: Number
    resource: str
    actions: frozenset[str]
    instance: str | None = None


@dataclass(frozen=True, slots=True)
class DeclaredApiDelegation:
    """``consumer`` lets ``supplier`` fetch tokens with the scopes of ``resource``."""

    consumer: OrgNumber
    supplier: OrgNumber
    resource: str


class Declarations:
    """What the operator says there is. Rights that were passed on are no declarations: they are neither made nor listed
    here."""

    def __init__(self, service: DelegationsService, *, parties: Parties, resources: Resources) -> None:
        self._service = service
        self._parties = parties
        self._resources = resources

    async def declare_api_delegation(self, consumer: OrgNumber, supplier: OrgNumber, resource: str) -> Outcome:
        """Delegate an API, and take the supplier up among the consumer's.

        Raises:
            UnknownPartyError: one of the organisations is not registered.
            UnknownResourceError: there is no such resource of type MaskinportenSchema.
            DelegationRefusedError: both are the same.
        """
        giver, receiver = await self._both(("consumer", consumer), ("supplier", supplier))
        found = await self._resources.resource(resource)
        if found is None or found.resource_type != MASKINPORTEN_SCHEMA:
            raise UnknownResourceError(f"no resource of type {MASKINPORTEN_SCHEMA} is called {resource[:255]!r}")
        return await self._service.delegate_api([api_offer(giver, receiver, found)], OPERATOR, connect=True)

    async def declare_right(
        self,
        giver: Number,
        receiver: Number,
        resource: str,
        actions: Collection[str],
        *,
        instance: str | None = None,
    ) -> Outcome:
        """Let ``receiver`` do exactly ``actions`` on ``resource`` for ``giver``.

        Raises:
            UnknownPartyError: one of the parties is not registered.
            UnknownResourceError: the resource is not registered.
            DelegationRefusedError: both are the same, or an action is none.
        """
        from_, to = await self._both(("giver", giver), ("receiver", receiver))
        if await self._resources.resource(resource) is None:
            raise UnknownResourceError(f"no resource is called {resource[:255]!r}")
        offer = Offer(from_.party_uuid, to.party_uuid, resource, frozenset(actions), instance)
        async with self._service.work.changing() as change:
            return await changes.give(change, offer, OPERATOR, exactly=True)

    async def api_delegations(self) -> list[DeclaredApiDelegation]:
        """Every API delegation."""
        found = await self._service.stored()
        return [
            DeclaredApiDelegation(one.api.consumer, one.api.supplier, one.right.resource)
            for one in found
            if one.api is not None
        ]

    async def rights(self) -> list[DeclaredRight]:
        """Every right that one registered party has given another, API delegations and what was passed on left out."""
        found = [one for one in await self._service.stored() if one.api is None and one.right.passed_on_from is None]
        numbers = await self._numbers(found)
        return [
            DeclaredRight(numbers[right.giver], numbers[right.receiver], right.resource, right.actions, right.instance)
            for right in (one.right for one in found)
            if right.giver in numbers and right.receiver in numbers
        ]

    async def _numbers(self, found: Collection[StoredRight]) -> dict[object, Number]:
        uuids = {uuid for one in found for uuid in (one.right.giver, one.right.receiver)}
        known = await self._parties.identify([Attribute(ids.PARTY_UUID, str(uuid)) for uuid in uuids])
        return {party.party_uuid: number for party in known.values() if (number := party.orgno or party.national_id)}

    async def _both(self, *named: tuple[str, Number]) -> list[PartyIdentity]:
        wanted = {field: _attribute(number) for field, number in named}
        known = await self._parties.identify(list(wanted.values()))
        for field, attribute in wanted.items():
            if attribute not in known:
                raise UnknownPartyError(field, f"the {field} is not registered")
        return [known[attribute] for attribute in wanted.values()]


def _attribute(number: Number) -> Attribute:
    return Attribute(ids.ORGANISATION if isinstance(number, OrgNumber) else ids.PERSON, str(number))
