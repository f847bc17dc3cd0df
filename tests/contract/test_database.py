"""What the database layer promises to every system."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from fullmakt.infra.database import Database


async def test_an_error_does_not_repeat_what_was_to_be_stored(database: Database) -> None:
    with pytest.raises(DBAPIError) as caught:
        async with database.transaction() as connection:
            await connection.execute(text("SELECT CAST(:id AS text), :nul"), {"id": "05895199925", "nul": "\x00"})
    assert "05895199925" not in f"{caught.value}{caught.value!r}"
