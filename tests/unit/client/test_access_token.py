"""The token endpoint's answers, good and odd."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fullmakt.client import AccessDeniedError, AccessToken, MaskinportenError, TemporarilyUnavailableError
from fullmakt.client.access_token import read_response
from fullmakt.client.errors import UnexpectedResponseError

NOW = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)
GOOD = {"access_token": "x.y.z", "token_type": "Bearer", "expires_in": 119, "scope": "a:one a:two"}


def read(document: object, status: int = 200, **headers: str) -> AccessToken:
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    request = httpx2.Request("POST", "https://issuer.test/token")
    return read_response(httpx2.Response(status, content=content, headers=headers, request=request), NOW)


def test_a_token_lives_from_when_it_was_asked_for() -> None:
    token = read(GOOD)
    assert token == AccessToken("x.y.z", ("a:one", "a:two"), NOW + dt.timedelta(seconds=119), NOW)
    assert token.authorization == "Bearer x.y.z"


@pytest.mark.parametrize(
    "changes",
    [
        {"access_token": None},
        {"access_token": ""},
        {"access_token": "x\r\nSet-Cookie: y"},
        {"access_token": "x y"},
        {"access_token": "æ"},
        {"token_type": "DPoP"},
        {"token_type": None},
        {"expires_in": "119"},
        {"expires_in": 0},
        {"expires_in": True},
        {"expires_in": 10**20},
    ],
)
def test_an_answer_that_is_no_token_is_not_taken_for_one(changes: dict[str, Any]) -> None:
    with pytest.raises(UnexpectedResponseError):
        read(GOOD | changes)


@pytest.mark.parametrize("content", [b"", b"<html>captive portal</html>", b"[]", b"\xff"])
def test_a_page_is_told_from_a_token_server(content: bytes) -> None:
    with pytest.raises(UnexpectedResponseError) as refused:
        read(content)
    assert "captive" not in str(refused.value)
    with pytest.raises(TemporarilyUnavailableError):
        read(content, 503)


def test_a_refusal_is_raised_as_what_it_means() -> None:
    body = {"error": "forbidden", "error_description": "No", "error_uri": "https://issuer.test/errors/MP-250"}
    with pytest.raises(AccessDeniedError):
        read(body, 403)
    with pytest.raises(UnexpectedResponseError):
        read({"error": 7}, 400)


@given(
    st.binary()
    | st.dictionaries(st.text(), st.none() | st.integers() | st.text()).map(lambda d: json.dumps(d).encode()),
    st.sampled_from([200, 302, 400, 403, 500, 503]),
)
def test_any_answer_ends_in_an_error_of_ours(content: bytes, status: int) -> None:
    with pytest.raises(MaskinportenError):
        read(content, status)
