"""Fixtures for every test."""

from __future__ import annotations

import pytest

from tests.support.postgres import database, database_url, postgres

__all__ = ["database", "database_url", "postgres"]


@pytest.fixture
def anyio_backend() -> str:
    """The product runs on asyncio."""
    return "asyncio"
