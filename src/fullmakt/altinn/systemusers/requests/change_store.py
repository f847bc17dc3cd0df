"""The table ``systemusers.change_request``, and every statement that touches it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.altinn.systemusers.documents import rights_of
from fullmakt.altinn.systemusers.requests.model import Alteration, ChangeRequest, RequestStatus
from fullmakt.altinn.systemusers.requests.store import rights_json

_CHANGE = (
    "SELECT c.change_request_id, c.number, c.system_user_id, c.required_rights, c.unwanted_rights,"
    " c.required_packages, c.unwanted_packages, c.redirect_url, c.status, c.created"
    " FROM systemusers.change_request c"
)
_INSERT = text(
    "INSERT INTO systemusers.change_request (change_request_id, system_user_id, required_rights, unwanted_rights,"
    " required_packages, unwanted_packages, redirect_url, status, created, changed)"
    " VALUES (:change_request_id, :system_user_id, CAST(:required_rights AS jsonb), CAST(:unwanted_rights AS jsonb),"
    " :required_packages, :unwanted_packages, :redirect_url, :status, :now, :now) ON CONFLICT DO NOTHING"
)
_GET = text(f"{_CHANGE} WHERE c.change_request_id = :change_request_id AND NOT c.deleted")
_LOCK = text(f"{_CHANGE} WHERE c.change_request_id = :change_request_id AND NOT c.deleted FOR UPDATE OF c")
_NEWEST = text(f"{_CHANGE} WHERE c.system_user_id = :system_user_id AND NOT c.deleted ORDER BY c.number DESC LIMIT 1")
_OF_SYSTEM = text(
    f"{_CHANGE} JOIN systemusers.system_user u USING (system_user_id)"
    " JOIN systemusers.system s ON s.internal_id = u.system"
    " WHERE s.system_id = :system_id AND c.number > :after AND NOT c.deleted ORDER BY c.number LIMIT :limit"
)
_MOVE = text(
    "UPDATE systemusers.change_request SET status = :status, changed = :now"
    " WHERE change_request_id = :change_request_id"
)
_DELETE = text(
    "UPDATE systemusers.change_request SET deleted = true, changed = :now WHERE change_request_id = :change_request_id"
)
_TAKEN = text("SELECT 1 FROM systemusers.change_request WHERE change_request_id = :change_request_id")


def _change(row: RowMapping) -> ChangeRequest:
    return ChangeRequest(
        change_request_id=row["change_request_id"],
        system_user_id=row["system_user_id"],
        alteration=Alteration(
            required_rights=rights_of(row["required_rights"]),
            unwanted_rights=rights_of(row["unwanted_rights"]),
            required_packages=tuple(row["required_packages"]),
            unwanted_packages=tuple(row["unwanted_packages"]),
        ),
        redirect_url=row["redirect_url"],
        status=RequestStatus(row["status"]),
        created=row["created"],
        number=row["number"],
    )


async def insert(connection: AsyncConnection, change: ChangeRequest) -> bool:
    """Keep a new change request; False when its id has been used."""
    alteration = change.alteration
    values = {
        "change_request_id": change.change_request_id,
        "system_user_id": change.system_user_id,
        "required_rights": rights_json(alteration.required_rights),
        "unwanted_rights": rights_json(alteration.unwanted_rights),
        "required_packages": list(alteration.required_packages),
        "unwanted_packages": list(alteration.unwanted_packages),
        "redirect_url": change.redirect_url,
        "status": change.status.value,
        "now": change.created,
    }
    return (await connection.execute(_INSERT, values)).rowcount == 1


async def get(connection: AsyncConnection, change_request_id: UUID, *, lock: bool = False) -> ChangeRequest | None:
    """The change request, unless it was deleted; with ``lock`` nobody else moves it before the transaction ends."""
    values = {"change_request_id": change_request_id}
    row = (await connection.execute(_LOCK if lock else _GET, values)).mappings().first()
    return _change(row) if row else None


async def newest(connection: AsyncConnection, system_user_id: UUID) -> ChangeRequest | None:
    """The last one made for a system user."""
    row = (await connection.execute(_NEWEST, {"system_user_id": system_user_id})).mappings().first()
    return _change(row) if row else None


async def of_system(connection: AsyncConnection, system_id: str, after: int, limit: int) -> list[ChangeRequest]:
    """The first ``limit`` for system users of a system after the one with the number ``after``."""
    values = {"system_id": system_id, "after": after, "limit": limit}
    return [_change(row) for row in (await connection.execute(_OF_SYSTEM, values)).mappings()]


async def is_used(connection: AsyncConnection, change_request_id: UUID) -> bool:
    """True when there is, or was, a change request with that id."""
    return (await connection.execute(_TAKEN, {"change_request_id": change_request_id})).first() is not None


async def move(connection: AsyncConnection, change_request_id: UUID, status: RequestStatus, now: datetime) -> None:
    """Give the change request another status."""
    values = {"change_request_id": change_request_id, "status": status.value, "now": now}
    await connection.execute(_MOVE, values)


async def delete(connection: AsyncConnection, change_request_id: UUID, now: datetime) -> None:
    """Take the change request away."""
    await connection.execute(_DELETE, {"change_request_id": change_request_id, "now": now})
