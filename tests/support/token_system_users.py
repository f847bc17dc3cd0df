"""An Altinn that keeps system users, for tests of the token server: told what to answer, and announcing its changes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

from fullmakt.infra import feed
from fullmakt.infra.database import Database, DatabaseUnavailableError
from fullmakt.infra.feed import Changes, JoinedFeed
from fullmakt.wire.altinn import parties
from fullmakt.wire.altinn.systemusers import (
    TOPIC,
    Cause,
    NoSystemUser,
    SystemUserQuestion,
    SystemUserRecord,
    VirksysAnswer,
    VirksysQuestion,
)
from tests.support.tokens import CLIENT_ID, ORGNO

CUSTOMER = "314168267"
SYSTEM_USER_ID = UUID("0d2f8f0e-3b3c-4c1a-9e0a-1f6f2d6d8a55")
PART, HELPER = "0192:999888777", "0192:888666555"


def organisation(orgno: str = CUSTOMER) -> dict[str, str]:
    """``systemuser_org`` of a grant."""
    return {"authority": "iso6523-actorid-upis", "ID": f"0192:{orgno}"}


def record_of(question: SystemUserQuestion) -> SystemUserRecord:
    """A system user that answers the question."""
    return SystemUserRecord(
        SYSTEM_USER_ID,
        "Accounting",
        f"{question.vendor}_accounting",
        question.owner,
        datetime(2025, 5, 5, 12, tzinfo=UTC),
        question.vendor,
        question.external_ref or question.owner,
    )


class AltinnWithSystemUsers:
    """What customers have approved. ``reads`` counts the questions, ``silent`` makes it answer nobody."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.approved: set[SystemUserQuestion] = set()
        self.rights: dict[str, VirksysAnswer] = {}
        self.cause = Cause.NO_SYSTEM_USER
        self.reads = 0
        self.silent = False
        self.asked: list[SystemUserQuestion | VirksysQuestion] = []

    async def approve(self, *questions: SystemUserQuestion) -> None:
        """Let exactly these have a system user."""
        clients = {one.client_id for one in self.approved | set(questions)}
        async with self.database.transaction() as connection:
            self.approved = set(questions)
            await feed.publish(connection, TOPIC, [f"client:{one.upper()}" for one in clients])

    async def permit(self, answer: VirksysAnswer | None, part: str = PART) -> None:
        """Change what the decision point permits for a party, by a change in the register of parties."""
        async with self.database.transaction() as connection:
            self.rights.pop(part, None)
            if answer is not None:
                self.rights[part] = answer
            await feed.publish(connection, parties.TOPIC, [f"party:{part}"])

    def answer(self, question: SystemUserQuestion | VirksysQuestion) -> SystemUserRecord | VirksysAnswer | NoSystemUser:
        """As the look-ups do."""
        self.reads += 1
        self.asked.append(question)
        if self.silent:
            raise DatabaseUnavailableError("Altinn does not answer")
        if isinstance(question, VirksysQuestion):
            return self.rights.get(question.part) or NoSystemUser(self.cause)
        return record_of(question) if question in self.approved else NoSystemUser(self.cause)


class SystemUsersAsSeenByANode:
    """The ``SystemUsers`` port, one for each node."""

    topics: Sequence[str] = (TOPIC,)
    virksys_topics: Sequence[str] = (TOPIC, parties.TOPIC)

    def __init__(self, altinn: AltinnWithSystemUsers) -> None:
        self._altinn = altinn
        self._feed = JoinedFeed(*self.topics)

    async def system_users(
        self, questions: Collection[SystemUserQuestion]
    ) -> Mapping[SystemUserQuestion, SystemUserRecord | NoSystemUser]:
        """As the port has it."""
        answers = {question: self._altinn.answer(question) for question in questions}
        return {question: answer for question, answer in answers.items() if not isinstance(answer, VirksysAnswer)}

    async def why_none(self, question: SystemUserQuestion) -> NoSystemUser | None:
        """As the port has it: what it answers at all, it answers at once."""
        return None

    async def virksys(self, question: VirksysQuestion) -> VirksysAnswer | NoSystemUser:
        """As the port has it."""
        answer = self._altinn.answer(question)
        assert not isinstance(answer, SystemUserRecord)
        return answer

    async def changes_since(self, version: int) -> Changes:
        """As the port has it."""
        async with self._altinn.database.transaction() as connection:
            return await self._feed.changes_since(connection, version)

    async def virksys_version(self) -> int:
        """As the port has it."""
        async with self._altinn.database.transaction() as connection:
            return await feed.joined_version(connection, self.virksys_topics)


def question_of(
    owner: str = CUSTOMER, external_ref: str | None = None, client_id: str = CLIENT_ID, vendor: str = ORGNO
) -> SystemUserQuestion:
    """The question that a grant of the client's comes to."""
    return SystemUserQuestion(client_id, vendor, owner, external_ref)
