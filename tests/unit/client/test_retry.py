"""How long to wait before asking again."""

from __future__ import annotations

import httpx2
import pytest

from fullmakt.client.retry import Pause, pause_before_retry, retry_after


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "3"}, 3),
        ({"Retry-After": "-3"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "9" * 30}, None),
        ({"Retry-After": "Sat, 21 Nov 2026 12:00:04 GMT", "Date": "Sat, 21 Nov 2026 12:00:00 GMT"}, 4),
        ({"Retry-After": "Sat, 21 Nov 2026 11:00:00 GMT", "Date": "Sat, 21 Nov 2026 12:00:00 GMT"}, 0),
        ({"Retry-After": "Sat, 21 Nov 2026 12:00:04 -0000", "Date": "Sat, 21 Nov 2026 12:00:00 GMT"}, 4),
        ({"Retry-After": "Sat, 21 Nov 2026 12:00:04 GMT"}, None),
    ],
)
def test_retry_after_is_read_in_both_its_forms(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(httpx2.Headers(headers)) == seconds


def test_the_wait_is_a_short_one_or_none() -> None:
    assert pause_before_retry(None) == Pause(0.5)
    assert pause_before_retry(5) == Pause(5)
    assert pause_before_retry(6) is None
