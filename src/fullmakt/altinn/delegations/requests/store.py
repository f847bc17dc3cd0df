"""The table ``delegations.request``, and every statement that touches it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.altinn.delegations.requests.model import (
    AccessRequest,
    Letter,
    Place,
    RequestStatus,
    RequestType,
    Selection,
    Wish,
)
from fullmakt.kernel.identifiers import OrgNumber

_COLUMNS = (
    "request_id, receiver, giver, resources, package, actions, owner, status, redirect_url, message,"
    " keep_session_alive, created, changed, changed_by, sent"
)
_REQUEST = f"SELECT {_COLUMNS} FROM delegations.request"  # noqa: S608 - our own words, here and below
_INSERT = text(
    "INSERT INTO delegations.request (request_id, receiver, giver, resources, package, actions, owner, status,"
    " redirect_url, message, keep_session_alive, created, changed, changed_by, sent)"
    " VALUES (:request_id, :receiver, :giver, :resources, :package, :actions, :owner, :status,"
    " :redirect_url, :message, :keep_session_alive, :now, :now, :changed_by, :sent)"
    " ON CONFLICT DO NOTHING"
)
_OPEN = text(
    f"{_REQUEST} WHERE status IN ('Draft', 'Pending')"
    " AND receiver = :receiver AND giver = :giver AND resources = :resources AND actions = :actions"
    " AND package IS NOT DISTINCT FROM CAST(:package AS text) AND owner IS NOT DISTINCT FROM CAST(:owner AS text)"
)
_GET = text(f"{_REQUEST} WHERE request_id = :request_id")
_LOCK = text(f"{_REQUEST} WHERE request_id = :request_id FOR UPDATE")
_MOVE = (
    "UPDATE delegations.request SET status = :status, changed = :now, changed_by = :changed_by,"
    " sent = CASE WHEN :status = 'Pending' THEN CAST(:now AS timestamptz) ELSE sent END"
    " WHERE request_id = :request_id"
)
_SET_STATUS = text(f"{_MOVE} RETURNING {_COLUMNS}")
_FILTERS = {
    "receiver": "receiver = :receiver",
    "giver": "giver = :giver",
    "owner": "owner = :owner",
    "statuses": "status = ANY(:statuses)",
    "resource": ":resource = ANY(resources)",
    "of_resource": "package IS NULL",
    "of_package": "package IS NOT NULL",
    "sent": "sent IS NOT NULL",
    "created": "(created, request_id) > (CAST(:created AS timestamptz), CAST(:request_id AS uuid))",
}


def _request(row: RowMapping) -> AccessRequest:
    return AccessRequest(
        request_id=row["request_id"],
        wish=Wish(
            receiver=row["receiver"],
            giver=row["giver"],
            resources=tuple(row["resources"]),
            package=row["package"],
            actions=frozenset(row["actions"]),
        ),
        status=RequestStatus(row["status"]),
        owner=None if row["owner"] is None else OrgNumber(row["owner"]),
        letter=Letter(row["redirect_url"], row["message"], row["keep_session_alive"]),
        created=row["created"],
        changed=row["changed"],
        changed_by=row["changed_by"],
        sent=row["sent"],
    )


def _wished(wish: Wish, owner: OrgNumber | None) -> dict[str, Any]:
    return {
        "receiver": wish.receiver,
        "giver": wish.giver,
        "resources": list(wish.resources),
        "package": wish.package,
        "actions": sorted(wish.actions),
        "owner": None if owner is None else str(owner),
    }


async def insert(connection: AsyncConnection, request: AccessRequest) -> bool:
    """Keep a new request; False when one that is equal is open."""
    letter = request.letter
    values = {
        **_wished(request.wish, request.owner),
        "request_id": request.request_id,
        "status": str(request.status),
        "redirect_url": letter.redirect_url,
        "message": letter.message,
        "keep_session_alive": letter.keep_session_alive,
        "now": request.created,
        "changed_by": request.changed_by,
        "sent": request.sent,
    }
    return (await connection.execute(_INSERT, values)).rowcount == 1


async def open_one(connection: AsyncConnection, wish: Wish, owner: OrgNumber | None) -> AccessRequest | None:
    """The draft or pending request for the same."""
    row = (await connection.execute(_OPEN, _wished(wish, owner))).mappings().first()
    return _request(row) if row else None


async def get(connection: AsyncConnection, request_id: UUID, *, lock: bool = False) -> AccessRequest | None:
    """The request; with ``lock`` nobody else moves it before the transaction ends."""
    row = (await connection.execute(_LOCK if lock else _GET, {"request_id": request_id})).mappings().first()
    return _request(row) if row else None


async def set_status(
    connection: AsyncConnection, request_id: UUID, status: RequestStatus, changed_by: UUID | None, now: datetime
) -> AccessRequest:
    """Move the request."""
    values = {"request_id": request_id, "status": str(status), "changed_by": changed_by, "now": now}
    return _request((await connection.execute(_SET_STATUS, values)).mappings().one())


async def page(
    connection: AsyncConnection, selection: Selection, after: Place | None, limit: int
) -> list[AccessRequest]:
    """The first ``limit`` of the selected requests after a place, oldest first."""
    values = _values(selection)
    if after is not None:
        values |= {"created": after.created, "request_id": after.request_id}
    rows = await connection.execute(_select(_COLUMNS, *_names(values)), {**values, "limit": limit})
    return [_request(row) for row in rows.mappings()]


async def count(connection: AsyncConnection, selection: Selection) -> int:
    """How many are selected."""
    values = _values(selection)
    return int((await connection.execute(_select("count(*)", *_names(values)), values)).scalar_one())


def _values(selection: Selection) -> dict[str, Any]:
    chosen: Mapping[str, Any] = {
        "receiver": selection.receiver,
        "giver": selection.giver,
        "owner": None if selection.owner is None else str(selection.owner),
        "statuses": sorted(selection.statuses) or None,
        "resource": selection.resource,
        "of_resource": True if selection.type is RequestType.RESOURCE else None,
        "of_package": True if selection.type is RequestType.PACKAGE else None,
        "sent": True if selection.sent else None,
    }
    return {name: value for name, value in chosen.items() if value is not None}


def _names(values: Mapping[str, Any]) -> Sequence[str]:
    return [name for name in _FILTERS if name in values]


@cache
def _select(columns: str, *names: str) -> TextClause:
    """A statement of its own for each question, so that each has the index that fits it."""
    conditions = " AND ".join(_FILTERS[name] for name in names) or "true"
    order = "" if columns.startswith("count") else " ORDER BY created, request_id LIMIT :limit"
    return text(f"SELECT {columns} FROM delegations.request WHERE {conditions}{order}")  # noqa: S608 - our own words
