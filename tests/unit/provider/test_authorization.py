"""The token of a request."""

from __future__ import annotations

import pytest

from fullmakt.provider import InvalidRequestError, MissingTokenError
from fullmakt.provider.authorization import bearer_token


@pytest.mark.parametrize("header", ["Bearer abc", "bearer abc", "BEARER  abc ", " Bearer abc"])
def test_the_scheme_is_read_in_any_case(header: str) -> None:
    assert bearer_token([header]) == "abc"


@pytest.mark.parametrize("headers", [[], [""], ["Bearer"], ["Bearer "], ["Basic abc"], ["abc"], ["Bearerabc"]])
def test_anything_else_is_no_token(headers: list[str]) -> None:
    with pytest.raises(MissingTokenError):
        bearer_token(headers)


def test_two_headers_are_one_too_many() -> None:
    with pytest.raises(InvalidRequestError):
        bearer_token(["Bearer abc", "Bearer def"])
