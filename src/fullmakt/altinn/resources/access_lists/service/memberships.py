"""Use cases of those who ask about a party: the decision point, access management."""

from __future__ import annotations

from uuid import UUID

from fullmakt.altinn.resources.access_lists import rules
from fullmakt.altinn.resources.access_lists.errors import UnknownPartyError
from fullmakt.altinn.resources.access_lists.model import AccessList, Authorization, Grant
from fullmakt.altinn.resources.access_lists.ports import Parties
from fullmakt.altinn.resources.access_lists.service.work import Work
from fullmakt.altinn.resources.access_lists.store import reading
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.resources import Membership


class Memberships:
    """What a party may use by the lists that it is on."""

    def __init__(self, work: Work, parties: Parties) -> None:
        self._work = work
        self._parties = parties

    async def memberships(self, party: UUID, resource: str | None) -> tuple[Membership, ...]:
        """The lists with the party on them that are connected to ``resource`` (None: to any), one for each of both."""
        return tuple(
            Membership(*grant.of, grant.resource, frozenset(grant.actions) or None)
            for grant in await self.grants(party, resource)
        )

    async def grants_to(self, party: Attribute, resource: str | None) -> list[Grant]:
        """The same with all there is to tell, by whatever the register knows the party by.

        Raises:
            UnknownPartyError: the register does not know it.
        """
        known = await self._parties.identify([party])
        if party not in known:
            raise UnknownPartyError
        return await self.grants(known[party].party_uuid, resource)

    async def grants(self, party: UUID, resource: str | None) -> list[Grant]:
        """The same for a party by its UUID, registered or not."""
        async with self._work.reading() as connection:
            return await reading.grants(connection, party, resource)

    async def lists_of(self, party: UUID) -> list[AccessList]:
        """The lists that the party is on, connected or not."""
        async with self._work.reading() as connection:
            return await reading.lists_of_member(connection, party)

    async def authorize(self, party: Attribute, resource: str, action: str) -> Authorization:
        """Whether access lists let the party do that; not determined when the register does not know the party.

        Source: altinn-authorization.md §10.
        """
        try:
            grants = await self.grants_to(party, resource)
        except UnknownPartyError:
            return Authorization.NOT_DETERMINED
        return rules.authorization(grants, action)
