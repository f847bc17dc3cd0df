"""What there is between a party and each of the others: connections, roles, packages, resources."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from fullmakt.altinn.delegations.http.context import AccessManagement
from fullmakt.altinn.delegations.model import Connection, ConnectionRole, DelegatedPackage
from fullmakt.altinn.delegations.ports import AccessPackage
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.delegations import DelegatedRight
from fullmakt.wire.altinn.parties import HeldRights, PartyIdentity
from fullmakt.wire.altinn.resources import RegisteredResource

_Given = Connection | DelegatedPackage | DelegatedRight

REGISTER_ROLES = frozenset({ids.ROLE_CCR, ids.ROLE_CRA})


@dataclass(slots=True)
class Overview:
    """Another party, and all that it has from the one asked about, or has given it."""

    other: PartyIdentity
    connections: list[ConnectionRole] = field(default_factory=list)
    roles: list[Attribute] = field(default_factory=list)
    packages: list[tuple[str, AccessPackage | None]] = field(default_factory=list)
    resources: list[RegisteredResource] = field(default_factory=list)
    instances: list[tuple[RegisteredResource, str]] = field(default_factory=list)


async def overview(
    system: AccessManagement, giver: UUID | None, receiver: UUID | None, *, to_others: bool
) -> list[Overview]:
    """What ``giver`` has given ``receiver``; one of the two may be open. ``to_others``: the giver is the one asked
    about."""
    party, other = (giver, receiver) if to_others else (receiver, giver)
    if party is None:
        return []
    found: dict[UUID, Overview] = {}
    for identity, held in await _by_register(system, party, to_others=to_others):
        found[identity.party_uuid] = Overview(identity, roles=_register_roles(held))
    connections = await system.service.connections(giver=giver, receiver=receiver, role=ConnectionRole.RIGHTHOLDER)
    rights = [one for one in await system.service.stored(giver=giver, receiver=receiver) if one.api is None]
    packages = await system.service.delegated_packages(receivers=None if receiver is None else [receiver], giver=giver)
    rests_on: list[_Given] = [*connections, *packages, *(one.right for one in rights)]
    others = {_other(one, to_others) for one in rests_on}
    # System users, who are no registered parties, have a list of their own (§8 of Altinn's authentication).
    for uuid, identity in (await system.by_uuid(others - found.keys())).items():
        found[uuid] = Overview(identity)
    for connection in connections:
        if (entry := found.get(_other(connection, to_others))) is not None:
            entry.connections.append(connection.role)
    for package in packages:
        if (entry := found.get(_other(package, to_others))) is not None:
            entry.packages.append((package.package, system.packages.package(package.package)))
    await _add_resources(system, found, [one.right for one in rights], to_others)
    return [one for uuid, one in found.items() if other is None or uuid == other]


async def _by_register(
    system: AccessManagement, party: UUID, *, to_others: bool
) -> tuple[tuple[PartyIdentity, HeldRights], ...]:
    if to_others:
        return await system.parties.holders(party)
    return tuple((one, held) for one, held in await system.parties.held_by(party) if one.party_uuid != party)


def _register_roles(held: HeldRights) -> list[Attribute]:
    return sorted(role for role in held.roles if role.id in REGISTER_ROLES)


def _other(one: _Given, to_others: bool) -> UUID:
    return one.receiver if to_others else one.giver


async def _add_resources(
    system: AccessManagement, found: dict[UUID, Overview], rights: list[DelegatedRight], to_others: bool
) -> None:
    known = await system.resources.resources({one.resource for one in rights}) if rights else {}
    for one in rights:
        resource, entry = known.get(one.resource), found.get(_other(one, to_others))
        if resource is None or entry is None:
            continue
        if one.instance is not None:
            entry.instances.append((resource, one.instance))
        elif resource not in entry.resources:
            entry.resources.append(resource)
