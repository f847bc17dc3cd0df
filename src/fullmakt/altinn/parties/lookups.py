"""What the other systems ask: who somebody is, what they hold, and what has changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from uuid import UUID

from fullmakt.altinn.parties import store_rights
from fullmakt.altinn.parties.metadata.load import published
from fullmakt.altinn.parties.metadata.model import Metadata
from fullmakt.altinn.parties.metadata.rules import (
    PRIVATE_PERSON,
    HeldRole,
    RightsTable,
    known_packages,
    known_roles,
)
from fullmakt.infra import feed
from fullmakt.infra.database import Database
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.parties import TOPIC, HeldRights, PartyIdentity, PartyKind

_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,10}", re.ASCII)
_ORGNO = re.compile(r"[0-9]{9}", re.ASCII)
_NATIONAL_ID = re.compile(r"[0-9]{11}", re.ASCII)
_LARGEST = 2**31 - 1
"""PostgreSQL's integer."""

_NOTHING = HeldRights()


class PartyLookups:
    """Answers from the register and the role metadata. Every method takes one statement, however much is asked."""

    def __init__(self, database: Database, metadata: Metadata | None = None) -> None:
        self._database = database
        self._rights = RightsTable(metadata or published())
        self._known = known_roles(self._rights.metadata) | known_packages(self._rights.metadata)

    @property
    def metadata(self) -> Metadata:
        """The role metadata that decides what a role gives."""
        return self._rights.metadata

    async def identify(self, attributes: Collection[Attribute]) -> dict[Attribute, PartyIdentity]:
        """The registered parties that ``attributes`` name, left out those that name none.

        Read are the attribute ids of organisations and people, their UUIDs, party ids and user ids
        (altinn-authorization.md §3). A UUID under ``urn:altinn:person:uuid`` names no organisation, nor the reverse.
        """
        wanted = _wanted(attributes)
        if wanted is None:
            return {}
        async with self._database.transaction() as connection:
            found = await store_rights.identify(connection, wanted)
        by_name = {name: party for party in found for name in _names(party)}
        return {
            attribute: by_name[name]
            for attribute in attributes
            if (name := _canonical(attribute)) is not None and name in by_name
        }

    async def held(self, holder: UUID, party: UUID) -> HeldRights:
        """What ``holder`` holds in ``party``, in a sub-unit by its main unit too; nothing when either is unknown.

        A person is ``privatperson`` to themselves. Roles are a person's alone; access packages anybody's: an accountant
        holds those of accountants in its client.
        """
        async with self._database.transaction() as connection:
            holding = await store_rights.held(connection, holder, party)
        if holding is None:
            return _NOTHING
        return self._applied(holding.roles, by_person=holding.by_person, itself=holding.itself)

    async def holders(self, party: UUID) -> tuple[tuple[PartyIdentity, HeldRights], ...]:
        """Everybody who holds anything in ``party``, and what, in the order they were registered."""
        async with self._database.transaction() as connection:
            found = await store_rights.holders(connection, party)
        rights = (
            (holder, self._applied(roles, by_person=_is_person(holder), itself=holder.party_uuid == party))
            for holder, roles in found.items()
        )
        return tuple((holder, held) for holder, held in rights if held != _NOTHING)

    async def held_by(self, holder: UUID) -> tuple[tuple[PartyIdentity, HeldRights], ...]:
        """Every party in which ``holder`` holds anything, and what: sub-units, and a person's self, among them."""
        async with self._database.transaction() as connection:
            found = await store_rights.held_by(connection, holder)
        by_person = any(_is_person(party) for party in found)  # to whom a person is a party is that person
        rights = (
            (party, self._applied(roles, by_person=by_person, itself=party.party_uuid == holder))
            for party, roles in found.items()
        )
        return tuple((party, held) for party, held in rights if held != _NOTHING)

    async def key_role_organisations(self, person: UUID) -> tuple[UUID, ...]:
        """Organisations that ``person`` acts for by a key role, with their sub-units, in the order they came."""
        async with self._database.transaction() as connection:
            return await store_rights.key_role_organisations(connection, person, self.metadata.key_roles)

    async def key_role_people(self, organisations: Collection[UUID]) -> tuple[PartyIdentity, ...]:
        """The people who act for any of the organisations by a key role, in the order they came."""
        async with self._database.transaction() as connection:
            return tuple(await store_rights.key_role_people(connection, organisations, self.metadata.key_roles))

    async def sub_units(self, orgno: OrgNumber) -> list[PartyIdentity]:
        """The organisation's sub-units, those of form BEDR and AAFY right below it, in the order they came."""
        async with self._database.transaction() as connection:
            return await store_rights.sub_units(connection, orgno)

    async def changes_since(self, version: int) -> feed.Changes:
        """What changed in the register after ``version`` of its feed (keys: ``wire.altinn.parties.TOPIC``)."""
        async with self._database.transaction() as connection:
            return await feed.changes_since(connection, TOPIC, version)

    async def known_subjects(self) -> frozenset[Attribute]:
        """Every role, in every spelling, and every access package that somebody may hold."""
        return self._known

    def _applied(self, roles: Iterable[HeldRole], *, by_person: bool, itself: bool) -> HeldRights:
        private = (HeldRole(PRIVATE_PERSON, None),) if by_person and itself else ()
        return self._rights.held((*roles, *private), by_person=by_person)


def _is_person(party: PartyIdentity) -> bool:
    return party.kind is PartyKind.PERSON


def _uuid(value: str) -> str | None:
    return value.lower() if _UUID.fullmatch(value) else None


def _number(value: str) -> str | None:
    return str(int(value)) if _NUMBER.fullmatch(value) and int(value) <= _LARGEST else None


def _digits(pattern: re.Pattern[str]) -> Callable[[str], str | None]:
    return lambda value: value if pattern.fullmatch(value) else None


_READ: Mapping[str, tuple[str, Callable[[str], str | None]]] = {
    ids.ORGANISATION: (ids.ORGANISATION, _digits(_ORGNO)),
    ids.ORGANISATION_OLD: (ids.ORGANISATION, _digits(_ORGNO)),
    ids.PERSON: (ids.PERSON, _digits(_NATIONAL_ID)),
    ids.PARTY_ID: (ids.PARTY_ID, _number),
    ids.USER_ID: (ids.USER_ID, _number),
    ids.PARTY_UUID: (ids.PARTY_UUID, _uuid),
    ids.ORGANISATION_UUID: (ids.ORGANISATION_UUID, _uuid),
    ids.PERSON_UUID: (ids.PERSON_UUID, _uuid),
}
"""By attribute id: the id of the same meaning that is used here, and what makes its value one that can be looked up."""


def _canonical(attribute: Attribute) -> Attribute | None:
    """The attribute as the register writes it; None when it can name nobody."""
    if attribute.id not in _READ:
        return None
    name, read = _READ[attribute.id]
    value = read(attribute.value)
    return Attribute(name, value) if value is not None else None


def _wanted(attributes: Collection[Attribute]) -> store_rights.Wanted | None:
    """What to look for; None when there is nothing."""
    names = {name for attribute in attributes if (name := _canonical(attribute)) is not None}
    if not names:
        return None

    def values(*wanted: str) -> list[str]:
        return sorted(name.value for name in names if name.id in wanted)

    return store_rights.Wanted(
        orgnos=values(ids.ORGANISATION),
        people=values(ids.PERSON),
        party_ids=[int(value) for value in values(ids.PARTY_ID)],
        user_ids=[int(value) for value in values(ids.USER_ID)],
        uuids=[UUID(value) for value in values(ids.PARTY_UUID, ids.ORGANISATION_UUID, ids.PERSON_UUID)],
    )


def _names(party: PartyIdentity) -> Iterable[Attribute]:
    """Everything that names ``party``, as ``_canonical`` writes it."""
    uuid = str(party.party_uuid)
    yield Attribute(ids.PARTY_ID, str(party.party_id))
    yield Attribute(ids.PARTY_UUID, uuid)
    if party.orgno is not None:
        yield Attribute(ids.ORGANISATION_UUID, uuid)
        yield Attribute(ids.ORGANISATION, str(party.orgno))
    if party.national_id is not None:
        yield Attribute(ids.PERSON_UUID, uuid)
        yield Attribute(ids.PERSON, str(party.national_id))
        yield Attribute(ids.USER_ID, str(party.user_id))
