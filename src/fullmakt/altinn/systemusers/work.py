"""How system users change: see ``infra.work``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from fullmakt.altinn.systemusers.model import System, client_keys
from fullmakt.altinn.systemusers.register.work import MOST_ANNOUNCED, SYSTEM
from fullmakt.altinn.systemusers.users import store as users
from fullmakt.infra import feed, work
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import Clock, NewId
from fullmakt.wire.altinn.systemusers import TOPIC


@dataclass
class Change(work.Change):
    """A use case that may change requests and system users."""

    system, topic = SYSTEM, TOPIC

    changed_users: list[UUID] = field(default_factory=list)

    def tell_user(self, actor: str, action: str, user: UUID, system: System, /, **facts: Any) -> None:
        """Say that a system user has changed, and with it what is answered to the clients of its system."""
        self.changed_users.append(user)
        subject = f"systemuser:{user}"
        self.tell(actor, action, subject, subject, *concerned(system), system=system.id, **facts)

    async def publish(self) -> int | None:
        """As any change; the version of the feed orders the stream of system users too."""
        version = await super().publish()
        if version is not None:
            for user in self.changed_users:
                await users.touch(self.connection, user, version, self.now)
        return version


def concerned(system: System) -> tuple[str, ...]:
    """What the change feed calls the clients that act for the system; whoever there is, when they are very many."""
    clients = system.client_ids
    return (feed.EVERYTHING,) if len(clients) > MOST_ANNOUNCED else client_keys(clients)


class Work(work.Work[Change]):
    """Opens use cases."""

    def __init__(self, database: Database, clock: Clock, new_id: NewId) -> None:
        super().__init__(Change, database, clock, new_id)
