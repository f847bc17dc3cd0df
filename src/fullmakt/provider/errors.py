"""Every way in which an API says no to a bearer token, in the form of RFC 6750 §3.

A message never holds the token, nor any part of it that is personal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import ClassVar

DEFAULT_REALM = "api"
_NOT_QUOTABLE = re.compile(r"[^\x20\x21\x23-\x5b\x5d-\x7e]")
"""RFC 6750 §3: what ``error_description`` and ``scope`` may not hold (the quote and the backslash among them)."""


class Reason(StrEnum):
    """Why a token was refused, for machines: log it, count it, branch on it. New members may be added."""

    MISSING = "missing"
    BAD_HEADER = "bad_header"
    MALFORMED = "malformed"
    ALGORITHM = "algorithm"
    WRONG_TYPE = "wrong_type"
    UNKNOWN_KID = "unknown_kid"
    BAD_SIGNATURE = "bad_signature"
    WRONG_ISSUER = "wrong_issuer"
    WRONG_AUDIENCE = "wrong_audience"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    BAD_CLAIM = "bad_claim"
    NO_CONSUMER = "no_consumer"
    INSUFFICIENT_SCOPE = "insufficient_scope"
    CONSUMER_NOT_ALLOWED = "consumer_not_allowed"
    ISSUER_UNAVAILABLE = "issuer_unavailable"
    NOT_PERMITTED = "not_permitted"
    NO_CONSENT = "no_consent"


class BearerError(Exception):
    """The request is refused for its token, or for the lack of one.

    ``status`` is the HTTP status, ``error`` RFC 6750's code (None when the response must name none), ``reason`` why,
    for machines, and ``description`` why, for the caller's developer.
    """

    status: ClassVar[int] = 401
    error: ClassVar[str | None] = "invalid_token"

    def __init__(self, reason: Reason, description: str) -> None:
        super().__init__(description)
        self.reason = reason
        self.description = description

    def _attributes(self) -> dict[str, str]:
        if self.error is None:
            return {}
        return {"error": self.error, "error_description": self.description}

    def www_authenticate(self, *, realm: str = DEFAULT_REALM, resource_metadata: str | None = None) -> str:
        """The value of ``WWW-Authenticate`` (RFC 6750 §3).

        ``realm`` is always there, for the scheme must be followed by at least one attribute. ``resource_metadata`` is
        the URL of the API's RFC 9728 document, for those that publish one (§5.1 there).
        """
        attributes = {"realm": realm, **self._attributes()}
        if resource_metadata is not None:
            attributes["resource_metadata"] = resource_metadata
        return "Bearer " + ", ".join(f'{name}="{_NOT_QUOTABLE.sub("?", text)}"' for name, text in attributes.items())

    def headers(self, *, realm: str = DEFAULT_REALM, resource_metadata: str | None = None) -> dict[str, str]:
        """The headers of the refusal, beside those of its body."""
        challenge = self.www_authenticate(realm=realm, resource_metadata=resource_metadata)
        return {"WWW-Authenticate": challenge, "Cache-Control": "no-store"}

    def body(self) -> dict[str, str]:
        """What a JSON body may say: ``error`` where there is one, and ``error_description``."""
        code = {} if self.error is None else {"error": self.error}
        return {**code, "error_description": self.description}


class MissingTokenError(BearerError):
    """No bearer token was sent. 401, and no error code (RFC 6750 §3.1, last paragraph)."""

    error = None

    def __init__(self) -> None:
        super().__init__(Reason.MISSING, "Send an access token: Authorization: Bearer <token>")


class InvalidRequestError(BearerError):
    """The ``Authorization`` header can not be read: sent twice, or its token is no b64token (RFC 6750 §3.1). 400."""

    status = 400
    error = "invalid_request"

    def __init__(self, description: str) -> None:
        super().__init__(Reason.BAD_HEADER, description)


class InvalidTokenError(BearerError):
    """The token is malformed, expired, from another issuer, meant for another audience, or not signed by the issuer."""


class InsufficientScopeError(BearerError):
    """The token is good, but lacks a scope. 403; the challenge names every scope that the request needs."""

    status = 403
    error = "insufficient_scope"

    def __init__(self, required: Iterable[str], granted: Iterable[str]) -> None:
        self.required = tuple(dict.fromkeys(required))
        self.missing = tuple(scope for scope in self.required if scope not in frozenset(granted))
        super().__init__(Reason.INSUFFICIENT_SCOPE, f"The token lacks the scope {' '.join(self.missing)}")

    def _attributes(self) -> dict[str, str]:
        sayable = [scope for scope in self.required if not _NOT_QUOTABLE.search(scope)]
        return super()._attributes() | ({"scope": " ".join(sayable)} if sayable else {})


class ConsumerNotAllowedError(BearerError):
    """The token is good, but its consumer is not one that this API serves. 403.

    RFC 6750 has no code for it; ``access_denied`` keeps clients from asking for more scopes, which would not help.
    """

    status = 403
    error = "access_denied"

    def __init__(self, consumer: str) -> None:
        self.consumer = consumer
        super().__init__(Reason.CONSUMER_NOT_ALLOWED, f"This API is not open to the organisation {consumer}")


class IssuerUnavailableError(BearerError):
    """The issuer's keys have never been fetched and can not be now, so no token can be judged. 503.

    ``retry_after`` is in whole seconds.
    """

    status = 503
    error = None

    def __init__(self, description: str, *, retry_after: int = 1) -> None:
        super().__init__(Reason.ISSUER_UNAVAILABLE, description)
        self.retry_after = retry_after

    def headers(self, *, realm: str = DEFAULT_REALM, resource_metadata: str | None = None) -> dict[str, str]:
        """Says when to come back; there is nothing wrong with the caller's token, so nothing is challenged."""
        return {"Retry-After": str(self.retry_after), "Cache-Control": "no-store"}
