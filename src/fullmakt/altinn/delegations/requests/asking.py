"""What may be asked for, by whom and of whom: every check before a request is made."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from fullmakt.altinn.delegations.errors import INVALID_RIGHT_KEY
from fullmakt.altinn.delegations.policies import actions_of
from fullmakt.altinn.delegations.ports import Packages, Parties, Resources
from fullmakt.altinn.delegations.requests import rules
from fullmakt.altinn.delegations.requests.errors import (
    NO_CONNECTION,
    NOT_ASSIGNABLE,
    NOT_DELEGABLE,
    OTHERS_RESOURCE,
    OWNERS_UNKNOWN_PACKAGE,
    OWNERS_UNKNOWN_RESOURCE,
    SELF_REQUEST,
    UNKNOWN_PACKAGE,
    UNKNOWN_PARTY,
    UNKNOWN_RESOURCE,
    Fault,
)
from fullmakt.altinn.delegations.requests.granting import fits
from fullmakt.altinn.delegations.requests.model import ServiceOwner, Wish
from fullmakt.altinn.delegations.service import DelegationsService
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.parties import PartyIdentity
from fullmakt.wire.altinn.problems import AltinnProblemError
from fullmakt.wire.altinn.resources import MASKINPORTEN_SCHEMA, RegisteredResource


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks for, as it came: parties by any attribute, a resource or a package by its reference.

    ``receiver`` and ``giver`` come with the path of the member that named them, for the error that tells of it.
    """

    receiver: tuple[Attribute, str]
    giver: tuple[Attribute, str]
    resources: tuple[str, ...] = ()
    package: str | None = None
    right_keys: Collection[str] = ()
    path: str = "/resource"


class Asking:
    """Turns what was asked for into a wish that holds."""

    def __init__(
        self,
        delegations: DelegationsService,
        parties: Parties,
        resources: Resources,
        packages: Packages,
    ) -> None:
        self._delegations = delegations
        self._parties = parties
        self._resources = resources
        self._packages = packages

    async def of_service_owner(self, asked: Asked, owner: ServiceOwner) -> Wish:
        """What a service owner may ask for on somebody's behalf: its own resources, and any package.

        Raises:
            AltinnValidationError: ``AMSO.VLD`` 02, 03, 04 or 06, ``AM.VLD`` 45, 48 or 49.
            AltinnProblemError: a right key is none of the resources' policies' (AM-00036).
        """
        receiver, giver = await self._both(asked, UNKNOWN_PARTY)
        keys: set[str] = set()
        for identifier in asked.resources:
            resource = await self._resource(identifier, OWNERS_UNKNOWN_RESOURCE, asked.path)
            if resource.owner_orgno != owner.orgno and (owner.code is None or resource.owner_code != owner.code):
                raise OTHERS_RESOURCE.at(asked.path)
            if not fits(resource, giver, receiver):
                raise NOT_DELEGABLE.at(asked.path)
            keys.update(f"{resource.identifier}:{action}" for action in await actions_of(resource.policy))
        wish = self._wish(asked, receiver, giver, OWNERS_UNKNOWN_PACKAGE)
        if not wish.actions <= keys:
            raise AltinnProblemError(INVALID_RIGHT_KEY)
        return wish

    async def of_end_user(self, asked: Asked) -> Wish:
        """What a party may ask another for: they must be connected, save when a supplier asks for an API, which is how
        the two come to be.

        Raises:
            AltinnValidationError: ``AM.VLD`` 11, 12, 41, 45, 48 or 49.
        """
        receiver, giver = await self._both(asked, NO_CONNECTION)
        resources = [await self._resource(name, UNKNOWN_RESOURCE, asked.path) for name in asked.resources]
        if not all(fits(resource, giver, receiver) for resource in resources):
            raise NOT_DELEGABLE.at(asked.path)
        wish = self._wish(asked, receiver, giver, UNKNOWN_PACKAGE)
        is_api = bool(resources) and all(resource.resource_type == MASKINPORTEN_SCHEMA for resource in resources)
        if not is_api and not await self._connected(receiver.party_uuid, giver.party_uuid):
            raise NO_CONNECTION.at(asked.giver[1])
        return wish

    async def _both(self, asked: Asked, unknown: Fault) -> Sequence[PartyIdentity]:
        named = (asked.receiver, asked.giver)
        known = await self._parties.identify([attribute for attribute, _ in named])
        for attribute, path in named:
            if attribute not in known:
                raise unknown.at(path)
        receiver, giver = (known[attribute] for attribute, _ in named)
        if receiver.party_uuid == giver.party_uuid:
            raise SELF_REQUEST.at(asked.giver[1])
        return receiver, giver

    async def _resource(self, identifier: str, unknown: Fault, path: str) -> RegisteredResource:
        # Not every text can be looked up: PostgreSQL holds no NUL.
        resource = await self._resources.resource(identifier) if identifier.isprintable() else None
        if resource is None:
            raise unknown.at(path)
        return resource

    def _wish(self, asked: Asked, receiver: PartyIdentity, giver: PartyIdentity, unknown: Fault) -> Wish:
        package = None
        if asked.package is not None:
            known = self._packages.package(asked.package)
            if known is None:
                raise unknown.at(asked.path)
            if not known.assignable:
                raise NOT_ASSIGNABLE.at(asked.path)
            package = known.name
        keys = frozenset(rules.right_key(asked.resources, key) for key in asked.right_keys)
        return Wish(receiver.party_uuid, giver.party_uuid, asked.resources, package, keys)

    async def _connected(self, receiver: UUID, giver: UUID) -> bool:
        """By a role in the register, or because the giver has taken the receiver up or given it something."""
        held = await self._parties.held(receiver, giver)
        if held.roles or held.packages:
            return True
        if await self._delegations.connections(giver=giver, receiver=receiver):
            return True
        return bool(await self._delegations.stored(giver=giver, receiver=receiver))


def party(uuid: UUID) -> Attribute:
    """A party by its UUID."""
    return Attribute(ids.PARTY_UUID, str(uuid))
