"""The token of an ``Authorization`` header (RFC 6750 §2.1)."""

from __future__ import annotations

from collections.abc import Sequence

from fullmakt.provider.errors import InvalidRequestError, MissingTokenError


def bearer_token(authorization: Sequence[str]) -> str:
    """The token in a request's ``Authorization`` headers, of which there should be one.

    Raises:
        MissingTokenError: no header, another scheme, or nothing after the word ``Bearer``.
        InvalidRequestError: the header is there twice, so that it is anybody's guess which one counts.
    """
    if len(authorization) > 1:
        raise InvalidRequestError("The Authorization header is sent more than once")
    scheme, _, token = "".join(authorization).strip().partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise MissingTokenError
    return token.strip()
