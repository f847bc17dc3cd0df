"""The list of requests, for those who make and get them: by ``LastChanged``, the oldest first (consent.md §2.3).

A page costs the same whatever the table holds: of one state or of all, for one service or for any.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.altinn.consents.model import Consent
from fullmakt.altinn.consents.store import CONSENT, consents_of

_TOKEN = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3})_(\d{3})([0-9a-f]{32})", re.ASCII)
_STATE = (
    "(CASE WHEN c.status = 'Created' AND c.opened_at IS NOT NULL THEN 'Opened'"
    " WHEN c.status = 'Revoked' THEN 'Accepted' ELSE c.status END)"
)
_OF = (
    "(SELECT c.consent_id FROM consents.consent c WHERE {side} AND c.form = 'altinn2' AND c.status <> 'Deleted'"
    " AND (c.last_changed, c.consent_id) > (:at, :id){state} ORDER BY c.last_changed, c.consent_id LIMIT :limit)"
)
# A consent may have more than one right to a service.
_OF_SERVICE = (
    "(SELECT one.consent_id FROM (SELECT DISTINCT r.changed, r.consent_id FROM consents.consent_right r WHERE {side}"
    " AND r.resource = :resource{state} AND (r.changed, r.consent_id) > (:at, :id)"
    " ORDER BY r.changed, r.consent_id LIMIT :limit) one)"
)
_SIDES = {
    "receiver": "{of}.receiver = :party",
    "handler": "{of}.handled_by = :party",
    "supplier": "{of}.handled_by = :party AND {of}.receiver = :consumer",
    "giver": "{of}.giver = :party",
}
_STATES = ("Accepted", "Created", "Opened", "Rejected")

_BEGINNING = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_FIRST = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: after the consent ``id`` that changed last ``at``."""

    at: dt.datetime = _BEGINNING
    id: UUID = _FIRST

    @classmethod
    def read(cls, token: str) -> Place:
        """The place in a continuation token.

        Raises:
            ValueError: it is none of ours.
        """
        found = _TOKEN.fullmatch(token)
        if found is None:
            raise ValueError("not a continuation token")
        return cls(dt.datetime.fromisoformat(f"{found[1]}{found[2]}+00:00"), UUID(found[3]))

    @classmethod
    def after(cls, consent: Consent) -> Place:
        """The place right behind a consent."""
        return cls(consent.last_changed.astimezone(dt.UTC), consent.id)

    @property
    def token(self) -> str:
        """``2025-02-03T10:09:59.548_…``: milliseconds, and what tells those apart that changed in the same one."""
        moment = self.at.replace(tzinfo=None).isoformat(timespec="microseconds")
        return f"{moment[:-3]}_{moment[-3:]}{self.id.hex}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose requests: those of ``party`` on any of ``sides`` (``receiver``, ``handler``, ``giver``, or ``supplier`` of
    ``consumer``); of ``states``, or of any; for ``resource``, or for any."""

    party: UUID
    sides: tuple[str, ...]
    consumer: UUID | None = None
    states: tuple[str, ...] | None = None
    resource: str | None = None


def page_sql(wanted: Wanted) -> str:
    """The statement for a page: the heads of each list, put together; there is one for each side and state."""
    head, of, state = (_OF, "c", _STATE) if wanted.resource is None else (_OF_SERVICE, "r", "r.state")
    states = _states(wanted)
    conditions = [""] if states is None else [f" AND {state} = :state_{number}" for number in range(len(states))]
    heads = [
        head.format(side=_SIDES[side].format(of=of), state=condition)
        for side in wanted.sides
        for condition in conditions
    ]
    union = " UNION ".join(heads) or "NULL"
    return f"{CONSENT} WHERE c.consent_id IN ({union}) ORDER BY c.last_changed, c.consent_id LIMIT :limit"


def page_values(wanted: Wanted, place: Place, limit: int) -> dict[str, Any]:
    """What the statement is given."""
    return {
        "party": wanted.party,
        "at": place.at,
        "id": place.id,
        "limit": limit,
        **({} if wanted.resource is None else {"resource": wanted.resource}),
        **{f"state_{number}": state for number, state in enumerate(_states(wanted) or ())},
        **({"consumer": wanted.consumer} if "supplier" in wanted.sides else {}),
    }


def _states(wanted: Wanted) -> tuple[str, ...] | None:
    """The states that have a list each; None where there is one of all states. There is none for one service."""
    if wanted.states is None:
        return None if wanted.resource is None else _STATES
    return tuple(sorted(set(wanted.states)))


async def requests(connection: AsyncConnection, wanted: Wanted, place: Place, limit: int) -> list[Consent]:
    """A page of requests."""
    rows = await connection.execute(text(page_sql(wanted)), page_values(wanted, place, limit))
    return consents_of(rows.mappings().all())
