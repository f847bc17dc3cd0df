"""Everything that is done with system users, and what other systems ask of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from fullmakt.altinn.systemusers.ports import Neighbours
from fullmakt.altinn.systemusers.requests.answering import Answering
from fullmakt.altinn.systemusers.requests.asking import Asking
from fullmakt.altinn.systemusers.requests.changing import Changing
from fullmakt.altinn.systemusers.users.agents import Agents
from fullmakt.altinn.systemusers.users.lookups import LookUps
from fullmakt.altinn.systemusers.users.model import SystemUser
from fullmakt.altinn.systemusers.users.service import Users
from fullmakt.altinn.systemusers.work import Work
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import Clock, NewId
from fullmakt.wire.altinn.systemusers import (
    ActingSystem,
    NoSystemUser,
    SystemUserQuestion,
    SystemUserRecord,
    VirksysAnswer,
    VirksysQuestion,
)


class SystemUsersService:
    """The use cases by whom they are for; what neighbours ask for are its own methods."""

    def __init__(self, database: Database, clock: Clock, new_id: NewId, neighbours: Neighbours) -> None:
        self.work = Work(database, clock, new_id)
        self.asking = Asking(self.work, neighbours)
        self.answering = Answering(self.work, neighbours)
        self.changing = Changing(self.work, neighbours)
        self.users = Users(self.work, neighbours)
        self.agents = Agents(self.work, neighbours)
        self.lookups = LookUps(database, neighbours)

    async def find(self, questions: Collection[SystemUserQuestion]) -> Mapping[SystemUserQuestion, SystemUserRecord]:
        """The system user to each question that there is one to."""
        return await self.lookups.find(questions)

    async def why_none(self, question: SystemUserQuestion) -> NoSystemUser:
        """Why there is no system user to a question that ``find`` knows none to."""
        return await self.lookups.why_none(question)

    async def virksys(self, question: VirksysQuestion) -> VirksysAnswer | NoSystemUser:
        """What an enterprise system may do for a party, or why nothing."""
        return await self.lookups.virksys(question)

    async def of_client(self, client_id: str, party: UUID) -> ActingSystem | None:
        """The live system that the client acts for, and its system users that act for the party."""
        return await self.lookups.of_client(client_id, party)

    async def standings(self, system_users: Collection[UUID]) -> Mapping[UUID, SystemUser]:
        """Those of the system users that there are, or have been."""
        return await self.users.known(system_users)
