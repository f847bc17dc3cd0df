"""The token endpoint's decisions, in the order in which the protocol makes them: values in, a value out.

Each rule returns None (or a value) to go on, or the ``Refusal`` that ends it. Source: maskinporten.md §2.3, whose step
numbers stand beside the rules.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from fullmakt.jose.compact import UnverifiedJws
from fullmakt.kernel.identifiers import Iso6523, NationalId
from fullmakt.maskinporten.tokens.config import TokensConfig
from fullmakt.maskinporten.tokens.model import Refusal, TokenPlan, UnverifiedGrant
from fullmakt.wire.maskinporten.grant import (
    CLOCK_SKEW,
    CONSUMER_PREFIX_SCOPE_STARTS,
    CONSUMER_PREFIX_SCOPES,
    DEFAULT_TOKEN_LIFETIME,
    INTEGRATION_TYPES_WITH_GRANT,
    KNOWN_CLAIMS,
    MAX_GRANT_LIFETIME,
    MAX_JTI_LENGTH,
)
from fullmakt.wire.maskinporten.registry import RegisteredClient, RegisteredKey, RegisteredScope

LONGEST_TOKEN = 86_400
"""Seconds that a token lives at the most, whatever the registry says [I]: a signing key stays published for as long."""

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_MAX_SCOPES = 300
_MAX_RESOURCES = 20
_MAX_NUMERIC_DATE = 253_402_300_799  # the end of the year 9999; past it no clock goes
_ORGNO = re.compile(r"[0-9]{9}", re.ASCII)
_NOT_IN_URI = re.compile(r"[^!-~]|[#<>\"{}|\\^`]")  # RFC 3986 §2, and no fragment: RFC 8707 §2


def malformed(claim: str, problem: str, **facts: object) -> Refusal:
    """MP-011 for one claim or header."""
    return Refusal("malformed_assertion", {"where": claim, "problem": problem, **facts})


# -- 2 to 4: shape ----------------------------------------------------------------------------------------------------


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
        return malformed(unknown[0][:60], "unknown claim")
    for name in ("aud", "iss", "scope", "iat", "exp"):
        if claims.get(name) is None:
            return malformed(name, "missing")
    for name, longest in _TEXT_CLAIMS:
        value = claims.get(name)
        if value is not None and (not isinstance(value, str) or not 0 < len(value) <= longest or "\x00" in value):
            return malformed(name, f"must be a string of 1 to {longest} characters")
    for name in ("iat", "exp", "nbf"):
        value = claims.get(name)
        if value is not None and not _is_numeric_date(value):
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


_TEXT_CLAIMS = (
    ("iss", 255), ("scope", 30_000), ("jti", MAX_JTI_LENGTH), ("pid", 40), ("consumer_org", 40),
    ("iss_onbehalfof", 255), ("sub", 255),
)  # fmt: skip


def _is_numeric_date(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _MAX_NUMERIC_DATE


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


# -- 5 and 6: who, and for whom the grant is meant --------------------------------------------------------------------


def client_not_found(grant: UnverifiedGrant) -> Refusal:
    """Step 5: nobody has that client id."""
    return Refusal("client_not_found", {"client_id": grant.client_id, "found": False})


def check_client(client: RegisteredClient, grant: UnverifiedGrant) -> Refusal | None:
    """Step 5: active, and of a type that gets its tokens here."""
    if not client.active:
        return Refusal("client_not_found", {"client_id": grant.client_id, "found": True, "active": False})
    if client.integration_type not in INTEGRATION_TYPES_WITH_GRANT:
        return Refusal("client_not_found", {"client_id": grant.client_id, "integration_type": client.integration_type})
    return None


def check_audience(grant: UnverifiedGrant, config: TokensConfig) -> Refusal | None:
    """Step 6: ``aud`` is the issuer, letter for letter."""
    if grant.audience == config.issuer:
        return None
    if config.accept_token_endpoint_as_aud and grant.audience == config.token_endpoint:
        return None
    seen = grant.audience if grant.audience is not None else "more than one"
    return Refusal("wrong_audience", {"aud": seen[:200], "expected": config.issuer})


# -- 7: the key -------------------------------------------------------------------------------------------------------


def choose_key(
    client: RegisteredClient, keys: Mapping[str, RegisteredKey], header: Mapping[str, Any], now: float
) -> RegisteredKey | Refusal | None:
    """Step 7, before the signature: the registered key, or None for the certificate path.

    A client with keys must name one of them (an ``x5c`` beside it is not looked at); a client without keys signs with
    an enterprise certificate, unless its type demands a key (§8.5: otherwise any certificate of the organisation would
    be a master key to every one of its systems).
    """
    kid = header.get("kid")
    if keys:
        if kid is None:
            return Refusal("key_required", {"client_id": client.client_id, "registered_keys": len(keys)})
        key = keys.get(kid) if isinstance(kid, str) else None
        if key is None:
            return Refusal("unknown_kid", {"client_id": client.client_id, "kid": str(kid)[:100]})
        if key.expires_at <= now:
            return Refusal("expired_key", {"client_id": client.client_id, "kid": key.kid, "expired_at": key.expires_at})
        if key.alg is not None and key.alg != header["alg"]:
            return Refusal("invalid_signature", {"kid": key.kid, "alg": header["alg"], "registered_alg": key.alg})
        return key
    if client.integration_type == "altinn_virksys":
        return Refusal("key_required", {"client_id": client.client_id, "integration_type": "altinn_virksys"})
    if "x5c" in header:
        return None
    if kid is not None:
        return Refusal("unknown_kid", {"client_id": client.client_id, "kid": str(kid)[:100], "registered_keys": 0})
    return Refusal("invalid_x5c", {"problem": "neither kid nor x5c in the header"})


def check_certificate_owner(client: RegisteredClient, orgno: str) -> Refusal | None:
    """Step 7, certificate path: the certificate is the client owner's (§2.5 rule 7: the customer's, always)."""
    if orgno != client.client_orgno:
        return Refusal("wrong_certificate_owner", {"certificate": orgno, "client": client.client_orgno})
    return None


# -- 8: time ----------------------------------------------------------------------------------------------------------


def check_times(grant: UnverifiedGrant, now: float, config: TokensConfig) -> Refusal | None:
    """Step 8. ``exp`` gets no leeway; ``iat`` may be ten seconds ahead."""
    facts = {"iat": grant.issued_at, "exp": grant.expires_at, "now": round(now, 3)}
    if grant.issued_at > now + CLOCK_SKEW:
        return Refusal("issued_in_future", facts)
    if grant.not_before is not None and grant.not_before > now + CLOCK_SKEW:
        return Refusal("issued_in_future", {**facts, "nbf": grant.not_before})
    if config.iat_max_age is not None and grant.issued_at < now - config.iat_max_age:
        return Refusal("expired_assertion", {**facts, "iat_max_age": config.iat_max_age})
    if grant.expires_at <= now:
        return Refusal("expired_assertion", facts)
    if grant.expires_at - grant.issued_at > MAX_GRANT_LIFETIME:
        return malformed("exp", f"more than {MAX_GRANT_LIFETIME} seconds after iat", **facts)
    return None


# -- 10: syntax that is told after the replay check -------------------------------------------------------------------


def check_claim_syntax(grant: UnverifiedGrant, config: TokensConfig) -> Refusal | None:
    """Step 10: ``consumer_org``, ``iss_onbehalfof``, ``pid`` and ``resource``."""
    if grant.iss_onbehalfof is not None:
        if grant.consumer_org is not None:
            return malformed("iss_onbehalfof", "excludes consumer_org")
        if not config.iss_onbehalfof:
            return malformed("iss_onbehalfof", "does not work for Maskinporten clients")
    if grant.consumer_org is not None and not _ORGNO.fullmatch(grant.consumer_org):
        return malformed("consumer_org", "must be nine digits")
    if grant.pid is not None:
        try:
            NationalId(grant.pid)
        except ValueError as error:
            return malformed("pid", str(error))
    for uri in grant.resource:
        if not _is_uri(uri):
            return malformed("resource", "must be absolute URIs", resource=uri[:200])
    return None


def _is_uri(text: str) -> bool:
    """An absolute URI as RFC 8707 §2 wants it: a scheme, something after it, and no fragment."""
    if _NOT_IN_URI.search(text):
        return False
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(parts.scheme) and bool(parts.netloc or parts.path)


# -- 11 to 14: what is asked for --------------------------------------------------------------------------------------


def check_scopes(client: RegisteredClient, scopes: tuple[str, ...]) -> tuple[RegisteredScope, ...] | Refusal:
    """Steps 11 and 12: all on the client, all active, all meant for its type; every offender is named."""
    registered = {scope.name: scope for scope in client.scopes}
    wrong = [name for name in scopes if name not in registered or not registered[name].active]
    if wrong:
        inactive = [name for name in wrong if name in registered]
        return Refusal(
            "invalid_scope", {"scopes": ",".join(wrong), "client_id": client.client_id, "inactive": inactive}
        )
    asked = tuple(registered[name] for name in scopes)
    for scope in asked:
        if scope.allowed_integration_types and client.integration_type not in scope.allowed_integration_types:
            return Refusal(
                "scope_not_for_maskinporten",
                {"scope": scope.name, "integration_type": client.integration_type,
                 "allowed": list(scope.allowed_integration_types)},
            )  # fmt: skip
    return asked


def check_consumer_org(
    client: RegisteredClient, scopes: tuple[RegisteredScope, ...], consumer_org: str | None
) -> Refusal | None:
    """Step 13, the part about the supplier (§4.3).

    A client that names its own organisation acts on its own behalf, unless the scope is one that is delegated. Asking
    for another organisation needs a delegation in Altinn, which this server can not yet look up.
    """
    if consumer_org is None:
        return None
    if consumer_org == client.client_orgno:
        if any(scope.delegation_source for scope in scopes):
            return Refusal("own_delegation", {"consumer_org": consumer_org})
        return None
    for scope in scopes:
        if not scope.delegation_source:
            return Refusal(
                "not_delegated",
                {"consumer": consumer_org, "scope": scope.name, "supplier": client.client_orgno,
                 "problem": "the scope has no delegation_source"},
            )  # fmt: skip
    return Refusal("unsupported_consumer_org", {"consumer_org": consumer_org})


def check_access(client: RegisteredClient, scopes: tuple[RegisteredScope, ...]) -> Refusal | None:
    """Step 13, the part about access (§4.1 rule 4)."""
    for scope in scopes:
        if not scope.access and not scope.accessible_for_all:
            return Refusal(
                "no_access",
                {"scope": scope.name, "consumer": access_holder(client), "delegable": bool(scope.delegation_source)},
            )
    return None


def access_holder(client: RegisteredClient) -> str:
    """The organisation whose access counts (§4.2): a supplier that declares its customers does not inherit theirs."""
    if client.supplier_orgno and not client.made_by_altinn and client.integration_type != "altinn_virksys":
        return client.supplier_orgno
    return client.client_orgno


def check_authorization_details(grant: UnverifiedGrant) -> Refusal | None:
    """Step 14: one object of a type that is supported; none is, yet."""
    details = grant.authorization_details
    if details is None:
        return None
    if len(details) != 1 or not isinstance(details[0], dict):
        return malformed("authorization_details", "must hold exactly one object")
    kind = details[0].get("type")
    return Refusal("unknown_authorization_details_type", {"type": str(kind)[:100], "supported": []})


# -- 15: the token ----------------------------------------------------------------------------------------------------


def token_lifetime(client: RegisteredClient, scopes: tuple[RegisteredScope, ...], config: TokensConfig) -> int:
    """Seconds the token lives (§3.4): the shortest of the scopes' own lifetimes, else the client's; a day at the most.

    ``override`` lets a scope's value replace the client's, as the real self-service page says; ``cap`` only lowers it.
    """
    base = client.access_token_lifetime or DEFAULT_TOKEN_LIFETIME
    caps = [scope.at_max_age for scope in scopes if scope.at_max_age]
    lifetimes = caps if caps and config.lifetime_mode == "override" else [base, *caps]
    return min(LONGEST_TOKEN, *lifetimes)


def plan_token(client: RegisteredClient, grant: UnverifiedGrant, amr: str, config: TokensConfig) -> TokenPlan | Refusal:
    """Steps 11 to 13 and 15 for a grant of this client: the token's fixed parts, or the refusal.

    The answer depends on the client, the scope string, ``consumer_org`` and ``amr`` alone.
    """
    scopes = check_scopes(client, grant.scopes)
    if isinstance(scopes, Refusal):
        return scopes
    refusal = check_consumer_org(client, scopes, grant.consumer_org) or check_access(client, scopes)
    if refusal is not None:
        return refusal
    audiences = {scope.enforced_audience for scope in scopes if scope.enforced_audience}
    if len(audiences) > 1:
        return Refusal(
            "invalid_scope",
            {"scopes": ",".join(grant.scopes), "problem": "the scopes enforce different audiences"},
        )
    lifetime = token_lifetime(client, scopes, config)
    last: dict[str, object] = {"client_id": client.client_id, "consumer": _party(client.client_orgno)}
    if client.supplier_orgno and client.integration_type != "altinn_virksys":
        last["supplier"] = _party(client.supplier_orgno)
    if client.consumer_prefixes and any(map(_wants_consumer_prefix, grant.scopes)):
        last["consumer_prefix"] = list(client.consumer_prefixes)
    return TokenPlan(
        scope=grant.scope,
        lifetime=lifetime,
        head=_head(grant.scope, config.issuer, amr),
        tail=b"," + _json(last)[1:],
        reply_tail=_reply_tail(grant.scope, lifetime),
        audience=next(iter(audiences), None),
        consumer=client.client_orgno,
    )


# Clients by the thousand ask for the same scopes: what depends on those alone is written once.


@lru_cache(maxsize=512)
def _head(scope: str, issuer: str, amr: str) -> bytes:
    return _json({"scope": scope, "iss": issuer, "client_amr": amr, "token_type": "Bearer"})[:-1]


@lru_cache(maxsize=512)
def _reply_tail(scope: str, lifetime: int) -> bytes:
    return b'",' + _json({"token_type": "Bearer", "expires_in": lifetime, "scope": scope})[1:]


def _party(orgno: str) -> dict[str, str]:
    return {"authority": Iso6523.AUTHORITY, "ID": f"0192:{orgno}"}


def _wants_consumer_prefix(scope: str) -> bool:
    return scope in CONSUMER_PREFIX_SCOPES or scope.startswith(CONSUMER_PREFIX_SCOPE_STARTS)


def _json(value: object) -> bytes:
    return _encode(value).encode()


def token_payload(plan: TokenPlan, grant: UnverifiedGrant, jti: str, now: int) -> bytes:
    """The access token's claims in Maskinporten's shape (§3.3), as JSON; ``now`` in seconds."""
    payload = b'%b,"exp":%d,"iat":%d,"jti":"%b"' % (plan.head, now + plan.lifetime, now, jti.encode())
    audience = grant.resource or ((plan.audience,) if plan.audience else ())
    if audience:
        payload += b',"aud":' + _json(audience[0] if len(audience) == 1 else list(audience))
    if grant.pid is not None:
        payload += b',"pid":' + _json(grant.pid)
    if grant.iss_onbehalfof is not None:
        payload += b',"iss_onbehalfof":' + _json(grant.iss_onbehalfof)
    return payload + plan.tail


def is_rfc9068(grant: UnverifiedGrant, config: TokensConfig) -> bool:
    """True when every resource asked for wants its tokens in the shape of RFC 9068."""
    return bool(grant.resource) and config.rfc9068_resources.issuperset(grant.resource)
