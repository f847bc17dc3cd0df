"""An access token as its client sees it, and the response it came in."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import httpx2

from fullmakt.client.errors import (
    MaskinportenError,
    TemporarilyUnavailableError,
    UnexpectedResponseError,
    error_from,
)
from fullmakt.client.retry import TRANSIENT, retry_after
from fullmakt.jose.strict_json import StrictJsonError, loads_object

MAX_RESPONSE_BYTES = 1024 * 1024
MAX_LIFETIME = 366 * 24 * 3600
"""Seconds; an ``expires_in`` beyond it is a fault, not a lifetime."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token to call an API with. ``value`` is opaque to its client, and left out of ``repr``.

    ``expires_at`` is reckoned from the moment before the token was asked for, so it is never too late.
    """

    value: str = field(repr=False)
    scopes: tuple[str, ...]
    expires_at: dt.datetime
    issued_at: dt.datetime

    @property
    def authorization(self) -> str:
        """The value of the ``Authorization`` header (RFC 6750 §2.1)."""
        return f"Bearer {self.value}"

    def lifetime_left(self, now: dt.datetime) -> dt.timedelta:
        """How long the token is still good; negative when it no longer is."""
        return self.expires_at - now


def read_response(response: httpx2.Response, asked_at: dt.datetime) -> AccessToken:
    """The token in a token endpoint's response (RFC 6749 §5.1; maskinporten.md §3.1).

    Raises:
        MaskinportenError: the endpoint refused, as §6 there has it; or it did not answer as a token endpoint does.
    """
    try:
        document = loads_object(response.content[:MAX_RESPONSE_BYTES])
    except StrictJsonError as error:
        raise _unexpected(response, "no JSON object") from error
    if response.status_code != httpx2.codes.OK:
        raise _refusal(response, document)
    value, token_type, seconds = (document.get(name) for name in ("access_token", "token_type", "expires_in"))
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or " " in value or not value:
        raise _unexpected(response, "no access_token")
    if not isinstance(token_type, str) or token_type.lower() != "bearer":
        raise _unexpected(response, "a token_type other than Bearer")
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 < seconds <= MAX_LIFETIME:
        raise _unexpected(response, "no usable expires_in")
    scope = document.get("scope")
    return AccessToken(
        value=value,
        scopes=tuple(scope.split()) if isinstance(scope, str) else (),
        expires_at=asked_at + dt.timedelta(seconds=seconds),
        issued_at=asked_at,
    )


def _refusal(response: httpx2.Response, document: dict[str, object]) -> MaskinportenError:
    error, description, uri = (document.get(name) for name in ("error", "error_description", "error_uri"))
    if not isinstance(error, str):
        return _unexpected(response, "no error code")
    return error_from(
        response.status_code,
        error,
        description if isinstance(description, str) else "",
        uri if isinstance(uri, str) else None,
        retry_after=retry_after(response.headers),
    )


def _unexpected(response: httpx2.Response, what: str) -> MaskinportenError:
    """Not an OAuth response. The body is not repeated: there is no telling what it holds."""
    text = f"{response.url} answered {response.status_code} with {what}"
    kind = TemporarilyUnavailableError if response.status_code in TRANSIENT else UnexpectedResponseError
    return kind(text, status=response.status_code, retry_after=retry_after(response.headers))
