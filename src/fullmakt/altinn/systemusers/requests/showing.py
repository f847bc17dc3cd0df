"""Requests as the page needs them on which they are answered: for whoever follows a confirm link, before it is known
who that is (altinn-authentication.md §8.1, §9)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.altinn.systemusers.model import System
from fullmakt.altinn.systemusers.register import store as register
from fullmakt.altinn.systemusers.requests import change_store, rules, store
from fullmakt.altinn.systemusers.requests.changing import ShownChange
from fullmakt.altinn.systemusers.requests.model import SystemUserRequest
from fullmakt.altinn.systemusers.users import store as users
from fullmakt.altinn.systemusers.work import Work
from fullmakt.wire.altinn.systemusers import UserType


class Absent(StrEnum):
    """Why there is nothing to show."""

    UNKNOWN = "unknown"
    TAKEN_BACK = "taken_back"


@dataclass(frozen=True, slots=True)
class Linked:
    """A request, as it stands now, and its system, deleted or not."""

    request: SystemUserRequest
    system: System


@dataclass(frozen=True, slots=True)
class LinkedChange:
    """A change request, as it stands now, and the system, deleted or not, of the system user that it is about."""

    shown: ShownChange
    system: System


class Showing:
    """Reads, and asks nobody who is reading: an id that can not be guessed is what leads here."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def request(self, request_id: UUID, kind: UserType) -> Linked | Absent:
        """The request of that kind."""
        async with self._work.database.transaction() as connection:
            request = await store.get(connection, request_id)
            if request is None:
                taken_back = await store.is_taken_back(connection, request_id, kind)
                return Absent.TAKEN_BACK if taken_back else Absent.UNKNOWN
            if request.key.kind is not kind:
                return Absent.UNKNOWN
            system = await _system(connection, request.key.system_id)
        return Linked(rules.as_of(request, self._work.clock()), system)

    async def change(self, change_request_id: UUID) -> LinkedChange | Absent:
        """The change request."""
        async with self._work.database.transaction() as connection:
            change = await change_store.get(connection, change_request_id)
            if change is None:
                taken_back = await change_store.is_used(connection, change_request_id)
                return Absent.TAKEN_BACK if taken_back else Absent.UNKNOWN
            user = await users.get(connection, change.system_user_id)
            if user is None:
                raise LookupError(change.system_user_id)
            system = await _system(connection, user.system_id)
        return LinkedChange(ShownChange(rules.as_of(change, self._work.clock()), user), system)


async def _system(connection: AsyncConnection, system_id: str) -> System:
    system = await register.find(connection, system_id)
    if system is None:
        raise LookupError(system_id)
    return system
