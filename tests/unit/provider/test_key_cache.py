"""When keys are asked for again, and how long they are gone by."""

from __future__ import annotations

import datetime as dt

import pytest

from fullmakt.provider.errors import IssuerUnavailableError
from fullmakt.provider.key_cache import DAY, FetchedKeys, KeyCache, KeyCacheLimits
from tests.support.fake_issuer import key

START = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)
KEYS = {"known": key("known").public}


def after(seconds: float) -> dt.datetime:
    return START + dt.timedelta(seconds=seconds)


def cache(max_age: float | None = 3600) -> KeyCache:
    made = KeyCache(KeyCacheLimits())
    made.store(FetchedKeys(KEYS, max_age), START)
    return made


@pytest.mark.parametrize(
    ("told", "kept"),
    [(3600, 3600), (None, DAY), (7 * DAY, DAY), (0, 10), (5, 10)],
    ids=["as told", "a day when not told", "a day at most", "not uncached", "not more often than may be"],
)
def test_keys_are_kept_as_told_within_bounds(told: float | None, kept: float) -> None:
    keys = cache(told)
    assert not keys.should_fetch("known", after(kept - 1))
    assert keys.should_fetch("known", after(kept))


def test_nothing_is_known_at_first() -> None:
    empty = KeyCache(KeyCacheLimits())
    assert empty.should_fetch("any", START)
    with pytest.raises(IssuerUnavailableError):
        empty.key("any", START)


def test_an_unknown_key_id_forces_a_fetch_now_and_then() -> None:
    keys = cache()
    assert keys.should_fetch("new", after(1))
    assert keys.fetching(after(1)) is True
    keys.store(FetchedKeys(KEYS, 3600), after(1))
    assert not keys.should_fetch("newer", after(10))
    assert keys.should_fetch("newer", after(11))


def test_a_fetch_of_keys_that_have_run_out_is_not_forced() -> None:
    assert cache().fetching(after(3600)) is False


def test_stale_keys_serve_for_a_week_while_the_issuer_is_out() -> None:
    keys = cache()
    keys.failed(after(3600))
    assert not keys.should_fetch("known", after(3609))
    assert keys.should_fetch("known", after(3610))
    assert keys.key("known", after(3600 + 7 * DAY - 1)) is KEYS["known"]
    with pytest.raises(IssuerUnavailableError):
        keys.key("known", after(3600 + 7 * DAY))


def test_while_the_issuer_is_out_one_caller_waits_for_it_and_the_others_go_on() -> None:
    keys = cache()
    keys.failed(after(3600))
    assert keys.should_fetch("known", after(3610))
    keys.fetching(after(3610))
    assert not keys.should_fetch("known", after(3610))
    assert keys.should_fetch("new", after(3610))
    keys.fetched()
    assert keys.should_fetch("known", after(3610))


def test_when_keys_have_run_out_everybody_waits_for_the_new_ones() -> None:
    keys = cache()
    keys.fetching(after(3600))
    assert keys.should_fetch("known", after(3600))


def test_with_no_keys_at_all_a_failed_fetch_is_tried_again_sooner() -> None:
    empty = KeyCache(KeyCacheLimits())
    empty.failed(START)
    assert not empty.should_fetch("any", after(0.9))
    assert empty.should_fetch("any", after(1))


def test_a_key_that_is_withdrawn_is_gone() -> None:
    keys = cache()
    keys.store(FetchedKeys({"other": key("known").public}, 3600), after(60))
    assert keys.key("known", after(60)) is None
