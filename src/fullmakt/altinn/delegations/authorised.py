"""Whom somebody can act for, and by what: the "avgiverliste" (altinn-authorization.md §14.1)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from fullmakt.altinn.delegations.ports import Authority, Parties, Resources
from fullmakt.altinn.delegations.service import DelegationsService
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.delegations import DelegatedRight
from fullmakt.wire.altinn.parties import HeldRights, PartyIdentity
from fullmakt.wire.altinn.resources import MASKINPORTEN_SCHEMA


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look for, and what to tell of it.

    ``only`` are the parties asked about (None: any); ``owner`` the code of a service owner whose resources alone are
    told of. Without ``via_key_roles`` what an organisation has been given is nobody else's.
    """

    via_key_roles: bool = True
    sub_parties: bool = True
    only: frozenset[UUID] | None = None
    owner: str | None = None
    resources: frozenset[str] = frozenset()


@dataclass(slots=True)
class AuthorisedParty:
    """A party that one can act for: by roles and packages, by resources, by single instances of them.

    ``only_hierarchy``: it is there for the sake of the units below it, and gives no access itself.
    """

    party: PartyIdentity
    roles: set[Attribute] = field(default_factory=set)
    packages: set[Attribute] = field(default_factory=set)
    resources: set[str] = field(default_factory=set)
    instances: set[tuple[str, str]] = field(default_factory=set)
    only_hierarchy: bool = False
    subunits: list[AuthorisedParty] = field(default_factory=list)


class AuthorisedParties:
    """Puts the list together from the register and what has been delegated."""

    def __init__(
        self, service: DelegationsService, parties: Parties, resources: Resources, authority: Authority
    ) -> None:
        self._service = service
        self._parties = parties
        self._resources = resources
        self._authority = authority

    async def of(self, holder: UUID, wanted: Wanted) -> list[AuthorisedParty]:
        """Whom ``holder``, a party or a system user, can act for, units below their main unit."""
        receivers = [holder]
        if wanted.via_key_roles:
            receivers += [one for one in await self._parties.key_role_organisations(holder) if one != holder]
        found = await self._by_register(receivers)
        await self._add_delegated(found, receivers, wanted)
        chosen = {
            uuid: one
            for uuid, one in found.items()
            if (wanted.only is None or uuid in wanted.only) and await self._leads_to(holder, one, wanted.resources)
        }
        return await self._in_hierarchy(chosen, wanted)

    async def _by_register(self, receivers: Iterable[UUID]) -> dict[UUID, AuthorisedParty]:
        found: dict[UUID, AuthorisedParty] = {}
        for receiver in receivers:
            for party, rights in await self._parties.held_by(receiver):
                _hold(found, party, rights)
        return found

    async def _add_delegated(
        self, found: dict[UUID, AuthorisedParty], receivers: Collection[UUID], wanted: Wanted
    ) -> None:
        rights = await self._told(await self._service.givers_to(receivers), wanted)
        packages = await self._service.delegated_packages(receivers=receivers)
        givers = {one.giver for one in rights} | {one.giver for one in packages}
        known = await self._identified(givers - found.keys())
        found.update({uuid: AuthorisedParty(party) for uuid, party in known.items()})
        for package in packages:
            if package.giver in found:
                found[package.giver].packages.add(Attribute(ids.ACCESS_PACKAGE, package.package))
        for right in rights:
            if right.giver not in found:
                continue
            if right.instance is None:
                found[right.giver].resources.add(right.resource)
            else:
                found[right.giver].instances.add((right.resource, right.instance))

    async def _told(self, rights: Collection[DelegatedRight], wanted: Wanted) -> list[DelegatedRight]:
        """A right to fetch tokens is none to act for somebody in a service."""
        known = await self._resources.resources({one.resource for one in rights}) if rights else {}
        return [
            one
            for one in rights
            if (resource := known.get(one.resource)) is not None
            and resource.resource_type != MASKINPORTEN_SCHEMA
            and (wanted.owner is None or resource.owner_code.lower() == wanted.owner.lower())
        ]

    async def _leads_to(self, holder: UUID, one: AuthorisedParty, resources: Collection[str]) -> bool:
        """True when ``holder`` may do anything on any of ``resources`` for that party, or when none are asked about."""
        if not resources or not one.resources.isdisjoint(resources):
            return True
        known = await self._identified([holder])
        subject = [Attribute(ids.PARTY_UUID if known else ids.SYSTEM_USER, str(holder))]
        for resource in resources:
            decisions = await self._authority.delegable_actions(subject, resource, one.party.party_uuid)
            if any(decision.permitted for decision in decisions.values()):
                return True
        return False

    async def _in_hierarchy(self, chosen: dict[UUID, AuthorisedParty], wanted: Wanted) -> list[AuthorisedParty]:
        units = [one for one in chosen.values() if one.party.parent is not None]
        missing = {one.party.parent for one in units if one.party.parent is not None} - chosen.keys()
        if wanted.sub_parties:
            for uuid, party in (await self._identified(missing)).items():
                chosen[uuid] = AuthorisedParty(party, only_hierarchy=True)
        tops: list[AuthorisedParty] = []
        for one in chosen.values():
            above = chosen.get(one.party.parent) if one.party.parent is not None else None
            if one.party.parent is None:
                tops.append(one)
            elif wanted.sub_parties and above is not None:
                above.subunits.append(one)
        return sorted(tops, key=lambda one: one.party.party_id)

    async def _identified(self, uuids: Collection[UUID]) -> Mapping[UUID, PartyIdentity]:
        attributes = [Attribute(ids.PARTY_UUID, str(uuid)) for uuid in uuids]
        parties = (await self._parties.identify(attributes)).values() if attributes else ()
        return {party.party_uuid: party for party in parties}


def _hold(found: dict[UUID, AuthorisedParty], party: PartyIdentity, rights: HeldRights) -> None:
    entry = found.setdefault(party.party_uuid, AuthorisedParty(party))
    entry.roles |= rights.roles
    entry.packages |= rights.packages
