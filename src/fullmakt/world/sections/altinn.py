"""Service owners, resources, access lists, delegations and rights, kept by ``fullmakt.altinn``."""

from __future__ import annotations

import json
from typing import Any, Protocol

from fullmakt.altinn.delegations.declarations import Declarations
from fullmakt.altinn.resources.access_lists.model import DeclaredList, ListReference
from fullmakt.altinn.resources.access_lists.service import AccessLists
from fullmakt.altinn.resources.model import StoredResource
from fullmakt.altinn.resources.service import ResourcesService
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn.attributes import ORGANISATION, Attribute
from fullmakt.wire.altinn.resource_registry import ResourceDocument
from fullmakt.wire.altinn.resource_registry import ServiceOwner as OwnerDocument
from fullmakt.world.model import AccessList, Connection, Delegation, Entry, Kind, Resource, Right, ServiceOwner, World
from fullmakt.world.names import Names
from fullmakt.world.parse_altinn import canonical

PLATFORM = "altinn_"
"""How the names of the platform's own resources begin; they are always there, and in no world file."""


class Rights(Protocol):
    """Altinn's systems that keep rights."""

    @property
    def resources(self) -> ResourcesService: ...

    @property
    def access_lists(self) -> AccessLists: ...

    @property
    def declarations(self) -> Declarations: ...


class AltinnSection:
    """Altinn's registers, the parties aside, as a ``WorldSection``."""

    kinds = (Kind.SERVICE_OWNER, Kind.RESOURCE, Kind.ACCESS_LIST, Kind.DELEGATION, Kind.RIGHT)

    def __init__(self, rights: Rights) -> None:
        self._resources = rights.resources
        self._lists = rights.access_lists.declarations
        self._delegations = rights.declarations

    async def current(self, names: Names | None) -> World:
        """What there is of the named; delegations and rights all of them."""
        owners = await self._resources.service_owners()
        lists = await self._lists.lists(None if names is None else [ListReference(*one) for one in names.access_lists])
        return World(
            service_owners=tuple(
                _owner(code, owner) for code, owner in owners.items() if names is None or code in names.service_owners
            ),
            resources=tuple([await self._resource(one) for one in await self._documents(names)]),
            access_lists=tuple(map(_list, lists)),
            delegations=tuple(
                Delegation(one.consumer, one.supplier, one.resource)
                for one in await self._delegations.api_delegations()
            ),
            rights=tuple(
                Right(one.giver, one.receiver, one.resource, tuple(sorted(one.actions)))
                for one in await self._delegations.rights()
                if one.instance is None
            ),
        )

    async def apply(self, entry: Entry) -> None:
        """Declare it as the operator."""
        match entry:
            case ServiceOwner():
                await self._resources.declare_service_owner(
                    entry.code, OwnerDocument(name=dict(entry.name), orgnr=str(entry.organisation))
                )
            case Resource():
                policy = entry.policy.encode() if entry.policy is not None else None
                await self._resources.declare_resource(await self._document(entry), policy)
            case AccessList():
                await self._lists.declare_list(
                    entry.owner,
                    entry.identifier,
                    entry.name,
                    entry.description,
                    members=[Attribute(ORGANISATION, str(member)) for member in entry.members],
                    connections={one.resource: one.actions for one in entry.connections},
                )
            case Delegation():
                await self._delegations.declare_api_delegation(entry.consumer, entry.supplier, entry.resource)
            case Right():
                await self._delegations.declare_right(entry.giver, entry.receiver, entry.resource, entry.actions)
            case _:
                raise TypeError(f"Altinn keeps no {type(entry).__name__} here")

    async def _documents(self, names: Names | None) -> list[StoredResource]:
        if names is None:
            stored = await self._resources.documents(migrated_apps=True)
        else:
            found = [await self._resources.document(name) for name in sorted(names.resources)]
            stored = [one for one in found if one is not None]
        return [one for one in stored if not one.identifier.startswith(PLATFORM)]

    async def _resource(self, stored: StoredResource) -> Resource:
        policy = await self._resources.policies.policy(stored.identifier)
        authority = stored.document.get("hasCompetentAuthority") or {}
        return Resource(
            stored.identifier,
            str(authority.get("orgcode", "")),
            canonical(stored.document),
            policy.xml.decode() if policy is not None else None,
        )

    async def _document(self, resource: Resource) -> ResourceDocument:
        """The document with its owner as the list of service owners has it."""
        owner = (await self._resources.service_owners()).get(resource.owner)
        authority: dict[str, Any] = {"orgcode": resource.owner}
        if owner is not None:
            authority |= {"organization": owner.orgnr, "name": dict(owner.name)}
        members = {**json.loads(resource.document), "identifier": resource.identifier}
        return ResourceDocument.model_validate({**members, "hasCompetentAuthority": authority})


def _owner(code: str, owner: OwnerDocument) -> ServiceOwner:
    return ServiceOwner(code, OrgNumber(owner.orgnr), tuple(sorted(owner.name.items())))


def _list(declared: DeclaredList) -> AccessList:
    return AccessList(
        declared.reference.owner,
        declared.reference.identifier,
        declared.name,
        declared.description,
        tuple(
            sorted(
                OrgNumber(member.identity.orgno)
                for member in declared.members
                if member.identity is not None and member.identity.orgno
            )
        ),
        tuple(
            sorted(
                (Connection(resource, tuple(sorted(actions))) for resource, actions in declared.connections.items()),
                key=str,
            )
        ),
    )
