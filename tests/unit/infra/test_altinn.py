"""Which token counts as the caller's."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from fullmakt.infra.altinn import COOKIE, token_of

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def asked(method: str, **headers: str) -> Request:
    sent = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": method, "path": "/", "query_string": b"", "headers": sent})


@pytest.mark.parametrize("method", METHODS)
def test_a_cookie_stands_for_a_token_where_nothing_is_changed(method: str) -> None:
    request = asked(method, Cookie=f"other=a; {COOKIE}=from-cookie")
    assert token_of(request) == ("from-cookie" if method in {"GET", "HEAD"} else None)


@pytest.mark.parametrize("method", METHODS)
def test_a_bearer_token_goes_before_a_cookie(method: str) -> None:
    assert token_of(asked(method, Cookie=f"{COOKIE}=from-cookie", Authorization="Bearer of-header")) == "of-header"


@pytest.mark.parametrize("cookie", ["", f"{COOKIE}=", "altinnstudioruntime=x", f"x{COOKIE}=x"])
def test_no_such_cookie_is_no_token(cookie: str) -> None:
    assert token_of(asked("GET", Cookie=cookie)) is None
