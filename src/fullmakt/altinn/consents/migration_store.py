"""Which consents of Altinn 2's form can be taken over, by the batch, and how many can not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from fullmakt.altinn.consents.model import Consent
from fullmakt.altinn.consents.rules import Reason
from fullmakt.altinn.consents.store import CONSENT, consents_of

_FOUND = f"{CONSENT} WHERE c.consent_id = ANY(:ids) ORDER BY c.consent_id"
_READ, _LOCK = text(_FOUND), text(f"{_FOUND} FOR UPDATE OF c")
_OLD = (
    "c.form = 'altinn2' AND c.migrated IS NULL AND (CAST(:resource AS text) IS NULL OR EXISTS"
    " (SELECT 1 FROM consents.consent_right r WHERE r.consent_id = c.consent_id AND r.resource = :resource))"
)
_STANDS = "(c.status = 'Accepted' AND (:lapsed OR c.valid_to > :now))"
_WAITING = text(
    "SELECT c.consent_id FROM consents.consent c"  # noqa: S608 - conditions of ours
    f" WHERE c.consent_id > :after AND {_OLD} AND {_STANDS} ORDER BY c.consent_id LIMIT :limit"
)
_LEFT = text(
    f"SELECT CASE c.status WHEN 'Accepted' THEN '{Reason.EXPIRED}' WHEN 'Revoked' THEN '{Reason.ENDED}'"  # noqa: S608
    f" ELSE '{Reason.NOT_ACCEPTED}' END AS reason, count(*) AS how_many"
    f" FROM consents.consent c WHERE {_OLD} AND NOT {_STANDS} GROUP BY 1 ORDER BY 1"
)
FIRST = UUID(int=0)


async def found(connection: AsyncConnection, ids: Collection[UUID], *, lock: bool = False) -> dict[UUID, Consent]:
    """Those of the consents that there are; with ``lock``, in the order of their ids, kept from moving."""
    rows = await connection.execute(_LOCK if lock else _READ, {"ids": list(ids)})
    return {one.id: one for one in consents_of(rows.mappings().all())}


async def waiting(
    connection: AsyncConnection, after: UUID, limit: int, now: dt.datetime, *, resource: str | None, lapsed: bool
) -> Sequence[UUID]:
    """The first ``limit`` after ``after`` that stand and that Altinn 3 does not know; with ``lapsed`` those too whose
    time is over."""
    asked = {"after": after, "limit": limit, "now": now, "resource": resource, "lapsed": lapsed}
    return [row[0] for row in await connection.execute(_WAITING, asked)]


async def left(
    connection: AsyncConnection, now: dt.datetime, *, resource: str | None, lapsed: bool
) -> Mapping[str, int]:
    """How many others of Altinn 2's form there are, by the reason for which they are not taken over."""
    rows = await connection.execute(_LEFT, {"now": now, "resource": resource, "lapsed": lapsed})
    return {row[0]: row[1] for row in rows}
