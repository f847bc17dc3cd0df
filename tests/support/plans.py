"""How a statement finds what it looks for, as PostgreSQL tells when it runs it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection


async def most_rows_read(connection: AsyncConnection, statement: TextClause, values: Mapping[str, object]) -> float:
    """The rows that the busiest step of the statement looks at, those that it throws away too."""
    explained = text(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement.text}")
    plan = (await connection.execute(explained, values)).scalar_one()
    return max(_rows_read(plan[0]["Plan"]))


def _rows_read(node: dict[str, Any]) -> Iterator[float]:
    thrown_away = ("Rows Removed by Filter", "Rows Removed by Join Filter", "Rows Removed by Index Recheck")
    yield node["Actual Rows"] + sum(node.get(name, 0) for name in thrown_away)
    for below in node.get("Plans", ()):
        yield from _rows_read(below)
