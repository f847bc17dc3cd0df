"""What this process remembers of system users, and how Altinn is asked about the rights of enterprise systems.

A system user is remembered until Altinn's feed tells of its client. That there is none is not: it may be because of
something that no feed speaks of, and whoever was refused will try again as soon as it is mended. What the decision
point permits rests on so much that it is asked each time; the version of all that is read before, and checked when the
token is written down.
"""

from __future__ import annotations

from collections.abc import Sequence

from fullmakt.infra.database import answered_within
from fullmakt.infra.feed import Changes
from fullmakt.infra.feed_cache import FeedCache
from fullmakt.kernel.single_flight import SingleFlight
from fullmakt.maskinporten.tokens.model import Standing
from fullmakt.maskinporten.tokens.ports import SystemUsers
from fullmakt.wire.altinn.systemusers import (
    NoSystemUser,
    SystemUserQuestion,
    SystemUserRecord,
    VirksysAnswer,
    VirksysQuestion,
)

_CLIENT = "client:"


class SystemUserCache(FeedCache[SystemUserQuestion, SystemUserRecord | NoSystemUser]):
    """The system users asked for last. Without topics to follow, nothing is remembered."""

    def __init__(self, system_users: SystemUsers, capacity: int, *, patience: float = 5.0) -> None:
        super().__init__(capacity if system_users.topics else 0, patience=patience)
        self._system_users = system_users
        self._noes: SingleFlight[NoSystemUser | None] = SingleFlight()

    @property
    def standing(self) -> Standing:
        """What the entries rest on now."""
        return Standing(tuple(self._system_users.topics), self.version)

    async def load(self, key: SystemUserQuestion) -> SystemUserRecord | NoSystemUser | None:
        """As ``FeedCache.load``; a no is for those who asked together, and for nobody after them.

        Why it is a no is asked by itself, so that those who are answered with a yes need not wait for it.
        """
        answer = await super().load(key)
        if answer is None:
            return await self._noes.run_async(key, lambda: self._why_none(key))
        if isinstance(answer, NoSystemUser) and self.entries.get(key) is answer:
            del self.entries[key]
        return answer

    async def _why_none(self, question: SystemUserQuestion) -> NoSystemUser | None:
        return await answered_within(self._patience, self._system_users.why_none(question))

    async def fetch(
        self, keys: Sequence[SystemUserQuestion]
    ) -> dict[SystemUserQuestion, SystemUserRecord | NoSystemUser]:
        """Altinn's answers, as far as they are told at once."""
        return dict(await self._system_users.system_users(keys))

    async def changes_since(self, version: int) -> Changes:
        """What changed at Altinn's."""
        return await self._system_users.changes_since(version)

    def forget(self, changed: Sequence[str]) -> None:
        """Every change that may be another answer names the client that asks, in whatever case its vendor wrote it."""
        clients = {key.removeprefix(_CLIENT).lower() for key in changed if key.startswith(_CLIENT)}
        for question in [one for one in self.entries if one.client_id.lower() in clients]:
            del self.entries[question]

    async def virksys(self, question: VirksysQuestion) -> tuple[VirksysAnswer | NoSystemUser, Standing]:
        """What the decision point permits, and what that rests on.

        Raises:
            UnavailableError: Altinn does not answer.
        """
        return await answered_within(self._patience, self._virksys(question))

    async def _virksys(self, question: VirksysQuestion) -> tuple[VirksysAnswer | NoSystemUser, Standing]:
        topics = tuple(self._system_users.virksys_topics)
        standing = Standing(topics, await self._system_users.virksys_version())
        return await self._system_users.virksys(question), standing
