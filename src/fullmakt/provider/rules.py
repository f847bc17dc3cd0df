"""Is this token one to believe? Pure: token, key and time in, a ``VerifiedToken`` or a ``BearerError`` out.

Sources: maskinporten.md §3.3, §3.6 and §5, altinn-authentication.md §2.1 and §2.2, RFC 6750, RFC 7515 §4.1.11, RFC 7519
§4.1, RFC 8725 §3, RFC 9068 §4.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from fullmakt.jose.compact import MalformedJwtError, UnverifiedJws, parse_compact
from fullmakt.jose.keys import EC_ALGORITHMS, RSA_ALGORITHMS, PublicKey
from fullmakt.kernel.identifiers import InvalidIdentifierError, NationalId, OrgNumber
from fullmakt.provider.errors import (
    ConsumerNotAllowedError,
    InsufficientScopeError,
    InvalidTokenError,
    MissingTokenError,
    Reason,
)
from fullmakt.provider.verified_token import VerifiedToken
from fullmakt.wire.altinn.callers import ORG_NUMBER
from fullmakt.wire.altinn.token_details import (
    BadClaimError,
    EnterpriseDetails,
    SystemUserDetails,
    details_of,
    enterprise_of,
    organisation_of,
    system_user_of,
)

ALGORITHMS = RSA_ALGORITHMS | EC_ALGORITHMS
TOKEN_TYPES = frozenset({"", "jwt", "at+jwt", "application/at+jwt"})
"""Maskinporten writes no ``typ``, Altinn ``JWT``, RFC 9068 §2.1 ``at+jwt``. Other kinds of JWT are no access tokens."""
_MAX_TEXT = 4096


@dataclass(frozen=True, slots=True)
class Expected:
    """What a verifier holds tokens against. ``leeway`` is in seconds; without ``audience``, ``aud`` is not read."""

    issuer: str
    audience: str | None
    leeway: float
    algorithms: frozenset[str] = ALGORITHMS


@dataclass(frozen=True, slots=True)
class PresentedToken:
    """A token that can be read, names our issuer, and says which key is to have signed it. Not verified."""

    kid: str
    alg: str
    jws: UnverifiedJws


def read(token: str | None, expected: Expected) -> PresentedToken:
    """Read a token as far as can be done without a key.

    The issuer is compared here already, so that tokens of another environment do not set off a search for their keys.

    Raises:
        MissingTokenError: there is no token.
        InvalidTokenError: ``malformed``, ``algorithm``, ``wrong_type``, ``unknown_kid`` or ``wrong_issuer``.
    """
    jws = _parsed(token)
    header = jws.unverified_header
    alg, kid, typ = header.get("alg"), header.get("kid"), header.get("typ", "")
    if not isinstance(alg, str) or alg not in expected.algorithms:
        raise InvalidTokenError(
            Reason.ALGORITHM, f"The token must be signed with one of {', '.join(sorted(expected.algorithms))}"
        )
    if "crit" in header:
        raise InvalidTokenError(Reason.MALFORMED, "The token has critical header parameters (crit), and none is known")
    if not isinstance(typ, str) or typ.lower() not in TOKEN_TYPES:
        raise InvalidTokenError(Reason.WRONG_TYPE, "The JWT is of another type (typ) than access token")
    if not isinstance(kid, str):
        raise InvalidTokenError(Reason.UNKNOWN_KID, "The token does not say which key signed it (kid)")
    if jws.unverified_payload.get("iss") != expected.issuer:
        raise InvalidTokenError(Reason.WRONG_ISSUER, f"The token is not issued by {expected.issuer}")
    return PresentedToken(kid, alg, jws)


def issuer_of(token: str | None, trusted: Collection[str]) -> str:
    """Which of the ``trusted`` issuers the token names. Not verified.

    Raises:
        MissingTokenError: there is no token.
        InvalidTokenError: ``malformed``, or ``wrong_issuer``.
    """
    issuer = _parsed(token).unverified_payload.get("iss")
    if not isinstance(issuer, str) or issuer not in trusted:
        raise InvalidTokenError(Reason.WRONG_ISSUER, f"The token is not issued by {' or '.join(trusted)}")
    return issuer


def _parsed(token: str | None) -> UnverifiedJws:
    if not token:
        raise MissingTokenError
    try:
        return parse_compact(token)
    except MalformedJwtError as error:
        raise InvalidTokenError(Reason.MALFORMED, f"The token is not a signed JWT: {error}") from error


def accept(presented: PresentedToken, key: PublicKey | None, expected: Expected, now: dt.datetime) -> VerifiedToken:
    """Verify the signature with ``key``, then time, audience and shape.

    Raises:
        InvalidTokenError: with any of the reasons that ``read`` leaves over.
    """
    if key is None:
        raise InvalidTokenError(Reason.UNKNOWN_KID, "The issuer has no key with the token's kid")
    if presented.alg not in key.algorithms or key.alg not in (None, presented.alg):
        raise InvalidTokenError(Reason.ALGORITHM, "The token's alg is not the one that its key is for")
    if not key.verify(presented.alg, presented.jws.signing_input, presented.jws.signature):
        raise InvalidTokenError(Reason.BAD_SIGNATURE, "The token's signature does not fit its content")
    claims = presented.jws.unverified_payload  # verified, from here on
    issued_at, expires_at = _lifetime(claims, dt.timedelta(seconds=expected.leeway), now)
    audience = _texts(claims, "aud")
    if expected.audience is not None and expected.audience not in audience:
        raise InvalidTokenError(Reason.WRONG_AUDIENCE, f"The token is not meant for {expected.audience}")
    details, system_user, enterprise = _details(claims)
    return VerifiedToken(
        issuer=expected.issuer,
        consumer=_consumer(claims),
        supplier=_organisation(claims, "supplier"),
        delegation_source=_optional_text(claims, "delegation_source"),
        client_id=_text(claims, "client_id"),
        client_amr=_optional_text(claims, "client_amr"),
        scopes=frozenset((_optional_text(claims, "scope") or "").split(" ")) - {""},
        audience=audience,
        pid=_pid(claims),
        jti=_text(claims, "jti"),
        issued_at=issued_at,
        expires_at=expires_at,
        authorization_details=details,
        claims=MappingProxyType(claims),
        system_user=system_user,
        enterprise=enterprise,
    )


def permit(token: VerifiedToken, *, scopes: Iterable[str], consumers: Collection[str] | None) -> VerifiedToken:
    """Hold a good token against what this request needs: every one of ``scopes``, and one of ``consumers`` if given.

    Text is taken as a space-separated list, so that a lone name is not read as its letters.

    Raises:
        InsufficientScopeError: a scope is missing.
        ConsumerNotAllowedError: the consumer is not among ``consumers``.
    """
    required = scopes.split() if isinstance(scopes, str) else list(scopes)
    if not token.scopes.issuperset(required):
        raise InsufficientScopeError(required, token.scopes)
    allowed = consumers.split() if isinstance(consumers, str) else consumers
    if allowed is not None and token.consumer not in allowed:
        raise ConsumerNotAllowedError(token.consumer)
    return token


def _bad_claim(name: str) -> InvalidTokenError:
    return InvalidTokenError(Reason.BAD_CLAIM, f"The token's claim {name} is missing or has a value it can not have")


def _lifetime(claims: Mapping[str, Any], leeway: dt.timedelta, now: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    issued_at, expires_at = _time(claims, "iat"), _time(claims, "exp")
    valid_from = _time(claims, "nbf") if "nbf" in claims else issued_at
    if expires_at <= now - leeway:
        raise InvalidTokenError(Reason.EXPIRED, "The token has expired")
    if max(issued_at, valid_from) > now + leeway:
        raise InvalidTokenError(Reason.NOT_YET_VALID, "The token is not valid yet")
    return issued_at, expires_at


def _time(claims: Mapping[str, Any], name: str) -> dt.datetime:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _bad_claim(name)
    try:
        return dt.datetime.fromtimestamp(value, dt.UTC)
    except (OverflowError, ValueError, OSError) as error:  # infinite, or beyond the year 9999
        raise _bad_claim(name) from error


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    # Printable alone: what comes from here goes on into logs, headers and databases, which NUL and line breaks break.
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_TEXT or not value.isprintable():
        raise _bad_claim(name)
    return value


def _optional_text(claims: Mapping[str, Any], name: str) -> str | None:
    return _text(claims, name) if name in claims else None


def _texts(claims: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = claims.get(name, [])
    texts = value if isinstance(value, list) else [value]
    return tuple(_text({name: text}, name) for text in texts)


def _consumer(claims: Mapping[str, Any]) -> OrgNumber:
    try:
        # The exchange's older tokens name it by its number alone (altinn-authentication.md §5).
        consumer = _organisation(claims, "consumer") or _bare_number(claims)
    except InvalidTokenError:
        consumer = None
    if consumer is None:
        raise InvalidTokenError(Reason.NO_CONSUMER, "The token names no consumer with a Norwegian organisation number")
    return consumer


def _organisation(claims: Mapping[str, Any], name: str) -> OrgNumber | None:
    try:
        return organisation_of(claims[name]) if name in claims else None
    except BadClaimError as error:
        raise _bad_claim(name) from error


def _bare_number(claims: Mapping[str, Any]) -> OrgNumber | None:
    if ORG_NUMBER not in claims:
        return None
    try:
        return OrgNumber(_text(claims, ORG_NUMBER))
    except InvalidIdentifierError as error:
        raise _bad_claim(ORG_NUMBER) from error


def _pid(claims: Mapping[str, Any]) -> NationalId | None:
    if "pid" not in claims:
        return None
    try:
        return NationalId(_text(claims, "pid"))
    except InvalidIdentifierError as error:
        raise _bad_claim("pid") from error


def _details(
    claims: Mapping[str, Any],
) -> tuple[tuple[Mapping[str, Any], ...], SystemUserDetails | None, EnterpriseDetails | None]:
    try:
        found = tuple(MappingProxyType(dict(detail)) for detail in details_of(claims))
        return found, system_user_of(claims), enterprise_of(claims)
    except BadClaimError as error:
        raise _bad_claim("authorization_details") from error
