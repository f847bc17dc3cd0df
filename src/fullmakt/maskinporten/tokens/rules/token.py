"""What the token says, and for how long: the parts that a client gets for its scopes, and the payload for one grant."""

from __future__ import annotations

import json
from functools import lru_cache

import orjson

from fullmakt.kernel.identifiers import Iso6523
from fullmakt.maskinporten.tokens.config import TokensConfig
from fullmakt.maskinporten.tokens.model import ActingFor, Refusal, TokenPlan, UnverifiedGrant
from fullmakt.maskinporten.tokens.rules.client import (
    acts_for_another,
    check_access,
    check_consumer_org,
    check_delegation,
    check_scopes,
)
from fullmakt.maskinporten.tokens.rules.grant import malformed
from fullmakt.wire.maskinporten.grant import (
    CONSUMER_PREFIX_SCOPE_STARTS,
    CONSUMER_PREFIX_SCOPES,
    DEFAULT_TOKEN_LIFETIME,
)
from fullmakt.wire.maskinporten.registry import RegisteredClient, RegisteredScope

LONGEST_TOKEN = 86_400
"""Seconds that a token lives at the most, whatever the registry says [I]: a signing key stays published for as long."""

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def token_lifetime(client: RegisteredClient, scopes: tuple[RegisteredScope, ...], config: TokensConfig) -> int:
    """Seconds the token lives (§3.4): the shortest of the scopes' own lifetimes, else the client's; a day at the most.

    ``override`` lets a scope's value replace the client's, as the real self-service page says; ``cap`` only lowers it.
    """
    base = client.access_token_lifetime or DEFAULT_TOKEN_LIFETIME
    caps = [scope.at_max_age for scope in scopes if scope.at_max_age]
    lifetimes = caps if caps and config.lifetime_mode == "override" else [base, *caps]
    return min(LONGEST_TOKEN, *lifetimes)


def plan_token(
    client: RegisteredClient,
    grant: UnverifiedGrant,
    amr: str,
    config: TokensConfig,
    acting: ActingFor | None = None,
) -> TokenPlan | Refusal:
    """Steps 11 to 13 and 15 for a grant of this client: the token's fixed parts, or the refusal.

    The answer depends on the client, the scope string, ``consumer_org`` and ``amr`` alone; and for a supplier on
    ``acting``, without which it can act for nobody.
    """
    scopes = check_scopes(client, grant.scopes)
    if isinstance(scopes, Refusal):
        return scopes
    refusal = check_consumer_org(client, scopes, grant.consumer_org)
    if refusal is None and acting is None and acts_for_another(client, grant.consumer_org):
        refusal = Refusal("unsupported_consumer_org", {"consumer_org": grant.consumer_org})
    refusal = refusal or check_access(client, scopes, acting)
    if refusal is None and acting is not None:
        refusal = check_delegation(scopes, acting)
    if refusal is not None:
        return refusal
    audiences = {scope.enforced_audience for scope in scopes if scope.enforced_audience}
    if len(audiences) > 1:
        return Refusal(
            "invalid_scope",
            {"scopes": ",".join(grant.scopes), "problem": "the scopes enforce different audiences"},
        )
    lifetime = token_lifetime(client, scopes, config)
    consumer = acting.consumer if acting is not None else client.client_orgno
    supplier = acting.supplier if acting is not None else _registered_supplier(client)
    last: dict[str, object] = {"client_id": client.client_id, "consumer": _party(consumer)}
    if supplier:
        last["supplier"] = _party(supplier)
    if acting is not None:
        last["delegation_source"] = scopes[0].delegation_source
    elif client.consumer_prefixes and any(map(_wants_consumer_prefix, grant.scopes)):
        last["consumer_prefix"] = list(client.consumer_prefixes)
    return TokenPlan(
        scope=grant.scope,
        lifetime=lifetime,
        head=_head(grant.scope, config.issuer, amr),
        tail=b"," + orjson.dumps(last)[1:],
        reply_tail=_reply_tail(grant.scope, lifetime),
        audience=next(iter(audiences), None),
        consumer=consumer,
        supplier=supplier,
    )


def _registered_supplier(client: RegisteredClient) -> str:
    """Who holds a client that was made for another organisation (§4.2)."""
    return client.supplier_orgno or "" if client.integration_type != "altinn_virksys" else ""


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


def check_resource(plan: TokenPlan, grant: UnverifiedGrant) -> Refusal | None:
    """A ``resource`` beside a scope that enforces an audience names that very audience [I].

    The scope's owner has said where its tokens may be used, and a client must not get one for elsewhere.
    """
    if plan.audience is None or not grant.resource or grant.resource == (plan.audience,):
        return None
    return malformed(
        "resource", "a scope enforces another audience", resource=list(grant.resource), enforced=plan.audience
    )


def token_payload(plan: TokenPlan, grant: UnverifiedGrant, jti: str, now: int) -> bytes:
    """The access token's claims in Maskinporten's shape (§3.3), as JSON; ``now`` in seconds."""
    payload = b'%b,"exp":%d,"iat":%d,"jti":"%b"' % (plan.head, now + plan.lifetime, now, jti.encode())
    audience = grant.resource if plan.audience is None else (plan.audience,)
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
