"""The use cases of access lists, each with a transaction of its own, and the one object that holds them."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from fullmakt.altinn.resources.access_lists.ports import Parties, Resources
from fullmakt.altinn.resources.access_lists.service.connections import Connections
from fullmakt.altinn.resources.access_lists.service.declared import Declarations
from fullmakt.altinn.resources.access_lists.service.lists import Lists
from fullmakt.altinn.resources.access_lists.service.members import Members
from fullmakt.altinn.resources.access_lists.service.memberships import Memberships
from fullmakt.altinn.resources.access_lists.service.work import Work
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import Clock
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn.resources import Membership

__all__ = ["AccessLists"]


class AccessLists:
    """Access lists as a whole: ``lists``, ``members`` and ``connections`` are for their owners, ``look_up`` is for
    those who ask about a party, ``declarations`` for the world file."""

    def __init__(self, database: Database, clock: Clock, parties: Parties, resources: Resources) -> None:
        work = Work(database, clock)
        self._resources = resources
        self.lists = Lists(work)
        self.members = Members(work, parties)
        self.connections = Connections(work, resources)
        self.look_up = Memberships(work, parties)
        self.declarations = Declarations(work, parties, resources)
        self.tell_refusal = work.tell_refusal

    async def memberships(self, party: UUID, resource: str | None) -> tuple[Membership, ...]:
        """What the party may use by access lists: ``resource`` alone, or anything. In one query."""
        return await self.look_up.memberships(party, resource)

    async def org_codes(self) -> Mapping[str, OrgNumber]:
        """The service owners: organisation number by org code."""
        return await self._resources.org_codes()
