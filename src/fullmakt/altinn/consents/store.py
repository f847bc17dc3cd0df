"""The tables ``consents.consent``, ``consent_right`` and ``consent_event``, and the statements that write them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.altinn.consents.model import (
    Consent,
    ConsentEvent,
    ConsentRight,
    EndReason,
    EventType,
    Form,
    PortalViewMode,
    Status,
)

_COLUMNS = (
    "consent_id", "form", "giver", "receiver", "handled_by", "required_delegator", "created_by", "valid_to", "message",
    "redirect_url", "notification_url", "portal_view_mode", "template_id", "template_version", "one_time", "status",
    "created", "opened_at", "answered_at", "answered_by", "language", "shown", "ended_at", "end_reason", "migrated",
    "last_changed",
)  # fmt: skip
_JSON = {"message": "json", "shown": "jsonb"}
_MOVING = (
    "status", "opened_at", "answered_at", "answered_by", "language", "shown", "ended_at", "end_reason", "migrated",
    "last_changed",
)  # fmt: skip


def _bound(column: str) -> str:
    return f"CAST(:{column} AS {_JSON[column]})" if column in _JSON else f":{column}"


CONSENT = (
    f"SELECT {', '.join(f'c.{column}' for column in _COLUMNS)}, c.number, ("  # noqa: S608 - columns of ours
    "SELECT json_agg(json_build_object('resource', r.resource, 'version', r.resource_version, 'actions', r.actions,"
    " 'metadata', r.metadata) ORDER BY r.place) FROM consents.consent_right r WHERE r.consent_id = c.consent_id"
    ") AS rights FROM consents.consent c"
)
"""A consent with its rights, for ``consent_of``; what follows begins with ``WHERE`` and calls the consent ``c``."""

_INSERT = text(
    f"INSERT INTO consents.consent ({', '.join(_COLUMNS)})"  # noqa: S608 - columns of ours
    f" VALUES ({', '.join(map(_bound, _COLUMNS))})"
    " ON CONFLICT (consent_id) DO NOTHING"
)
_INSERT_RIGHT = text(
    "INSERT INTO consents.consent_right (consent_id, place, resource, resource_version, actions, metadata, agreed,"
    " revoked, giver, receiver, handled_by, state, changed)"
    " VALUES (:consent_id, :place, :resource, :version, :actions, CAST(:metadata AS json), :agreed,"
    " :revoked, :giver, :receiver, :handled_by, :state, :changed)"
)
_INSERT_EVENT = text(
    "INSERT INTO consents.consent_event (event_id, consent_id, receiver, type, created, performed_by, in_feed)"
    " VALUES (:event_id, :consent_id, :receiver, :type, :created, :performed_by, :in_feed)"
)
_GET = text(f"{CONSENT} WHERE c.consent_id = :consent_id")
_LOCK = text(f"{CONSENT} WHERE c.consent_id = :consent_id FOR UPDATE OF c")
_MOVE = text(
    f"UPDATE consents.consent SET {', '.join(f'{column} = {_bound(column)}' for column in _MOVING)}"  # noqa: S608
    " WHERE consent_id = :consent_id AND status = :from_status AND opened_at IS NOT DISTINCT FROM :from_opened_at"
    " AND migrated IS NOT DISTINCT FROM :from_migrated"
)
_TELL = text(
    "UPDATE consents.consent_right SET agreed = :agreed, revoked = :revoked, state = :state, changed = :changed"
    " WHERE consent_id = :consent_id"
)
_TO_FEED = text("UPDATE consents.consent_event SET in_feed = true WHERE consent_id = :consent_id AND type <> 'Opened'")
_EVENTS = text(
    "SELECT event_id, consent_id, type, created, performed_by FROM consents.consent_event"
    " WHERE consent_id = ANY(:consent_ids) ORDER BY consent_id, event_id"
)


def consent_of(row: RowMapping) -> Consent:
    """The consent in a row of ``CONSENT``."""
    return Consent(
        id=row["consent_id"],
        form=Form(row["form"]),
        giver=row["giver"],
        receiver=row["receiver"],
        valid_to=row["valid_to"],
        rights=tuple(
            [
                ConsentRight(one["resource"], tuple(one["actions"]), one["metadata"], one["version"])
                for one in row["rights"] or ()
            ]
        ),
        redirect_url=row["redirect_url"],
        created=row["created"],
        created_by=row["created_by"],
        handled_by=row["handled_by"],
        required_delegator=row["required_delegator"],
        message=row["message"],
        portal_view_mode=PortalViewMode(row["portal_view_mode"]),
        template_id=row["template_id"],
        template_version=row["template_version"],
        one_time=row["one_time"],
        notification_url=row["notification_url"],
        status=Status(row["status"]),
        opened_at=row["opened_at"],
        answered_at=row["answered_at"],
        answered_by=row["answered_by"],
        language=row["language"],
        shown=row["shown"],
        ended_at=row["ended_at"],
        end_reason=None if row["end_reason"] is None else EndReason(row["end_reason"]),
        migrated=row["migrated"],
    )


def event_of(row: RowMapping) -> ConsentEvent:
    """The event in a row of the table of events."""
    return ConsentEvent(row["event_id"], row["consent_id"], EventType(row["type"]), row["created"], row["performed_by"])


async def insert(connection: AsyncConnection, consent: Consent) -> bool:
    """Keep a new consent; False when there is one with its id."""
    if (await connection.execute(_INSERT, _columns(consent))).rowcount == 0:
        return False
    of_consent = {**_parties(consent), **_told(consent)}
    rights = [
        {
            "consent_id": consent.id,
            "place": place,
            "resource": right.resource,
            "version": right.resource_version,
            "actions": list(right.actions),
            "metadata": json.dumps(dict(right.metadata)),
            **of_consent,
        }
        for place, right in enumerate(consent.rights)
    ]
    if rights:
        await connection.execute(_INSERT_RIGHT, rights)
    return True


async def get(connection: AsyncConnection, consent_id: UUID, *, lock: bool = False) -> Consent | None:
    """The consent; with ``lock`` nobody else moves it before the transaction ends."""
    row = (await connection.execute(_LOCK if lock else _GET, {"consent_id": consent_id})).mappings().first()
    return None if row is None else consent_of(row)


async def move(connection: AsyncConnection, before: Consent, after: Consent) -> bool:
    """Let the consent stand as ``after``; False when it does not stand as ``before`` any more."""
    columns = _columns(after)
    asked = {
        **{name: columns[name] for name in ("consent_id", *_MOVING)},
        "from_status": before.status.value,
        "from_opened_at": before.opened_at,
        "from_migrated": before.migrated,
    }
    if (await connection.execute(_MOVE, asked)).rowcount == 0:
        return False
    if _told(before) != _told(after):
        await connection.execute(_TELL, {"consent_id": after.id, **_told(after)})
    if before.migrated is None and after.migrated is not None:
        await connection.execute(_TO_FEED, {"consent_id": after.id})
    return True


async def add_events(connection: AsyncConnection, consent: Consent, events: Iterable[ConsentEvent]) -> None:
    """Keep what has happened to the consent."""
    rows = [
        {
            "event_id": event.id,
            "consent_id": consent.id,
            "receiver": consent.receiver,
            "type": event.type.value,
            "created": event.created,
            "performed_by": event.performed_by,
            "in_feed": consent.in_altinn3 and event.type is not EventType.OPENED,
        }
        for event in events
    ]
    if rows:
        await connection.execute(_INSERT_EVENT, rows)


async def events(connection: AsyncConnection, consent_ids: Collection[UUID]) -> dict[UUID, tuple[ConsentEvent, ...]]:
    """What has happened to each of the consents, oldest first."""
    rows = (await connection.execute(_EVENTS, {"consent_ids": list(consent_ids)})).mappings().all()
    found: dict[UUID, list[ConsentEvent]] = {one: [] for one in consent_ids}
    for row in rows:
        found[row["consent_id"]].append(event_of(row))
    return {one: tuple(happened) for one, happened in found.items()}


def consents_of(rows: Sequence[RowMapping]) -> list[Consent]:
    """The consents in rows of ``CONSENT``."""
    return [consent_of(row) for row in rows]


def _columns(consent: Consent) -> Mapping[str, Any]:
    return {
        "consent_id": consent.id,
        "form": consent.form.value,
        "giver": consent.giver,
        "receiver": consent.receiver,
        "handled_by": consent.handled_by,
        "required_delegator": consent.required_delegator,
        "created_by": consent.created_by,
        "valid_to": consent.valid_to,
        "message": json.dumps(dict(consent.message)),
        "redirect_url": consent.redirect_url,
        "notification_url": consent.notification_url,
        "portal_view_mode": consent.portal_view_mode.value,
        "template_id": consent.template_id,
        "template_version": consent.template_version,
        "one_time": consent.one_time,
        "status": consent.status.value,
        "created": consent.created,
        "opened_at": consent.opened_at,
        "answered_at": consent.answered_at,
        "answered_by": consent.answered_by,
        "language": consent.language,
        "shown": json.dumps(dict(consent.shown)),
        "ended_at": consent.ended_at,
        "end_reason": None if consent.end_reason is None else consent.end_reason.value,
        "migrated": consent.migrated,
        "last_changed": consent.last_changed,
    }


def _told(consent: Consent) -> Mapping[str, datetime | bool | str | None]:
    """What rights repeat of how their consent stands, for the lists that go by them: when its owner's list last changed
    by it, from when it is accepted, and whether it has ended; its state and its last change in Altinn 2's lists."""
    revoked = consent.status is Status.REVOKED
    state = _state_in_altinn2(consent)
    return {
        "agreed": consent.last_changed if revoked or consent.status is Status.ACCEPTED else None,
        "revoked": revoked,
        "state": state,
        "changed": None if state is None else consent.last_changed,
    }


def _state_in_altinn2(consent: Consent) -> str | None:
    """A consent that has ended is an accepted one still (consent.md §2.4); None for what those lists do not have."""
    if consent.form is not Form.ALTINN2 or consent.status is Status.DELETED:
        return None
    if consent.status is Status.CREATED:
        return "Created" if consent.opened_at is None else "Opened"
    return Status.ACCEPTED.value if consent.status is Status.REVOKED else consent.status.value


def _parties(consent: Consent) -> Mapping[str, UUID | None]:
    """What rights repeat of whose their consent is, for Altinn 2's lists."""
    if consent.form is not Form.ALTINN2:
        return {"giver": None, "receiver": None, "handled_by": None}
    return {"giver": consent.giver, "receiver": consent.receiver, "handled_by": consent.handled_by}
