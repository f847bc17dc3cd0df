"""Fixtures for every test."""

from __future__ import annotations

import signal

import pytest

from tests.support.postgres import begin_run, database, database_url, end_run, narrow_database, postgres

__all__ = ["database", "database_url", "narrow_database", "postgres"]


def pytest_configure() -> None:
    """Before anything else, and before there are workers."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell starts what it puts in the background so, and what the tests start and interrupt would inherit it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    begin_run()


def pytest_unconfigure() -> None:
    """After everything, when the workers have gone."""
    end_run()


@pytest.fixture
def anyio_backend() -> str:
    """The product runs on asyncio."""
    return "asyncio"
