"""People whom the portal's reader may say to be, where nobody logs in; and parties as pages name them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

from fullmakt.altinn.decisions.service import DecisionPoint
from fullmakt.altinn.delegations.access import ACCESS_MANAGEMENT, PORTAL_SCOPE
from fullmakt.altinn.parties.service import PartiesService
from fullmakt.kernel.identifiers import NationalId, OrgNumber
from fullmakt.portal.forms import Person
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.parties import PartyIdentity, PartyKind
from fullmakt.world.model import shown as shown_number

_LEVEL = 4
"""Whoever is picked counts as having proved who they are as well as one can."""


class PickedPeople:
    """Those who see to a party's affairs, each as a caller of the systems' use cases."""

    def __init__(self, decisions: DecisionPoint, parties: PartiesService) -> None:
        self._decisions = decisions
        self._parties = parties

    async def able(self, action: str, party: UUID) -> tuple[Person, ...]:
        """Those who may ``read`` what the party has given and been asked for, or ``write``: change and answer it."""
        found = await self._decisions.who_can(action, ACCESS_MANAGEMENT, party)
        return _people(one.party for one in found.able if one.party is not None)

    async def with_roles(self, organisation: OrgNumber) -> tuple[Person, ...]:
        """Those who hold any role of the register's in the organisation."""
        roles = await self._parties.roles_in([organisation])
        numbers = dict.fromkeys(role.holder for role in roles if isinstance(role.holder, NationalId))
        found = await self._parties.identify([Attribute(ids.PERSON, number) for number in numbers])
        return _people(found.values())

    async def caller(self, person: UUID) -> Caller | None:
        """The person, as one who has logged in; None when there is no such person."""
        name = party_named(person)
        known = (await self._parties.identify([name])).get(name)
        if known is None or known.kind is not PartyKind.PERSON:
            return None
        return Caller(
            scopes=frozenset({PORTAL_SCOPE}),
            user_id=known.user_id,
            party_id=known.party_id,
            party_uuid=known.party_uuid,
            auth_level=_LEVEL,
        )

    async def labels(self, names: Collection[Attribute]) -> Mapping[Attribute, str]:
        """What pages call these parties; one that is not in the register is called by what names it."""
        known = await self._parties.identify(names)
        return {name: _label(known.get(name), name) for name in names}


def party_named(uuid: UUID) -> Attribute:
    """How a party is asked for by its UUID."""
    return Attribute(ids.PARTY_UUID, str(uuid))


def _label(party: PartyIdentity | None, name: Attribute) -> str:
    if party is None:  # gone from the register, or a service owner that never was in it
        return name.value
    return f"{party.name} ({party.orgno})" if party.orgno else party.name


def _people(parties: Iterable[PartyIdentity]) -> tuple[Person, ...]:
    people = [one for one in parties if one.kind is PartyKind.PERSON]
    return tuple(Person(one.party_uuid, one.name, _number(one)) for one in people)


def _number(person: PartyIdentity) -> str:
    return shown_number(person.national_id) if person.national_id is not None else ""
