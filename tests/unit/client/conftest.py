"""A clock that stands still, and an issuer that goes by it."""

from __future__ import annotations

import datetime as dt

import pytest

from fullmakt.kernel.clock import FixedClock
from tests.support.fake_issuer import FakeIssuer


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC))


@pytest.fixture
def issuer(clock: FixedClock) -> FakeIssuer:
    return FakeIssuer(clock)
