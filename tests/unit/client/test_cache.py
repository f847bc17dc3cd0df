"""How long a token is handed out, and when it is replaced."""

from __future__ import annotations

import datetime as dt

import pytest

from fullmakt.client import AccessToken, TokenRequest
from fullmakt.client.cache import TokenCache

START = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)
REQUEST = TokenRequest.of("a:b")


def after(seconds: float) -> dt.datetime:
    return START + dt.timedelta(seconds=seconds)


def token(value: str = "one", life: float = 120) -> AccessToken:
    return AccessToken(value, ("a:b",), expires_at=after(life), issued_at=START)


@pytest.mark.parametrize(("life", "replaced_at"), [(120, 100), (3600, 3580), (40, 30), (10, 7.5)])
def test_a_token_is_replaced_ahead_of_its_expiry(life: float, replaced_at: float) -> None:
    cache = TokenCache(margin=20)
    cache.store(REQUEST, token(life=life))
    assert cache.fresh(REQUEST, after(replaced_at - 0.1)) is not None
    assert cache.fresh(REQUEST, after(replaced_at)) is None


def test_a_token_that_can_not_be_replaced_is_used_on_for_a_while() -> None:
    cache = TokenCache(margin=20)
    cache.store(REQUEST, token())
    assert cache.still_usable(REQUEST, after(100)) == token()
    assert cache.fresh(REQUEST, after(104.9)) == token()
    assert cache.fresh(REQUEST, after(105)) is None
    assert cache.still_usable(REQUEST, after(114.9)) == token()
    assert cache.fresh(REQUEST, after(115)) is None
    assert cache.still_usable(REQUEST, after(115)) is None


def test_tokens_for_different_requests_are_kept_apart() -> None:
    cache = TokenCache()
    cache.store(REQUEST, token())
    assert cache.fresh(TokenRequest.of("a:b", consumer_org="310000027"), START) is None


def test_the_token_used_longest_ago_makes_room() -> None:
    cache = TokenCache(max_tokens=2)
    one, two, three = (TokenRequest.of(f"a:{n}") for n in range(3))
    cache.store(one, token())
    cache.store(two, token())
    cache.fresh(one, START)
    cache.store(three, token())
    assert [cache.fresh(request, START) is not None for request in (one, two, three)] == [True, False, True]


def test_a_token_that_was_refused_is_forgotten_unless_it_was_replaced_already() -> None:
    cache = TokenCache()
    cache.store(REQUEST, token("two"))
    cache.discard(REQUEST, token("one"))
    assert cache.fresh(REQUEST, START) is not None
    cache.discard(REQUEST, token("two"))
    assert cache.fresh(REQUEST, START) is None


def test_a_token_does_not_show_itself_when_it_is_printed() -> None:
    assert "secret" not in repr(token("secret"))
    assert token().lifetime_left(after(121)) == dt.timedelta(seconds=-1)
