"""Parties for tests: valid synthetic numbers without end, and a register to put them in."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from functools import cache
from uuid import UUID

from fullmakt.altinn.parties.model import Organisation, Person, Role
from fullmakt.altinn.parties.service import PartiesService
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import FixedClock, new_uuid
from fullmakt.kernel.identifiers import InvalidIdentifierError, NationalId, OrgNumber
from fullmakt.wire.altinn.attributes import ORGANISATION, PERSON, Attribute

NOW = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)


def orgno(number: int) -> OrgNumber:
    """The ``number``-th organisation number of the tests."""
    return OrgNumber(f"{310_000_000 + number}")


@cache
def _people() -> tuple[NationalId, ...]:
    people = []
    for tail in range(100_000):
        with suppress(InvalidIdentifierError):
            people.append(NationalId(f"058980{tail:05d}"))
    return tuple(people)


def national_id(number: int) -> NationalId:
    """The ``number``-th synthetic national identity number of the tests, of people born on one day in 1980."""
    return _people()[number]


def register(database: Database) -> PartiesService:
    """The register over ``database``, its clock standing still."""
    return PartiesService(database, FixedClock(NOW), new_uuid)


class Register:
    """A register in which tests declare parties in a word each and get their UUIDs."""

    def __init__(self, service: PartiesService) -> None:
        self.service = service

    async def organisation(self, number: int, form: str = "AS", parent: int | None = None) -> UUID:
        """The ``number``-th organisation."""
        above = orgno(parent) if parent is not None else None
        await self.service.declare_organisation(Organisation(orgno(number), f"Org {number}", form, above))
        return await self.uuid(orgno(number))

    async def person(self, number: int) -> UUID:
        """The ``number``-th person."""
        await self.service.declare_person(Person(national_id(number), f"Person {number}"))
        return await self.uuid(national_id(number))

    async def grant(self, holder: NationalId | OrgNumber, code: str, organisation: int) -> None:
        """Let ``holder`` have a role in the ``organisation``-th organisation."""
        await self.service.grant_role(Role(holder, code, orgno(organisation)))

    async def uuid(self, number: NationalId | OrgNumber) -> UUID:
        """The UUID of a party."""
        attribute = Attribute(ORGANISATION if isinstance(number, OrgNumber) else PERSON, str(number))
        return (await self.service.identify([attribute]))[attribute].party_uuid
