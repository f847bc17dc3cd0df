"""The table ``systemusers.request``, and every statement that touches it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.altinn.systemusers.documents import right_document, rights_of
from fullmakt.altinn.systemusers.model import Right
from fullmakt.altinn.systemusers.requests.model import Key, RequestStatus, SystemUserRequest
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn.systemusers import UserType

_REQUEST = (
    "SELECT r.request_id, r.number, r.kind, s.system_id, r.party, r.external_ref, r.integration_title, r.rights,"
    " r.packages, r.redirect_url, r.status, r.escalated, r.created, r.changed"
    " FROM systemusers.request r JOIN systemusers.system s ON s.internal_id = r.system"
)
_KEY = "s.system_id = :system_id AND r.party = :party AND r.external_ref = :external_ref AND r.kind = :kind"
_INSERT = text(
    "INSERT INTO systemusers.request (request_id, kind, system, party, external_ref, integration_title, rights,"
    " packages, redirect_url, status, created, changed)"
    " SELECT :request_id, :kind, internal_id, :party, :external_ref, :integration_title, CAST(:rights AS jsonb),"
    " :packages, :redirect_url, :status, :now, :now FROM systemusers.system WHERE system_id = :system_id"
    " ON CONFLICT DO NOTHING"
)
_GET = text(f"{_REQUEST} WHERE r.request_id = :request_id AND NOT r.deleted")
_LOCK = text(f"{_REQUEST} WHERE r.request_id = :request_id AND NOT r.deleted FOR UPDATE OF r")
_CURRENT = text(f"{_REQUEST} WHERE {_KEY} AND r.current")
_NEWEST = text(f"{_REQUEST} WHERE {_KEY} AND NOT r.deleted ORDER BY r.number DESC LIMIT 1")
_OF_SYSTEM = text(
    f"{_REQUEST} WHERE s.system_id = :system_id AND r.kind = :kind AND r.number > :after AND NOT r.deleted"
    " ORDER BY r.number LIMIT :limit"
)
_PENDING = text(
    f"{_REQUEST} WHERE r.party = :party AND r.kind = :kind AND r.status = 'New' AND r.created >= :since"
    " AND NOT r.deleted AND NOT s.deleted ORDER BY r.number LIMIT :limit"
)
_OPEN = (
    "SELECT 1 FROM systemusers.request r JOIN systemusers.system s ON s.internal_id = r.system"
    " WHERE s.system_id = :system_id AND r.party = :party AND r.current AND r.status <> 'Accepted'"
)
_UNANSWERED = text(f"SELECT EXISTS ({_OPEN}), EXISTS ({_OPEN} AND r.external_ref = :reference)")
_MOVE = text("UPDATE systemusers.request SET status = :status, changed = :now WHERE request_id = :request_id")
_ESCALATE = text("UPDATE systemusers.request SET escalated = true, changed = :now WHERE request_id = :request_id")
_RELEASE = text("UPDATE systemusers.request SET current = false, changed = :now WHERE request_id = :request_id")
_DELETE = text(
    "UPDATE systemusers.request SET current = false, deleted = true, changed = :now WHERE request_id = :request_id"
)
_TAKEN_BACK = text("SELECT 1 FROM systemusers.request WHERE request_id = :request_id AND kind = :kind AND deleted")
_PENDING_LIMIT = 500


def rights_json(rights: Iterable[Right]) -> str:
    """Rights for a column."""
    return json.dumps([right_document(right) for right in rights])


def _request(row: RowMapping) -> SystemUserRequest:
    return SystemUserRequest(
        request_id=row["request_id"],
        key=Key(row["system_id"], OrgNumber(row["party"]), row["external_ref"], UserType(row["kind"])),
        integration_title=row["integration_title"],
        rights=rights_of(row["rights"]),
        packages=tuple(row["packages"]),
        redirect_url=row["redirect_url"],
        status=RequestStatus(row["status"]),
        created=row["created"],
        escalated=row["escalated"],
        number=row["number"],
    )


def _key(key: Key) -> dict[str, object]:
    return {
        "system_id": key.system_id,
        "party": str(key.party),
        "external_ref": key.external_ref,
        "kind": key.kind.value,
    }


async def insert(connection: AsyncConnection, request: SystemUserRequest) -> bool:
    """Keep a new request; False when one with the same key is current."""
    values = {
        **_key(request.key),
        "request_id": request.request_id,
        "integration_title": request.integration_title,
        "rights": rights_json(request.rights),
        "packages": list(request.packages),
        "redirect_url": request.redirect_url,
        "status": request.status.value,
        "now": request.created,
    }
    return (await connection.execute(_INSERT, values)).rowcount == 1


async def get(connection: AsyncConnection, request_id: UUID, *, lock: bool = False) -> SystemUserRequest | None:
    """The request, unless it was deleted; with ``lock`` nobody else moves it before the transaction ends."""
    row = (await connection.execute(_LOCK if lock else _GET, {"request_id": request_id})).mappings().first()
    return _request(row) if row else None


async def is_taken_back(connection: AsyncConnection, request_id: UUID, kind: UserType) -> bool:
    """True when there was a request of that kind, and its vendor has deleted it."""
    values = {"request_id": request_id, "kind": kind.value}
    return (await connection.execute(_TAKEN_BACK, values)).first() is not None


async def current(connection: AsyncConnection, key: Key) -> SystemUserRequest | None:
    """The request that holds the key."""
    row = (await connection.execute(_CURRENT, _key(key))).mappings().first()
    return _request(row) if row else None


async def newest(connection: AsyncConnection, key: Key) -> SystemUserRequest | None:
    """The last request made with the key, whether it still holds it or not."""
    row = (await connection.execute(_NEWEST, _key(key))).mappings().first()
    return _request(row) if row else None


async def of_system(
    connection: AsyncConnection, system_id: str, kind: UserType, after: int, limit: int
) -> list[SystemUserRequest]:
    """The first ``limit`` requests for a system after the one with the number ``after``."""
    values = {"system_id": system_id, "kind": kind.value, "after": after, "limit": limit}
    return [_request(row) for row in (await connection.execute(_OF_SYSTEM, values)).mappings()]


async def pending(
    connection: AsyncConnection, party: OrgNumber, kind: UserType, since: datetime
) -> list[SystemUserRequest]:
    """Requests made after ``since`` that the party has yet to answer, oldest first, 500 at the most."""
    values = {"party": str(party), "kind": kind.value, "since": since, "limit": _PENDING_LIMIT}
    return [_request(row) for row in (await connection.execute(_PENDING, values)).mappings()]


async def unanswered(
    connection: AsyncConnection, system_id: str, party: OrgNumber, reference: str | None
) -> tuple[bool, bool]:
    """Is there a request for the system that the party has not said yes to, and is there one with the reference?"""
    values = {"system_id": system_id, "party": str(party), "reference": reference}
    some, very_one = (await connection.execute(_UNANSWERED, values)).one()
    return some, very_one


async def move(connection: AsyncConnection, request_id: UUID, status: RequestStatus, now: datetime) -> None:
    """Give the request another status."""
    await connection.execute(_MOVE, {"request_id": request_id, "status": status.value, "now": now})


async def escalate(connection: AsyncConnection, request_id: UUID, now: datetime) -> None:
    """Mark the request as one that somebody else has to answer."""
    await connection.execute(_ESCALATE, {"request_id": request_id, "now": now})


async def release(connection: AsyncConnection, request_id: UUID, now: datetime) -> None:
    """Let the request's key be free for another."""
    await connection.execute(_RELEASE, {"request_id": request_id, "now": now})


async def delete(connection: AsyncConnection, request_id: UUID, now: datetime) -> None:
    """Take the request away, and let its key be free."""
    await connection.execute(_DELETE, {"request_id": request_id, "now": now})
