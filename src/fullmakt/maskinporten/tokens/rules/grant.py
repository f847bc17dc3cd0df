"""What the grant itself must be, whoever sent it: its shape, whom it is for, its times, the syntax of its claims."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from fullmakt.jose.compact import UnverifiedJws
from fullmakt.kernel.identifiers import NationalId
from fullmakt.maskinporten.tokens.config import TokensConfig
from fullmakt.maskinporten.tokens.model import Refusal, UnverifiedGrant
from fullmakt.wire.altinn.token_details import ENTERPRISE_TYPE, SYSTEM_USER_TYPE
from fullmakt.wire.maskinporten.grant import (
    CLOCK_SKEW,
    KNOWN_CLAIMS,
    MAX_GRANT_LIFETIME,
    MAX_JTI_LENGTH,
)

_MAX_SCOPES = 300
_MAX_RESOURCES = 20
_MAX_NUMERIC_DATE = 253_402_300_799  # the end of the year 9999; past it no clock goes
_ORGNO = re.compile(r"[0-9]{9}", re.ASCII)
_NOT_IN_URI = re.compile(r"[^!-~]|[#<>\"{}|\\^`]")  # RFC 3986 §2, and no fragment: RFC 8707 §2


def malformed(claim: str, problem: str, **facts: object) -> Refusal:
    """MP-011 for one claim or header."""
    return Refusal("malformed_assertion", {"where": claim, "problem": problem, **facts})


def check_header(jws: UnverifiedJws, config: TokensConfig) -> Refusal | None:
    """Step 3: an algorithm that is allowed, and no ``crit`` that we would have to understand (RFC 7515 §4.1.11)."""
    header = jws.unverified_header
    if "crit" in header:
        return malformed("crit", "no critical header is understood")
    alg = header.get("alg")
    if not isinstance(alg, str) or alg not in config.grant_algorithms:
        return Refusal("invalid_signature", {"alg": str(alg)[:20], "allowed": sorted(config.grant_algorithms)})
    return None


def read_grant(claims: Mapping[str, Any], config: TokensConfig) -> UnverifiedGrant | Refusal:
    """Step 4: every claim known, the required ones there, each of its type."""
    if config.reject_unknown_claims and not claims.keys() <= KNOWN_CLAIMS:
        unknown = sorted(claims.keys() - KNOWN_CLAIMS)
        hint = "; it belongs inside authorization_details" if {"type", "from"}.issubset(unknown) else ""
        return malformed(unknown[0][:60], f"unknown claim{hint}")
    for name in ("aud", "iss", "scope", "iat", "exp"):
        if claims.get(name) is None:
            return malformed(name, "missing")
    for name, value in claims.items():  # those that are there: half of them, on most days
        if value is None:
            continue
        longest = _TEXT_CLAIMS.get(name)
        if longest is not None:
            if not isinstance(value, str) or not 0 < len(value) <= longest or "\x00" in value:
                return malformed(name, f"must be a string of 1 to {longest} characters")
        elif name in _DATE_CLAIMS and not _is_numeric_date(value):
            return malformed(name, "must be a number of seconds since 1970")
    audience = claims["aud"]
    if isinstance(audience, list) and all(isinstance(one, str) for one in audience):
        audience = audience[0] if len(audience) == 1 else None  # more than one is MP-110, at its own step
    elif not isinstance(audience, str):
        return malformed("aud", "must be a string, or an array with one")
    scopes = tuple(dict.fromkeys(claims["scope"].split()))
    if not scopes or len(scopes) > _MAX_SCOPES:
        return malformed("scope", f"must name 1 to {_MAX_SCOPES} scopes")
    resource = _read_resource(claims.get("resource"))
    if isinstance(resource, Refusal):
        return resource
    details = claims.get("authorization_details")
    if details is not None and not isinstance(details, list):
        return malformed("authorization_details", "must be an array")
    return UnverifiedGrant(
        audience=audience,
        client_id=claims["iss"],
        scope=" ".join(scopes),
        scopes=scopes,
        issued_at=claims["iat"],
        expires_at=claims["exp"],
        jti=claims.get("jti"),
        not_before=claims.get("nbf"),
        resource=resource,
        pid=claims.get("pid"),
        consumer_org=claims.get("consumer_org"),
        iss_onbehalfof=claims.get("iss_onbehalfof"),
        authorization_details=None if details is None else tuple(details),
    )


_TEXT_CLAIMS = {
    "iss": 255, "scope": 30_000, "jti": MAX_JTI_LENGTH, "pid": 40, "consumer_org": 40, "iss_onbehalfof": 255,
    "sub": 255,
}  # fmt: skip
_DATE_CLAIMS = frozenset({"iat", "exp", "nbf"})


def _is_numeric_date(value: object) -> bool:
    return type(value) in (int, float) and 0 <= value <= _MAX_NUMERIC_DATE  # type: ignore[operator]


def _read_resource(value: object) -> tuple[str, ...] | Refusal:
    """``resource`` comes as an array or as one string; both are in use (§2.9)."""
    if value is None:
        return ()
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not 0 < len(values) <= _MAX_RESOURCES:
        return malformed("resource", f"must be a string, or an array of 1 to {_MAX_RESOURCES} strings")
    if not all(isinstance(one, str) and len(one) <= 2_000 for one in values):
        return malformed("resource", "must hold strings")
    return tuple(dict.fromkeys(values))


def check_audience(grant: UnverifiedGrant, config: TokensConfig) -> Refusal | None:
    """Step 6: ``aud`` is the issuer, letter for letter."""
    if grant.audience == config.issuer:
        return None
    if config.accept_token_endpoint_as_aud and grant.audience == config.token_endpoint:
        return None
    seen = grant.audience if grant.audience is not None else "not exactly one"
    return Refusal("wrong_audience", {"aud": seen[:200], "expected": config.issuer})


def check_times(grant: UnverifiedGrant, now: float, config: TokensConfig) -> Refusal | None:
    """Step 8. ``exp`` gets no leeway; ``iat`` may be ten seconds ahead."""
    in_order = grant.issued_at <= now < grant.expires_at <= grant.issued_at + MAX_GRANT_LIFETIME
    if in_order and grant.not_before is None and config.iat_max_age is None:
        return None
    facts = {"iat": grant.issued_at, "exp": grant.expires_at, "now": round(now, 3)}
    if grant.issued_at > now + CLOCK_SKEW:
        return Refusal("issued_in_future", facts)
    if grant.not_before is not None and grant.not_before > now + CLOCK_SKEW:
        return Refusal("issued_in_future", {**facts, "nbf": grant.not_before})
    if config.iat_max_age is not None and grant.issued_at < now - config.iat_max_age:
        return Refusal("expired_assertion", {**facts, "iat_max_age": config.iat_max_age})
    if grant.expires_at <= now:
        return Refusal("expired_assertion", facts)
    if grant.expires_at < grant.issued_at:
        return malformed("exp", "before iat", **facts)
    if grant.expires_at - grant.issued_at > MAX_GRANT_LIFETIME:
        return malformed("exp", f"more than {MAX_GRANT_LIFETIME} seconds after iat", **facts)
    return None


def check_claim_syntax(grant: UnverifiedGrant, config: TokensConfig) -> Refusal | None:
    """Step 10: ``consumer_org``, ``iss_onbehalfof``, ``pid`` and ``resource``."""
    if grant.iss_onbehalfof is not None:
        if grant.consumer_org is not None:
            return malformed("iss_onbehalfof", "excludes consumer_org")
        if not config.iss_onbehalfof:
            return malformed("iss_onbehalfof", "does not work for Maskinporten clients")
    if grant.consumer_org is not None:
        if not _ORGNO.fullmatch(grant.consumer_org):
            return malformed("consumer_org", "must be nine digits")
        if grant.authorization_details is not None:
            refusal = _check_combination(grant.consumer_org, grant.authorization_details)
            if refusal is not None:
                return refusal
    if grant.pid is not None:
        try:
            person = NationalId(grant.pid)
        except ValueError as error:
            return malformed("pid", str(error))
        if person.is_synthetic and not config.accept_synthetic_ids:
            return malformed("pid", "is a synthetic number, which counts in test alone")
    for uri in grant.resource:
        if not _is_uri(uri):
            return malformed("resource", "must be absolute URIs", resource=uri[:200])
    return None


def _check_combination(consumer_org: str, details: tuple[Any, ...]) -> Refusal | None:
    """A token for a system user, or for an enterprise system, is not for a supplier's customer as well (§5.1, §5.2).

    Seed 001: the vendor of a system can not pass the API's scope on to an operator, for the client would be the
    operator's, and nothing would tie it to the vendor.
    """
    kinds = [one.get("type") for one in details if isinstance(one, dict)]
    for kind, problem in _WITHOUT_CONSUMER_ORG.items():
        if kind in kinds:
            return Refusal("details_with_consumer_org", {"consumer_org": consumer_org, "detail": problem})
    return None


_WITHOUT_CONSUMER_ORG = {
    SYSTEM_USER_TYPE: f"consumer_org can not be combined with {SYSTEM_USER_TYPE}",
    ENTERPRISE_TYPE: f"consumer_org can not be combined with {ENTERPRISE_TYPE}: a system vendor can not pass the API"
    " scope on to an operator, whose client would have no tie to the vendor",
}


def _is_uri(text: str) -> bool:
    """An absolute URI as RFC 8707 §2 wants it: a scheme, something after it, and no fragment."""
    if _NOT_IN_URI.search(text):
        return False
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(parts.scheme) and bool(parts.netloc or parts.path)
