"""Organisations, people and roles, kept by ``fullmakt.altinn.parties``."""

from __future__ import annotations

from fullmakt.altinn.parties.model import Organisation, Person, Role
from fullmakt.altinn.parties.service import PartiesService
from fullmakt.world.model import EndedRole, Entry, Kind, World
from fullmakt.world.names import Names


class PartiesSection:
    """The register of parties as a ``WorldSection``."""

    kinds = (Kind.ORGANISATION, Kind.PERSON, Kind.ROLE)

    def __init__(self, parties: PartiesService) -> None:
        self._parties = parties

    async def current(self, names: Names | None) -> World:
        """The parties that are named, and every role in an organisation that is."""
        organisations = await self._parties.organisations(names.organisations if names else None)
        people = await self._parties.people(names.people if names else None)
        roles = await self._parties.roles_in(names.organisations if names else None)
        return World(
            organisations=tuple(one.subject for one in organisations if isinstance(one.subject, Organisation)),
            people=tuple(one.subject for one in people if isinstance(one.subject, Person)),
            roles=tuple(roles),
        )

    async def apply(self, entry: Entry) -> None:
        """Declare the party, or grant the role, or take it away."""
        match entry:
            case Organisation():
                await self._parties.declare_organisation(entry)
            case Person():
                await self._parties.declare_person(entry)
            case EndedRole():
                await self._parties.withdraw_role(entry)
            case Role():
                await self._parties.grant_role(entry)
            case _:
                raise TypeError(f"parties keep no {type(entry).__name__}")
