"""The token server's ``SystemUsers``, answered by the system that keeps them in this process."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from fullmakt.altinn.decisions import store as decisions_store
from fullmakt.altinn.systemusers.service import SystemUsersService
from fullmakt.infra.database import Database
from fullmakt.infra.feed import Changes, JoinedFeed, joined_version
from fullmakt.wire.altinn import systemusers
from fullmakt.wire.altinn.systemusers import (
    NoSystemUser,
    SystemUserQuestion,
    SystemUserRecord,
    VirksysAnswer,
    VirksysQuestion,
)


class SystemUserLookUps:
    """``service`` gives the system: it is asked for late, since Altinn's systems need the token server first."""

    topics = (systemusers.TOPIC,)
    virksys_topics = decisions_store.TOPICS

    def __init__(self, service: Callable[[], SystemUsersService], database: Database) -> None:
        self._service = service
        self._database = database
        self._feed = JoinedFeed(*self.topics)

    async def system_users(
        self, questions: Collection[SystemUserQuestion]
    ) -> Mapping[SystemUserQuestion, SystemUserRecord]:
        """The system user to each question that there is one to."""
        return await self._service().find(questions)

    async def why_none(self, question: SystemUserQuestion) -> NoSystemUser:
        """Why there is no system user to the question."""
        return await self._service().why_none(question)

    async def virksys(self, question: VirksysQuestion) -> VirksysAnswer | NoSystemUser:
        """What the system may do for the party, or why nothing."""
        return await self._service().virksys(question)

    async def changes_since(self, version: int) -> Changes:
        """What changed among systems and system users."""
        async with self._database.transaction() as connection:
            return await self._feed.changes_since(connection, version)

    async def virksys_version(self) -> int:
        """How often anything changed that the decision point decides by, or the system users it decides for."""
        async with self._database.transaction() as connection:
            return await joined_version(connection, self.virksys_topics)
