"""What system users ask of their neighbours."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.delegations import Given, GivenKind, Giving
from fullmakt.wire.altinn.parties import HeldRights, PartyIdentity
from fullmakt.wire.altinn.resources import RegisteredResource
from fullmakt.wire.altinn.xacml_json import DueObligation


class Parties(Protocol):
    """The register of parties."""

    async def identify(self, attributes: Collection[Attribute]) -> dict[Attribute, PartyIdentity]:
        """Who is meant by each attribute; unknown ones are left out."""
        ...

    async def held(self, holder: UUID, party: UUID) -> HeldRights:
        """What ``holder`` holds in ``party`` by the register."""
        ...


class Resources(Protocol):
    """The resource registry."""

    async def resources(self, identifiers: Collection[str]) -> dict[str, RegisteredResource]:
        """Those of ``identifiers`` that are registered."""
        ...


class ScopesOfResources(Protocol):
    """The resource registry, by the scopes that resources refer to."""

    async def identifiers_with_scope(self, scope: str) -> Sequence[str]:
        """The identifiers of the resources, of any type, that refer to the Maskinporten scope, by name; a hundred at
        the most."""
        ...


class AccessPackage(Protocol):
    """An access package of the role metadata."""

    @property
    def name(self) -> str:
        """What ``urn:altinn:accesspackage:`` ends with."""
        ...

    @property
    def delegable(self) -> bool:
        """Whoever holds it may give it on."""
        ...

    @property
    def assignable(self) -> bool:
        """It may be given to another by name."""
        ...


class Packages(Protocol):
    """The access packages that there are."""

    def package(self, identifier: str) -> AccessPackage | None:
        """The package with that name, URN or id."""
        ...


class Decision(Protocol):
    """What the decision point says, and why."""

    @property
    def permitted(self) -> bool:
        """True when it may be done."""
        ...

    @property
    def reason(self) -> str:
        """The machine-readable reason."""
        ...

    @property
    def facts(self) -> Mapping[str, Any]:
        """What was compared."""
        ...

    @property
    def obligations(self) -> Sequence[DueObligation]:
        """What whoever acts on a permit must see to."""
        ...


class Authority(Protocol):
    """The decision point. ``actor`` is who asks, for the audit trail."""

    async def may(
        self, subject: Sequence[Attribute], action: str, resource: str, party: UUID, *, actor: str = ""
    ) -> Decision:
        """May ``subject`` do ``action`` on ``resource`` for ``party``?"""
        ...

    async def delegable_actions(
        self, subject: Sequence[Attribute], resource: str, party: UUID, *, actor: str = ""
    ) -> Mapping[str, Decision]:
        """For each action of the resource's policy: may ``subject`` do it for ``party``?"""
        ...

    async def delegable_actions_on(
        self, subject: Sequence[Attribute], resources: Collection[str], party: UUID, *, actor: str = ""
    ) -> Mapping[str, Mapping[str, Decision]]:
        """The same for each of ``resources``, in one question."""
        ...


class GivenClient(Protocol):
    """A package that a system user has been given, and whose it is."""

    @property
    def receiver(self) -> UUID:
        """The system user."""
        ...

    @property
    def giver(self) -> UUID:
        """The party."""
        ...


class Rights(Protocol):
    """Access management, as far as system users are concerned. What is checked is checked before a transaction; what
    is given or taken goes into the caller's, once in each, and before the caller announces anything itself."""

    async def check(
        self, caller: Caller, party: UUID, *, resources: Collection[str] = (), packages: Collection[str] = ()
    ) -> tuple[Giving, ...]:
        """What ``caller`` may give a standard system user on behalf of ``party``, in the order asked.

        Raises:
            ForbiddenError: the caller is nobody in particular.
        """
        ...

    async def check_clients(self, facilitator: UUID, client: UUID, packages: Collection[str]) -> tuple[Giving, ...]:
        """May ``facilitator`` give its agent these packages of ``client``?"""
        ...

    async def declared(self, *, resources: Collection[str] = (), packages: Collection[str] = ()) -> tuple[Giving, ...]:
        """The same as the operator declares it: whatever there is, whoever may."""
        ...

    async def clients(self, facilitator: UUID, packages: Collection[str] = ()) -> dict[UUID, frozenset[str]]:
        """By client, the delegable packages that ``facilitator`` holds there, where it holds all of ``packages``."""
        ...

    async def change(
        self,
        connection: AsyncConnection,
        system_user: UUID,
        giver: UUID,
        *,
        give: Collection[Giving] = (),
        take: Collection[tuple[GivenKind, str]] = (),
        via: UUID | None = None,
        actor: str,
        user_id: int | None = None,
    ) -> int:
        """Give and take back for one giver; the number of changes.

        Raises:
            GivingRefusedError: it is not permitted, or no longer.
        """
        ...

    async def take_all(
        self,
        connection: AsyncConnection,
        system_user: UUID,
        *,
        giver: UUID | None = None,
        via: UUID | None = None,
        actor: str,
        user_id: int | None = None,
    ) -> int:
        """Take back all it has been given: by ``giver``, through ``via``; None: by anybody."""
        ...

    async def given(
        self, system_user: UUID, *, giver: UUID | None = None, via: UUID | None = None
    ) -> tuple[Given, ...]:
        """What it has been given, oldest first; outside a transaction."""
        ...

    async def kept(self, connection: AsyncConnection, system_user: UUID) -> tuple[Given, ...]:
        """What it has been given, as the transaction sees it; that which has stopped to count is there as the rest."""
        ...


class ClientsOfAgents(Protocol):
    """Access management, asked who sees to a party's affairs."""

    async def delegated_packages(self, *, giver: UUID) -> Sequence[GivenClient]:
        """The packages in force that anybody has been given in ``giver``."""
        ...


class PlatformTokens(Protocol):
    """Tells the platform's own components apart."""

    async def issuer_of(self, token: str) -> str:
        """Who issued a ``PlatformAccessToken``: ``platform``, or an org code.

        Raises:
            InvalidCallerError: the token is not to be believed.
        """
        ...


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Everybody whom the system users ask."""

    parties: Parties
    resources: Resources
    packages: Packages
    scopes: ScopesOfResources
    authority: Authority
    rights: Rights
    clients_of_agents: ClientsOfAgents

    async def organisation(self, orgno: OrgNumber) -> PartyIdentity | None:
        """The organisation with that number."""
        return await self._party(Attribute(ids.ORGANISATION, orgno))

    async def party(self, party_id: int) -> PartyIdentity | None:
        """The party with that id."""
        return await self._party(Attribute(ids.PARTY_ID, str(party_id)))

    async def party_of(self, party_uuid: UUID) -> PartyIdentity | None:
        """The party with that UUID."""
        return await self._party(Attribute(ids.PARTY_UUID, str(party_uuid)))

    async def organisations(self, party_uuids: Collection[UUID]) -> dict[UUID, PartyIdentity]:
        """Those of the parties that are registered organisations."""
        found = await self.parties.identify([Attribute(ids.PARTY_UUID, str(one)) for one in party_uuids])
        return {one.party_uuid: one for one in found.values() if one.orgno is not None}

    async def _party(self, attribute: Attribute) -> PartyIdentity | None:
        return (await self.parties.identify([attribute])).get(attribute)
