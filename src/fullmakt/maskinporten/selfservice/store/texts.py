"""Statements on how many texts were sent of late: to whom is not kept."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_COUNT = text(
    "INSERT INTO selfservice.text_count AS c (counted, since, texts) VALUES (:counted, :now, 1)"
    " ON CONFLICT (counted) DO UPDATE SET"
    " since = CASE WHEN c.since <= :before THEN :now ELSE c.since END,"
    " texts = CASE WHEN c.since <= :before THEN 1 ELSE c.texts + 1 END"
    " RETURNING texts, since"
)
_TAKE_BACK = text("UPDATE selfservice.text_count SET texts = texts - 1 WHERE counted = :counted AND texts > 0")
_FORGET = text(
    "DELETE FROM selfservice.text_count WHERE counted IN"
    " (SELECT counted FROM selfservice.text_count WHERE since <= :before FOR UPDATE SKIP LOCKED)"
)


async def count(
    connection: AsyncConnection, counted: str, now: dt.datetime, window: dt.timedelta
) -> tuple[int, dt.datetime]:
    """Count one more; returns how many there are in the window at hand, and when that ends."""
    row = (await connection.execute(_COUNT, {"counted": counted, "now": now, "before": now - window})).one()
    return row.texts, row.since + window


async def take_back(connection: AsyncConnection, counted: str) -> None:
    """Count one less."""
    await connection.execute(_TAKE_BACK, {"counted": counted})


async def forget(connection: AsyncConnection, now: dt.datetime, window: dt.timedelta) -> None:
    """Remove what is older than the window, save what others are counting in."""
    await connection.execute(_FORGET, {"before": now - window})
