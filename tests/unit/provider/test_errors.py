"""What a refusal says on the wire, to the letter (RFC 6750 §3)."""

from __future__ import annotations

import pytest

from fullmakt.provider.errors import (
    BearerError,
    ConsumerNotAllowedError,
    InsufficientScopeError,
    InvalidRequestError,
    InvalidTokenError,
    IssuerUnavailableError,
    MissingTokenError,
    Reason,
)


@pytest.mark.parametrize(
    ("error", "status", "challenge"),
    [
        (MissingTokenError(), 401, 'Bearer realm="api"'),
        (
            InvalidTokenError(Reason.EXPIRED, "The token has expired"),
            401,
            'Bearer realm="api", error="invalid_token", error_description="The token has expired"',
        ),
        (
            InsufficientScopeError(["a:one", "a:two"], ["a:one"]),
            403,
            (
                'Bearer realm="api", error="insufficient_scope", error_description="The token lacks the scope a:two", '
                'scope="a:one a:two"'
            ),
        ),
        (
            ConsumerNotAllowedError("310000027"),
            403,
            (
                'Bearer realm="api", error="access_denied", '
                'error_description="This API is not open to the organisation 310000027"'
            ),
        ),
        (
            InvalidRequestError("The Authorization header is sent more than once"),
            400,
            (
                'Bearer realm="api", error="invalid_request", '
                'error_description="The Authorization header is sent more than once"'
            ),
        ),
    ],
)
def test_each_refusal_has_its_status_and_challenge(error: BearerError, status: int, challenge: str) -> None:
    assert error.status == status
    assert error.headers() == {"WWW-Authenticate": challenge, "Cache-Control": "no-store"}


def test_the_challenge_names_the_apis_realm_and_its_metadata() -> None:
    url = "https://api.example/.well-known/oauth-protected-resource"
    assert MissingTokenError().www_authenticate(realm="orders", resource_metadata=url) == (
        f'Bearer realm="orders", resource_metadata="{url}"'
    )


def test_an_issuer_that_is_out_is_no_fault_of_the_token() -> None:
    error = IssuerUnavailableError("The keys can not be fetched", retry_after=3)
    assert (error.status, error.headers()) == (503, {"Retry-After": "3", "Cache-Control": "no-store"})
    assert error.body() == {"error_description": "The keys can not be fetched"}


def test_a_challenge_can_not_be_broken_out_of() -> None:
    error = InvalidTokenError(Reason.MALFORMED, 'a"b\\c\r\nSet-Cookie: d=æ')
    assert error.www_authenticate(realm='r"') == (
        'Bearer realm="r?", error="invalid_token", error_description="a?b?c??Set-Cookie: d=?"'
    )


def test_a_scope_that_a_challenge_can_not_hold_is_left_out_of_it() -> None:
    assert "scope=" not in InsufficientScopeError(["lånekassen:lån"], []).www_authenticate()


def test_the_body_says_the_same_as_the_challenge() -> None:
    error = InvalidTokenError(Reason.EXPIRED, "The token has expired")
    assert error.body() == {"error": "invalid_token", "error_description": "The token has expired"}
    assert str(error) == "The token has expired"
