"""What can go wrong on the way to a token, by meaning, each with what to do next.

The causes and remedies are those of the error catalogue; Maskinporten's own words are kept beside them
(maskinporten.md §6).
"""

from __future__ import annotations

import re
from typing import ClassVar, Self

from fullmakt.wire.altinn.consents import Cause as ConsentCause
from fullmakt.wire.altinn.systemusers import Cause
from fullmakt.wire.maskinporten.errors import CATALOGUE, CONSENT_REASONS, CatalogueEntry

_CODE = re.compile(r"/errors/(MP-[0-9]{3})/?\Z", re.ASCII)
_TRACE = re.compile(r" \((?:trace_id|correlation id): ([0-9A-Za-z-]{1,64})\)\Z", re.ASCII)
"""At the end of ``error_description``; the older name was used until about 2022 (§6.1)."""
_ALTINNS_ANSWERS = {
    400: "knows no provider of tokens by the name of maskinporten",
    401: "does not believe the token from Maskinporten: its issuer, its signature, its time or its consumer",
    403: "does not take the token's scopes",
}
_FACT = re.compile(r"\{\w+\}")
"""A blank in a text of the catalogue."""


class MaskinportenError(Exception):
    """No token. ``str()`` tells what happened and what to do.

    status: the HTTP status; None when there was no answer.
    error, description, error_uri: of the error response (RFC 6749 §5.2), the description without its trace id.
    code: ``MP-nnn`` where Maskinporten gave one. trace_id: what its support asks for.
    reason: the error's name in the catalogue; None when it is not there. remedy: what to do next.
    """

    default_remedy: ClassVar[str] = "Ask the operator of the token server, with the trace id."

    def __init__(
        self,
        description: str,
        *,
        status: int | None = None,
        error: str | None = None,
        error_uri: str | None = None,
        trace_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(description)
        self.status = status
        self.error = error
        self.description = description
        self.error_uri = error_uri
        self.trace_id = trace_id
        self.retry_after = retry_after
        self.code = _code(error_uri)
        entry = _entry(self.error, self.code, description)
        self.reason = entry.reason if entry else None
        self.remedy = entry.remedy if entry else self.default_remedy

    def __str__(self) -> str:
        named = " ".join(part for part in (self.code, self.error) if part)
        trace = f" (trace_id: {self.trace_id})" if self.trace_id else ""
        return f"{named + ': ' if named else ''}{self.description}{trace} {self.remedy}"


class InvalidGrantError(MaskinportenError):
    """The grant itself is not accepted: MP-011, its issue time, and whatever of its kind has no class of its own."""

    default_remedy = "Compare the grant with the documentation of the JWT grant; check the machine's clock."


class ReplayedGrantError(InvalidGrantError):
    """The grant has been used before (MP-012)."""


class ClientAuthenticationError(MaskinportenError):
    """Client, key, certificate, audience or signature is not accepted: MP-100 to MP-130, and key ids."""

    default_remedy = "Check the client id, its key or certificate, and that all are of this environment."


class InvalidScopeError(MaskinportenError):
    """A scope is not on the client, or not for its kind (MP-200, MP-201)."""

    default_remedy = "Add the scope to the client in self-service."


class AccessDeniedError(MaskinportenError):
    """The consumer has not been granted access to the scope (MP-250)."""

    default_remedy = "Ask the owner of the scope for access."


class NotDelegatedError(AccessDeniedError):
    """The consumer has not delegated the scope to the supplier (MP-251)."""


class AuthorizationDetailsError(MaskinportenError):
    """``authorization_details`` is not accepted: type, member or value, or Altinn knows of no such (MP-301 to 303)."""

    default_remedy = "Check the system user or the consent in Altinn."

    @property
    def cause(self) -> Cause | None:
        """Why Altinn knows of no such system user; None when it is not that, or the token server did not say."""
        return next((cause for cause in Cause if cause == self.reason), None)

    @property
    def consent_cause(self) -> ConsentCause | None:
        """Why a consent can not be drawn; ``NOT_ACCEPTED`` while it is not answered. None as for ``cause``."""
        return next((cause for cause, reason in CONSENT_REASONS.items() if reason == self.reason), None)


class ExchangeRefusedError(MaskinportenError):
    """Altinn gives no token for Maskinporten's; its answers say no more than their status."""

    default_remedy = "Check that Altinn and Maskinporten are of the same environment, and the URL of Altinn's issuer."

    @classmethod
    def of(cls, url: str, status: int) -> Self:
        """The error that a status other than 200 stands for."""
        return cls(f"{url} {_ALTINNS_ANSWERS.get(status, f'answered {status}')}", status=status)


class TemporarilyUnavailableError(MaskinportenError):
    """The token server can not be reached, or can not answer just now. ``retry_after`` is in seconds, if it said."""

    default_remedy = "Try again later."


class DiscoveryError(MaskinportenError):
    """The issuer's metadata is missing, or is not that of the issuer."""

    default_remedy = "Check the issuer's URL: it is compared letter for letter, slash at the end included."


class UnexpectedResponseError(MaskinportenError):
    """The answer is neither a token nor an OAuth error: a proxy's page, or another service."""

    default_remedy = "Check the token endpoint's URL and the proxies on the way."


_BY_REASON: dict[str, type[MaskinportenError]] = {
    "replayed": ReplayedGrantError,
    "no_access": AccessDeniedError,
    "not_delegated": NotDelegatedError,
    "unknown_kid": ClientAuthenticationError,
    "key_required": ClientAuthenticationError,
}
_BY_CODE: tuple[tuple[str, type[MaskinportenError]], ...] = (
    ("MP-1", ClientAuthenticationError),
    ("MP-20", InvalidScopeError),
    ("MP-3", AuthorizationDetailsError),
)
_BY_ERROR: dict[str, type[MaskinportenError]] = {
    "invalid_scope": InvalidScopeError,
    "invalid_altinn_customer_configuration": AuthorizationDetailsError,
    "invalid_client": ClientAuthenticationError,
    "invalid_grant": InvalidGrantError,
    "invalid_request": InvalidGrantError,
    "forbidden": AccessDeniedError,
    "temporarily_unavailable": TemporarilyUnavailableError,
}


def error_from(
    status: int, error: str, description: str, error_uri: str | None, *, retry_after: float | None = None
) -> MaskinportenError:
    """The error that a token server's error response stands for."""
    trace = _TRACE.search(description)
    text = _TRACE.sub("", description)
    return _kind(error, _code(error_uri), text)(
        text,
        status=status,
        error=error,
        error_uri=error_uri,
        trace_id=trace[1] if trace else None,
        retry_after=retry_after,
    )


def _kind(error: str, code: str | None, description: str) -> type[MaskinportenError]:
    entry = _entry(error, code, description)
    if entry is not None and entry.reason in _BY_REASON:
        return _BY_REASON[entry.reason]
    by_code = (kind for start, kind in _BY_CODE if code is not None and code.startswith(start))
    return next(by_code, _BY_ERROR.get(error, MaskinportenError))


def _code(error_uri: str | None) -> str | None:
    found = _CODE.search(error_uri or "")
    return found[1] if found else None


def _entry(error: str | None, code: str | None, description: str) -> CatalogueEntry | None:
    alike = [entry for entry in CATALOGUE.values() if entry.error == error and entry.code == code]
    if code is not None and len(alike) == 1:
        return alike[0]  # the code settles it, whatever the words are today
    fitting = [entry for entry in alike if _pattern(entry.text).match(description)]
    # Some texts are all detail, and fit anything: the one with most words of its own is meant.
    return max(fitting, key=lambda entry: len(_FACT.sub("", entry.text)), default=None)


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(piece) for piece in _FACT.split(template)), re.DOTALL)
